"""Attribution rules: dimensions for pods that nobody labelled, or, for a rule marked so, whatever they are labelled."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from aicost.domain.identity.dimensions import Dimension, Source, Tag
from aicost.domain.identity.normalise import normalise
from aicost.domain.identity.tags.evidence import Evidence
from aicost.domain.policy.judging.scopes import safely_selects
from aicost.domain.policy.policies import AttributionRule, LabelPolicy, RuleMatch
from aicost.domain.policy.wildcards import matches_any

_Test = Callable[[Evidence, str], bool]
"""Evidence and the model that the pod serves -> whether one field of a match holds."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule, made ready.

    Attributes:
        tests: all must hold, the cheapest first.
        tags: what it gives.
    """

    tests: tuple[_Test, ...]
    tags: tuple[tuple[Dimension, Tag], ...]

    def holds(self, evidence: Evidence, model: str) -> bool:
        return all(test(evidence, model) for test in self.tests)


class RuleIndex:
    """The rules of some policies, in the one order in which they are asked.

    Of several rules that give a dimension the first counts: policies in the order of their names, the rules of one
    policy as they stand in it.
    """

    def __init__(self, policies: Iterable[LabelPolicy]) -> None:
        ordered = sorted(policies, key=lambda policy: policy.name)
        self._rules = tuple(_ready(policy.name, rule) for policy in ordered for rule in policy.rules)

    def matching(self, evidence: Evidence, model: str) -> Iterator[tuple[Dimension, Tag]]:
        """What the rules that match give, the first rule first.

        Args:
            evidence: what is known of the pod.
            model: what it serves or trains by all that is said of it beside rules, empty where nobody knows.
        """
        for rule in self._rules:
            if rule.holds(evidence, model):
                yield from rule.tags


def _ready(policy: str, rule: AttributionRule) -> _Rule:
    source = Source.RULE_OVERRIDE if rule.override else Source.RULE
    origin = f"CostLabelPolicy/{policy}/{rule.name}"
    normal = ((dimension, raw, normalise(dimension, raw)) for dimension, raw in rule.dimensions.items())
    tags = tuple((dimension, Tag(value, source, origin, raw)) for dimension, raw, value in normal if value is not None)
    return _Rule(tuple(_tests(rule.match)), tags)


def _tests(match: RuleMatch) -> Iterator[_Test]:
    """One test for each field that is given."""
    if match.namespaces:
        yield lambda evidence, _: matches_any(match.namespaces, evidence.namespace)
    if match.service_accounts:
        yield lambda evidence, _: matches_any(match.service_accounts, evidence.service_account)
    if match.nodes:
        yield lambda evidence, _: matches_any(match.nodes, evidence.node)
    if match.models:
        yield lambda _, model: bool(model) and matches_any(match.models, model)
    if (selector := match.labels) is not None:
        yield lambda evidence, _: safely_selects(selector, evidence.labels)
    if match.owners:
        yield lambda evidence, _: any(matches_any(match.owners, owner) for owner in evidence.owners)
    if match.images:
        yield lambda evidence, _: any(matches_any(match.images, image) for image in evidence.images)
