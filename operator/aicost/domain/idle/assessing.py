"""Idle money of a span, kind by kind: rows of the ledger divided by what their own samples say.

The parts of a row sum to the row: kinds are a finer view of `allocated-idle`, never more money.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.exact.apportion import apportion
from aicost.domain.exact.windows import Window
from aicost.domain.idle.kinds import ADVICE, IDLE_BUCKETS, OF_BUCKET, SCALED_KINDS, IdleKind, Phase
from aicost.domain.idle.scaling import NO_WASTE, Load, Waste, waste_of
from aicost.domain.idle.slices import SLICE_MS, UNKNOWN, Slices
from aicost.domain.idle.values import KIND_ORDER, IdleKey, IdleLine, IdleReport
from aicost.domain.ledger.rows import Bucket, Component, Holder, Row

_TEAM, _MODEL, _TYPE, _TRAINING = "team", "model", "workload-type", "training"
_WASTED = (Phase.BEFORE_SPIKE, Phase.BETWEEN_SPIKES, Phase.AFTER_SPIKE, Phase.NEVER_NEEDED)
_WorkloadKey = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class PodOnDevice:
    """A pod on a device in one billing window: what its rows are called in the ledger, and by samples."""

    window: Window
    namespace: str
    pod: str
    pod_uid: str
    device: str


def place_of(row: Row) -> PodOnDevice:
    """What a row of a pod is about."""
    return PodOnDevice(row.window, row.holder.namespace, row.holder.pod, row.holder.pod_uid, row.place.device)


@dataclass(slots=True)
class _Group:
    """Rows of one pod on one device in one window, in one currency."""

    row: Row
    cost_nanos: int = 0
    gpu_milliseconds: int = 0
    unpriced_milliseconds: int = 0


@dataclass(slots=True)
class _Lines:
    """Lines as they grow."""

    known: dict[IdleKey, IdleLine] = field(default_factory=dict)

    def of(self, key: IdleKey) -> IdleLine:
        """The line of a key."""
        return self.known.setdefault(key, IdleLine(key))

    def add(self, key: IdleKey, group: _Group) -> None:
        """Add a whole group to a line."""
        line = self.of(key)
        line.cost_nanos += group.cost_nanos
        line.gpu_milliseconds += group.gpu_milliseconds
        line.unpriced_milliseconds += group.unpriced_milliseconds


def assess(
    rows: Iterable[Row], samples: Mapping[PodOnDevice, Slices], span: Window, covered_ms: int, notes: Sequence[str] = ()
) -> IdleReport:
    """Say why idle GPUs were idle.

    Args:
        rows: all rows of the span, of whatever component and revision.
        samples: what is known of pods on devices; a pod that is not in it is idle for a reason that nobody knows.
        span: what was asked for.
        covered_ms: length of the billing windows of the rows.
        notes: what could not be told apart, and why.
    """
    gpu = [row for row in rows if row.component is Component.GPU]
    lines = _Lines()
    for group in _groups(row for row in gpu if row.bucket in OF_BUCKET):
        lines.add(_key(group.row, OF_BUCKET[group.row.bucket]), group)
    wastes = _wastes(gpu, samples)
    _count_replicas(lines, wastes, gpu)
    for group in _groups(row for row in gpu if row.bucket is Bucket.ALLOCATED_IDLE):
        place = place_of(group.row)
        wasted = wastes.get(_workload(group.row.holder), {})
        _divide(lines, group, samples.get(place), wasted)
    kept = [line for line in lines.known.values() if line.cost_nanos or line.gpu_milliseconds]
    ordered = sorted(kept, key=lambda line: (KIND_ORDER[line.key.kind], -line.cost_nanos, _text(line.key)))
    unmeasured = _sums(row for row in gpu if row.bucket is Bucket.ALLOCATED_UNMEASURED)
    return IdleReport(span, covered_ms, tuple(ordered), _sums(gpu), unmeasured, tuple(notes))


def idle_nanos(rows: Iterable[Row]) -> dict[str, int]:
    """What the kinds must add up to, by currency."""
    return _sums(row for row in rows if row.component is Component.GPU and row.bucket in IDLE_BUCKETS)


def _sums(rows: Iterable[Row]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.cost_nanos is not None:
            found[row.currency] += row.cost_nanos
    return dict(sorted(found.items()))


def _groups(rows: Iterable[Row]) -> Iterable[_Group]:
    """Rows of one pod (or of nobody) on one device, window and bucket, all revisions together."""
    found: dict[tuple[object, ...], _Group] = {}
    for row in rows:
        key = (place_of(row), row.bucket, row.currency)
        group = found.setdefault(key, _Group(row))
        group.cost_nanos += row.cost_nanos or 0
        group.gpu_milliseconds += row.gpu_milliseconds
        group.unpriced_milliseconds += row.gpu_milliseconds if row.cost_nanos is None else 0
    return found.values()


def _key(row: Row, kind: IdleKind, *, pod: str = "", phase: Phase = Phase.NONE) -> IdleKey:
    holder = row.holder
    held = not ADVICE[kind].owner or kind is IdleKind.SYSTEM
    owner = ADVICE[kind].owner or holder.dimensions.get(_TEAM) or f"namespace {holder.namespace}"
    return IdleKey(
        kind=kind,
        owner=owner,
        currency=row.currency,
        namespace=holder.namespace if held else "",
        workload=_name(holder) if held else "",
        pod=pod,
        model=holder.dimensions.get(_MODEL, "") if held else "",
        gpu_model=row.place.gpu_model,
        phase=phase,
    )


def _name(holder: Holder) -> str:
    if holder.controller:
        return f"{holder.controller_kind}/{holder.controller}"
    return holder.workload or (f"Pod/{holder.pod}" if holder.pod else "")


def _workload(holder: Holder) -> _WorkloadKey:
    return holder.namespace, holder.controller_kind, holder.controller, holder.workload


def _wastes(rows: Sequence[Row], samples: Mapping[PodOnDevice, Slices]) -> Mapping[_WorkloadKey, Mapping[int, Waste]]:
    """What workloads that scale had too much of, slice by slice."""
    places: dict[_WorkloadKey, dict[PodOnDevice, None]] = defaultdict(dict)
    for row in rows:
        if row.holder.controller_kind in SCALED_KINDS and row.holder.dimensions.get(_TYPE) != _TRAINING:
            places[_workload(row.holder)][place_of(row)] = None
    return {key: waste_of(_loads(found, samples)) for key, found in places.items()}


def _loads(places: Iterable[PodOnDevice], samples: Mapping[PodOnDevice, Slices]) -> Mapping[int, Load]:
    """What all replicas of a workload did, by the start of the slice."""
    replicas: dict[tuple[Window, str, str], list[Slices | None]] = defaultdict(list)
    for place in places:
        replicas[place.window, place.pod_uid, place.pod].append(samples.get(place))
    loads: dict[int, Load] = defaultdict(Load)
    for (window, _, _), devices in replicas.items():
        for at, busy in _of_replica(window, devices):
            load = loads[at]
            load.replicas += 1
            load.busy += max(busy, 0)
            load.known &= busy != UNKNOWN
    return loads


def _of_replica(window: Window, devices: Sequence[Slices | None]) -> Iterator[tuple[int, int]]:
    """The slices for most of which a replica held its devices, with its mean activity; unknown where one is."""
    told = [one for one in devices if one is not None]
    starts = range(window.start_ms, window.end_ms, SLICE_MS)
    if len(told) < len(devices) or not told:
        yield from ((at, UNKNOWN) for at in starts)
        return
    for index, at in enumerate(starts):
        length = min(at + SLICE_MS, window.end_ms) - at
        if 2 * int(told[0].held_ms[index]) >= length:
            each = [int(one.busy[index]) for one in told]
            yield at, UNKNOWN if UNKNOWN in each else sum(each) // len(each)


def _count_replicas(lines: _Lines, wastes: Mapping[_WorkloadKey, Mapping[int, Waste]], rows: Sequence[Row]) -> None:
    """Time of replicas too many, by workload and phase."""
    first: dict[_WorkloadKey, Row] = {}
    for row in rows:
        if row.bucket is Bucket.ALLOCATED_IDLE:
            first.setdefault(_workload(row.holder), row)
    for workload, row in first.items():
        for waste in wastes.get(workload, {}).values():
            for phase, count in waste.phases.items():
                line = lines.of(_key(row, IdleKind.SCALE_WASTE, phase=phase))
                line.replica_milliseconds += count * SLICE_MS


def _divide(lines: _Lines, group: _Group, slices: Slices | None, wasted: Mapping[int, Waste]) -> None:
    """Divide the idle money of one pod on one device over its kinds, so that the parts sum to it."""
    keys = [
        *(_key(group.row, IdleKind.SCALE_WASTE, phase=phase) for phase in _WASTED),
        _key(group.row, IdleKind.IDLE_RESIDENT, pod=group.row.holder.pod),
        _key(group.row, IdleKind.ALLOCATED_IDLE),
    ]
    weights = _weights(group.row.window, slices, wasted)
    if not any(weights):
        weights = [0] * (len(keys) - 1) + [1]
    amounts = (
        apportion(one, weights) for one in (group.cost_nanos, group.gpu_milliseconds, group.unpriced_milliseconds)
    )
    for key, cost, time_ms, unpriced_ms in zip(keys, *amounts, strict=True):
        if cost or time_ms:
            lines.add(key, _Group(group.row, cost, time_ms, unpriced_ms))
    if slices is not None and weights[-2]:
        line = lines.of(keys[-2])
        line.memory_bytes = max(line.memory_bytes, int(slices.memory[slices.resident].max()))


def _weights(window: Window, slices: Slices | None, wasted: Mapping[int, Waste]) -> list[int]:
    """Idle time of each kind: of each phase of scale waste, idle-resident, and the rest."""
    found = dict.fromkeys(_WASTED, 0)
    resident = rest = 0
    idle = [] if slices is None else slices.idle.tolist()
    for index, weight in enumerate(idle):
        waste = wasted.get(window.start_ms + index * SLICE_MS, NO_WASTE)
        too_much = int(weight * waste.share)
        for phase, part in zip(waste.phases, apportion(too_much, list(waste.phases.values())), strict=True):
            found[phase] += part
        if slices is not None and slices.resident[index]:
            resident += weight - too_much
        else:
            rest += weight - too_much
    return [*found.values(), resident, rest]


def _text(key: IdleKey) -> tuple[str, ...]:
    return key.namespace, key.workload, key.pod, key.gpu_model, key.phase.value, key.currency
