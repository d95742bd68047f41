"""The rows of nodes that have a layout, worked out as columns: what `statement` and `rows` say, for many nodes at once.

A span ends in up to three parts, one for each bucket; parts of one device and segment that say the same of the same
holder are a line; the device's time and cost are apportioned over its lines.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from math import isqrt
from typing import NamedTuple

import numpy as np

from aicost.domain.attribution.alike.answers import Answers, Column, Placed, Word, answers
from aicost.domain.attribution.alike.layouts import ASKED, UNHELD, Fitted, Kind, Layout
from aicost.domain.attribution.parts import UNMEASURED
from aicost.domain.attribution.split import of_holder, of_nobody
from aicost.domain.attribution.statement import Charge, charge_of, places_of
from aicost.domain.attribution.stating.rows import ASSUMED_DEVICE, NOBODY, NodeStatement, Wordings, error_nanos
from aicost.domain.exact.apportion import apportion, apportion_runs, divide
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.columns import RowColumns, Wording
from aicost.domain.ledger.rows import Bucket, Holder, Method, Place, Quality
from aicost.domain.pricing.books import PriceDecision
from aicost.domain.sampling.series import PPB

_BUCKETS = tuple(Bucket)
_NUMBER = {bucket: number for number, bucket in enumerate(_BUCKETS)}
_ASKED = np.array([kind in ASKED for kind in Kind])
_MOST_PARTS = 3
_NOTHING: Word = ("", Quality.ASSUMED)
"""What time without samples rests on."""
_Groups = Sequence[tuple[Layout, Sequence[Fitted]]]


def state_alike(
    cluster: str, window: Window, nodes: Sequence[Placed], interval_ms: int, collection_ms: int
) -> list[NodeStatement]:
    """Charge the devices of nodes that have a layout for one window.

    Args:
        cluster: its id.
        window: billing window, or a part of it.
        nodes: in any order; those of one layout are worked out together.
        interval_ms: time between samples.
        collection_ms: how often the exporters collect.
    """
    if not nodes:
        return []
    groups: dict[Layout, list[int]] = defaultdict(list)
    for position, node in enumerate(nodes):
        groups[node.fitted.layout].append(position)
    order = [position for some in groups.values() for position in some]
    ordered = [nodes[position] for position in order]
    sited = [node.fitted for node in ordered]
    spans = _spans([(layout, [nodes[position].fitted for position in some]) for layout, some in groups.items()])
    parts, words = _parts(spans, answers(ordered, interval_ms, collection_ms))
    units = _units(cluster, sited)
    lines = _lines(parts, len(words))
    rows = _rows(window, ordered, units, lines, words)
    ends = np.searchsorted(lines.node, np.arange(len(nodes) + 1)).tolist()
    found: dict[int, NodeStatement] = {}
    for position, one, charges, (first, last) in zip(order, sited, units.charges, pairwise(ends), strict=True):
        found[position] = NodeStatement(rows.between(first, last), charges, one.look.surplus)
    return [found[position] for position in range(len(nodes))]


class _Spans(NamedTuple):
    """The planned spans of all nodes, node after node.

    Attributes:
        node: its number.
        unit: number of node, segment and device: what one time and one cost are apportioned over.
        whole: the weight of the whole span.
    """

    node: Column
    unit: Column
    occupant: Column
    kind: Column
    seen: Column
    whole: Column


def _spans(groups: _Groups) -> _Spans:
    found: list[_Spans] = []
    nodes = units = 0
    for layout, some in groups:
        count, each = len(some), len(layout.segments) * len(some[0].look.devices)
        moments = np.array([one.look.moments for one in some], np.int64)
        starts, ends = np.array(layout.spans, np.int64).T
        lengths = moments[:, ends] - moments[:, starts]
        numbers = np.arange(count)[:, None]
        occupant, kind, seen = (np.tile(layout.column(name), count) for name in ("occupant", "kind", "seen"))
        node = np.repeat(numbers + nodes, len(layout.planned))
        unit = (units + each * numbers + layout.column("unit")).ravel()
        found.append(_Spans(node, unit, occupant, kind, seen, lengths[:, layout.column("part")].ravel() * PPB))
        nodes, units = nodes + count, units + count * each
    return _Spans(*map(np.concatenate, zip(*found, strict=True)))


class _Parts(NamedTuple):
    """Parts of spans, or the lines that they end in.

    Attributes:
        bucket: position in `_BUCKETS`.
        word: position of signal and quality.
        weight, measured, error: as in `Part`; whether there is an error at all the bucket tells.
    """

    node: Column
    unit: Column
    occupant: Column
    seen: Column
    bucket: Column
    word: Column
    weight: Column
    measured: Column
    error: Column


def _parts(spans: _Spans, told: Answers) -> tuple[_Parts, Sequence[Word]]:
    """Split all spans by the formulas of `split`; also gives the words that parts rest on."""
    asked, words = _ASKED[spans.kind], _Words(told.words)
    word = np.full(len(spans.kind), words.number((UNMEASURED.signal, UNMEASURED.quality)))
    busy, covered, error = (np.zeros(len(spans.kind), np.int64) for _ in range(3))
    word[asked], busy[asked], covered[asked], error[asked] = told.word, told.busy, told.covered * PPB, told.error
    columns = []
    for kinds, rule in _RULES:
        rows = np.flatnonzero(np.isin(spans.kind, kinds))
        for slot, (name, weight, sampled) in enumerate(rule(spans.whole[rows], busy[rows], covered[rows])):
            some = np.flatnonzero(weight)
            numbers = np.full(len(some), _NUMBER[name])
            columns.append((rows[some] * _MOST_PARTS + slot, numbers, weight[some], sampled[some]))
    places, buckets, weights, measured = map(np.concatenate, zip(*columns, strict=True))
    order = np.argsort(places)
    row, bucket = places[order] // _MOST_PARTS, buckets[order]
    blind, system = bucket == _NUMBER[Bucket.ALLOCATED_UNMEASURED], bucket == _NUMBER[Bucket.SYSTEM]
    certain = system | (bucket == _NUMBER[Bucket.UNALLOCATED])
    rests_on = np.where(certain & (covered[row] == 0), words.assumed()[word[row]], word[row])
    parts = _Parts(
        spans.node[row],
        spans.unit[row],
        spans.occupant[row],
        spans.seen[row],
        bucket,
        np.where(blind, words.number(_NOTHING), rests_on),
        weights[order],
        measured[order],
        np.where(blind | system, 0, error[row]),
    )
    return parts, list(words.known)


def _of_system(whole: Column, _: Column, covered: Column) -> tuple[tuple[Bucket, Column, Column], ...]:
    """What exporters hold is the platform's, whatever the device does."""
    return ((Bucket.SYSTEM, whole, np.minimum(whole, covered)),)


_RULES = (
    ((Kind.HELD, Kind.GUESSED), of_holder),
    ((Kind.FREE, Kind.PERHAPS_FREE), of_nobody),
    ((Kind.SYSTEM,), _of_system),
)


class _Words:
    """Numbers of what parts rest on."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.known = {word: number for number, word in enumerate(words)}

    def number(self, word: Word) -> int:
        return self.known.setdefault(word, len(self.known))

    def assumed(self) -> Column:
        """For each word, that which says the same where nothing was measured."""
        return np.array([self.number((signal, Quality.ASSUMED)) for signal, _ in tuple(self.known)], np.int64)


def _lines(parts: _Parts, words: int) -> _Parts:
    """Add up what ends in the same row; independent errors add in squares."""
    key = (parts.unit * (int(parts.occupant.max()) + 2) + parts.occupant + 1) * len(_BUCKETS) + parts.bucket
    _, first, inverse = np.unique(key * words + parts.word, return_index=True, return_inverse=True)
    if len(first) == len(key):
        return parts
    order = np.argsort(first)
    line = np.argsort(order)[inverse]
    lines = _Parts(*(column[first[order]] for column in parts))
    for column, added in ((lines.weight, parts.weight), (lines.measured, parts.measured)):
        column[:] = 0
        np.add.at(column, line, added)
    several: dict[int, list[int]] = defaultdict(list)
    for part in np.flatnonzero(np.bincount(line)[line] > 1).tolist():
        several[line[part]].append(int(parts.error[part]))
    for index, errors in several.items():
        lines.error[index] = isqrt(sum(error * error for error in errors))
    return lines


class _Units(NamedTuple):
    """What is apportioned, for each node, segment and device.

    Attributes:
        decision: number of its price decision in `decisions`.
        charges: of each node.
    """

    place: list[Place]
    length_ms: list[int]
    cost: list[int | None]
    decision: list[int]
    decisions: list[PriceDecision]
    charges: list[tuple[Charge, ...]]


def _units(cluster: str, nodes: Sequence[Fitted]) -> _Units:
    """The charges of all nodes, each apportioned over the devices of its node."""
    found, numbers = _Units([], [], [], [], [], []), dict[int, int]()
    split: dict[tuple[int, int], list[int]] = {}
    for node in nodes:
        record, devices, moments = node.site.record, node.look.devices, node.look.moments
        places, count, charges = places_of(cluster, record, devices), len(devices), []
        for number, span in node.layout.segments:
            decision, (start, end) = node.site.prices[number], node.layout.spans[span]
            charge = charge_of(record.facts.name, Window(moments[start], moments[end]), decision, count)
            charges.append(charge)
            found.place.extend(places)
            found.length_ms.extend([charge.span.length_ms] * count)
            found.decision.extend([numbers.setdefault(id(decision), len(numbers))] * count)
            if len(numbers) > len(found.decisions):
                found.decisions.append(decision)
            if charge.cost_nanos is None:
                found.cost.extend([None] * count)
                continue
            key = charge.cost_nanos, count
            if key not in split:
                split[key] = apportion(charge.cost_nanos, [1] * count)
            found.cost.extend(split[key])
        found.charges.append(tuple(dict.fromkeys(charges)))
    return found


def _rows(window: Window, nodes: Sequence[Placed], units: _Units, lines: _Parts, words: Sequence[Word]) -> RowColumns:
    """One row for each line, node after node."""
    counts = np.bincount(lines.unit, minlength=len(units.place))
    times = apportion_runs(units.length_ms, lines.weight, counts)
    unit, measured = lines.unit.tolist(), lines.measured.tolist()
    decision = np.array(units.decision, np.int64)[lines.unit]
    return RowColumns(
        wording=_wordings(window, units.decisions, decision, lines, words),
        place=[units.place[one] for one in unit],
        holder=_holders(nodes, lines),
        cost_nanos=_costs(units, lines, counts),
        gpu_milliseconds=times,
        measured_milliseconds=[min(time, divide(one, PPB)) for time, one in zip(times, measured, strict=True)],
        error_nanos=_errors(units.decisions, decision, lines),
        quantity=[0] * len(unit),
    )


def _costs(units: _Units, lines: _Parts, counts: Column) -> list[int | None]:
    """Each unit's cost over its lines; None where no price is known."""
    priced = np.array([cost is not None for cost in units.cost])
    some = priced[lines.unit]
    parts = apportion_runs([cost for cost in units.cost if cost is not None], lines.weight[some], counts[priced])
    if some.all():
        return list(parts)
    left = iter(parts)
    return [next(left) if one else None for one in some.tolist()]


def _errors(decisions: Sequence[PriceDecision], decision: Column, lines: _Parts) -> list[int | None]:
    blind = (lines.bucket == _NUMBER[Bucket.ALLOCATED_UNMEASURED]).tolist()
    told = zip(decision.tolist(), lines.error.tolist(), blind, strict=True)
    return [None if unknown else error_nanos(decisions[number], error) for number, error, unknown in told]


def _holders(nodes: Sequence[Placed], lines: _Parts) -> list[Holder]:
    holders, firsts = [NOBODY], []
    for node in nodes:
        firsts.append(len(holders))
        holders += node.holders
    position = np.where(lines.occupant == UNHELD, 0, np.array(firsts)[lines.node] + lines.occupant)
    return [holders[one] for one in position.tolist()]


def _wordings(
    window: Window, decisions: Sequence[PriceDecision], decision: Column, lines: _Parts, words: Sequence[Word]
) -> list[Wording]:
    """What rows say beside where, who and how much: few different things."""
    key = ((decision * len(_BUCKETS) + lines.bucket) * len(words) + lines.word) * 2 + lines.seen
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    said, found = Wordings(window), []
    for one in first.tolist():
        signal, quality = words[lines.word[one]]
        bucket, flags = _BUCKETS[lines.bucket[one]], () if lines.seen[one] else (ASSUMED_DEVICE,)
        found.append(said.of(decisions[decision[one]], (bucket, Method.EXCLUSIVE, quality, signal), flags))
    return [found[one] for one in inverse.tolist()]
