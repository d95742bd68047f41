"""The one precedence: which of all that is said about a pod counts, and who said it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.identity.dimensions import LABEL_PREFIX, Dimension, Source, Tag, Tags
from aicost.domain.identity.normalise import normalise
from aicost.domain.inventory.cluster import NamespaceFacts, ServiceAccountFacts
from aicost.domain.inventory.pods import PodFacts


@dataclass(frozen=True, slots=True)
class Discovery:
    """A value that nobody stated, read from what the pod runs.

    Attributes:
        value: as it was found.
        origin: where it was found, for people: `container vllm, --model`.
    """

    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class _Evidence:
    """All that may name a dimension of one pod."""

    pod: PodFacts
    claim: WorkloadClaim | None
    namespace: NamespaceFacts | None
    service_account: ServiceAccountFacts | None
    discovered: Mapping[Dimension, Discovery] = field(default_factory=dict)


_Statement = tuple[Dimension, str, str]
"""Dimension, value as written, who says so."""

_LABELS = {LABEL_PREFIX + dimension: dimension for dimension in Dimension}


def _labelled(labels: Mapping[str, str], origin: str) -> Iterator[_Statement]:
    return ((_LABELS[key], value, origin) for key, value in labels.items() if key in _LABELS)


def _by_pod(evidence: _Evidence) -> Iterator[_Statement]:
    return _labelled(evidence.pod.labels, f"Pod/{evidence.pod.name}")


def _by_owners(evidence: _Evidence) -> Iterator[_Statement]:
    """The nearest owner speaks first."""
    for owner in evidence.pod.owners:
        yield from _labelled(owner.labels, f"{owner.kind}/{owner.name}")


def _by_claim(evidence: _Evidence) -> Iterator[_Statement]:
    if evidence.claim is not None:
        origin = f"AIWorkload/{evidence.claim.name}"
        yield from ((dimension, value, origin) for dimension, value in evidence.claim.dimensions.items())


def _by_namespace(evidence: _Evidence) -> Iterator[_Statement]:
    if evidence.namespace is not None:
        yield from _labelled(evidence.namespace.labels, f"namespace/{evidence.namespace.name}")


def _by_service_account(evidence: _Evidence) -> Iterator[_Statement]:
    if evidence.service_account is not None:
        yield from _labelled(evidence.service_account.labels, f"ServiceAccount/{evidence.service_account.name}")


def _by_discovery(evidence: _Evidence) -> Iterator[_Statement]:
    return ((dimension, found.value, found.origin) for dimension, found in evidence.discovered.items())


_PRECEDENCE: tuple[tuple[Source, Callable[[_Evidence], Iterator[_Statement]]], ...] = (
    (Source.POD_LABEL, _by_pod),
    (Source.OWNER_LABEL, _by_owners),
    (Source.AIWORKLOAD, _by_claim),
    (Source.NAMESPACE_LABEL, _by_namespace),
    (Source.SERVICE_ACCOUNT, _by_service_account),
    (Source.DISCOVERED, _by_discovery),
)
"""Strongest first. The other sources join here at their place in `Source` when there is something to read."""


def resolve_tags(
    pod: PodFacts,
    claim: WorkloadClaim | None,
    namespace: NamespaceFacts | None,
    service_account: ServiceAccountFacts | None,
    discovered: Mapping[Dimension, Discovery],
) -> Tags:
    """Say what a pod's cost is charged to: per dimension the strongest statement that has a value.

    A label that is empty, or that says `untagged`, says nothing, and the next source is heard.

    Args:
        pod: with its own labels and those of its owner chain.
        claim: the AIWorkload that claims the pod, if one does.
        namespace: the pod's namespace.
        service_account: the pod's ServiceAccount.
        discovered: what was read from its images and arguments.
    """
    evidence = _Evidence(pod, claim, namespace, service_account, discovered)
    tags: dict[Dimension, Tag] = {}
    for source, read in _PRECEDENCE:
        for dimension, raw, origin in read(evidence):
            value = None if dimension in tags else normalise(dimension, raw)
            if value is not None:
                tags[dimension] = Tag(value, source, origin, raw)
    return tags
