"""The one place of the devcluster that reads the wall clock."""

import time
from datetime import UTC, datetime, timedelta

__all__ = ["now", "rfc3339"]


def now(skew_seconds: float = 0.0) -> datetime:
    """The time in UTC as a clock that is ``skew_seconds`` ahead shows it (negative: behind)."""
    return datetime.fromtimestamp(time.time_ns() / 1e9, UTC) + timedelta(seconds=skew_seconds)


def rfc3339(moment: datetime) -> str:
    """The moment as Kubernetes writes it: whole seconds, ``Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
