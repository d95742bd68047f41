"""How values and lists of them are shown to people: in one line, and short."""

from collections.abc import Sequence

_LONGEST = 63
_SHOWN = 3


def quoted(value: str) -> str:
    """A value in quotes. Line breaks and what cannot be seen are shown as signs; a long value is cut."""
    visible = "".join(char if char.isprintable() else "?" for char in value[: _LONGEST + 1])
    return f'"{visible[:_LONGEST]}{"..." if len(value) > _LONGEST else ""}"'


def one_line(text: str) -> str:
    """A text of people's own without line breaks."""
    return " ".join(text.split())


def some_of(values: Sequence[str]) -> str:
    """The first few of several values: `a, b, c, +4`."""
    shown = [one_line(value) for value in values[:_SHOWN]]
    more = len(values) - len(shown)
    return ", ".join([*shown, f"+{more}"] if more else shown)
