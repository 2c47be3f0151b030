"""Commands as ECS Exec splits them (aws/ecs-cloudmap-exec.md section 13)."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsubo.core.shell_words import UnfinishedCommandError, split


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sh", ["sh"]),
        ("", ["sh"]),
        (" \t\n", ["sh"]),
        ("/bin/sh -c 'echo $HOME | cat *'", ["/bin/sh", "-c", "echo $HOME | cat *"]),
        ("echo $HOME | cat *", ["echo", "$HOME", "|", "cat", "*"]),
        ("a\"b c\"'d e'f", ["ab cd ef"]),
        ("a\\ b \\'", ["a b", "'"]),
        (r'"a\"b\\c\n"', ['a"b\\cn']),
        (r"'a\nb'", [r"a\nb"]),
        ("'' \"\"", ["", ""]),
        ("a #b c\nd e#f", ["a", "d", "e#f"]),
        ("echo äöü", ["echo", "äöü"]),
    ],
)
def test_split(command: str, words: list[str]) -> None:
    assert split(command) == words


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("a 'b", "EOF found when expecting closing quote"),
        ('a "b', "EOF found when expecting closing quote"),
        ("a\\", "EOF found after escape character"),
        ('a "b\\', "EOF found after escape character"),
    ],
)
def test_unfinished(command: str, message: str) -> None:
    with pytest.raises(UnfinishedCommandError, match=message):
        split(command)


@given(st.lists(st.text(max_size=10), min_size=1))
def test_words_that_a_shell_would_read_come_back(words: list[str]) -> None:
    assert split(shlex.join(words)) == words
