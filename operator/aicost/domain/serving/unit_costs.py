"""What a token, a request and a success cost: ratios of sums. An undefined ratio is absent, not 0.

full    C / tokens                  what a token costs with all that idles beside it: compare this with a price list
active  (C - idle) / tokens         what it would cost if nothing idled
useful  C / tokens of successes     what an answer costs that was worth something
"""

from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.exact.apportion import apportion
from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.phases import Phases
from aicost.domain.serving.tallies import Tally

MILLION = 1_000_000
MONTH_SECONDS = 730 * 3_600
"""A twelfth of a year, as clouds bill storage."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a workload cost in a span.

    Attributes:
        cost_nanos: all of it.
        idle_nanos: the part that idled; None where a part of it was not measured.
        currency: of all of them.
        gpu_nanos: the part that GPUs cost; None where it was not asked for.
    """

    cost_nanos: int
    idle_nanos: int | None
    currency: str
    gpu_nanos: int | None = None


@dataclass(frozen=True, slots=True)
class TokenCost:
    """The cost of one kind of token, for a million of them, in nano-units; None where there was none.

    Attributes:
        cost_nanos: the part of the cost that this kind of token bears; the parts of all kinds sum to the whole.
        full, active: see the module.
    """

    cost_nanos: int
    tokens: int
    full: Fraction | None
    active: Fraction | None


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """What a workload cost by the unit.

    Attributes:
        input, cached, output: by kind of token; None where tokens are not counted.
        useful: cost of the answers for a million tokens of successes.
        per_request, per_success, per_vector: all of the cost, for one.
        per_search, per_inserted: all of the cost of a store of vectors, for one search and one vector that was written.
        per_stored_month: the same for a vector that is there for a month of 730 hours.
        waste: part of the generated tokens that were of no use.
    """

    spent: Spent
    did: Tally
    phases: Phases | None
    input: TokenCost | None
    cached: TokenCost | None
    output: TokenCost | None
    useful: Fraction | None
    per_request: Fraction | None
    per_success: Fraction | None
    per_vector: Fraction | None
    waste: Fraction | None
    per_search: Fraction | None = None
    per_inserted: Fraction | None = None
    per_stored_month: Fraction | None = None

    @property
    def cache_savings(self) -> Fraction | None:
        """What tokens that a cache held would have cost beyond what they did, had they been computed."""
        if self.input is None or self.input.full is None or self.cached is None:
            return None
        return self.cached.tokens * self.input.full / MILLION - self.cached.cost_nanos


def unit_costs(spent: Spent, did: Tally, phases: Phases | None) -> UnitCosts:
    """Divide what was spent by what was done."""
    by_kind = _by_kind(spent, did, phases)
    output, useful = by_kind[2], did.useful_output
    return UnitCosts(
        spent=spent,
        did=did,
        phases=phases,
        input=by_kind[0],
        cached=by_kind[1],
        output=output,
        useful=_ratio(output.cost_nanos * MILLION, useful) if output and useful is not None else None,
        per_request=_ratio(spent.cost_nanos, did.requests),
        per_success=_ratio(spent.cost_nanos, did.outcomes.get(Outcome.SUCCESS)),
        per_vector=_ratio(spent.cost_nanos, did.get(Count.VECTORS)),
        waste=None if useful is None or not did.output else 1 - useful / did.output,
        per_search=_ratio(spent.cost_nanos, did.get(Count.SEARCHES)),
        per_inserted=_ratio(spent.cost_nanos, did.get(Count.INSERTED)),
        per_stored_month=_ratio(spent.cost_nanos * MONTH_SECONDS, did.get(Count.STORED)),
    )


def _by_kind(spent: Spent, did: Tally, phases: Phases | None) -> list[TokenCost | None]:
    if phases is None or not sum(phases.weights):
        return [None, None, None]
    whole = apportion(spent.cost_nanos, phases.weights)
    busy = None
    if spent.idle_nanos is not None:
        of_busy = phases.busy if phases.busy and sum(phases.busy) else phases.weights
        busy = apportion(spent.cost_nanos - spent.idle_nanos, of_busy)
    tokens = (did.computed or 0, did.cached or 0, did.output or 0)
    return [
        TokenCost(
            cost_nanos=cost,
            tokens=number,
            full=_ratio(cost * MILLION, number),
            active=None if busy is None else _ratio(busy[index] * MILLION, number),
        )
        for index, (cost, number) in enumerate(zip(whole, tokens, strict=True))
    ]


def _ratio(amount: int, number: Fraction | int | None) -> Fraction | None:
    return Fraction(amount) / number if number else None
