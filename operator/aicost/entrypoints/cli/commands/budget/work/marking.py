"""Marks on a budget that the controller reads: what was seen, which prices are right, what is to come back."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aicost.domain.budgets.plans import BudgetRef
from aicost.domain.enforcement.names import ACCEPTED_PRICES, ACKNOWLEDGED, RESTORE
from aicost.domain.exact.windows import to_rfc3339
from aicost.entrypoints.cli.commands.budget.work.looking import Looked, look_at
from aicost.entrypoints.cli.output.budget.reading import Body, at, items, text
from aicost.entrypoints.cli.sources.budgets import Desk, right_on
from aicost.entrypoints.cli.sources.objects import own_resource
from aicost.ports.errors import InvalidRequest

"""Stands for all messages of a budget."""
_EDIT_LIMIT = "edit-limit"
"""Verb on a budget that it takes to accept prices, and to restore."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was acknowledged.

    Attributes:
        ids: messages that are acknowledged by this.
        before: messages that somebody had acknowledged before, with who.
    """

    body: Body
    ids: tuple[str, ...]
    before: tuple[tuple[str, str], ...]


async def acknowledge(desk: Desk, ref: BudgetRef, ids: Sequence[str]) -> Seen:
    """Say that messages were seen; all that were sent so far where none is named. What others acknowledged is kept.

    Raises:
        InvalidRequest: there is no such budget, or no such message, or none at all.
        NotPermitted: the API server refuses it.
    """
    before = await desk.budget(ref)
    _check_known(before, ids)
    wanted = tuple(dict.fromkeys(ids)) or _sent(before)
    if not wanted:
        raise InvalidRequest(f"{ref} has sent no message: there is nothing to acknowledge")
    stood = _entries(_annotation(before, ACKNOWLEDGED))

    def added(seen: Body) -> str:
        entries = _entries(_annotation(seen, ACKNOWLEDGED))
        for one in wanted:
            entries.setdefault(one, desk.asker.name.replace(",", ";"))  # a comma ends an entry
        return ",".join(f"{name}={by}" if by else name for name, by in entries.items())

    body = await _annotate(desk, ref, ACKNOWLEDGED, added, "patch")
    return Seen(
        body,
        tuple(one for one in wanted if one not in stood),
        tuple((one, stood[one]) for one in wanted if one in stood),
    )


async def accept_prices(desk: Desk, ref: BudgetRef) -> Body:
    """Say that all prices up to now were looked at and are right; gives the budget as it was. Errors as above."""
    before = await desk.budget(ref)
    await _annotate(desk, ref, ACCEPTED_PRICES, lambda _: to_rfc3339(desk.asker.now_ms), _EDIT_LIMIT)
    return before


async def restore(desk: Desk, ref: BudgetRef) -> Looked:
    """Let everything come back that the budget has stopped up to now; gives what was there. Errors as above."""
    looked = await look_at(desk, ref)
    await _annotate(desk, ref, RESTORE, lambda _: to_rfc3339(desk.asker.now_ms), _EDIT_LIMIT)
    return looked


async def _annotate(desk: Desk, ref: BudgetRef, key: str, value: Callable[[Body], str], verb: str) -> Body:
    def patch(seen: Body) -> Body:
        return {"metadata": {"annotations": {key: value(seen)}}}

    return await desk.change(own_resource(ref.kind), lambda: desk.budget(ref), patch, right_on(verb, ref))


def _annotation(body: Body, key: str) -> str:
    return text(at(body, "metadata", "annotations"), key)


def _entries(written: str) -> dict[str, str]:
    """What stands in the annotation: message and who has seen it, in its order."""
    parts = (part.strip().partition("=") for part in written.split(","))
    return {name: by for name, _, by in parts if name}


def _sent(budget: Body) -> tuple[str, ...]:
    """Messages that a budget has sent in this period."""
    return tuple(text(one, "id") for one in items(budget, "status", "told"))


def _check_known(budget: Body, ids: Sequence[str]) -> None:
    """Refuse what is no message of the budget: a typing error would leave the message unanswered."""
    known = _sent(budget)
    for one in ids:
        if one not in known:
            near = difflib.get_close_matches(one, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known) or 'sent none'}"
            raise InvalidRequest(f"id: {one!r} is no message of this budget: {hint}")
