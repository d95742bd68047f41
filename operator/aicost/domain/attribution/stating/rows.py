"""From settled devices to rows: what each line says, its error bar, and whether all of them sum to the charges."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isqrt

from aicost.domain.attribution.parts import Part
from aicost.domain.attribution.spans import Hold
from aicost.domain.attribution.statement import (
    Charge,
    LaidOut,
    NodeInput,
    SettledDevice,
    lay_out,
    place_of,
    settle_nodes,
)
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.columns import RowColumns, Wording
from aicost.domain.ledger.rows import Bucket, Component, Holder, Method, Place, Quality
from aicost.domain.pricing.books import PriceDecision
from aicost.domain.sampling.series import PPB

NOBODY = Holder()
ASSUMED_DEVICE = "assumed-device"
"""Flag of a row whose pod held a device for certain: which one was a guess."""


@dataclass(frozen=True, slots=True)
class NodeStatement:
    """Rows of one node and the charges that they sum to.

    Attributes:
        surplus: UUIDs that samples show beyond the number of devices the node was bought with; not billed.
    """

    rows: RowColumns
    charges: tuple[Charge, ...]
    surplus: tuple[str, ...] = ()


def state_node(cluster: str, window: Window, node: NodeInput) -> NodeStatement:
    """Charge the devices of one node for one window."""
    (statement,) = state_nodes(cluster, window, [lay_out(window, node)])
    return statement


def state_nodes(cluster: str, window: Window, nodes: Sequence[LaidOut]) -> list[NodeStatement]:
    """Charge the devices of nodes that were laid out before."""
    words, found = Wordings(window), []
    for laid, settled in zip(nodes, settle_nodes(nodes), strict=True):
        rows, charges = RowColumns(), dict[Charge, None]()
        for one in settled:
            charges[one.charge] = None
            _add(rows, laid.node, place_of(cluster, laid.node.record, one.device), one, words)
        found.append(NodeStatement(rows, tuple(charges), laid.surplus))
    return found


def unbalanced_nanos(statements: Iterable[NodeStatement]) -> int:
    """Sum over nodes, components, prices and currencies of |charge - sum of rows|: 0, or a bug."""
    balance: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for statement in statements:
        for charge in statement.charges:
            balance[charge.node, charge.component, charge.price, charge.currency] += charge.cost_nanos or 0
        rows, sums = statement.rows, dict[tuple[str, int], int]()
        for place, wording, nanos in zip(rows.place, rows.wording, rows.cost_nanos, strict=True):
            if nanos:
                key = place.node, id(wording)
                sums[key] = sums.get(key, 0) + nanos
        worded = {id(wording): wording for wording in rows.wording}
        for (node, number), nanos in sums.items():
            wording = worded[number]
            balance[node, wording.component, wording.price, wording.currency] -= nanos
    return sum(abs(rest) for rest in balance.values())


Said = tuple[Bucket, Method, Quality, str]
"""Bucket, method, quality and signal of a row."""


@dataclass(frozen=True, slots=True)
class Wordings:
    """What rows say of themselves, each wording once."""

    window: Window
    known: dict[tuple[object, ...], Wording] = field(default_factory=dict)

    def of(self, decision: PriceDecision, said: Said, flags: tuple[str, ...]) -> Wording:
        """What a row says whose amount rests on a price decision."""
        quote = decision.chosen
        price = (quote.currency, f"{quote.book}/{quote.entry}", quote.list_price) if quote else ("", "", False)
        key = (*said, *price, flags)
        wording = self.known.get(key)
        if wording is None:
            wording = self.known[key] = Wording(self.window, 0, Component.GPU, *key)
        return wording


def _add(rows: RowColumns, node: NodeInput, place: Place, settled: SettledDevice, words: Wordings) -> None:
    """One row for each line of a device."""
    lines, decision = settled.lines, settled.decision
    rows.place += [place] * len(lines)
    rows.wording += [words.of(decision, _said(line.part), _flags(line.hold)) for line in lines]
    rows.holder += [node.holders[line.hold.claim.tenancy.pod] if line.hold else NOBODY for line in lines]
    rows.cost_nanos += settled.costs_nanos
    rows.gpu_milliseconds += settled.times_ms
    rows.measured_milliseconds += [
        min(time_ms, divide(line.measured, PPB)) for line, time_ms in zip(lines, settled.times_ms, strict=True)
    ]
    rows.error_nanos += [None if line.blind else error_nanos(decision, _error(line.errors)) for line in lines]
    rows.quantity += [0] * len(lines)


def _said(part: Part) -> Said:
    return part.bucket, part.method, part.quality, part.signal


def _error(errors: Iterable[int]) -> int:
    """Independent errors add in squares."""
    return isqrt(sum(error * error for error in errors))


def error_nanos(decision: PriceDecision, error_ppb_ms: int) -> int:
    """Error bar of an amount, as money.

    A line without a price has no amount, so no error either: it takes the bar from nothing that it is summed with.
    """
    quote = decision.chosen
    if quote is None:
        return 0
    return divide(quote.gpu_hour_nanos_num * error_ppb_ms, quote.gpu_hour_den * HOUR_MS * PPB)


def _flags(hold: Hold | None) -> tuple[str, ...]:
    """What a reader should know of a row."""
    if hold is None:
        return ()
    tenancy = hold.claim.tenancy
    flags = (("gap", tenancy.uncertain), (ASSUMED_DEVICE, not hold.claim.seen), ("unseen-pod", not tenancy.uid))
    return (*(name for name, true in flags if true), *tenancy.flags)
