"""What all messages of a budget have in common."""

from collections.abc import Mapping
from dataclasses import dataclass

from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.messages.outlook import outlook
from aicost.domain.budgets.messages.values import Message, Topic, Urgency
from aicost.domain.budgets.messages.words import who


@dataclass(frozen=True, slots=True)
class Telling:
    """A message with the place that it has in the memory of its budget."""

    what: str
    message: Message


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the messages of one evaluation.

    Attributes:
        base: put before the path of a runbook.
    """

    one: Evaluation
    base: str

    def message(
        self, what: str, topic: Topic, urgency: Urgency, title: str, body: str, page: str, **more: object
    ) -> Telling:
        """A message with what all of them say.

        Args:
            what: its place in the memory of the budget.
            topic: what it is about.
            urgency: how soon somebody should look.
            title: all of it in one line.
            body: what happened.
            page: runbook.
            more: `next`, `stop` and `data`, where they are not the usual ones.
        """
        one = self.one
        known: dict[str, object] = {"next": f"{outlook(one)}.", "stop": "", "data": {}, **more}
        ref = one.plan.ref
        facts: Mapping[str, str | int] = {
            "budget": ref.name,
            "namespace": ref.namespace,
            "currency": one.plan.currency,
            "limitNanos": one.spend.limit_nanos,
            "spentNanos": one.spend.standing.spend.counted_nanos,
            "gate": str(one.last.gate or ""),
            "mode": str(one.plan.mode),
            **known.pop("data"),  # type: ignore[dict-item] # facts of the one message
        }
        return Telling(
            what,
            Message(
                id=f"{ref.uid}/{one.spend.key}/{what}",
                topic=topic,
                urgency=urgency,
                budget=ref,
                at_ms=one.now_ms,
                title=title,
                who=who(one.plan),
                what=body,
                runbook=one.plan.runbook or f"{self.base}{page}",
                data=facts,
                **known,  # type: ignore[arg-type] # next and stop
            ),
        )
