"""From settled devices to rows: what each line says, its error bar, and whether all of them sum to the charges."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isqrt

from aicost.domain.attribution.spans import Hold
from aicost.domain.attribution.statement import (
    Charge,
    LaidOut,
    Line,
    NodeInput,
    SettledDevice,
    lay_out,
    place_of,
    settle_nodes,
)
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.columns import RowColumns, Wording
from aicost.domain.ledger.rows import Component, Holder, Place
from aicost.domain.pricing.books import PriceDecision
from aicost.domain.sampling.series import PPB

NOBODY = Holder()


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
    words, found = _Words(window), []
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
        rows = statement.rows
        for place, wording, nanos in zip(rows.place, rows.wording, rows.cost_nanos, strict=True):
            if nanos:
                balance[place.node, wording.component, wording.price, wording.currency] -= nanos
    return sum(abs(rest) for rest in balance.values())


@dataclass(frozen=True, slots=True)
class _Words:
    """What rows say of themselves, each wording once."""

    window: Window
    known: dict[tuple[object, ...], Wording] = field(default_factory=dict)

    def of(self, decision: PriceDecision, line: Line) -> Wording:
        """What the row of a line says."""
        quote, part = decision.chosen, line.part
        price = (quote.currency, f"{quote.book}/{quote.entry}", quote.list_price) if quote else ("", "", False)
        key = (part.bucket, part.method, part.quality, part.signal, *price, _flags(line.hold))
        wording = self.known.get(key)
        if wording is None:
            wording = self.known[key] = Wording(self.window, 0, Component.GPU, *key)
        return wording


def _add(rows: RowColumns, node: NodeInput, place: Place, settled: SettledDevice, words: _Words) -> None:
    """One row for each line of a device."""
    lines = settled.lines
    rows.place += [place] * len(lines)
    rows.wording += [words.of(settled.decision, line) for line in lines]
    rows.holder += [node.holders[line.hold.claim.tenancy.pod] if line.hold else NOBODY for line in lines]
    rows.cost_nanos += settled.costs_nanos
    rows.gpu_milliseconds += settled.times_ms
    rows.measured_milliseconds += [
        min(time_ms, divide(line.measured, PPB)) for line, time_ms in zip(lines, settled.times_ms, strict=True)
    ]
    rows.error_nanos += [_error_nanos(settled.decision, line) for line in lines]
    rows.quantity += [0] * len(lines)


def _error_nanos(decision: PriceDecision, line: Line) -> int | None:
    """Error bar of an amount; independent errors add in squares. None where nothing was measured.

    A line without a price has no amount, so no error either: it takes the bar from nothing that it is summed with.
    """
    if line.blind:
        return None
    if decision.chosen is None:
        return 0
    error_ppb_ms = isqrt(sum(error * error for error in line.errors))
    quote = decision.chosen
    return divide(quote.gpu_hour_nanos_num * error_ppb_ms, quote.gpu_hour_den * HOUR_MS * PPB)


def _flags(hold: Hold | None) -> tuple[str, ...]:
    """What a reader should know of a row."""
    if hold is None:
        return ()
    tenancy = hold.claim.tenancy
    flags = (("gap", tenancy.uncertain), ("assumed-device", not hold.claim.seen), ("unseen-pod", not tenancy.uid))
    return (*(name for name, true in flags if true), *tenancy.flags)
