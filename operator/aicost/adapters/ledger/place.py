"""Where a ledger lies: a local directory or an object store by URL, with the store's options."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_LEAST_DAYS = 35
_UNSAFE = {
    "aws_s3_allow_unsafe_rename": ("true", "1", "yes", "on", "t", "y"),
    "allow_unsafe_rename": ("true", "1", "yes", "on", "t", "y"),
    "aws_conditional_put": ("disabled",),
    "conditional_put": ("disabled",),
}
"""Options with which two writers at once could overwrite each other's commits."""
_SECRETS = re.compile(r"secret|token|password|account_key|access_key$|master_key|sas_key|_key_json|service_account_key")


def checked_options(options: Mapping[str, str]) -> Mapping[str, str]:
    """Options of an object store that stand in a settings file, as they are.

    Raises:
        ValueError: with one of them two writers at once could lose a commit, or one is a secret; no value of a secret
            is shown.
    """
    for name, value in options.items():
        if is_secret(name):
            raise ValueError(
                f"{name} is a secret: write it into a file that a Secret mounts and name the file in "
                f"ledger.storageOptionFiles.{name}, or give it in the environment"
            )
        if value.strip().lower() in _UNSAFE.get(name.lower(), ()):
            raise ValueError(
                f"{name} {value!r} lets two writers overwrite each other's commits: take it out, and use a store that "
                "supports conditional writes (If-None-Match)"
            )
    return options


def checked_retention(days: int) -> int:
    """Days for which rows are kept, as they are.

    Raises:
        ValueError: a month's report would lose its beginning.
    """
    if 0 < days < _LEAST_DAYS:
        raise ValueError(f"a month's report needs {_LEAST_DAYS} days; write so many or more, or 0 for ever")
    return days


def is_secret(name: str) -> bool:
    """Whether an option holds a credential; the id of a key, a user or a file is none."""
    lower = name.lower()
    return bool(_SECRETS.search(lower)) and not lower.endswith(("_file", "_path"))


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
