"""The status of a ProviderAccount."""

from collections.abc import Mapping, Sequence
from typing import Any

from aicost.crd.models.account import CurrencyAmount, MonthToDate
from aicost.crd.status.texts import money, stored
from aicost.domain.exact.windows import SECOND_MS, to_rfc3339

_FIGURES = ("lastFetch", "dataThrough", "monthToDate", "daysRestated")


def fetched_figures(
    at_ms: int, through_ms: int | None, month: str, cost_nanos: Mapping[str, int], restated: int
) -> dict[str, Any]:
    """What a status says after a fetch.

    Args:
        at_ms: when it was.
        through_ms: end of the last day in the ledger; None for none.
        month: the month in UTC.
        cost_nanos: currency -> what the month cost; empty where no day of it is in the ledger.
        restated: days that the fetch changed.
    """
    amounts = [
        CurrencyAmount(currency=currency, cost=money(nanos, currency), cost_nanos=stored(nanos))
        for currency, nanos in sorted(cost_nanos.items())
    ]
    found: dict[str, Any] = {"lastFetch": _moment(at_ms), "daysRestated": restated}
    if through_ms is not None:
        found["dataThrough"] = _moment(through_ms)
    if amounts:
        texts = ", ".join(one.cost for one in amounts)
        spent = MonthToDate(month=month, cost=texts, amounts=amounts)
        found["monthToDate"] = spent.model_dump(mode="json", by_alias=True, exclude_none=True)
    return found


def kept_figures(before: Mapping[str, Any]) -> dict[str, Any]:
    """What a status goes on to say where nothing was fetched: the last figures stay."""
    return {name: before[name] for name in _FIGURES if name in before}


def account_status(
    account: str, figures: Mapping[str, Any], generation: int, conditions: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The whole status.

    Args:
        account: key in the ledger; empty where the spec gives none that is usable.
        figures: of `fetched_figures` or `kept_figures`.
        generation: of the spec that it answers.
        conditions: as made by `aicost.crd.status.conditions`.
    """
    named = {"account": account} if account else {}
    return {"observedGeneration": generation, "conditions": list(conditions), **named, **figures}


def _moment(millis: int) -> str:
    return to_rfc3339(millis // SECOND_MS * SECOND_MS)
