"""Whose requests they were: what was stated of a name, or counted for a model, brought to the workloads it means."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aicost.domain.exact.apportion import apportion
from aicost.domain.serving.outcomes.judged import Verdict

Member = tuple[str, str, str]
"""Namespace, AIWorkload and controller."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement or a gateway speaks of.

    Attributes:
        namespace: where the workload runs; empty where the model alone is known.
        workload: AIWorkload, or controller with or without its kind; empty where a model is named.
        model: as its engine calls it.
    """

    namespace: str
    workload: str = ""
    model: str = ""

    def means(self, members: Iterable[Member], models: Iterable[str]) -> bool:
        """Whether some pods are meant, by whose they are and what they serve."""
        mine = [one for one in members if not self.namespace or one[0] == self.namespace]
        if self.model:
            return bool(mine) and self.model.lower() in {model.lower() for model in models}
        return any(self._is(workload, controller) for _, workload, controller in mine)

    def _is(self, workload: str, controller: str) -> bool:
        """An AIWorkload goes before a controller that has the same name."""
        if workload:
            return self.workload in {workload, controller}
        return bool(controller) and self.workload in {controller, controller.partition("/")[2]}

    @property
    def name(self) -> str:
        """For people."""
        return "/".join(filter(None, (self.namespace, self.workload or self.model)))


def spread(verdicts: Sequence[Verdict], sizes: Sequence[int | None]) -> list[tuple[Verdict, ...]] | None:
    """Verdicts about several workloads as one, divided by how many requests each had: whole requests, none lost.

    Returns:
        The verdicts of each; None where there are several and the requests of one are not counted.
    """
    if len(sizes) == 1:
        return [tuple(verdicts)]
    if any(size is None for size in sizes) or not sum(size or 0 for size in sizes):
        return None
    weights = [size or 0 for size in sizes]
    columns = [
        [
            replace(one, requests=requests, tokens=tokens)
            for requests, tokens in zip(
                apportion(one.requests, weights),
                [None] * len(weights) if one.tokens is None else apportion(one.tokens, weights),
                strict=True,
            )
        ]
        for one in verdicts
    ]
    return [tuple(column[place] for column in columns) for place in range(len(weights))]


def together(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Verdicts that say the same as one; tokens are known where they are known of all."""
    found: dict[tuple[bool, str, bool], Verdict] = {}
    for one in verdicts:
        key = (one.success, one.reason, one.ran)
        before = found.get(key)
        if before is None:
            found[key] = one
        else:
            tokens = None if before.tokens is None or one.tokens is None else before.tokens + one.tokens
            found[key] = replace(one, requests=before.requests + one.requests, tokens=tokens)
    return tuple(found.values())
