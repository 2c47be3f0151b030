"""The data plane: one file a Linux tool. Linux words only; what to do is decided elsewhere."""
