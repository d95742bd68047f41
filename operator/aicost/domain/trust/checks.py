"""What can be wrong with the telemetry of one node: one function per sign, each with the reason that it proves."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS
from aicost.domain.inventory.nodes import NodeFacts, SharingMode
from aicost.domain.sampling.dialects import LARGEST_RATIO, METRICS
from aicost.domain.sampling.series import PPB, Signal
from aicost.domain.trust.attribution import (
    SHARED,
    blind_devices,
    copied_devices,
    counted_devices,
    pod_rows,
    tells_pods,
)
from aicost.domain.trust.reasons import TrustReason, Weight
from aicost.domain.trust.traces import DCGM_PREFIX, PROFILED, PROFILING, Line, NodeSamples
from aicost.domain.trust.values import ExporterSeen, Finding, found

SILENT_INTERVALS = 4
LONGEST_SKEW_MS = 2 * SECOND_MS
"""A clock that is further off is told."""
OVERLAP_MS = 2 * MINUTE_MS
"""Two exporters that spoke of one device side by side for so long are two: one that restarts has a new name as well."""
_LEAST_SAMPLES = 3
_DIFFERENT = PPB // 10
"""Two exporters whose means differ by more than this contradict each other."""
_NO_PERMISSION = (2_147_483_635.0, 140_737_488_355_331.0)
"""What a field shows that we are not permitted to read, in 32 bits and as a floating-point blank. Of the 64-bit blanks
nothing tells one from another once they are floating-point numbers."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Subject:
    """One node, ready to be judged.

    Attributes:
        expected: GPUs that should be shown; 0 where nothing tells.
        exporters: exporter pods on the node.
        interval_ms: time between samples that the source aims at.
    """

    facts: NodeFacts
    samples: NodeSamples
    expected: int
    exporters: Sequence[ExporterSeen]
    interval_ms: int
    now_ms: int

    @property
    def silent_after_ms(self) -> int:
        """What said nothing for so long is silent: a scrape or two may fail, and a Prometheus hears late."""
        return max(5 * MINUTE_MS, SILENT_INTERVALS * self.interval_ms)

    @property
    def shown(self) -> frozenset[str]:
        """Devices with a sample that is not too old."""
        return self.samples.devices(self.now_ms - self.silent_after_ms)


Check = Callable[[Subject], Iterator[Finding]]


def exporter_blind(subject: Subject) -> Iterator[Finding]:
    """Devices of the node of which no sample came lately."""
    shown = len(subject.shown)
    if not shown and (subject.expected or subject.samples.lines):
        yield found(TrustReason.EXPORTER_BLIND, f"{_silence(subject)}; {_who(subject)}")
    elif shown < subject.expected:
        text = f"{shown} of {subject.expected} GPUs are shown; {_who(subject)}"
        yield found(TrustReason.EXPORTER_BLIND, text)


def _silence(subject: Subject) -> str:
    newest = subject.samples.newest_ms
    if newest is None:
        return "no GPU of the node is shown"
    return f"the last sample is {max(0, subject.now_ms - newest) // MINUTE_MS} min old"


def _who(subject: Subject) -> str:
    """Which exporter should have spoken."""
    failing = [f"{'/'.join(one.pod)} failed: {one.error}" for one in subject.exporters if one.error]
    if failing:
        return _some(failing)
    if not subject.exporters:
        return "no exporter pod is known on it"
    return f"{_some(['/'.join(one.pod) for one in subject.exporters])} runs on it"


def exporter_frozen(subject: Subject) -> Iterator[Finding]:
    """Devices of which all that came lately repeats older values."""
    since = subject.now_ms - subject.silent_after_ms
    fresh: dict[str, int] = {}
    for line in subject.samples.lines:
        if line.entry.signal is not Signal.ENERGY:  # the sign itself; what it proves is said of the others
            until = -1 if line.fresh_until_ms is None else line.fresh_until_ms
            fresh[line.entry.device] = max(fresh.get(line.entry.device, -1), until)
    stuck = sorted(device for device in subject.shown if fresh.get(device, since) < since)
    if stuck:
        text = f"the energy counter of {_some(stuck)} stands still: old values are repeated"
        yield found(TrustReason.EXPORTER_FROZEN, text)


def dialect_unknown(subject: Subject) -> Iterator[Finding]:
    """Names, labels or units that no dialect of ours explains."""
    foreign = sorted(subject.samples.foreign.union(*(one.foreign for one in subject.exporters)))
    if foreign and not subject.shown:
        yield found(TrustReason.DIALECT_UNKNOWN, f"the exporter shows {_some(foreign)} and no name that we know")
    elif subject.samples.nameless:
        text = f"rows of {_some(sorted(subject.samples.nameless))} carry no UUID"
        yield found(TrustReason.DIALECT_UNKNOWN, text)
    else:
        yield from _unit_unknown(subject)


def _unit_unknown(subject: Subject) -> Iterator[Finding]:
    """A field that older releases count to 100 and newer to 1, with values below both and no HELP text.

    It matters where nothing better measures the device.
    """
    measured = {one.entry.device for one in subject.samples.lines if one.entry.signal is Signal.ENGINE_ACTIVE}
    doubtful = sorted({one.entry.raw.name for one in subject.samples.lines if _is_doubtful(one, measured)})
    if doubtful:
        text = f"{_some(doubtful)} has no HELP text and no value above {LARGEST_RATIO:g}: percent or ratio?"
        yield found(TrustReason.DIALECT_UNKNOWN, text)


def _is_doubtful(line: Line, measured: set[str]) -> bool:
    raw = line.entry.raw
    if METRICS[raw.name].unit is not None or raw.help or line.entry.device in measured:
        return False
    usable = raw.value[np.isfinite(raw.value)]
    return 0 < float(usable.max(initial=0.0)) <= LARGEST_RATIO


def not_permitted(subject: Subject) -> Iterator[Finding]:
    """Fields whose last value says that they may not be read."""
    names = sorted({one.entry.raw.name for one in subject.samples.lines if _is_refused(one)})
    if names:
        yield found(TrustReason.NOT_PERMITTED, f"the driver does not let the exporter read {_some(names)}")


def _is_refused(line: Line) -> bool:
    raw = line.entry.raw
    return float(raw.value[int(raw.at_ms.argmax())]) in _NO_PERMISSION


def clock_skew(subject: Subject) -> Iterator[Finding]:
    """Times of samples that cannot be, by our clock."""
    for one in subject.exporters:
        if one.clock_skew_ms is not None and abs(one.clock_skew_ms) > LONGEST_SKEW_MS:
            way = "ahead of" if one.clock_skew_ms > 0 else "behind"
            text = (
                f"times that {'/'.join(one.pod)} stamps are {abs(one.clock_skew_ms) / SECOND_MS:.1f} s {way} our clock"
            )
            yield found(TrustReason.CLOCK_SKEW, text)
            return
    if subject.samples.ahead_ms > LONGEST_SKEW_MS:
        text = f"samples are {subject.samples.ahead_ms / SECOND_MS:.1f} s ahead of our clock"
        yield found(TrustReason.CLOCK_SKEW, text)


def profiling(subject: Subject) -> Iterator[Finding]:
    """Devices whose profiling fields fell silent while others go on, or never spoke.

    A field that was only blank may be paused or not supported: it counts as never spoken.
    """
    quiet_after = max(2 * MINUTE_MS, SILENT_INTERVALS * subject.interval_ms)
    paused, absent = [], []
    for device, lines in sorted(_by_device(subject).items()):
        newest = max((one.newest_ms or 0 for one in lines if one.entry.signal not in PROFILED), default=0)
        counted = [one.newest_ms for one in lines if one.entry.signal in PROFILING and one.newest_ms is not None]
        if device not in subject.shown or not newest:
            continue
        if not counted:
            absent.append(device)
        elif newest - max(counted) > quiet_after:
            paused.append(device)
    if paused:
        text = f"{_some(paused)}: profiling fields stopped while others go on"
        yield found(TrustReason.PROFILING_PAUSED, text)
    if absent:
        split = subject.facts.sharing is SharingMode.MIG
        text = f"{_some(absent)}: no profiling field is shown{', and MIG has no other' if split else ''}"
        yield found(TrustReason.PROFILING_ABSENT, text, weight=Weight.BREAKS if split else None)


def _by_device(subject: Subject) -> Mapping[str, list[Line]]:
    """Lines of dcgm-exporter by device: exporters of other makers have no profiling fields."""
    found_lines: dict[str, list[Line]] = defaultdict(list)
    for line in subject.samples.lines:
        if line.entry.raw.name.startswith(DCGM_PREFIX):
            found_lines[line.entry.device].append(line)
    return found_lines


def duplicates(subject: Subject) -> Iterator[Finding]:
    """Devices that two exporters, or two scrape jobs, speak of side by side."""
    since = subject.now_ms - subject.silent_after_ms
    sources: dict[tuple[str, str, Signal], dict[tuple[str, ...], list[Line]]] = defaultdict(dict)
    for line in subject.samples.lines:
        if line.entry.holder is None or line.entry.signal in PROFILING:
            key = line.entry.device, line.entry.instance or "", line.entry.signal
            sources[key].setdefault(line.entry.exporter, []).append(line)
    devices, disagree = set(), set()
    for (device, _, signal), lines in sources.items():
        spans = [span for each in lines.values() if (span := _recent(each, since)) is not None]
        if len(spans) > 1 and min(last for _, last, _ in spans) - max(first for first, _, _ in spans) >= OVERLAP_MS:
            devices.add(device)
            means = [mean for _, _, mean in spans]
            if signal in {Signal.ENGINE_ACTIVE, Signal.GPU_UTIL} and max(means) - min(means) > _DIFFERENT:
                disagree.add(device)
    if devices:
        text = (
            f"{_some(sorted(devices))}: {'two sources contradict each other' if disagree else 'shown by two sources'}"
        )
        yield found(TrustReason.DUPLICATES, text, weight=Weight.BREAKS if disagree else None)


def _recent(lines: Sequence[Line], since_ms: int) -> tuple[int, int, int] | None:
    """First and last recent sample of one source, and the mean of its values; None where it has too few."""
    traces = [line.trace.since(since_ms) for line in lines]
    at_ms = np.concatenate([one.at_ms for one in traces])
    if len(at_ms) < _LEAST_SAMPLES:
        return None
    value = np.concatenate([one.value for one in traces])
    return int(at_ms.min()), int(at_ms.max()), int(value.mean())


def pods_told_apart(subject: Subject) -> Iterator[Finding]:
    """Whether values per pod of shared devices say who computed. Where each pod has a counter, gauges do not matter."""
    counted = counted_devices(subject.samples)
    rows = [row for row in pod_rows(subject.samples) if row.device not in counted]
    blind = blind_devices(rows, subject.interval_ms, subject.now_ms - subject.silent_after_ms)
    if blind:
        yield found(TrustReason.ATTRIBUTION_BLIND, f"{_some(sorted(blind))}: values per pod contradict the device")
    mute = [row for row in rows if row.virtual and row.silent]
    if mute and len(mute) == sum(row.virtual for row in rows):
        pods = _some(sorted({"/".join(row.pod) for row in mute}))
        if any(one.host_pid is False for one in subject.exporters):
            text = f"the exporter runs without hostPID and shows 0 for all pods that share: {pods}"
            yield found(TrustReason.NO_HOST_PID, text)
        elif blind and not any(row.uid for row in mute):
            yield found(TrustReason.NO_POD_UID, f"rows carry no pod_uid and show 0 for all pods that share: {pods}")
    copies = copied_devices(rows)
    if copies:
        text = f"{_some(sorted(copies))}: each pod that shares shows the device's own value"
        yield found(TrustReason.NO_POD_VALUES, text)
    elif subject.facts.sharing in SHARED and subject.shown and not rows and not tells_pods(subject.samples):
        text = f"{subject.facts.slots_per_gpu} slots per GPU ({subject.facts.sharing.value}), and no value per pod"
        yield found(TrustReason.NO_POD_VALUES, text)


def _some(names: Sequence[str]) -> str:
    """The first few of many names."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


CHECKS: tuple[Check, ...] = (
    exporter_blind,
    exporter_frozen,
    dialect_unknown,
    not_permitted,
    clock_skew,
    profiling,
    pods_told_apart,
    duplicates,
)
