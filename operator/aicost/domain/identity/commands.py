"""The commands that a container runs, taken out of its command line and of the shell script that it may hold."""

import re
import shlex
from collections.abc import Iterator, Sequence

_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh"})
_MOST_WORDS = 512
_LONGEST_SCRIPT = 16_384
"""A script is read as far as this; an engine is started near its beginning or not in plain sight."""

_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
_CONTINUED = "\\\n"
_END_OF_STATEMENT = frozenset(";&|")


def commands_of(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Give each simple command: the command line itself, then the statements of a script given to a shell in it.

    Scripts are read tolerantly: what a shell would refuse is split at blanks. Nothing is expanded.
    """
    bounded = tuple(words[:_MOST_WORDS])
    if bounded:
        yield bounded
    shell = next((place for place, word in enumerate(bounded) if base_name(word) in _SHELLS), len(bounded))
    for word in bounded[shell + 1 :]:
        if any(char.isspace() for char in word):
            yield from _statements(word[:_LONGEST_SCRIPT])


def base_name(word: str) -> str:
    """A program's name without the folder that it lies in."""
    return word.rpartition("/")[2]


def _statements(script: str) -> Iterator[tuple[str, ...]]:
    text = _COMMENT.sub("", script).replace(_CONTINUED, " ").replace("\n", " ; ")
    statement: list[str] = []
    for word in [*_words(text), ";"]:
        if set(word) <= _END_OF_STATEMENT:
            if statement:
                yield tuple(statement)
            statement = []
        else:
            statement.append(word)


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:  # an open quote
        return text.split()
