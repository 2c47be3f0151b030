"""Pure: what should be, computed from what was asked and what is. No I/O, clock, randomness or third party."""
