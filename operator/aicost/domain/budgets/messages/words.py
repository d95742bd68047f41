"""Pieces of sentences that messages have in common."""

from collections.abc import Mapping

from aicost.domain.budgets.deciding.figures import Blindness, BudgetSpend, Data, figure_of
from aicost.domain.budgets.gates import Basis, Gate
from aicost.domain.budgets.pace import PPM
from aicost.domain.budgets.plans import BudgetPlan, BudgetRef, Rung
from aicost.domain.exact.amounts import format_money
from aicost.domain.exact.windows import SECOND_MS, describe_length, to_datetime

GATE_DOES: Mapping[Gate, str] = {
    Gate.NOTIFY: "people are told",
    Gate.ANNOTATE: "workloads in scope carry a note",
    Gate.DEPRIORITIZE: "work that waits in Kueue waits behind others",
    Gate.FREEZE_GROWTH: "nothing that runs may grow",
    Gate.DENY_NEW: "new workloads are refused",
    Gate.SUSPEND: "workloads are stopped, the ones that lose least first",
    Gate.FAST_FAIL: "experiments are stopped at once",
}
"""What each gate does, beside what the softer ones do."""

_BLIND: Mapping[Blindness, str] = {
    Blindness.NO_DATA: "there are no figures yet",
    Blindness.STALE: "the figures are too old",
    Blindness.TELEMETRY_THIN: "too little of the GPU time has samples",
    Blindness.PRICES_THIN: "too little of the GPU time has a price",
    Blindness.PRICE_JUMP: "a price has jumped and nobody has looked at it yet",
    Blindness.FOREIGN_CURRENCY: "a part of the cost is in another currency",
}


def moment(at_ms: int) -> str:
    """A moment for people: `2026-11-20 10:30 UTC`."""
    return f"{to_datetime(at_ms - at_ms % SECOND_MS):%Y-%m-%d %H:%M} UTC"


def percent(ppm: int) -> str:
    """A share without decimals where it has none: `80%`, `104.5%`."""
    tenths = abs(ppm) * 10 // (PPM // 100)
    text = f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}%"
    return f"-{text}" if ppm < 0 and tenths else text


def money(nanos: int, budget: BudgetPlan) -> str:
    """An amount in the currency of the budget."""
    return format_money(nanos, budget.currency)


def spent(budget: BudgetPlan, spend: BudgetSpend) -> str:
    """`$812.40 of $1,000.00 (81.2%)`."""
    counted = spend.standing.spend.counted_nanos
    return f"{money(counted, budget)} of {money(spend.limit_nanos, budget)} ({percent(spend.standing.used_ppm)})"


def reached(budget: BudgetPlan, rung: Rung | None, spend: BudgetSpend) -> str:
    """The figure that a rung looks at, against its threshold: `$7,200.00 per hour are committed, at most $5,000.00`."""
    figure = None if rung is None else figure_of(rung, spend)
    if rung is None or figure is None or rung.basis is Basis.ACTUAL:
        return f"{spent(budget, spend)} is spent"
    match rung.basis:
        case Basis.COMMITTED_RATE:
            return f"{money(figure, budget)} per hour are committed, at most {money(rung.at, budget)}"
        case Basis.FORECAST:
            return f"{percent(figure)} of the limit are forecast, at most {percent(rung.at)}"
        case Basis.UNIT_COST:
            return f"a unit costs {percent(figure)} of its target, at most {percent(rung.at)}"
        case Basis.BURN_RATE:
            return f"{spent(budget, spend)} is spent, faster than it lasts"


def threshold(budget: BudgetPlan, rung: Rung) -> str:
    """What a rung waits for, in words."""
    match rung.basis:
        case Basis.ACTUAL:
            return f"{percent(rung.at)} of the limit spent"
        case Basis.FORECAST:
            return f"a forecast of {percent(rung.at)} of the limit"
        case Basis.BURN_RATE:
            return f"a burn rate of {rung.at / PPM:g}"
        case Basis.COMMITTED_RATE:
            return f"{money(rung.at, budget)} per hour committed"
        case Basis.UNIT_COST:
            return f"a unit cost of {percent(rung.at)} of its target"


def blind(why: Blindness, data: Data, now_ms: int) -> str:
    """Why nothing moves, with the figures."""
    text = _BLIND[why]
    age = data.age_ms(now_ms)
    details = {
        Blindness.STALE: f" ({describe_length(age)})" if age is not None else "",
        Blindness.PRICE_JUMP: f" ({', '.join(one.what for one in data.jumps[:3])})",
        Blindness.FOREIGN_CURRENCY: f" ({', '.join(data.foreign)})",
    }
    return f"{text}{details.get(why, '')}"


def who(budget: BudgetPlan) -> str:
    """Who pays, and who answers for it."""
    ref = budget.ref
    teams = budget.filters.get("team", ())
    payer = f"namespace {ref.namespace}" if ref.namespace else "the cluster"
    payer = f"team {', '.join(teams)} in {payer}" if teams else payer
    owners = [f"{one.name} ({one.contact})" if one.contact else one.name for one in budget.owners[:3]]
    return f"{payer}; owner {', '.join(owners)}" if owners else payer


def command(verb: str, ref: BudgetRef, *words: str) -> str:
    """A command of ours about a budget."""
    place = ("-n", ref.namespace) if ref.namespace else ("--cluster",)
    return " ".join(("kubectl aicost budget", verb, ref.name, *place, *words))


def ask_for_more(budget: BudgetPlan, spend: BudgetSpend) -> str:
    """How to ask for more: as much as is missing to the forecast, or a tenth of the limit."""
    forecast = spend.standing.forecast_nanos or 0
    missing = max(forecast - spend.limit_nanos, spend.limit_nanos // 10)
    whole = -(-missing // 1_000_000_000)
    return command("request", budget.ref, f"--amount {whole}", '--reason "..."')
