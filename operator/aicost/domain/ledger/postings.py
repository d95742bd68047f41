"""When a posting may enter the ledger: rules that each ledger keeps, whatever it is made of."""

from collections.abc import Iterable

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.columns import columns_of
from aicost.domain.ledger.rows import Row


def check_posting(cluster: str, window: Window, revision: int, rows: Iterable[Row]) -> None:
    """Refuse rows that belong to another posting.

    Raises:
        ValueError: the first row of another cluster, window or revision, or a window without length.
    """
    if not window.length_ms:
        raise ValueError(f"window {window} has no length")
    expected = (cluster, window, revision)
    columns = columns_of(rows)
    told = {(id(place), id(said)): (place, said) for place, said in zip(columns.place, columns.wording, strict=True)}
    for place, said in told.values():
        found = (place.cluster, said.window, said.revision)
        if found != expected:
            raise ValueError(
                f"a row of cluster {found[0]!r}, window {found[1]}, revision {found[2]} cannot be posted "
                f"with cluster {cluster!r}, window {window}, revision {revision}"
            )


def out_of_turn(window: Window, revision: int, highest: int | None) -> str:
    """Why a revision that is not posted yet is not the next one; empty if it is."""
    expected = 0 if highest is None else highest + 1
    if revision == expected:
        return ""
    return f"window {window}: revision {revision} comes out of turn, the next one is {expected}; read the ledger again"


def overlapping(window: Window, others: Iterable[Window]) -> str:
    """Why a new window would bill time twice; empty if it does not."""
    for other in others:
        if other != window and other.overlap(window):
            return f"window {window} shares time with {other}, which is posted: windows of a ledger never overlap"
    return ""
