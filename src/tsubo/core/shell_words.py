"""A command line split into words, as ECS Exec splits it: no shell reads it.

Quotes, backslashes and comments have a meaning; `$NAME`, pipes and globs have none. The rules are those of the
library that the agent uses, and differ from a shell's in one point: between double quotes a backslash makes any
character literal, so that "\\n" is the letter n. Source: aws/ecs-cloudmap-exec.md section 13.
"""

from collections.abc import Iterator

SPACES = " \t\r\n"


class UnfinishedCommandError(ValueError):
    """A command ends in the middle of a quotation or after a backslash; the message is the agent's."""


def split(command: str) -> list[str]:
    """Return the words of a command; of a blank one `sh`. Raises UnfinishedCommandError."""
    words: list[str] = []
    characters = iter(command)
    for character in characters:
        if character == "#":
            while character not in ("\n", ""):
                character = next(characters, "")  # noqa: PLW2901
        elif character not in SPACES:
            words.append(_word(character, characters))
    return words or ["sh"]


def _word(first: str, rest: Iterator[str]) -> str:
    """Return the word that begins with `first`, and take it and the space after it from `rest`."""
    word = []
    character = first
    while character and character not in SPACES:
        if character == "\\":
            word.append(_literal(rest))
        elif character in "\"'":
            word.append(_quoted(character, rest))
        else:
            word.append(character)
        character = next(rest, "")
    return "".join(word)


def _literal(rest: Iterator[str]) -> str:
    try:
        return next(rest)
    except StopIteration:
        raise UnfinishedCommandError("EOF found after escape character") from None


def _quoted(quote: str, rest: Iterator[str]) -> str:
    text: list[str] = []
    for character in rest:
        if character == quote:
            return "".join(text)
        text.append(_literal(rest) if character == "\\" and quote == '"' else character)
    raise UnfinishedCommandError("EOF found when expecting closing quote")
