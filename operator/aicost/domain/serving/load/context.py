"""What short and long prompts cost, by the buckets of their lengths.

prompts     their cost by estimated tokens: requests of a bucket times its middle. What is longer than the last bound
            has the tokens that are left of all, at least as many as the bound says. All are scaled to what was counted
answers     their cost by requests: no engine counts answers by the length of their prompts

The bands sum to the cost of all tokens, to the last nano-unit. A bound that the engine does not count joins two bands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from aicost.domain.exact.apportion import apportion
from aicost.domain.serving.meters import PROMPT_BOUNDS, Count
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.unit_costs import UnitCosts

EDGES = (1_000, 10_000, 100_000)
"""Where one band ends and the next one begins, in tokens."""


@dataclass(frozen=True, slots=True)
class Band:
    """Requests with prompts of a length.

    Attributes:
        above, to: its prompts have more than `above` tokens, and at most `to`; None where nothing bounds them.
        prompt_tokens: an estimate.
        cost_nanos: what its prompts and answers bear.
    """

    above: int
    to: int | None
    requests: int
    prompt_tokens: int
    cost_nanos: int

    @property
    def per_request(self) -> Fraction | None:
        """The cost of one."""
        return Fraction(self.cost_nanos, self.requests) if self.requests else None


@dataclass(frozen=True, slots=True)
class _Bucket:
    above: int
    to: int | None
    requests: int


def bands(costs: UnitCosts) -> tuple[Band, ...]:
    """The cost of tokens by the length of prompts; empty where nobody counts lengths, or nobody asked."""
    buckets = _buckets(costs.did)
    requests = sum(one.requests for one in buckets)
    if costs.output is None or not requests:
        return ()
    counted = (costs.did.computed or 0) + (costs.did.cached or 0)
    estimated = _tokens(buckets, counted)
    tokens = apportion(counted, estimated) if sum(estimated) else estimated
    prompt_nanos = sum(kind.cost_nanos for kind in (costs.input, costs.cached) if kind)
    numbers = [one.requests for one in buckets]
    of_prompts = apportion(prompt_nanos, tokens if sum(tokens) else numbers)
    of_answers = apportion(costs.output.cost_nanos, numbers)
    nanos = [sum(both) for both in zip(of_prompts, of_answers, strict=True)]
    found = (_band(buckets, tokens, nanos, above, to) for above, to in _spans(buckets))
    return tuple(one for one in found if one.requests)


def _buckets(did: Tally) -> Sequence[_Bucket]:
    """Requests between two bounds that are counted; a bound never holds less than the one before."""
    whole = did.get(Count.PROMPTS)
    known = [(bound, did.counts[count]) for count, bound in PROMPT_BOUNDS.items() if count in did.counts]
    if whole is None or not known:
        return ()
    found, above, before = [], 0, 0
    for bound, number in sorted(known):
        upto = min(whole, max(before, number))
        found.append(_Bucket(above, bound, upto - before))
        above, before = bound, upto
    return [*found, _Bucket(above, None, whole - before)]


def _tokens(buckets: Sequence[_Bucket], whole: int) -> list[int]:
    """Estimated tokens of the prompts of each bucket."""
    closed = [one.requests * (one.above + one.to) // 2 for one in buckets if one.to is not None]
    last = buckets[-1]
    return [*closed, max(last.above * last.requests, whole - sum(closed)) if last.requests else 0]


def _spans(buckets: Sequence[_Bucket]) -> Sequence[tuple[int, int | None]]:
    known = {one.to for one in buckets}
    return list(pairwise([0, *(edge for edge in EDGES if edge in known), None]))  # type: ignore[list-item]


def _band(buckets: Sequence[_Bucket], tokens: Sequence[int], nanos: Sequence[int], above: int, to: int | None) -> Band:
    inside = [
        index for index, one in enumerate(buckets) if one.above >= above and (to is None or (one.to or to + 1) <= to)
    ]  # fmt: skip
    requests, of, cost = (sum(column[i] for i in inside) for column in ([b.requests for b in buckets], tokens, nanos))
    return Band(above, to, requests, of, cost)
