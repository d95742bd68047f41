"""Attribution rules: dimensions for pods that nobody labelled, or, for a rule marked so, whatever they are labelled."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from aicost.domain.identity.dimensions import Dimension, Source, Tag
from aicost.domain.identity.normalise import normalise
from aicost.domain.identity.tags.evidence import Evidence
from aicost.domain.policy.judging.scopes import safely_selects
from aicost.domain.policy.policies import AttributionRule, LabelPolicy, RuleMatch
from aicost.domain.policy.wildcards import matches_any

_Test = Callable[[Evidence, str], bool]
"""Evidence and the model that the pod serves -> whether one field of a match holds."""
_REMEMBERED = 1024
"""Answers that a test keeps: thousands of pods have the same images and owners."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, made ready.

    Attributes:
        policy: name of the policy that it stands in.
        namespaces: patterns; empty: all.
        tests: all must hold, the cheapest first.
        tags: what it gives.
    """

    policy: str
    namespaces: tuple[str, ...]
    tests: tuple[_Test, ...]
    tags: tuple[tuple[Dimension, Tag], ...]


def ready_rules(policies: Iterable[LabelPolicy]) -> tuple[Rule, ...]:
    """The rules of all policies in the one order in which they are asked.

    Of several that give a dimension the first counts: policies in the order of their names, the rules of one policy as
    they stand in it.
    """
    ordered = sorted(policies, key=lambda policy: policy.name)
    return tuple(_ready(policy.name, rule) for policy in ordered for rule in policy.rules)


class RuleIndex:
    """The rules that may match in one namespace.

    Args:
        rules: all rules, in their order.
        policies: names of the policies that hold in the namespace.
        namespace: its name.
    """

    def __init__(self, rules: Iterable[Rule], policies: Collection[str], namespace: str) -> None:
        self._rules = tuple(
            rule
            for rule in rules
            if rule.policy in policies and (not rule.namespaces or matches_any(rule.namespaces, namespace))
        )

    def matching(self, evidence: Evidence, model: str) -> Iterator[tuple[Dimension, Tag]]:
        """What the rules that match give, the first rule first.

        Args:
            evidence: what is known of the pod.
            model: what it serves or trains by all that is said of it beside rules, empty where nobody knows.
        """
        for rule in self._rules:
            if all(test(evidence, model) for test in rule.tests):
                yield from rule.tags


def _ready(policy: str, rule: AttributionRule) -> Rule:
    source = Source.RULE_OVERRIDE if rule.override else Source.RULE
    origin = f"CostLabelPolicy/{policy}/{rule.name}"
    normal = ((dimension, raw, normalise(dimension, raw)) for dimension, raw in rule.dimensions.items())
    tags = tuple((dimension, Tag(value, source, origin, raw)) for dimension, raw, value in normal if value is not None)
    return Rule(policy, rule.match.namespaces, tuple(_tests(rule.match)), tags)


def _tests(match: RuleMatch) -> Iterator[_Test]:
    """One test for each field that is given, but for the namespace."""
    if match.service_accounts:
        account = _any_of(match.service_accounts)
        yield lambda evidence, _: account((evidence.service_account,))
    if match.nodes:
        node = _any_of(match.nodes)
        yield lambda evidence, _: node((evidence.node,))
    if match.models:
        served = _any_of(match.models)
        yield lambda _, model: bool(model) and served((model,))
    if match.images:
        image = _any_of(match.images)
        yield lambda evidence, _: image(evidence.images)
    if match.owners:
        owner = _any_of(match.owners)
        yield lambda evidence, _: owner(evidence.owners)
    if (selector := match.labels) is not None:
        yield lambda evidence, _: safely_selects(selector, evidence.labels)


def _any_of(patterns: tuple[str, ...]) -> Callable[[tuple[str, ...]], bool]:
    """Whether one of some texts fits one of the patterns."""

    @lru_cache(maxsize=_REMEMBERED)
    def fits(texts: tuple[str, ...]) -> bool:
        return any(matches_any(patterns, text) for text in texts)

    return fits
