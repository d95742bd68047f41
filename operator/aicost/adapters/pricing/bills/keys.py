"""The key of a provider's account: where it is from may be said, what it is may not."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aicost.ports.errors import InvalidRequest


class AccountKey(Protocol):
    """A key, asked for at each question; as a text it says where it is from."""

    def read(self) -> str:
        """The key itself.

        Raises:
            InvalidRequest: there is none.
        """


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key in a file, read each time: it may be another one since."""

    file: Path

    def read(self) -> str:
        """See `AccountKey`."""
        try:
            return usable(self.file.read_text(encoding="ascii"), str(self))
        except (OSError, UnicodeDecodeError) as problem:
            raise InvalidRequest(
                f"{self}: cannot be read ({type(problem).__name__}): name a file with the key"
            ) from None

    def __str__(self) -> str:
        return str(self.file)


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key that was read before.

    Attributes:
        place: where it is from, for people.
    """

    place: str
    key: str = field(repr=False)

    def read(self) -> str:
        """See `AccountKey`."""
        return usable(self.key, self.place)

    def __str__(self) -> str:
        return self.place


def usable(text: str, place: str) -> str:
    """A key as it can stand in a header.

    Raises:
        InvalidRequest: it cannot.
    """
    key = text.strip()
    if not key or not key.isprintable() or not key.isascii():
        raise InvalidRequest(f"{place}: holds no key: write it on one line")
    return key
