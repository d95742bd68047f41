"""Where a ledger lies: a local directory or an object store by URL, with the store's options."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LedgerPlace:
    """A directory or URL.

    Attributes:
        uri: a path, or `s3://bucket/prefix` and the like.
        storage_options: keys and values that the object store needs, passed on as they are.
    """

    uri: str
    storage_options: Mapping[str, str] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, str] | None:
        """The options as Delta wants them."""
        return dict(self.storage_options) or None

    @property
    def local(self) -> Path | None:
        """The directory, None for an object store."""
        return None if "://" in self.uri else Path(self.uri)

    def within(self, name: str) -> str:
        """URI of a part of the ledger."""
        return f"{self.uri.rstrip('/')}/{name}"

    def prepare(self, name: str) -> None:
        """Make the directory of a part of the ledger; an object store needs none."""
        if self.local is not None:
            (self.local / name).mkdir(parents=True, exist_ok=True)
