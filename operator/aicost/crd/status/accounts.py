"""The status of a ProviderAccount."""

from collections.abc import Mapping, Sequence
from typing import Any

from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.models.account import CurrencyAmount, MonthToDate
from aicost.crd.models.spend.capture import SpendCapture
from aicost.crd.reasons import ConditionType, Reason
from aicost.crd.status.conditions import Statement
from aicost.crd.status.texts import money, percent, stored
from aicost.domain.exact.windows import SECOND_MS, Window, to_rfc3339
from aicost.domain.thirdparty.capture import Captured, CaptureLine

_FIGURES = ("lastFetch", "dataThrough", "monthToDate", "daysRestated", "capture")


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


def capture_figures(span: Window, found: Captured) -> dict[str, Any]:
    """What a status says of bills beside gateways; nothing where no day has both.

    Args:
        span: the days that were looked at.
        found: what they have.
    """
    line = largest(found)
    if line is None:
        return {}
    whole = SpendCapture(
        start=_moment(span.start_ms),
        end=_moment(span.end_ms),
        currency=line.currency,
        billed=money(line.billed_nanos, line.currency),
        billed_nanos=stored(line.billed_nanos),
        seen=money(line.seen_nanos, line.currency),
        seen_nanos=stored(line.seen_nanos),
        percent=percent(line.rate),
        shadow=money(line.shadow_nanos, line.currency),
        shadow_nanos=stored(line.shadow_nanos),
        unbilled_days=max(found.unbilled.values(), default=0),
    )
    return {"capture": whole.model_dump(mode="json", by_alias=True, exclude_none=True)}


def captured(found: Captured, least_percent: int) -> Statement:
    """Whether gateways see enough of what is billed."""
    line = largest(found)
    if line is None or line.rate is None:
        message = "No day has both a bill and a gateway's estimate: connect both, and wait for the bill."
        return Statement(ConditionType.CAPTURED, ConditionStatus.UNKNOWN, Reason.NOTHING_TO_COMPARE, message)
    part, shadow = percent(line.rate) or "", money(line.shadow_nanos, line.currency)
    billed_text = money(line.billed_nanos, line.currency)
    if line.rate * 100 >= least_percent:
        message = f"Gateways saw {part} of {billed_text} billed."
        return Statement(ConditionType.CAPTURED, ConditionStatus.TRUE, Reason.CAPTURED, message)
    message = (
        f"Gateways saw {part} of {billed_text} billed, less than spec.capture.minPercent {least_percent}: nobody saw "
        f"{shadow}. `aicost spend capture` tells by which keys."
    )
    return Statement(ConditionType.CAPTURED, ConditionStatus.FALSE, Reason.BELOW_MINIMUM, message)


def largest(found: Captured) -> CaptureLine | None:
    """The currency of the largest bill; None where nothing was compared."""
    return max(found.totals, key=lambda line: (line.billed_nanos, line.currency), default=None)


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
