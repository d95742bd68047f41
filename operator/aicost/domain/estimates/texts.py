"""An estimate in one sentence, as admission says it and the command line shows it."""

from collections.abc import Sequence
from fractions import Fraction

from aicost.domain.estimates.values import BudgetLeft, Estimate, EstimateLine, PriceRange
from aicost.domain.exact.amounts import NANOS_PER_UNIT, format_money
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import describe_length
from aicost.domain.workloads.shapes import Scaling

MONTH_HOURS = 730
"""Hours of a month, for what goes on until somebody ends it."""
_LONGEST = 250
_BUDGETS = 2
_WHOLE_FROM = 100 * NANOS_PER_UNIT
_MILLI = 1_000


def estimate_text(estimate: Estimate, budgets: Sequence[BudgetLeft]) -> str:
    """Say what an object will cost and what is left of its budgets; empty for one that asks for no accelerator.

    `8 x H100-80GB for 13 h is about $715; $280 of the budget research are left`. One line, at most 250 characters.
    """
    if not estimate.lines:
        return ""
    left = _shown(_left(estimate, budgets), _LONGEST // 2)
    return _shown(f"{gpus_text(estimate)}{_cost(estimate)}", _LONGEST - len(left)) + left


def _shown(text: str, room: int) -> str:
    """One line of what can be seen, cut to the room that there is."""
    clean = text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)
    seen = " ".join(clean.split())
    return seen if len(seen) <= room else f"{seen[: room - 1]}…"


def gpus_text(estimate: Estimate) -> str:
    """How many of which GPU run at the start: `8 x H100-80GB + 2 x L4`; `GPUs` where their number is not known."""
    counts: dict[str, int | None] = {}
    for line in estimate.lines:
        name = _model(line)
        known = counts.get(name, 0)
        counts[name] = None if known is None or line.gpu_milli is None else known + line.gpu_milli
    return " + ".join(_counted(name, milli) for name, milli in counts.items())


def money_text(nanos: int, currency: str) -> str:
    """An amount for people: whole units from 100 on, cents below, and more digits where it takes them to see it."""
    if abs(nanos) >= _WHOLE_FROM:
        return format_money(nanos, currency, 0)
    decimals = 2
    while nanos and decimals < 9 and abs(nanos) * 10**decimals < NANOS_PER_UNIT // 2:
        decimals += 1
    return format_money(nanos, currency, decimals)


def range_text(low: int, high: int, currency: str) -> str:
    """One amount, or two where they do not read the same: `$440 to $715`."""
    first, last = money_text(low, currency), money_text(high, currency)
    return first if first == last else f"{first} to {last}"


def per_hour_text(price: PriceRange, hours: int = 1) -> str:
    """The price of an hour, or of a number of hours, rounded for display."""
    return range_text(_nanos(price.low, hours), _nanos(price.high, hours), price.currency)


def _nanos(price: Fraction, hours: int) -> int:
    return divide(price.numerator * hours, price.denominator)


def _counted(name: str, milli: int | None) -> str:
    if milli is None:
        return f"{name or 'GPUs'} of unknown size"
    count = f"{milli // _MILLI}.{milli % _MILLI:03d}".rstrip("0").rstrip(".")
    return f"{count} x {name or 'GPU'}"


def _model(line: EstimateLine) -> str:
    """The model as people write it; empty where none or more than two would do."""
    return " or ".join(model.upper() for model in line.gpu_models) if 0 < len(line.gpu_models) <= 2 else ""


def _cost(estimate: Estimate) -> str:
    price = estimate.per_hour
    if price is None:
        return f": the cost is not known: {estimate.unpriced}"
    if estimate.total_nanos is not None and estimate.duration_ms is not None:
        total = range_text(*estimate.total_nanos, price.currency)
        run = " for each run" if estimate.scaling is Scaling.SCHEDULED else ""
        return f" for {describe_length(estimate.duration_ms)} is about {total}{run}"
    return f" is about {per_hour_text(price)} an hour{_how_long(estimate, price)}"


def _how_long(estimate: Estimate, price: PriceRange) -> str:
    """What follows from the price of an hour where nothing says how long it goes on."""
    if estimate.scaling in {Scaling.TO_COMPLETION, Scaling.SCHEDULED}:
        return "; annotate aicost.dev/expected-duration (such as 13h) to see the whole"
    most = f", at most {per_hour_text(estimate.per_hour_max)} an hour" if estimate.per_hour_max else ""
    return f", {per_hour_text(price, MONTH_HOURS)} a month{most}"


def _left(estimate: Estimate, budgets: Sequence[BudgetLeft]) -> str:
    """The budgets with the least left first; `only` marks one that the estimate would exceed."""
    shown = sorted(budgets, key=lambda budget: (budget.left_nanos, budget.name))[:_BUDGETS]
    return "".join(f"; {_exceeds(estimate, budget)}{_of_budget(budget)}" for budget in shown)


def _of_budget(budget: BudgetLeft) -> str:
    if budget.left_nanos <= 0:
        return f"nothing of the budget {budget.name} is left"
    return f"{money_text(budget.left_nanos, budget.currency)} of the budget {budget.name} are left"


def _exceeds(estimate: Estimate, budget: BudgetLeft) -> str:
    same = estimate.per_hour is not None and estimate.per_hour.currency == budget.currency
    over = same and estimate.total_nanos is not None and estimate.total_nanos[1] > budget.left_nanos > 0
    return "only " if over else ""
