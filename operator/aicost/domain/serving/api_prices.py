"""What the same tokens would have cost at an API, and the load at which owning and buying cost the same.

here        C, all that the workload cost: with what idled, never the active part alone
there       sum over the kinds of tokens of tokens x price
break-even  (C / hours) / (there / tokens)  tokens an hour: cost of an hour over the API's price of the measured mix
busy then   busy share x C / there          if busy time grows as tokens do; above 1 these GPUs cannot reach it
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.serving.meters import Count
from aicost.domain.serving.unit_costs import MILLION, UnitCosts


@dataclass(frozen=True, slots=True)
class ApiPrice:
    """What an API asks for a million tokens of a model, in nano-units.

    Attributes:
        model, provider: as the list of prices calls them.
        input_nanos: of prompts.
        cached_nanos: of tokens of prompts that a cache held; None where the list has no such price: as of prompts.
        output_nanos: of answers; None where the list has none, as for embeddings.
        currency: of all of them.
        source: who says so.
        notes: what one should know of it.
    """

    model: str
    provider: str
    input_nanos: int
    cached_nanos: int | None
    output_nanos: int | None
    currency: str
    source: str
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Provider and model as one."""
        return f"{self.provider}/{self.model}"


class Incomparable(StrEnum):
    """Why a price says nothing of a workload."""

    CURRENCY = "it is in another currency than the ledger"
    TOKENS = "the engine does not count all tokens"
    NO_OUTPUT_PRICE = "it has no price of answers"
    NOTHING_DONE = "no tokens were asked or answered"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A workload beside the price of an API.

    Attributes:
        here_nanos: what the workload cost, all of it.
        there_nanos: what its tokens would have cost.
        tokens: how many there were, of all kinds.
        hours: of the windows that count.
        busy: part of the GPU cost that did not idle; None where it is not known.
    """

    price: ApiPrice
    here_nanos: int
    there_nanos: Fraction
    tokens: int
    hours: Fraction
    busy: Fraction | None

    @property
    def dearer_nanos(self) -> Fraction:
        """How much more owning cost than buying would have; negative where it cost less."""
        return self.here_nanos - self.there_nanos

    @property
    def ratio(self) -> Fraction | None:
        """Cost here over cost there; None where there it costs nothing."""
        return self.here_nanos / self.there_nanos if self.there_nanos else None

    @property
    def load(self) -> Fraction:
        """Tokens an hour, as they were."""
        return self.tokens / self.hours

    @property
    def break_even(self) -> Fraction | None:
        """Tokens an hour, in the same mix, at which both cost the same; None where there it costs nothing."""
        return None if self.ratio is None else self.load * self.ratio

    @property
    def break_even_busy(self) -> Fraction | None:
        """Busy share of the GPUs at the break-even; above 1 they are too few for it."""
        return None if self.ratio is None or self.busy is None else self.busy * self.ratio


def compare(costs: UnitCosts, price: ApiPrice, span_ms: int) -> Comparison | Incomparable:
    """A workload beside a price.

    Args:
        costs: what the workload cost and did.
        price: of the same model.
        span_ms: length of the windows that count, above 0.
    """
    did, spent = costs.did, costs.spent
    if price.currency != spent.currency:
        return Incomparable.CURRENCY
    answers = did.output if Count.VECTORS not in did.counts else did.output or 0
    if did.computed is None or answers is None:
        return Incomparable.TOKENS
    if answers and price.output_nanos is None:
        return Incomparable.NO_OUTPUT_PRICE
    cached = did.cached or 0
    tokens = did.computed + cached + answers
    if not tokens:
        return Incomparable.NOTHING_DONE
    of_cached = price.input_nanos if price.cached_nanos is None else price.cached_nanos
    there = did.computed * price.input_nanos + cached * of_cached + answers * (price.output_nanos or 0)
    busy = None
    if spent.gpu_nanos and spent.idle_nanos is not None:
        busy = 1 - Fraction(spent.idle_nanos, spent.gpu_nanos)
    return Comparison(price, spent.cost_nanos, Fraction(there, MILLION), tokens, Fraction(span_ms, HOUR_MS), busy)
