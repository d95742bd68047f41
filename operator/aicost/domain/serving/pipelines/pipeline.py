"""A feature along its pipeline: what each step costs, what it does, and how often one request needs it.

    cost of a step     all that its pods cost, whatever the component, and what a gateway gives it of shared endpoints
    fan-out            units of the step for one request of `infer`
    for one answer     cost of the whole pipeline over requests of `infer`

The steps sum to the feature's cost, to the last nano-unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from aicost.domain.serving.measures.counts import Count
from aicost.domain.serving.tallies import Tally

INFER = "infer"
SHARED = "shared"
ORDER = ("preprocess", "embed", "retrieve", INFER, "post-process", "evaluate")
"""Steps in the order in which a request takes them; others follow by name, what has no label comes last."""
_FIRST: Mapping[str, Count] = {"embed": Count.VECTORS, "retrieve": Count.SEARCHES}
"""What a step is counted by, where that is counted; else by requests."""


@dataclass(frozen=True, slots=True)
class StepCost:
    """One step of one feature, in one currency.

    Attributes:
        step: its label; empty where there is none.
        components: component -> what it cost. `shared` is what a gateway gives the feature of endpoints that no
            feature owns.
        did: what its engines and stores did; a shared endpoint's requests are not told apart by feature.
    """

    step: str
    components: Mapping[str, int]
    did: Tally = field(default_factory=Tally)

    @property
    def cost_nanos(self) -> int:
        """All of it."""
        return sum(self.components.values())

    @property
    def unit(self) -> str | None:
        """What it is counted by: vectors, searches or requests; None where nobody counts."""
        return self._counted[0] if self._counted else None

    @property
    def units(self) -> int | None:
        """How many."""
        return self._counted[1] if self._counted else None

    @property
    def per_unit(self) -> Fraction | None:
        """What one of them costs; the part of shared endpoints has units of its own that nobody counts."""
        return Fraction(self.cost_nanos - self.components.get(SHARED, 0), self.units) if self.units else None

    @property
    def _counted(self) -> tuple[str, int] | None:
        requests = ("requests", self.did.requests)
        vectors, searches = (
            (name, self.did.get(count)) for name, count in (("vectors", Count.VECTORS), ("searches", Count.SEARCHES))
        )
        first = {Count.VECTORS: vectors, Count.SEARCHES: searches}.get(_FIRST.get(self.step, Count.REQUESTS), requests)
        for name, number in (first, requests, searches, vectors):
            if number is not None:
                return name, number
        return None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A feature in one currency.

    Attributes:
        feature: its label.
        steps: in the order of the pipeline.
    """

    feature: str
    currency: str
    steps: tuple[StepCost, ...]

    @property
    def cost_nanos(self) -> int:
        """The sum of its steps."""
        return sum(step.cost_nanos for step in self.steps)

    @property
    def answers(self) -> int | None:
        """Requests of its step `infer`; None where they are not counted, or a part of them is not told apart."""
        infer = next((step for step in self.steps if step.step == INFER), None)
        return infer.did.requests if infer is not None and SHARED not in infer.components else None

    @property
    def per_answer(self) -> Fraction | None:
        """What one request costs along the whole pipeline."""
        return Fraction(self.cost_nanos, self.answers) if self.answers else None

    def fan_out(self, step: StepCost) -> Fraction | None:
        """Units of a step for one request of `infer`."""
        return Fraction(step.units, self.answers) if self.answers and step.units is not None else None


def pipeline(feature: str, currency: str, steps: Mapping[str, StepCost]) -> Pipeline:
    """The steps of a feature, in their order."""
    return Pipeline(feature, currency, tuple(sorted(steps.values(), key=_place)))


def _place(step: StepCost) -> tuple[int, str]:
    if not step.step:
        return len(ORDER) + 1, ""
    return (ORDER.index(step.step) if step.step in ORDER else len(ORDER)), step.step
