"""The command line: a command is one request to the engine."""
