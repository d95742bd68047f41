"""The one precedence: which of all that is said about a pod counts, and who said it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.identity.dimensions import Dimension, Source, Tag, Tags
from aicost.domain.identity.tags.evidence import NAMESPACE_NAME, Discovery, Evidence, Witnesses, hear
from aicost.domain.identity.tags.rules import RuleIndex, ready_rules
from aicost.domain.identity.tags.vocabulary import PLAIN, Vocabulary, vocabulary_of
from aicost.domain.inventory.cluster import NamespaceFacts, ServiceAccountFacts
from aicost.domain.inventory.pods import PodFacts
from aicost.domain.policy.judging.scopes import in_namespaces
from aicost.domain.policy.policies import LabelPolicy, NamespaceScope

_Statement = tuple[Dimension, str, str]
"""Dimension, value as written, who says so."""
_Read = Callable[[Evidence, Vocabulary], Iterable[_Statement]]


@dataclass(frozen=True, slots=True)
class _Law:
    """What the policies that hold in one namespace say."""

    vocabulary: Vocabulary
    rules: RuleIndex


class Tagger:
    """Resolves tags under some policies. Answers depend on nothing else, and not on the order of the policies.

    Attributes:
        asks_for_nodes: some rule asks which node a pod is on.

    Args:
        policies: each holds where its `namespaces` say; one that names none holds everywhere, in system namespaces
            too: there is nothing to protect them from in saying what they cost.
    """

    def __init__(self, policies: Sequence[LabelPolicy] = ()) -> None:
        self._policies = tuple(sorted(policies, key=lambda policy: policy.name))
        self._by_labels = any(policy.namespaces and policy.namespaces.selector for policy in policies)
        self._rules = ready_rules(policies)
        self.asks_for_nodes = any(rule.match.nodes for policy in policies for rule in policy.rules)
        self._laws: dict[object, _Law] = {}

    def hear(self, witnesses: Witnesses) -> Evidence:
        """Take down what is said of a pod, in the words of its namespace."""
        namespace = witnesses.namespace
        return hear(witnesses, self._law(witnesses.pod.namespace, namespace.labels if namespace else {}).vocabulary)

    def tags(self, evidence: Evidence) -> Tags:
        """Say what a pod's cost is charged to: per dimension the strongest statement that has a value.

        A label that is empty, or that says `untagged`, says nothing, and the next source is heard.
        """
        law = self._law(evidence.namespace, evidence.namespace_labels)
        tags = _stated(evidence, law.vocabulary)
        model = tags.get(Dimension.MODEL)
        for dimension, tag in law.rules.matching(evidence, model.value if model else ""):
            known = tags.get(dimension)
            if known is None or tag.source < known.source:
                tags[dimension] = tag
        return tags

    def _law(self, namespace: str, labels: Mapping[str, str]) -> _Law:
        """Remembered, because a namespace has many pods."""
        key = (namespace, frozenset(labels.items())) if self._by_labels else namespace
        law = self._laws.get(key)
        if law is None:
            known = {**labels, NAMESPACE_NAME: namespace}
            policies = [policy for policy in self._policies if _holds(policy.namespaces, namespace, known)]
            vocabulary = vocabulary_of(policies) if policies else PLAIN
            law = self._laws[key] = _Law(
                vocabulary, RuleIndex(self._rules, {policy.name for policy in policies}, namespace)
            )
        return law


def _holds(scope: NamespaceScope | None, namespace: str, labels: Mapping[str, str]) -> bool:
    return scope is None or in_namespaces(scope, namespace, labels)


def _stated(evidence: Evidence, vocabulary: Vocabulary) -> dict[Dimension, Tag]:
    """The strongest statement about each dimension, rules left aside."""
    tags: dict[Dimension, Tag] = {}
    for source, read in _PRECEDENCE:
        for dimension, raw, origin in read(evidence, vocabulary):
            if dimension in tags or (source, dimension) in vocabulary.silenced:
                continue
            value = vocabulary.value(dimension, raw)
            if value is not None:
                tags[dimension] = Tag(value, source, origin, raw)
    return tags


def pod_origin(name: str) -> str:
    """Who says what stands on a pod itself."""
    return f"Pod/{name}"


def _by_pod(evidence: Evidence, vocabulary: Vocabulary) -> Iterator[_Statement]:
    origin = pod_origin(evidence.pod)
    return ((dimension, raw, origin) for dimension, raw in vocabulary.read(evidence.labels))


def _by_namespace(evidence: Evidence, vocabulary: Vocabulary) -> Iterator[_Statement]:
    origin = f"namespace/{evidence.namespace}"
    yield from ((dimension, raw, origin) for dimension, raw in vocabulary.read(evidence.namespace_labels))
    yield from _said(Source.NAMESPACE_LABEL)(evidence, vocabulary)


def _said(source: Source) -> _Read:
    """What one source says in the evidence."""

    def read(evidence: Evidence, _: Vocabulary) -> Iterable[_Statement]:
        if not evidence.said:
            return ()
        return ((about[1], *told) for about, told in evidence.said.items() if about[0] is source)

    return read


def _by_default(_: Evidence, vocabulary: Vocabulary) -> Iterator[_Statement]:
    return ((dimension, *told) for dimension, told in vocabulary.defaults.items())


_PRECEDENCE: tuple[tuple[Source, _Read], ...] = (
    (Source.POD_LABEL, _by_pod),
    (Source.OWNER_LABEL, _said(Source.OWNER_LABEL)),
    (Source.AIWORKLOAD, _said(Source.AIWORKLOAD)),
    (Source.QUEUE, _said(Source.QUEUE)),
    (Source.NAMESPACE_LABEL, _by_namespace),
    (Source.SERVICE_ACCOUNT, _said(Source.SERVICE_ACCOUNT)),
    (Source.DISCOVERED, _said(Source.DISCOVERED)),
    (Source.POLICY_DEFAULT, _by_default),
)
"""Strongest first. Rules join at their place in `Source`. Groups of a requester are known at admission alone, which
writes what they give as a label: they are heard as that label."""


def resolve_tags(
    pod: PodFacts,
    claim: WorkloadClaim | None,
    namespace: NamespaceFacts | None,
    service_account: ServiceAccountFacts | None,
    discovered: Mapping[Dimension, Discovery],
    policies: Sequence[LabelPolicy] = (),
) -> Tags:
    """The tags of one pod; see `Tagger`.

    Args:
        pod: with its own labels and those of its owner chain.
        claim: the AIWorkload that claims the pod, if one does.
        namespace: the pod's namespace.
        service_account: the pod's ServiceAccount.
        discovered: what was read from its images and arguments.
        policies: whose aliases, defaults and rules hold.
    """
    tagger = Tagger(policies)
    return tagger.tags(tagger.hear(Witnesses(pod, claim, namespace, service_account, None, discovered)))
