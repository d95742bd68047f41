"""The judge: whether the telemetry of each GPU node can be trusted at a moment, and why not."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.inventory.sharing import missing_gpus
from aicost.domain.sampling.identity import context_of
from aicost.domain.trust.checks import CHECKS, Subject
from aicost.domain.trust.reasons import ORDER, TrustReason
from aicost.domain.trust.traces import NodeSamples, by_node
from aicost.domain.trust.values import Evidence, ExporterSeen, Finding, Judged, found

LOOK_BACK_MS = 20 * MINUTE_MS
"""How far back samples are needed: twice what a contradiction takes."""
SETTLING_MS = 10 * MINUTE_MS
"""A node that is younger may still be waiting for its driver and its exporter."""


def judge(evidence: Evidence, now_ms: int) -> tuple[Judged, ...]:
    """Judge all GPU nodes that are there now, by name.

    A node has GPUs where its facts count some or samples show some.
    """
    context = context_of(evidence.facts, evidence.interval_ms)
    samples = by_node(evidence.raw, context, now_ms, evidence.strangers)
    exporters = _by_node(evidence.exporters)
    return tuple(
        _judge(evidence, record, samples.get(name, NodeSamples()), exporters.get(name, ()), now_ms)
        for name, record in sorted(_present(evidence.facts.nodes, now_ms).items())
        if record.facts.gpus or name in samples
    )


def _present(nodes: Iterable[NodeRecord], now_ms: int) -> dict[str, NodeRecord]:
    """Nodes that are there; of several lives of one name the last."""
    here = [one for one in nodes if one.since_ms <= now_ms and (one.until_ms is None or one.until_ms > now_ms)]
    return {one.facts.name: one for one in sorted(here, key=lambda one: (one.since_ms, one.facts.uid))}


def _by_node(exporters: Iterable[ExporterSeen]) -> Mapping[str, list[ExporterSeen]]:
    found_on: dict[str, list[ExporterSeen]] = defaultdict(list)
    for one in exporters:
        found_on[one.node].append(one)
    return found_on


def _judge(
    evidence: Evidence, record: NodeRecord, samples: NodeSamples, exporters: Sequence[ExporterSeen], now_ms: int
) -> Judged:
    facts, expected = record.facts, _expected(record, now_ms)
    subject = Subject(facts, samples, expected, exporters, evidence.interval_ms, now_ms)
    sourceless = _without_source(evidence)
    young = now_ms - record.since_ms < SETTLING_MS and not samples.lines
    if sourceless or young:
        return Judged(facts.name, samples.newest_ms, len(subject.shown), expected, sourceless, settling=young)
    findings: dict[TrustReason, Finding] = {}
    for check in CHECKS:
        for one in check(subject):
            findings.setdefault(one.reason, one)
    ordered = tuple(sorted(findings.values(), key=lambda one: (one.weight.value, ORDER[one.reason])))
    return Judged(facts.name, samples.newest_ms, len(subject.shown), expected, ordered)


def _expected(record: NodeRecord, now_ms: int) -> int:
    """GPUs that an exporter should show: lost ones are told elsewhere."""
    lost = max((count for span, count in record.unhealthy if span.overlaps(Window(now_ms - 1, now_ms))), default=0)
    return max(0, record.facts.gpus - max(lost, missing_gpus(record.facts)))


def _without_source(evidence: Evidence) -> tuple[Finding, ...]:
    if not evidence.source:
        return (found(TrustReason.NO_SOURCE, "there is no source of samples"),)
    if evidence.problem:
        return (found(TrustReason.SOURCE_FAILS, f"{evidence.source} fails: {evidence.problem}"),)
    return ()
