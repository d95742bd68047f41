"""Scripts of shared GPUs in a few words, and their bills held against the truth.

The loads change at scrapes alone, and each scrape shows the mean since the one before: then every bucket is exact.
"""

from collections.abc import Sequence
from fractions import Fraction

from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.ledger.rows import Row
from fleet.activity import Program, Steady
from fleet.script import Fleet, SimExporter, SimNode, SimPod
from fleet.sharing import builders
from fleet.sharing.terms import Part, Sharing
from fleet.truth import Amount
from support.bills import Line, billed, check_totals, due
from support.scripted import ALIGNED, SPAN, at


def level(value: str) -> Steady:
    return Steady(Fraction(value))


def dcgm(**more) -> SimExporter:
    return builders.exporter(**({"collection": ALIGNED, "quantised": False} | more))


def agent() -> SimExporter:
    return builders.agent(collection=ALIGNED, quantised=False)


def hami() -> SimExporter:
    return builders.hami(collection=ALIGNED, quantised=False)


def host(sharing: Sharing, gpus: int = 1, *, shown: Sequence[SimExporter] | None = None, **more) -> SimNode:
    exporters = (dcgm(),) if shown is None else tuple(shown)
    return builders.host("gpu-a", sharing, gpus, exporters=exporters, **more)


def lives(
    name: str,
    on: SimNode,
    part: Part,
    load: Program,
    gpu: int = 0,
    since: float = -10,
    until: float | None = None,
    **more,
) -> SimPod:
    ended = None if until is None else at(until)
    life = {"bound_ms": at(since), "finished_ms": ended}
    return builders.tenant(name, on, gpu, part, load, **(life | more))


def differences(rows: Sequence[Row], fleet: Fleet, *, bars: bool = False, **options) -> list[str]:
    """Lines that differ from the truth by more than the unit or two per row by which the largest remainder may round.

    Args:
        rows: of the ledger.
        fleet: the script.
        bars: allow for each line the error that its own rows state.
        options: of the truth.
    """
    got, want = billed(rows), due(fleet, SPAN, **options)
    names = {pod.uid: pod.name for pod in fleet.pods} | {"": "nobody"}
    found = []
    for key in sorted(got.keys() | want.keys()):
        line, amount = got.get(key, Line()), want.get(key, Amount())
        error_nanos = (line.error_nanos or 0) if bars else 0
        of_money = abs(line.nanos - amount.nanos) > max(2, 2 * line.rows) + error_nanos
        of_time = abs(line.gpu_ms - amount.gpu_ms) > max(2, 2 * line.rows) and not error_nanos
        if of_money or of_time:
            due_minutes = float(amount.gpu_ms) / MINUTE_MS
            told = f"{line.gpu_ms / MINUTE_MS:.3f} min, due {due_minutes:.3f} min"
            bar = f", bar {error_nanos} nanos of {line.nanos}" if error_nanos else ""
            found.append(f"{names.get(key.pod_uid, key.pod_uid)} {key.bucket} on {key.device}: {told}{bar}")
    return found


def check_truth(rows: Sequence[Row], fleet: Fleet, **options) -> None:
    """What each node costs in all, and each line of it."""
    check_totals(rows, fleet, SPAN)
    found = differences(rows, fleet, **options)
    assert not found, "\n".join(found)
