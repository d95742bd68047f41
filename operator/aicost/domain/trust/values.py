"""What the judge of telemetry is given, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.sampling.placement import PodName
from aicost.domain.sampling.series import RawSeries
from aicost.domain.trust.reasons import REMEDIES, TrustReason, Weight


@dataclass(frozen=True, slots=True)
class ExporterSeen:
    """An exporter pod, with what the cluster and the last scrape say of it.

    Attributes:
        pod: (namespace, name).
        node: the node that it runs on, empty where it is not known.
        host_pid: whether it sees the processes of the node; None where nobody told.
        error: why its last scrape failed; empty where it answered or where we do not scrape.
        clock_skew_ms: how far the times that it stamps are ahead of our clock; None where it stamps none.
        foreign: names of GPU metrics in its answer that no dialect of ours has.
    """

    pod: PodName
    node: str
    host_pid: bool | None = None
    error: str = ""
    clock_skew_ms: int | None = None
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stranger:
    """A series of an exporter, by a name that no dialect of ours has; its labels say where it is from."""

    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a judgement rests on.

    Attributes:
        since_ms: the samples reach back to here.
        raw: samples as the source shows them, those from after the judgement included.
        interval_ms: time between samples that the source aims at.
        exporters: pods of exporters.
        source: where samples come from, for people; empty where there is no source.
        problem: why the source did not answer; empty where it did.
        strangers: what the source has by names that we do not know, where somebody asked.
    """

    since_ms: int
    facts: ClusterFacts
    raw: Sequence[RawSeries] = ()
    interval_ms: int = 30_000
    exporters: Sequence[ExporterSeen] = ()
    source: str = "a source"
    problem: str = ""
    strangers: Sequence[Stranger] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with the telemetry of a node.

    Attributes:
        message: what was seen: names, counts and values.
        weight: what it does to trust here.
    """

    reason: TrustReason
    message: str
    weight: Weight = field(kw_only=True)


def found(reason: TrustReason, message: str, *, weight: Weight | None = None) -> Finding:
    """A finding of the usual weight of its reason, or of another one."""
    return Finding(reason, message, weight=weight or REMEDIES[reason].weight)


@dataclass(frozen=True, slots=True)
class Judged:
    """What one look at a node found.

    Attributes:
        newest_ms: the moment of its newest sample that is not from the future; None where there is none.
        devices: GPUs that samples show.
        expected: GPUs that it should have; 0 where nothing tells.
        findings: the gravest first, at most one of each reason.
        settling: the node or its exporter is too young to be judged.
    """

    node: str
    newest_ms: int | None = None
    devices: int = 0
    expected: int = 0
    findings: tuple[Finding, ...] = ()
    settling: bool = False

    @property
    def is_blind(self) -> bool:
        """Whether GPUs of it are not shown."""
        return any(one.reason is TrustReason.EXPORTER_BLIND for one in self.findings)


class Trust(StrEnum):
    """Whether the telemetry of a node can be trusted, in the words of a condition."""

    YES = "True"
    NO = "False"
    UNKNOWN = "Unknown"
