"""Errors that a user of the command line sees: what, where, and what to do next."""

from dataclasses import dataclass


@dataclass
class UserError(Exception):
    """A request that cannot be fulfilled. Exit codes: 2 wrong use, 3 not found or ambiguous, 4 the configuration
    or the stack failed, 5 the machine lacks something, 6 busy."""

    message: str
    remedy: str = ""
    exit_code: int = 4

    def __str__(self) -> str:
        return self.message


USAGE, NOT_FOUND, FAILED, MACHINE, BUSY = 2, 3, 4, 5, 6
