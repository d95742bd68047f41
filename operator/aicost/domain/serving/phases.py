"""How the cost of an engine is divided among prompts, what a cache held of them, and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.exact.apportion import apportion
from aicost.domain.serving.meters import Count
from aicost.domain.serving.tallies import Tally


class PhaseMethod(StrEnum):
    """What the division rests on, best first."""

    ENGINE_TIME = "engine-time"
    """The engine's own busy time of each phase."""
    REQUEST_TIME = "request-time"
    """Time that requests spent in each phase. It is biased to answers: requests that share a step count one by one."""
    PRIORS = "priors"
    """Stated weights of a token of each kind: nothing was measured."""


CONFIDENCE = {PhaseMethod.ENGINE_TIME: "high", PhaseMethod.REQUEST_TIME: "low", PhaseMethod.PRIORS: "assumed"}


_TIMES = (
    (PhaseMethod.ENGINE_TIME, Count.PREFILL_BUSY, Count.DECODE_BUSY),
    (PhaseMethod.REQUEST_TIME, Count.PREFILL_TIME, Count.DECODE_TIME),
)


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
    """Weights of the three kinds of tokens. They are of no unit: only their proportion counts."""

    method: PhaseMethod
    computed: int
    cached: int
    output: int

    @property
    def weights(self) -> Sequence[int]:
        """In the order computed, cached, output."""
        return self.computed, self.cached, self.output

    @property
    def confidence(self) -> str:
        """How far the division can be trusted: high, low or assumed."""
        return CONFIDENCE[self.method]


def phases_of(did: Tally, priors: Priors = USUAL) -> Phases | None:
    """Weigh what an engine did; None where it is not known what it did.

    The time of prompts is divided among computed and cached tokens by the priors: no engine measures a hit. Time of a
    phase without a token of it divides nothing, so such times are passed over.
    """
    computed, cached, output = (did.computed or 0), (did.cached or 0), (did.output or 0)
    if not computed + cached + output:
        return None
    prompt = (computed * priors.computed, cached * priors.cached)
    for method, before, after in _TIMES:
        prefill, decode = did.get(before), did.get(after)
        if prefill is None or decode is None or not prefill + decode:
            continue
        if bool(sum(prompt)) >= bool(prefill) and bool(output) >= bool(decode):
            of_computed, of_cached = apportion(prefill, prompt) if sum(prompt) else (0, 0)
            return Phases(method, of_computed, of_cached, decode)
    return Phases(PhaseMethod.PRIORS, *prompt, output * priors.output)
