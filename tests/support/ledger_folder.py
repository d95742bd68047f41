"""A ledger in a directory, filled with a day of three teams: for whatever reads a ledger as people do."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.rows import Bucket, Row
from support.ledger_rows import CLUSTER, make_holder, make_posting, make_row

DAY_HOURS = 24
START_MS = 1_772_409_600_000
"""2026-03-02T00:00:00Z: long ago for every clock, so that the real one can be used."""
SPAN = Window(START_MS, START_MS + DAY_HOURS * HOUR_MS)
EXPRESSION = f"{SPAN}"
"""The day, as a window expression."""
PRICE = 2_490_000_000

CHAT = make_holder("team-a", "chat-0", {"app": "chat"}, team="vision", model="llama-3.1-70b-instruct")
TRAIN = make_holder("team-a", "train-0", {"app": "train"}, team="vision", model="resnet-50")
SEARCH = make_holder("team-b", "search-0", {"app": "search"}, team="search", model="bge-m3")
NOTEBOOK = make_holder("team-b", "notebook-0", {}, team="研究")
UNPRICED = make_holder("team-c", "legacy-0", {}, team="legacy")


def rows_of(window: Window) -> tuple[Row, ...]:
    """One hour on five GPUs; the last one has no price, and one in four is a public list price."""
    used = PRICE * 3 // 4
    minute = HOUR_MS * 3 // 4
    common = {"window": window}
    return (
        make_row(used, gpu_ms=minute, device="GPU-1", holder=CHAT, **common),
        make_row(
            PRICE - used, gpu_ms=HOUR_MS - minute, device="GPU-1", holder=CHAT, bucket=Bucket.ALLOCATED_IDLE, **common
        ),
        make_row(PRICE, gpu_ms=HOUR_MS, device="GPU-2", holder=TRAIN, list_price=True, **common),
        make_row(PRICE, gpu_ms=HOUR_MS, device="GPU-3", holder=SEARCH, measured_ms=HOUR_MS // 2, **common),
        make_row(PRICE // 7, gpu_ms=HOUR_MS // 7, device="GPU-4", holder=NOTEBOOK, **common),
        make_row(
            PRICE - PRICE // 7, gpu_ms=HOUR_MS - HOUR_MS // 7, device="GPU-4", bucket=Bucket.UNALLOCATED, **common
        ),
        make_row(None, gpu_ms=HOUR_MS, device="GPU-5", holder=UNPRICED, currency="", **common),
    )


def fill(
    folder: Path,
    hours: int = DAY_HOURS,
    cluster: str = CLUSTER,
    names: Mapping[str, str] | None = None,
    start_ms: int = START_MS,
) -> DeltaLedger:
    """Post so many hours from the start on; the next one is provisional. `names` renames namespaces."""
    ledger = DeltaLedger(str(folder))
    windows = [Window(at, at + HOUR_MS) for at in range(start_ms, start_ms + (hours + 1) * HOUR_MS, HOUR_MS)]
    for window in windows[:-1]:
        rows = [_of(cluster, names or {}, row) for row in rows_of(window)]
        ledger.post(make_posting(*rows, window=window, cluster=cluster))
    still_open = [_of(cluster, names or {}, row) for row in rows_of(windows[-1])]
    ledger.replace_provisional(cluster, windows[-1], still_open)
    return ledger


def _of(cluster: str, names: Mapping[str, str], row: Row) -> Row:
    namespace = names.get(row.holder.namespace, row.holder.namespace)
    return replace(row, place=replace(row.place, cluster=cluster), holder=replace(row.holder, namespace=namespace))
