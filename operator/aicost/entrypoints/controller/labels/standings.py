"""What a coverage report says to the status of a policy, and to metrics."""

from aicost.crd.coverage.texts import lacks
from aicost.crd.status.policies import MOST_OFFENDERS, KeyStanding, Offence, PolicyAudit
from aicost.domain.coverage.report import CoverageReport
from aicost.domain.coverage.subjects import Subject
from aicost.domain.coverage.weights import KeyCoverage, Weight

Gauges = dict[tuple[str, ...], float]


def policy_audit(report: CoverageReport, at_ms: int) -> PolicyAudit:
    """The standing of one policy, of a report that was made with its eyes."""
    broken = [one for one in report.offenders if one.audited and one.audited.breaks]
    return PolicyAudit(
        at_ms=at_ms,
        by_cost=report.total.by_cost,
        objects=report.total.objects,
        labelled=report.total.covered,
        keys=tuple(_key(key) for key in report.keys),
        would_deny=report.denied.strict if report.denied else 0,
        offences=tuple(_offence(one, report) for one in broken[:MOST_OFFENDERS]),
        level=report.maturity.level,
        stage=report.maturity.rollout.value,
        next_step=report.maturity.next_step,
    )


def coverage_gauges(report: CoverageReport) -> Gauges:
    """(key, weight) -> share, for each required key and, as `all`, for all of them; what is not known is absent."""
    weights = {key.key: key.weight for key in report.keys if key.required} | {"all": report.total}
    return {(key, name): value for key, weight in weights.items() for name, value in _shares(weight)}


def _shares(weight: Weight) -> list[tuple[str, float]]:
    found = (("cost", weight.by_cost), ("objects", weight.by_count))
    return [(name, float(share)) for name, share in found if share is not None]


def _key(key: KeyCoverage) -> KeyStanding:
    return KeyStanding(key.key, key.weight.by_cost, key.weight.objects, key.weight.covered)


def _offence(one: Subject, report: CoverageReport) -> Offence:
    namespace, kind, name = one.of
    monthly = report.monthly(one.cost_nanos) if one.cost_nanos and report.currency else None
    return Offence(namespace, kind, name, tuple(lacks(one)), one.owner, monthly, report.currency)
