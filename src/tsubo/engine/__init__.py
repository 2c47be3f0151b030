"""The engine: supervisor, loop, observe, carry out. The only place where core, aws and drivers meet."""
