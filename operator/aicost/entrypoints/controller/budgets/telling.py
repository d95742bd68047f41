"""Tells people: Events on the budget, messages to its routes; each thing once per route, until the route takes it."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from aicost.adapters.kube.events import EventPoster, Happening, Regarding, Severity
from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.memory import Memory, Said
from aicost.domain.budgets.messages.acks import ESCALATED, acknowledged, escalated, escalation, seen_by, unanswered
from aicost.domain.budgets.messages.runbooks import page_of
from aicost.domain.budgets.messages.values import Message, Topic, Urgency
from aicost.domain.budgets.messages.words import moment
from aicost.domain.budgets.messages.writer import Telling, Writer
from aicost.domain.enforcement.fights import hint
from aicost.domain.enforcement.names import ACKNOWLEDGED
from aicost.domain.enforcement.values import Action, ActionPhase
from aicost.domain.exact.windows import DAY_MS, MINUTE_MS
from aicost.entrypoints.controller.registry import Body, Key
from aicost.entrypoints.controller.resources import GROUP, VERSION
from aicost.ports.errors import NotifyFailed
from aicost.ports.notifications import Notifier
from aicost.telemetry.logs import line
from aicost.telemetry.metrics import Metrics

TRIED_MS = DAY_MS
"""A message that a route did not take for so long is given up."""
REST_MS = MINUTE_MS
"""A route that took no message is left alone for so long: budgets are not held up by it."""
_log = logging.getLogger("aicost.budgets")


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a budget tells.

    Attributes:
        owners: routes of the budget.
        finops: routes of those who look after all budgets.
        wrong: routes that it names and that are not offered to it, with the fix.
    """

    owners: tuple[str, ...] = ()
    finops: tuple[str, ...] = ()
    wrong: Mapping[str, str] = field(default_factory=dict)

    def of(self, said: str) -> tuple[str, ...]:
        """Routes of one message: FinOps hears of hints too, and alone of what nobody has seen."""
        if said.startswith(ESCALATED):
            return self.finops
        return tuple(dict.fromkeys((*self.owners, *self.finops))) if said.startswith("nudge-") else self.owners


@dataclass(slots=True)
class Teller:
    """Tells what evaluations and steps have to say.

    Attributes:
        notifier: the routes.
        events: posts Events.
        metrics: our own metrics.
        runbook_base: stands before the path of a runbook.
        failing: route -> why it takes no messages now.
    """

    notifier: Notifier
    events: EventPoster
    metrics: Metrics
    runbook_base: str = ""
    failing: dict[str, str] = field(default_factory=dict)
    _messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    _rests: dict[str, int] = field(default_factory=dict)

    def whom(self, one: Evaluation) -> Whom:
        """Whom a budget tells. One that only observes tells nobody but whoever looks at it."""
        if not one.tells:
            return Whom()
        plan, namespace = one.plan, one.plan.ref.namespace
        teams = plan.filters.get("team", ())
        team = teams[0] if len(teams) == 1 else ""
        offered = tuple(self.notifier.offered(namespace, team))
        wrong = {name: _not_offered(name, offered) for name in plan.routes if name not in offered}
        named = tuple(name for name in plan.routes if name in offered)
        return Whom(named or tuple(self.notifier.usual(namespace, team)), tuple(self.notifier.finops()), wrong)

    def note(self, body: Body, one: Evaluation, memory: Memory, tellings: Iterable[Telling]) -> Memory:
        """Remember what is to be told, who has seen what, and what goes to more people."""
        new = list(tellings)
        notes = body["metadata"].get("annotations") or {}
        memory = acknowledged(memory, seen_by(str(notes.get(ACKNOWLEDGED, ""))))
        if one.tells:
            late = list(unanswered(memory.said, one.plan.safety.escalate_ms, one.now_ms))
            new += [escalation(one, each, self.runbook_base) for each in late]
            memory = escalated(memory, frozenset(each.id for each in late), one.now_ms)
        for telling in new:
            self._messages[one.plan.ref.uid, telling.what] = telling.message
        return memory.with_said(*(Said(each.what, one.now_ms, each.message.title[:1024]) for each in new))

    async def announce(self, body: Body, tellings: Iterable[Telling]) -> None:
        """Post what is told as Events on the budget."""
        key = Key.of(body)
        regarding = Regarding(f"{GROUP}/{VERSION}", key.kind, key.name, key.namespace, str(body["metadata"]["uid"]))
        for telling in tellings:
            message = telling.message
            severity = Severity.NORMAL if message.urgency is Urgency.INFO else Severity.WARNING
            await self.events.post(Happening(regarding, reason_of(message.topic), text_of(message), severity))

    async def report(self, moved: Iterable[Action]) -> None:
        """Post what became of steps as Events on their workloads: who watches these need not know of budgets."""
        for action in moved:
            if action.phase in _EVENTS and (action.stops or action.phase is not ActionPhase.NOTICED):
                reason, severity = _EVENTS[action.phase]
                ref = action.workload
                regarding = Regarding(ref.api_version, ref.kind, ref.name, ref.namespace, ref.uid)
                await self.events.post(
                    Happening(regarding, reason, note_of(action, self.runbook_base), severity, str(action.lever))
                )

    async def send(self, one: Evaluation, memory: Memory) -> Memory:
        """Send what was not taken yet; what a route takes is remembered, what it does not take is sent again."""
        whom, uid = self.whom(one), one.plan.ref.uid
        said: list[Said] = []
        for each in memory.said:
            waiting = [name for name in whom.of(each.id) if name not in each.sent]
            if waiting and one.now_ms - each.at_ms < TRIED_MS:
                message = self._messages.get((uid, each.id)) or _again(one, each, self.runbook_base)
                taken = await asyncio.gather(*(self._send(name, message, one.now_ms) for name in waiting))
                sent = tuple(name for name, good in zip(waiting, taken, strict=True) if good)
                said.append(replace(each, sent=(*each.sent, *sent)[:16]))
            else:
                self._messages.pop((uid, each.id), None)
                said.append(each)
        return replace(memory, said=tuple(said))

    async def _send(self, route: str, message: Message, now_ms: int) -> bool:
        if now_ms < self._rests.get(route, 0):
            return False
        try:
            await asyncio.to_thread(self.notifier.send, route, message)
        except NotifyFailed as problem:
            if self.failing.get(route) != str(problem):
                line(_log, logging.WARNING, "message not taken", route=route, about=message.id, error=str(problem))
            self.failing[route], self._rests[route] = str(problem), now_ms + REST_MS
            self.metrics.count("aicost_notifications_total", route=route, outcome="failed")
            return False
        self.failing.pop(route, None)
        self.metrics.count("aicost_notifications_total", route=route, outcome="sent")
        return True


_OWN_PAGES = frozenset({ActionPhase.REVERTED, ActionPhase.CONTESTED, ActionPhase.FAILED})
_EVENTS = {
    ActionPhase.NOTICED: ("BudgetNotice", Severity.WARNING),
    ActionPhase.APPLIED: ("BudgetActed", Severity.WARNING),
    ActionPhase.REVERTED: ("BudgetRestored", Severity.NORMAL),
    ActionPhase.WITHDRAWN: ("BudgetWithdrawn", Severity.NORMAL),
    ActionPhase.CONTESTED: ("BudgetContested", Severity.WARNING),
    ActionPhase.FAILED: ("BudgetFailed", Severity.WARNING),
}


def note_of(action: Action, runbook_base: str = "") -> str:
    """What became of a step, for whoever looks at the workload."""
    page = f"{runbook_base}{page_of(action.phase if action.phase in _OWN_PAGES else action.gate)}"
    if action.phase is ActionPhase.NOTICED:
        stop = f"kubectl aicost budget request {action.budget.name}"
        place = f"-n {action.budget.namespace}" if action.budget.namespace else "--cluster"
        at = moment(action.action_at_ms)
        return (
            f"{action.lever} at {at}, if it is still needed then. {action.reason} To stop it: {stop} {place} · {page}"
        )
    by = action.reverts[-1].by if action.reverts else ""
    more = hint(by, action.target, action.changes) if action.phase is ActionPhase.CONTESTED else ""
    left = f"Not restored: {', '.join(action.not_restored)}." if action.not_restored else ""
    return " ".join(part for part in (action.message, action.reason, left, more, f"· {page}") if part)


def _not_offered(name: str, offered: Sequence[str]) -> str:
    known = ", ".join(offered) or "none: routes stand in the chart's values, notifications.routes"
    return f"spec.routes: {name!r} is not offered to this budget; it may name {known}."


def _again(one: Evaluation, said: Said, base: str) -> Message:
    """A message of an earlier life of the controller, of which the summary alone is remembered."""
    topic = Topic.ESCALATED if said.id.startswith(ESCALATED) else Topic.THRESHOLD
    telling = Writer(one, base).message(said.id, topic, Urgency.WARNING, said.summary, said.summary, one.plan.runbook)
    return replace(telling.message, at_ms=said.at_ms)


def reason_of(topic: Topic) -> str:
    """A topic as the reason of an Event: `budget.threshold.crossed` is `BudgetThresholdCrossed`."""
    return "".join(part.capitalize() for part in topic.value.split("."))


def text_of(message: Message) -> str:
    """A message as one text."""
    return "\n".join([message.title, *(f"{label}: {text}" for label, text in message.lines)])
