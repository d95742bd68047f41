"""The ledger's rows held against the simulator's truth."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isqrt
from typing import NamedTuple

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.rows import Component, Row
from fleet import truth
from fleet.script import Fleet, SimNode
from fleet.truth import Amount

HELD = frozenset({"used", "allocated-idle", "allocated-unmeasured", "system"})
MEASURED = frozenset({"used", "allocated-idle", "unattributed", "unallocated"})


class Key(NamedTuple):
    """One line of a bill; the device is left out where samples may never name it."""

    node: str
    device: str
    pod_uid: str
    bucket: str


@dataclass
class Line:
    """What rows of one key sum to; bars add in squares, None where one row has none."""

    gpu_ms: int = 0
    nanos: int = 0
    unpriced_ms: int = 0
    rows: int = 0
    error_squared: int | None = 0
    flags: set[str] = field(default_factory=set)

    def add(self, row: Row) -> None:
        self.gpu_ms, self.rows = self.gpu_ms + row.gpu_milliseconds, self.rows + 1
        self.nanos += row.cost_nanos or 0
        self.unpriced_ms += row.gpu_milliseconds if row.cost_nanos is None else 0
        self.flags |= set(row.flags)
        known = self.error_squared is not None and row.error_nanos is not None
        self.error_squared = self.error_squared + row.error_nanos**2 if known else None

    @property
    def error_nanos(self) -> int | None:
        return None if self.error_squared is None else isqrt(self.error_squared)


def of_gpus(rows: Iterable[Row]) -> list[Row]:
    """The rows of devices; CPU and memory have a truth of their own."""
    return [row for row in rows if row.component is Component.GPU]


def billed(rows: Iterable[Row], *, devices: bool = True) -> dict[Key, Line]:
    """Sums of rows by node, device, pod and bucket."""
    found: dict[Key, Line] = defaultdict(Line)
    for row in of_gpus(rows):
        device = row.place.device if devices else ""
        found[Key(row.place.node, device, row.holder.pod_uid, row.bucket.value)].add(row)
    return dict(found)


def due(
    fleet: Fleet, span: Window, *, devices: bool = True, known_for_ms: int = 0, rules: truth.Rules = truth.USUAL
) -> dict[Key, Amount]:
    """The truth of a span by the same keys."""
    nodes = {gpu.uuid: node.name for node in fleet.nodes for gpu in node.gpus}
    found: dict[Key, Amount] = {}
    for one, amount in truth.amounts(fleet, span.start_ms, span.end_ms, known_for_ms=known_for_ms, rules=rules).items():
        key = Key(nodes[one.device], one.device if devices else "", one.pod_uid or "", str(one.bucket))
        found[key] = found.get(key, Amount()) + amount
    return found


def check_bill(
    rows: Sequence[Row],
    fleet: Fleet,
    span: Window,
    *,
    devices: bool = True,
    exact: bool = False,
    known_for_ms: int = 0,
) -> None:
    """Hold each line of a bill against the truth.

    Always exact: what each node costs in all, how long each pod held devices, what nobody held, what was lost, what
    has no price. Exact means to the one unit per row by which the largest remainder may round. What samples tell is
    exact where `exact` says so, else within the rows' own error bars.
    """
    got, want = billed(rows, devices=devices), due(fleet, span, devices=devices, known_for_ms=known_for_ms)
    check_totals(rows, fleet, span)
    check_holdings(got, want)
    for key in sorted(got.keys() | want.keys()):
        _check_line(key, got.get(key, Line()), want.get(key, Amount()), exact=exact)


def check_totals(rows: Sequence[Row], fleet: Fleet, span: Window) -> None:
    """Each node's rows sum to its price: one rounding per billing window and price."""
    whole = truth.capacity(fleet, span.start_ms, span.end_ms)
    for node in fleet.nodes:
        every = [row for row in rows if row.place.node == node.name]
        mine = of_gpus(every)
        want = sum((whole[gpu.uuid] for gpu in node.gpus), Amount())
        roundings = len({(row.window, row.price) for row in mine})
        assert sum(row.gpu_milliseconds for row in mine) == want.gpu_ms, f"device time of {node.name}"
        money = sum(row.cost_nanos or 0 for row in mine)
        assert abs(money - want.nanos) <= roundings / 2, f"{node.name} costs {float(want.nanos)}, its rows {money}"
        _check_whole(every, node, want, roundings)


def _check_whole(rows: Sequence[Row], node: SimNode, gpus: Amount, roundings: int) -> None:
    """All components of a node with one price per node-hour sum to that price."""
    if node.price is None or node.price.per_gpu or len(node.price.steps) != 1 or gpus.unpriced_ms:
        return
    due_nanos = node.price.steps[0].nanos_per_hour * gpus.gpu_ms / (len(node.gpus) * HOUR_MS)
    money = sum(row.cost_nanos or 0 for row in rows)
    assert abs(money - due_nanos) <= roundings / 2, f"{node.name} costs {float(due_nanos)} in all, its rows {money}"


def check_holdings(got: Mapping[Key, Line], want: Mapping[Key, Amount]) -> None:
    """How long each pod held what, and how long nobody did, whatever samples say."""
    mine, theirs = defaultdict(int), defaultdict(int)
    rounds: dict[object, int] = defaultdict(int)
    for key, line in got.items():
        mine[_holding(key)] += line.gpu_ms
        rounds[_holding(key)] += line.rows
    for key, amount in want.items():
        theirs[_holding(key)] += amount.gpu_ms
    for holding in mine.keys() | theirs.keys():
        difference = mine[holding] - theirs[holding]
        assert abs(difference) <= rounds[holding], f"{holding}: {mine[holding]} ms, due {float(theirs[holding])}"


def _holding(key: Key) -> tuple[str, str, str, str]:
    kind = "held" if key.bucket in HELD else "unhealthy" if key.bucket == "unhealthy" else "free"
    return key.node, key.device, key.pod_uid, kind


def _check_line(key: Key, line: Line, amount: Amount, *, exact: bool) -> None:
    difference = abs(line.nanos - amount.nanos)
    told = f"{key}: {line.gpu_ms} ms, {line.nanos} nanos; due {float(amount.gpu_ms)} ms, {float(amount.nanos)} nanos"
    assert abs(line.unpriced_ms - amount.unpriced_ms) <= line.rows + error_ms(line) or not exact, told
    if exact or key.bucket not in MEASURED:
        assert difference <= max(1, line.rows), told
        assert abs(line.gpu_ms - amount.gpu_ms) <= max(1, line.rows), told
    else:
        bar = line.error_nanos
        assert bar is None or difference <= bar + line.rows, f"{told}; bar {bar}"


def error_ms(line: Line) -> int:
    """An error bar as device time, at the price of the line itself."""
    return line.gpu_ms * (line.error_nanos or 0) // line.nanos if line.nanos else 0


def hour_price(node: SimNode) -> float:
    """What a GPU-hour of a node costs at the start, in nanos."""
    return float(node.price.gpu_nanos_per_hour(0, len(node.gpus))) if node.price else 0.0


def gpu_ms_of(nanos: float, node: SimNode) -> float:
    """Device time that an amount buys on a node."""
    return nanos * HOUR_MS / hour_price(node)
