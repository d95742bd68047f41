"""Conditions about unit costs: is it counted what a workload does, and does a unit cost what it may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.reasons import ConditionType, Reason
from aicost.crd.status.conditions import Statement
from aicost.crd.status.texts import counted, percent, unit_price
from aicost.domain.serving.own_units import REQUEST_UNITS, TOKEN_UNITS, OwnUnit, Standing, UnitVerdict

_SHOWN_PODS = 3
_YES, _NO, _OPEN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN


@dataclass(frozen=True, slots=True)
class Scraped:
    """How the pods of a workload are scraped directly.

    Attributes:
        asked: how many.
        failures: pod -> why it could not be read.
        silent: those that answered showed no counter that is known.
        named: the workload names a port.
    """

    asked: int = 0
    failures: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False
    named: bool = False


def units_counted(
    engines: Sequence[str], declared: str, problem: str, *, has_source: bool, since: bool, scraped: Scraped | None
) -> Statement:
    """UnitsCounted: what is heard of a workload.

    Args:
        engines: that were heard, or what else counts.
        declared: the engine that it names; empty for none.
        problem: why counting fails now.
        has_source: whether anybody tells what engines do.
        since: whether any window was counted.
        scraped: how its pods are scraped; None where a Prometheus does it.
    """
    kind = ConditionType.UNITS_COUNTED
    if problem:
        text = f"Counters cannot be read: {problem}. What was missed is counted once they can be."
        return Statement(kind, _NO, Reason.SOURCE_FAILS, text)
    if scraped is not None and scraped.failures:
        return Statement(kind, _NO, Reason.ENGINE_UNREACHABLE, _unreachable(scraped))
    if engines:
        return Statement(kind, _YES, Reason.COUNTED, f"Counted in each closed window by {', '.join(engines)}.")
    return _uncounted(declared, scraped, has_source=has_source, since=since)


def _uncounted(declared: str, scraped: Scraped | None, *, has_source: bool, since: bool) -> Statement:
    """Nobody was heard, and nothing fails: what is missing."""
    kind = ConditionType.UNITS_COUNTED
    if not has_source:
        text = (
            "What engines do is counted by a Prometheus, and none is in use; nor are engines scraped directly. To have "
            "unit costs set telemetry.prometheus.url and let it scrape the engines' metrics; or let aicost scrape "
            "exporters and engines with telemetry.source: scrape."
        )
        return Statement(kind, _OPEN, Reason.NO_SOURCE, text)
    if scraped is not None and (not scraped.asked or scraped.silent):
        return _not_heard(scraped)
    if not since:
        return Statement(kind, _OPEN, Reason.WAITING, "No window was counted yet; the first is counted when it closes.")
    named = f"spec.telemetry.engine is {declared}, and no" if declared else "No"
    text = f"{named} counter of it was heard in the pods of this workload this month: check"
    if scraped is not None:
        text += " spec.telemetry.engine; of pods that are scraped since a moment ago the next window is the first."
        return Statement(kind, _NO, Reason.ENGINE_NOT_HEARD, text)
    text += " that the Prometheus scrapes their metrics with the labels namespace and pod"
    return Statement(kind, _NO, Reason.ENGINE_NOT_HEARD, f"{text}, and spec.telemetry.port if it is given.")


def _unreachable(scraped: Scraped) -> str:
    pods = f"{len(scraped.failures)} of {counted(scraped.asked, 'pod')}"
    shown = "; ".join(f"{pod}: {why}" for pod, why in sorted(scraped.failures.items())[:_SHOWN_PODS])
    return (
        f"The metrics of {pods} cannot be read: {shown}. Check spec.telemetry.port and spec.telemetry.path, and that "
        "no NetworkPolicy keeps the controller out. What they do meanwhile is counted once they answer, if they do not "
        "restart before."
    )


def _not_heard(scraped: Scraped) -> Statement:
    """Engines are scraped directly, and of this workload there is nobody to ask, or nobody who tells."""
    kind = ConditionType.UNITS_COUNTED
    if scraped.silent:
        text = (
            "Its pods answer and show no counter of an engine that is known: check spec.telemetry.path, and that the "
            "engine shows its metrics (SGLang: --enable-metrics, llama.cpp: --metrics)."
        )
        return Statement(kind, _NO, Reason.ENGINE_NOT_HEARD, text)
    if scraped.named:
        return Statement(kind, _OPEN, Reason.WAITING, "No pod of this workload runs now.")
    text = (
        "Engines are scraped directly, and nothing says where those of this workload show their metrics: give "
        "spec.telemetry.port, or annotate the pods with prometheus.io/scrape and prometheus.io/port."
    )
    return Statement(kind, _NO, Reason.ENGINE_NOT_HEARD, text)


def within_target(unit: OwnUnit, verdict: UnitVerdict | None) -> Statement:
    """WithinTarget: what a unit costs against what it may."""
    kind = ConditionType.WITHIN_TARGET
    if verdict is None or verdict.standing is Standing.NOT_COUNTED:
        return Statement(kind, _OPEN, Reason.NOT_COUNTED, _nobody_counts(unit))
    if verdict.standing is Standing.NO_TARGET:
        text = f"{_costs(verdict)} Give spec.unitMetric.targetPrice and currency to have it judged."
        return Statement(kind, _OPEN, Reason.NO_TARGET, text)
    if verdict.standing is Standing.OTHER_CURRENCY:
        text = f"The target is in {unit.target.currency}, the cost in {verdict.currency}: write the target in that."
        return Statement(kind, _OPEN, Reason.CURRENCY_MISMATCH, text)
    if verdict.standing is Standing.NOTHING_DONE:
        text = f"No {unit.name} was counted this month, so none has a price."
        return Statement(kind, _OPEN, Reason.NOTHING_DONE, text)
    status, reason = _STANDINGS[verdict.standing]
    return Statement(kind, status, reason, f"{_costs(verdict)} {_target(verdict)}")


_STANDINGS = {
    Standing.BELOW: (_YES, Reason.WITHIN),
    Standing.MARGIN: (_YES, Reason.WITHIN_MARGIN),
    Standing.ABOVE: (_NO, Reason.ABOVE_TARGET),
}


def _costs(verdict: UnitVerdict) -> str:
    unit, done = verdict.unit, verdict.done
    if verdict.cost is None:
        return f"No {unit.name} was counted this month."
    least = " or more" if done.at_least else ""
    return (
        f"{counted(unit.target.per, unit.name)} cost{'s' if unit.target.per == 1 else ''} "
        f"{unit_price(verdict.cost, verdict.currency)} this month, over {done.units:,}{least} counted by the {done.by}."
    )


def _target(verdict: UnitVerdict) -> str:
    target = verdict.unit.target
    allowed = f" with a margin of {target.margin_percent} %" if target.margin_percent else ""
    wanted = unit_price(target.nanos or 0, target.currency)
    return f"The target is {wanted}{allowed}: the cost is {percent(verdict.ratio)} of it."


def _nobody_counts(unit: OwnUnit) -> str:
    if unit.has_counter:
        return (
            "The counter of spec.unitMetric.units has no sample in the windows of this month: check its name and "
            "labels, and that it is scraped from this namespace."
        )
    if unit.name in REQUEST_UNITS | TOKEN_UNITS:
        return f"No engine counted a {unit.name} in the windows of this month; the condition UnitsCounted says why."
    return f"No engine counts {unit.name}: name a counter in spec.unitMetric.units."
