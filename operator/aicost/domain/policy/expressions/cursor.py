"""A place in the text of an expression, moving from left to right."""

from aicost.domain.policy.expressions.automaton import PatternError


class Cursor:
    """Reads a text once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    @property
    def next(self) -> str:
        """The character that comes, empty at the end."""
        return self._text[self._at : self._at + 1]

    def sees(self, text: str) -> bool:
        """Whether the text comes next."""
        return self._text.startswith(text, self._at)

    def take(self) -> str:
        """Move past one character.

        Raises:
            PatternError: there is none.
        """
        char = self.next
        if not char:
            raise PatternError("it ends too early: close what is open")
        self._at += 1
        return char

    def took(self, text: str) -> bool:
        """Move past a text if it comes next."""
        there = self.sees(text)
        self._at += len(text) if there else 0
        return there

    def take_until(self, end: str) -> str | None:
        """Move past the next occurrence of an end, and give what stands before it; None where it does not occur."""
        before, found, _ = self._text[self._at :].partition(end)
        if not found:
            return None
        self._at += len(before) + len(end)
        return before
