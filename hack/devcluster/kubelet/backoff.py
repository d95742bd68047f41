"""When a container that has ended starts again. No I/O."""

__all__ = ["backoff_seconds", "restarts_after"]


def restarts_after(policy: str, exit_code: int) -> bool:
    """Whether a container that ended with this code is started again under a restart policy."""
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def backoff_seconds(first: float, limit: float, restarts: int) -> float:
    """How long to wait before the next start after so many restarts: at once for the first, then doubling."""
    return min(limit, first * 2.0 ** min(restarts - 1, 30)) if restarts else 0.0
