"""Titles and facts of the screens over budgets, and commands that can be copied from them."""

import textwrap
from collections.abc import Iterable

from aicost.entrypoints.cli.output.budget.ages import ABSENT
from aicost.entrypoints.cli.output.facts import Fact, wrapped
from aicost.entrypoints.cli.output.table import printable
from aicost.entrypoints.cli.terminal import Style, Terminal

_LABEL_WIDTH = 13
_USUAL_WIDTH = 120
_JOINED = "\u00a0"


def title(text: str, terminal: Terminal) -> list[str]:
    """A heading as lines that fit."""
    return [terminal.paint(line, Style.HEAD) for line in wrapped(text, terminal)]


def command(*words: str) -> str:
    """A command that stays on one line, however long: broken in two it could not be copied."""
    return _JOINED.join(" ".join(words).split(" "))


def facts(told: Iterable[Fact], terminal: Terminal) -> list[str]:
    """Labels to the left, texts beside them, as lines that fit. What another program left empty is a dash."""
    lines: list[str] = []
    for label, text, style in told:
        first, *rest = _lines(text, terminal)
        lines.append(f"{label:{_LABEL_WIDTH}} {terminal.paint(first, style)}")
        lines += [" " * (_LABEL_WIDTH + 1) + terminal.paint(more, style) for more in rest]
    return lines


def _lines(text: str, terminal: Terminal) -> list[str]:
    """The text as lines that fit; no word is broken, nor what `command` joined."""
    width = max(30, (terminal.width or _USUAL_WIDTH) - _LABEL_WIDTH - 1)
    found = textwrap.wrap(printable(text), width, break_long_words=False, break_on_hyphens=False)
    return [line.replace(_JOINED, " ") for line in found] or [ABSENT]
