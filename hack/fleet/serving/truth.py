"""What a script comes to, request by request and not by counters.

A request belongs to the first scrape that can tell of it: the first after its end, of the same process. One that no
scrape of its process follows is lost to everybody. So counters are never subtracted here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from fleet.serving.script import Pod, Request, Serving

WEIGHTS = (10, 1, 40)
"""Of a computed, a cached and a generated token where no time is measured."""
TIMED = frozenset({"vllm", "llama-cpp"})
"""Engines that tell how long phases took."""
Kinds = tuple[int, int, int]
"""Computed and cached tokens of prompts, and generated ones."""


@dataclass(frozen=True, slots=True)
class Borne:
    """What tenants bear of a workload, in nano-units; what nobody claims stands under the empty name."""

    kinds: tuple[Fraction, Fraction, Fraction]
    tenants: Mapping[str, Fraction]


def seen(serving: Serving, pod: Pod, from_ms: int, to_ms: int) -> Sequence[Request]:
    """The requests of a pod that a span tells of."""
    scrapes = list(serving.scrapes(pod))
    return [one for one in pod.requests if from_ms <= _first_seen(pod, one, scrapes) < to_ms]


def asked(serving: Serving, from_ms: int, to_ms: int) -> Mapping[tuple[str, str], Sequence[Request]]:
    """The requests that the gateway tells of, by model and tenant."""
    found: dict[tuple[str, str], list[Request]] = defaultdict(list)
    for one in seen(serving, serving.front(), from_ms, to_ms):
        found[one.model, one.tenant].append(one)
    return found


def kinds(requests: Iterable[Request]) -> Kinds:
    """Their tokens."""
    every = list(requests)
    cached = sum(one.cached for one in every)
    return sum(one.prompt for one in every) - cached, cached, sum(one.output for one in every)


def borne(engine: str, done: Sequence[Request], claims: Mapping[str, Kinds], cost: int) -> Borne:
    """Divide a cost: first among the kinds of tokens, then each kind among those who asked for it."""
    level = kinds(done)
    prompt = [Fraction(level[0] * WEIGHTS[0]), Fraction(level[1] * WEIGHTS[1])]
    weights = [*prompt, Fraction(level[2] * WEIGHTS[2])]
    if engine in TIMED:
        before, after = sum(one.prefill_ms for one in done), sum(one.decode_ms for one in done)
        weights = [*(before * one / sum(prompt) for one in prompt), Fraction(after)]
    parts = [cost * one / sum(weights) for one in weights]
    tenants: dict[str, Fraction] = defaultdict(Fraction)
    for index, part in enumerate(parts):
        claimed = sum(one[index] for one in claims.values())
        whole = max(level[index], claimed)
        for tenant, one in claims.items():
            tenants[tenant] += part * one[index] / whole if whole else 0
        tenants[""] += part * (whole - claimed) / whole if whole else part
    return Borne((parts[0], parts[1], parts[2]), dict(tenants))


def _first_seen(pod: Pod, one: Request, scrapes: Sequence[int]) -> int:
    """The first scrape that shows it; before all time where there is none."""
    first = next((at_ms for at_ms in scrapes if at_ms >= one.at_ms), None)
    return -1 if first is None or pod.began(first) != pod.began(one.at_ms) else first
