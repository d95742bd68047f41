"""A simulation for programs: integers beside texts, all times in UTC."""

import json
from collections.abc import Mapping
from typing import Any

from aicost.crd.status.texts import money, percent, share
from aicost.domain.budgets.plans import PPM
from aicost.domain.budgets.simulation.values import Day, Hold, Outcome, Stop, Turn
from aicost.domain.budgets.simulation.workloads import Seen
from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.entrypoints.cli.output.budget.simulation.simulated import Simulated
from aicost.entrypoints.cli.output.budget.simulation.told import limits

KIND = "BudgetSimulation"
Json = Mapping[str, Any]


def as_json(done: Simulated) -> str:
    """The document."""
    found, plan = done.found, done.found.plan
    ref, currency = plan.ref, plan.currency
    document = {
        "kind": KIND,
        "budget": {"kind": ref.kind, "namespace": ref.namespace or None, "name": ref.name},
        "currency": currency,
        "source": done.source,
        "window": _span(done.asked),
        "simulated": _span(found.span),
        "began_at": to_rfc3339(found.began_ms),
        "mode": done.own.mode.value,
        "stops_workloads": found.acts,
        "max_gate": plan.max_gate.value,
        "recorded_nanos": found.recorded_nanos,
        "spent_nanos": found.spent_nanos,
        "saved": money(found.saved_nanos, currency),
        "saved_nanos": found.saved_nanos,
        "label_coverage": percent(found.labels),
        "foreign_currencies": list(found.foreign),
        "unpriced_gpu_milliseconds": found.unpriced_ms,
        "periods": [_period(one) for one in found.periods],
        "moves": [_turn(one) for one in found.turns],
        "stopped": [_stop(one, currency) for one in found.stops],
        "left_alone": [{**_workload(seen), "why": why.value} for seen, why in found.kept],
        "held": [_hold(one) for one in found.holds],
        "days": [_day(one) for one in found.days],
        "limits": [f"{label}: {text}" for label, text, _ in limits(found)],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _span(span: Window) -> Json:
    return {"from": to_rfc3339(span.start_ms), "to": to_rfc3339(span.end_ms)}


def _period(one: Outcome) -> Json:
    ends = one.term.period.end_ms
    return {
        "start": to_rfc3339(one.term.period.start_ms),
        "end": None if ends is None else to_rfc3339(ends),
        "simulated": _span(one.span),
        "limit_nanos": one.term.limit_nanos,
        "recorded_nanos": one.recorded_nanos,
        "spent_nanos": one.spent_nanos,
        "saved_nanos": one.saved_nanos,
    }


def _turn(turn: Turn) -> Json:
    decision, standing = turn.decision, turn.decision.spend.standing
    pending = decision.state.pending
    return {
        "at": to_rfc3339(turn.at_ms),
        "move": decision.move.value,
        "reason": str(decision.reason.value),
        "before": decision.before and decision.before.value,
        "gate": decision.gate and decision.gate.value,
        "rung": decision.rung and decision.rung.name,
        "reached": [one.name for one in decision.crossed],
        "announced": None if pending is None else {"gate": pending.gate.value, "due": to_rfc3339(pending.due_ms)},
        "spent_nanos": standing.spend.counted_nanos,
        "limit_nanos": standing.limit_nanos,
        "used": share(standing.used_ppm, PPM),
        "workloads_told": turn.told,
        "workloads_stopped": turn.stopped,
    }


def _workload(seen: Seen) -> Json:
    found = seen.workload
    return {
        "namespace": found.namespace,
        "controller": found.controller or None,
        "aiworkload": found.claim or None,
        "stage": seen.stage or None,
        "gpu_milli": seen.gpu_milli,
        "rate_per_hour_nanos": seen.rate_nanos,
    }


def _stop(one: Stop, currency: str) -> Json:
    return {
        **_workload(one.seen),
        "gate": one.gate.value,
        "announced_at": to_rfc3339(one.announced_ms),
        "stopped_at": to_rfc3339(one.stopped_ms),
        "until": to_rfc3339(one.until_ms),
        "comes_back": one.returned,
        "saved": money(one.saved_nanos, currency),
        "saved_nanos": one.saved_nanos,
    }


def _hold(one: Hold) -> Json:
    return {"reason": one.why.value, "since": to_rfc3339(one.since_ms), "until": to_rfc3339(one.until_ms)}


def _day(day: Day) -> Json:
    return {
        **_span(day.span),
        "period_start": to_rfc3339(day.period_start_ms),
        "limit_nanos": day.limit_nanos,
        "recorded_nanos": day.recorded_nanos,
        "spent_nanos": day.spent_nanos,
        "spent_in_period_nanos": day.counted_nanos,
        "saved_in_period_nanos": day.gone_nanos,
        "gate": day.gate and day.gate.value,
        "opened": [gate.value for gate in day.opened],
    }
