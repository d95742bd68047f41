"""Where the devcluster keeps what it makes: nothing of it lies in the source tree."""

import os
from pathlib import Path

__all__ = ["PACKAGE", "REPOSITORY", "cache_dir", "default_state_dir"]

PACKAGE = Path(__file__).resolve().parent.parent
REPOSITORY = PACKAGE.parent.parent


def _base(variable: str, fallback: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / fallback) / "aicost-devcluster"


def cache_dir() -> Path:
    """Built programs, kept between checkouts."""
    return _base("XDG_CACHE_HOME", ".cache")


def default_state_dir() -> Path:
    """Data, certificates, logs and pid files of the cluster that ``up`` starts when none is named."""
    return _base("XDG_STATE_HOME", ".local/state") / "default"
