"""Messages about requests for more: asked, decided, glass broken, review due."""

from collections.abc import Iterator

from aicost.domain.budgets.messages.runbooks import page_of
from aicost.domain.budgets.messages.values import Topic, Urgency
from aicost.domain.budgets.messages.words import moment, money
from aicost.domain.budgets.messages.writer import Telling, Writer
from aicost.domain.budgets.overrides.values import Phase, Purpose
from aicost.domain.budgets.overrides.weigh import Verdict


def requests(writer: Writer) -> Iterator[Telling]:
    """Requests for more, decisions on them, glass that was broken, and reviews that are due."""
    for verdict in writer.one.weighed.verdicts:
        yield from _request(writer, verdict)


def _request(writer: Writer, verdict: Verdict) -> Iterator[Telling]:
    asked, one = verdict.override, writer.one
    place = f"{asked.namespace}/{asked.name}"
    data = {"override": place, "requestedBy": asked.requested_by, "purpose": str(asked.purpose)}
    facts: dict[str, object] = {"data": data, "next": ""}
    if asked.purpose is Purpose.BREAK_GLASS and verdict.phase is Phase.ACTIVE:
        text = f"{asked.requested_by} lifted all gates until {moment(verdict.ends_ms or 0)}: {asked.reason}"
        yield writer.message(
            f"glass-{asked.uid}", Topic.REQUESTED, Urgency.CRITICAL, f"{one.plan.ref}: glass broken", text,
            page_of("GlassBroken"), **facts,
        )  # fmt: skip
    elif verdict.phase is Phase.REVIEW_DUE:
        text = f"The break-glass of {asked.requested_by} has ended and nobody has reviewed it: {asked.reason}"
        yield writer.message(
            f"review-{asked.uid}", Topic.REVIEW_DUE, Urgency.WARNING, f"{one.plan.ref}: review is due", text,
            page_of("ReviewMissing"), stop=f"kubectl aicost budget review {asked.name} -n {asked.namespace}",
            **facts,
        )  # fmt: skip
    elif verdict.phase is Phase.PENDING and asked.decided is None:
        yield _asked(writer, verdict, facts)
    elif asked.decided is not None:
        yield _decided(writer, verdict, facts)


def _asked(writer: Writer, verdict: Verdict, facts: dict[str, object]) -> Telling:
    asked, one = verdict.override, writer.one
    known = verdict.classified
    amount = money(known.asked_nanos, one.plan) if known and known.asked_nanos else str(asked.purpose)
    kind = known.as_class.lower() if known else "break-glass"
    return writer.message(
        f"request-{asked.uid}", Topic.REQUESTED, Urgency.WARNING,
        f"{asked.requested_by} asks for {amount} for {one.plan.ref}",
        f"A {kind} request, {asked.namespace}/{asked.name}: {asked.reason}",
        page_of("Undecided"),
        stop=f"kubectl aicost budget approve {asked.name} -n {asked.namespace}",
        **{**facts, "next": f"It lapses at {moment(verdict.ends_ms or one.now_ms)} if nobody decides."},
    )  # fmt: skip


def _decided(writer: Writer, verdict: Verdict, facts: dict[str, object]) -> Telling:
    asked, one = verdict.override, writer.one
    decided = asked.decided
    ruling = f"{decided.ruling.lower()} by {decided.by}" if decided else ""
    until = f", until {moment(verdict.ends_ms)}" if verdict.ends_ms and verdict.phase is Phase.ACTIVE else ""
    added = f" It adds {money(verdict.added_nanos, one.plan)}{until}." if verdict.added_nanos else ""
    return writer.message(
        f"decided-{asked.uid}", Topic.DECIDED, Urgency.INFO,
        f"{one.plan.ref}: the request of {asked.requested_by} was {ruling}",
        f"{asked.namespace}/{asked.name}: {asked.reason}.{added}", page_of("Undecided"), **facts,
    )  # fmt: skip
