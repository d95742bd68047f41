"""What people have seen, and what nobody has: the latter goes to more people, once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.memory import Memory, Said
from aicost.domain.budgets.messages.runbooks import page_of
from aicost.domain.budgets.messages.values import Topic, Urgency
from aicost.domain.budgets.messages.words import command, moment
from aicost.domain.budgets.messages.writer import Telling, Writer

_ASKING = ("rung-", "nudge-", "held-", "redline-", "planned-", "contested-", "request-", "review-")
"""Messages that want an answer. Others tell what is over, or what is good news."""
ESCALATED = "escalated-"


def seen_by(text: str) -> Mapping[str, str]:
    """Message -> who has seen it, as the annotation of a budget says: `ID=NAME,ID=NAME`."""
    parts = (part.strip().partition("=") for part in text.split(","))
    return {name: by or "somebody" for name, _, by in parts if name}


def acknowledged(memory: Memory, seen: Mapping[str, str]) -> Memory:
    """With who has seen which message; the first one counts."""
    said = tuple(
        replace(one, acknowledged_by=seen[one.id][:253]) if one.id in seen and not one.acknowledged_by else one
        for one in memory.said
    )
    return memory if said == memory.said else replace(memory, said=said)


def unanswered(said: Sequence[Said], after_ms: int, now_ms: int) -> Iterator[Said]:
    """Messages that nobody has seen for too long, each once.

    Args:
        said: all messages.
        after_ms: how long people have.
        now_ms: the present moment.
    """
    for one in said:
        waits = one.id.startswith(_ASKING) and not one.acknowledged_by and one.escalated_ms is None
        if waits and now_ms - one.at_ms >= after_ms:
            yield one


def escalated(memory: Memory, names: frozenset[str], now_ms: int) -> Memory:
    """With the moment at which messages went to more people."""
    said = tuple(replace(one, escalated_ms=now_ms) if one.id in names else one for one in memory.said)
    return replace(memory, said=said)


def escalation(one: Evaluation, about: Said, runbook_base: str = "") -> Telling:
    """What FinOps is told of a message that nobody has seen."""
    return Writer(one, runbook_base).message(
        f"{ESCALATED}{about.id}"[:128],
        Topic.ESCALATED,
        Urgency.WARNING,
        f"Nobody has acknowledged: {about.summary}"[:512],
        f"It was told at {moment(about.at_ms)}, and nobody has said since that they have seen it.",
        page_of(Topic.ESCALATED),
        stop=command("ack", one.plan.ref, about.id),
        data={"about": about.id},
    )
