"""How the cost of an engine is divided among prompts, what a cache held of them, and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import lcm

from aicost.domain.exact.apportion import apportion
from aicost.domain.serving.calibration.fitting import fit
from aicost.domain.serving.meters import Count
from aicost.domain.serving.tallies import Tally


class PhaseMethod(StrEnum):
    """What the division rests on, best first."""

    POOLS = "pools"
    """Some pods run prompts and others answers: each phase costs what its pods cost."""
    ENGINE_TIME = "engine-time"
    """The engine's own busy time of each phase."""
    CALIBRATED = "calibrated"
    """Busy time of the GPUs, minute by minute, fitted to the tokens of these minutes."""
    REQUEST_TIME = "request-time"
    """Time that requests spent in each phase. It is biased to answers: requests that share a step count one by one."""
    PRIORS = "priors"
    """Stated weights of a token of each kind: nothing was measured."""


CONFIDENCE = {
    PhaseMethod.POOLS: "exact",
    PhaseMethod.ENGINE_TIME: "high",
    PhaseMethod.CALIBRATED: "medium",
    PhaseMethod.REQUEST_TIME: "low",
    PhaseMethod.PRIORS: "assumed",
}


@dataclass(frozen=True, slots=True)
class Priors:
    """What a token of each kind weighs where nothing is measured, in tenths of a computed token of a prompt."""

    computed: int = 10
    cached: int = 1
    output: int = 40


USUAL = Priors()
"""What lists of prices come to in the median, and what linear models of engines were fitted to."""


@dataclass(frozen=True, slots=True)
class Phases:
    """Weights of the three kinds of tokens. They are of no unit: only their proportion counts.

    Attributes:
        busy: weights of the cost without what idled, where it divides otherwise than the whole; None takes the same.
    """

    method: PhaseMethod
    computed: int
    cached: int
    output: int
    busy: tuple[int, int, int] | None = None

    @property
    def weights(self) -> Sequence[int]:
        """In the order computed, cached, output."""
        return self.computed, self.cached, self.output

    @property
    def confidence(self) -> str:
        """How far the division can be trusted: exact, high, medium, low or assumed."""
        return CONFIDENCE[self.method]


def phases_of(did: Tally, priors: Priors = USUAL) -> Phases | None:
    """Weigh what an engine did; None where it is not known what it did.

    The time of prompts is divided among computed and cached tokens by the priors: no engine measures a hit. Time of a
    phase without a token of it divides nothing, so such times are passed over.
    """
    prompt, output = _prompt(did, priors), did.output or 0
    if not (did.computed or 0) + (did.cached or 0) + output:
        return None
    return (
        _by_time(PhaseMethod.ENGINE_TIME, did, prompt, Count.PREFILL_BUSY, Count.DECODE_BUSY)
        or _by_fit(did, prompt, priors)
        or _by_time(PhaseMethod.REQUEST_TIME, did, prompt, Count.PREFILL_TIME, Count.DECODE_TIME)
        or Phases(PhaseMethod.PRIORS, *prompt, output * priors.output)
    )


@dataclass(frozen=True, slots=True)
class PoolCost:
    """What the pods of one phase cost.

    Attributes:
        busy_nanos: without what idled; None where that is not known.
    """

    cost_nanos: int
    busy_nanos: int | None


def phases_of_pools(did: Tally, prefill: PoolCost, decode: PoolCost, priors: Priors = USUAL) -> Phases | None:
    """Phases cost what their pods cost; None where one of them cost something and has no token to bear it.

    Args:
        did: what both did together, as `as_one` has it.
        prefill: what the pods cost that run prompts.
        decode: what those cost that run answers.
        priors: how the cost of prompts divides among what was computed and what a cache held.
    """
    prompt = _prompt(did, priors)
    if bool(sum(prompt)) < bool(prefill.cost_nanos) or bool(did.output) < bool(decode.cost_nanos):
        return None
    whole = _borne(prefill.cost_nanos, prompt, decode.cost_nanos)
    busy = None
    if prefill.busy_nanos is not None and decode.busy_nanos is not None:
        busy = _borne(prefill.busy_nanos, prompt, decode.busy_nanos)
    return Phases(PhaseMethod.POOLS, *whole, busy)


def _prompt(did: Tally, priors: Priors) -> tuple[int, int]:
    return (did.computed or 0) * priors.computed, (did.cached or 0) * priors.cached


def _borne(amount: int, prompt: tuple[int, int], output: int) -> tuple[int, int, int]:
    of_computed, of_cached = apportion(amount, prompt) if sum(prompt) else (0, 0)
    return of_computed, of_cached, output


def _by_time(method: PhaseMethod, did: Tally, prompt: tuple[int, int], before: Count, after: Count) -> Phases | None:
    prefill, decode = did.get(before), did.get(after)
    if prefill is None or decode is None or not prefill + decode:
        return None
    if bool(sum(prompt)) < bool(prefill) or bool(did.output) < bool(decode):
        return None
    if not sum(prompt):
        return Phases(method, 0, 0, decode)
    return Phases(method, prefill * prompt[0], prefill * prompt[1], decode * sum(prompt))


def _by_fit(did: Tally, prompt: tuple[int, int], priors: Priors) -> Phases | None:
    found = fit(did.counts)
    if found is None or not found.is_accepted:
        return None
    of_prompt = found.prompt / priors.computed
    weights = of_prompt * prompt[0], of_prompt * prompt[1], found.output * (did.output or 0)
    common = lcm(*(one.denominator for one in weights))
    computed, cached, output = (int(one * common) for one in weights)
    return Phases(PhaseMethod.CALIBRATED, computed, cached, output)
