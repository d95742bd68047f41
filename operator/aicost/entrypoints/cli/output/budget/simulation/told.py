"""What a simulation comes to, what it rests on, and what nobody can know of the past."""

from collections.abc import Iterator, Sequence

from aicost.crd.status.texts import gpu_hours, money, percent
from aicost.domain.budgets.gates import Basis, Gate, Mode, at_least
from aicost.domain.budgets.plans import BudgetPlan, CarryMode, RestorePolicy
from aicost.domain.budgets.simulation.values import Outcome, Simulation
from aicost.domain.exact.windows import describe_length
from aicost.entrypoints.cli.output.budget.ages import length
from aicost.entrypoints.cli.output.budget.simulation.texts import clock, count, per_hour, used
from aicost.entrypoints.cli.output.budget.why.reasons import MEANINGS
from aicost.entrypoints.cli.output.facts import Fact
from aicost.entrypoints.cli.terminal import Style

_KEPT_SHOWN = 3
_PERIODS_SHOWN = 6


def totals(found: Simulation) -> Iterator[Fact]:
    """What was spent, what would have been, and what that saves; period by period where there are several."""
    for one in found.periods[-_PERIODS_SHOWN:]:
        head = f"from {clock(one.span.start_ms, found.plan)}: " if len(found.periods) > 1 else ""
        yield from _outcome(one, found, head)
    if len(found.periods) > 1:
        yield "Together", _saved(found.saved_nanos, found), Style.HEAD


def _outcome(one: Outcome, found: Simulation, head: str) -> Iterator[Fact]:
    currency, limit = found.plan.currency, one.term.limit_nanos
    rolls = one.term.period.end_ms is None
    of = "" if rolls else f", {used(one.recorded_nanos, limit)} of the limit of {money(limit, currency)}"
    yield "Recorded", f"{head}{money(one.recorded_nanos, currency)}{of}", Style.PLAIN
    if found.stops:
        with_it = f"{money(one.spent_nanos, currency)}" + ("" if rolls else f", {used(one.spent_nanos, limit)}")
        yield "With it", f"{with_it} would have been spent{_beyond(one, currency, rolls=rolls)}", Style.PLAIN
    if len(found.periods) == 1:
        yield "Saved", _saved(found.saved_nanos, found), Style.HEAD


def _beyond(one: Outcome, currency: str, *, rolls: bool) -> str:
    over = one.spent_nanos - one.term.limit_nanos
    return f"; the limit is still passed by {money(over, currency)}" if over > 0 and not rolls else ""


def _saved(nanos: int, found: Simulation) -> str:
    currency = found.plan.currency
    if found.stops:
        return f"{money(nanos, currency)}, by stopping {count(len(found.stops))}"
    return f"{money(0, currency)}: {_why_nobody(found)}"


def _why_nobody(found: Simulation) -> str:
    """Why nobody would have been stopped."""
    opened = [turn.decision.gate for turn in found.turns]
    if not found.acts:
        return f"mode {found.plan.mode} was tried, which stops nobody"
    if any(at_least(gate, Gate.SUSPEND) for gate in opened):
        return "nobody was there whom it might have stopped"
    if not at_least(found.plan.max_gate, Gate.SUSPEND):
        return f"maxGate is {found.plan.max_gate}, and no gate below Suspend stops what runs"
    return "no gate opened that stops what runs"


def cautions(found: Simulation) -> Iterator[Fact]:
    """What a reader has to know of the figures."""
    plan = found.plan
    if found.began_ms < found.span.start_ms:
        text = f"it begins at {clock(found.began_ms, plan)}, with its period; moves before the window count too"
        yield "Begins", text, Style.PLAIN
    if found.foreign:
        listed = ", ".join(found.foreign)
        yield "Currency", f"a part of the cost in scope is in {listed}, which is in no figure here", Style.WARN
    for one in found.holds[:_KEPT_SHOWN]:
        text = f"{clock(one.since_ms, plan)} for {length(one.until_ms - one.since_ms)}: {MEANINGS[one.why]}"
        yield "Held", text, Style.WARN
    if _labels_matter(found):
        coverage, least = percent(found.labels) or "none", percent(plan.safety.enough_labels)
        text = f"{coverage} of the cost that pods held has a team; a gate above FreezeGrowth needs {least}"
        yield "Labels", f"{text}. To leave that aside: --assume-labelled", Style.WARN
    if found.unpriced_ms:
        yield "Unpriced", f"{gpu_hours(found.unpriced_ms)} GPU-hours have no price and are in no amount", Style.WARN
    yield from _left_alone(found)


def _labels_matter(found: Simulation) -> bool:
    """Whether labels keep a gate shut."""
    thin = found.labels is None or found.labels < found.plan.safety.enough_labels
    return thin and at_least(found.plan.max_gate, Gate.DENY_NEW) and bool(found.plan.safety.enough_labels)


def _left_alone(found: Simulation) -> Iterator[Fact]:
    """Who runs on, the costliest first."""
    ranked = sorted(found.kept, key=lambda pair: -pair[0].rate_nanos)
    for seen, why in ranked[:_KEPT_SHOWN]:
        yield (
            "Left alone",
            f"{seen.workload}, {per_hour(seen.rate_nanos, found.plan.currency)}: {why}",
            Style.PLAIN,
        )
    if len(ranked) > _KEPT_SHOWN:
        yield "", f"and {count(len(ranked) - _KEPT_SHOWN)} more", Style.PLAIN


def limits(found: Simulation) -> Iterator[Fact]:
    """How it was simulated, and what nobody can know."""
    plan = found.plan
    if found.acts and at_least(plan.max_gate, Gate.SUSPEND):
        yield "Victims", _victims(plan), Style.DIM
    yield "Times", _times(found), Style.DIM
    yield "Not known", f"{'; '.join(_unknown(found))}", Style.DIM


def _times(found: Simulation) -> str:
    return (
        f"are right within a window of the ledger ({describe_length(found.grain_ms)}), in which spend is taken to grow "
        "evenly; the committed rate is the mean of the window"
    )


def _victims(plan: BudgetPlan) -> str:
    rules = plan.safety.victims
    caps = f"at most {rules.max_per_cycle} at a time, and {percent(rules.max_gpu_share)} of the cost of what runs"
    back = {
        RestorePolicy.ON_ROLLOVER: "they come back when the gate closes",
        RestorePolicy.ON_APPROVAL: "they stay stopped, as nobody approves more in a simulation",
        RestorePolicy.MANUAL: "they stay stopped, as nobody brings them back in a simulation",
    }[plan.safety.restore]
    return (
        "chosen by stage (sandbox, experiment, none, pilot; production never) and then by recorded cost alone: what "
        "ran in them and for how long, disruption budgets, idleness and checkpoints of the past are not recorded; "
        f"{caps}; {back}"
    )


def _unknown(found: Simulation) -> Iterator[str]:
    plan = found.plan
    yield "overrides and break-glasses of the past"
    yield "whether samples and prices were good enough then: it is taken that they were"
    if not plan.safety.enough_labels or found.labels is not None:
        yield "what label policies asked for then"
    yield "what a shut door would have kept away: FreezeGrowth and DenyNew save nothing here"
    yield from _not_simulated(plan)


def _not_simulated(plan: BudgetPlan) -> Iterator[str]:
    units = [rung.name for rung in plan.ladder if rung.basis is Basis.UNIT_COST]
    if units:
        yield f"unit costs: {_named('rung', units)} cannot open anything"
    if plan.redlines:
        yield f"{_named('redline', [one.name for one in plan.redlines])}: units and successes are not recorded"
    if plan.parent:
        yield f"what ClusterBudget {plan.parent} above it would have done"
    if plan.carry.mode is not CarryMode.NONE:
        yield "what was carried into the first period"
    if plan.growth:
        yield "whether the limit would have grown"


def _named(what: str, names: Sequence[str]) -> str:
    return f"{what}{'' if len(names) == 1 else 's'} {', '.join(names)}"


def mode_words(found: Simulation, own: BudgetPlan) -> str:
    """As whom the budget acts here."""
    if not found.acts:
        return f"The gates alone, as in mode {found.plan.mode}: nobody is stopped, and spend stays as it was recorded."
    if own.mode is Mode.ENFORCE:
        return "As it would have been enforced."
    does = "and does nothing" if own.mode is Mode.OBSERVE else "and tells people, but does nothing"
    return f"As Enforce would have done it; the budget is in mode {own.mode} {does}."
