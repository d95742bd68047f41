"""Which cluster of a ledger is meant."""

from collections.abc import Sequence

from aicost.ports.errors import InvalidRequest


def one_cluster(known: Sequence[str], named: str | None) -> str:
    """The cluster that is named, or the only one.

    Raises:
        InvalidRequest: it is not clear which one is meant.
    """
    if named is None and len(known) == 1:
        return known[0]
    if named is not None and named in known:
        return named
    shown = ", ".join(known) or "nothing yet"
    asked = "" if named is None else f"{named!r} has no rows in this ledger; "
    raise InvalidRequest(f"--cluster: {asked}name one; the ledger holds {shown}")
