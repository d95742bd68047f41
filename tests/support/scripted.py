"""Scripts of whole GPUs in a few words, and what the pipeline makes of them."""

from collections.abc import Callable
from fractions import Fraction

from aicost.domain.exact.windows import MINUTE_MS, Window
from fleet.activity import Steady
from fleet.builders import node, pod
from fleet.script import Collection, Fleet, SimExporter, SimNode, SimPod
from support.pipeline import STEP, Pipeline, Way

T = 1_795_600_800_000
BEGIN = T - 5 * MINUTE_MS
END = T + 15 * MINUTE_MS
SPAN = Window(BEGIN, END)
BUSY, HALF, FULL = Steady(Fraction(3, 4)), Steady(Fraction(1, 2)), Steady(Fraction(1))
ALIGNED = Collection(STEP)
"""Each scrape is a collection, and shows the mean since the scrape before."""


def at(minutes: float) -> int:
    return T + round(minutes * MINUTE_MS)


def exporter(**more) -> SimExporter:
    """An exporter that shows what cost needs, exactly, at each scrape."""
    spare = ("power", "fb_free", "fb_used", "xid")
    return SimExporter(**({"collection": ALIGNED, "quantised": False, "without": spare} | more))


def host(name: str = "gpu-a", gpus: int = 1, **more) -> SimNode:
    return node(name, gpus=gpus, **({"exporters": (exporter(),)} | more))


def lives(name: str, on: SimNode, gpus=1, since: float = -10, until: float | None = None, **more) -> SimPod:
    life = {"bound_ms": at(since), "finished_ms": None if until is None else at(until)}
    return pod(name, on, gpus, **({"activity": BUSY} | life | more))


def one_node(*pods: Callable[[SimNode], SimPod], gpus: int = 1, **more) -> Fleet:
    where = host(gpus=gpus, **more)
    return Fleet((where,), tuple(make(where) for make in pods))


def bill_of(fleet: Fleet, folder, way: Way = Way.SCRAPE, **options):
    with Pipeline(folder, fleet, begin_ms=BEGIN, way=way, **options) as pipeline:
        return pipeline.finish(END)


def minutes_of(rows, bucket: str, name: str = "") -> float:
    """Device time of a bucket, of one pod or of nobody."""
    mine = (row for row in rows if row.bucket == bucket and row.holder.pod == name)
    return sum(row.gpu_milliseconds for row in mine) / MINUTE_MS
