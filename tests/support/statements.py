"""A month of two clusters for statements: two cost centres, three teams, shared costs, corrections."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from aicost.domain.exact.windows import HOUR_MS, Window, to_millis
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import Bucket, Holder, Row
from aicost.ports.ledger import LedgerWriter
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import make_holder, make_posting, make_row

BERLIN = ZoneInfo("Europe/Berlin")
OCTOBER = Window(*(to_millis(datetime(2026, month, 1, tzinfo=BERLIN)) for month in (10, 11)))
"""October 2026 in Berlin: 745 hours, since clocks go back on the 25th."""
ISSUED_MS = to_millis(datetime(2026, 11, 3, 8, tzinfo=BERLIN))
PRICE = 2_490_000_000

CHAT = make_holder("search", "chat-0", team="vision", cost_center="cc-100", model="llama-3.1-70b", feature="assistant")
TRAIN = make_holder("lab", "train-0", team="vision", cost_center="cc-200", model="resnet-50")
RECS = make_holder("shop", "recs-0", team="recs", cost_center="cc-100", model="two-tower", feature="home-page")
NOTEBOOK = make_holder("lab", "notebook-0")
EXPORTER = make_holder("gpu-operator", "dcgm-0")


def at(day: int, hour: int) -> Window:
    """The hour of a day of October, by the clocks of Berlin."""
    start = to_millis(datetime(2026, 10, day, hour, tzinfo=BERLIN))
    return Window(start, start + HOUR_MS)


HOURS = (at(1, 0), at(1, 1), at(12, 9), at(31, 23))
"""The first and the last hour of the month, and two between them."""


def rows_of(window: Window, cluster: str) -> list[Row]:
    """One hour: a GPU that is half used, one that trains, a shared one, a free one, an exporter that holds a bit."""
    half, third = HOUR_MS // 2, HOUR_MS // 3
    common = {"window": window, "cluster": cluster}
    rows = [
        make_row(PRICE // 2, gpu_ms=half, holder=CHAT, device="GPU-1", **common),
        make_row(PRICE - PRICE // 2, gpu_ms=half, holder=CHAT, bucket=Bucket.ALLOCATED_IDLE, device="GPU-1", **common),
        make_row(PRICE, gpu_ms=HOUR_MS, holder=RECS, device="GPU-2", list_price=True, **common),
        make_row(PRICE // 3, gpu_ms=third, holder=NOTEBOOK, device="GPU-3", **common),
        make_row(1_000_001, gpu_ms=1_000, holder=EXPORTER, bucket=Bucket.SYSTEM, device="GPU-3", **common),
        make_row(
            PRICE - PRICE // 3 - 1_000_001,
            gpu_ms=HOUR_MS - third - 1_000,
            bucket=Bucket.UNALLOCATED,
            device="GPU-3",
            **common,
        ),
    ]
    if cluster == "east":
        rows.append(make_row(PRICE, gpu_ms=HOUR_MS, holder=TRAIN, device="GPU-4", measured_ms=half, **common))
        rows.append(make_row(PRICE // 4, gpu_ms=HOUR_MS // 4, bucket=Bucket.UNHEALTHY, device="GPU-5", **common))
    return rows


def fill(ledger: LedgerWriter, clusters: tuple[str, ...] = ("east", "west")) -> None:
    """Post the month, and the hour before and after it."""
    around = [Window(OCTOBER.start_ms - HOUR_MS, OCTOBER.start_ms), Window(OCTOBER.end_ms, OCTOBER.end_ms + HOUR_MS)]
    for cluster in clusters:
        for window in (around[0], *HOURS, around[1]):
            ledger.post(make_posting(*rows_of(window, cluster), window=window, cluster=cluster))


def correct(ledger: LedgerWriter) -> None:
    """Two hours of the east were stated again: a price fell, and a pod's cost went to another team."""
    cheaper = [_cheaper(row) for row in rows_of(HOURS[0], "east")]
    _revise(ledger, HOURS[0], rows_of(HOURS[0], "east"), cheaper, "price-change")
    moved = [_moved(row) for row in rows_of(HOURS[2], "east")]
    _revise(ledger, HOURS[2], rows_of(HOURS[2], "east"), moved, "retag finops/recs")


def _revise(ledger: LedgerWriter, window: Window, posted: list[Row], truth: list[Row], reason: str) -> None:
    change = difference(posted, truth, 1, reason)
    ledger.post(make_posting(*change, window=window, revision=1, cluster="east"))


def _cheaper(row: Row) -> Row:
    return _with(row, cost=row.cost_nanos and row.cost_nanos * 9 // 10)


def _moved(row: Row) -> Row:
    return _with(row, holder=RECS if row.holder == TRAIN else row.holder)


def _with(row: Row, *, cost: int | None = None, holder: Holder | None = None) -> Row:
    return replace(row, cost_nanos=row.cost_nanos if cost is None else cost, holder=holder or row.holder)


def month() -> MemoryLedger:
    """The month as it is now, in memory."""
    ledger = MemoryLedger()
    fill(ledger)
    correct(ledger)
    return ledger
