"""What was known of a pod when its cost was charged: all that the precedence and the attribution rules look at.

A row of the ledger keeps it, so that a rule that is written later finds what it asks for. Whether tags are resolved
from the cluster or from a row, they are resolved from this value: so both say the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.identity.dimensions import Dimension, Source
from aicost.domain.identity.tags.vocabulary import Vocabulary
from aicost.domain.inventory.cluster import NamespaceFacts, QueueFacts, ServiceAccountFacts
from aicost.domain.inventory.pods import PodFacts

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""A label that each namespace carries and that says no more than its name."""
_OWNERS, _IMAGES, _ACCOUNT = "owners", "images", "service-account"
_OF_NAMESPACE = "namespace "
_BY = " by "

Statement = tuple[str, str]
"""A value as it was written, and who says so."""


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
class Witnesses:
    """All that may name a dimension of one pod.

    Attributes:
        claim: the AIWorkload that claims the pod, if one does.
        discovered: what was read from its images, arguments and run ids.
    """

    pod: PodFacts
    claim: WorkloadClaim | None = None
    namespace: NamespaceFacts | None = None
    service_account: ServiceAccountFacts | None = None
    queue: QueueFacts | None = None
    discovered: Mapping[Dimension, Discovery] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one pod.

    Attributes:
        labels: of the pod.
        namespace_labels: of its namespace, without `NAMESPACE_NAME`.
        owners: `Kind/name` of the owner chain, nearest first.
        said: the strongest statement of each other source about each dimension.
    """

    namespace: str
    pod: str
    node: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    service_account: str = ""
    said: Mapping[tuple[Source, Dimension], Statement] = field(default_factory=dict)


def hear(witnesses: Witnesses, vocabulary: Vocabulary) -> Evidence:
    """Take down what the witnesses say; labels mean what the vocabulary of the pod's namespace says."""
    pod = witnesses.pod
    said: dict[tuple[Source, Dimension], Statement] = {}
    for source, dimension, raw, origin in _statements(witnesses, vocabulary):
        if vocabulary.value(dimension, raw) is not None:
            said.setdefault((source, dimension), (raw, origin))
    return Evidence(
        namespace=pod.namespace,
        pod=pod.name,
        node=pod.node or "",
        labels=pod.labels,
        namespace_labels=_labels_of(witnesses.namespace),
        owners=tuple(f"{owner.kind}/{owner.name}" for owner in pod.owners),
        images=tuple(dict.fromkeys(container.image for container in pod.containers if container.image)),
        service_account=pod.service_account,
        said=said,
    )


def _labels_of(namespace: NamespaceFacts | None) -> Mapping[str, str]:
    if namespace is None:
        return {}
    return {key: value for key, value in namespace.labels.items() if key != NAMESPACE_NAME}


def _statements(witnesses: Witnesses, vocabulary: Vocabulary) -> Iterator[tuple[Source, Dimension, str, str]]:
    """What is said by others than the labels of pod and namespace; of equals the first counts: the nearest owner."""
    for owner in witnesses.pod.owners:
        for dimension, raw in vocabulary.read(owner.labels):
            yield Source.OWNER_LABEL, dimension, raw, f"{owner.kind}/{owner.name}"
    if (claim := witnesses.claim) is not None:
        for dimension, raw in claim.dimensions.items():
            yield Source.AIWORKLOAD, dimension, raw, f"AIWorkload/{claim.name}"
    if (queue := witnesses.queue) is not None:
        for dimension, raw in vocabulary.read(queue.labels):
            yield Source.QUEUE, dimension, raw, f"{queue.kind}/{queue.name}"
    if (account := witnesses.service_account) is not None:
        for dimension, raw in vocabulary.read(account.labels):
            yield Source.SERVICE_ACCOUNT, dimension, raw, f"ServiceAccount/{account.name}"
    for dimension, found in witnesses.discovered.items():
        yield Source.DISCOVERED, dimension, found.value, found.origin


def written(evidence: Evidence) -> Mapping[str, str]:
    """What a row keeps of evidence, beside the names and the pod's labels that it holds anyway."""
    lists = {_OWNERS: " ".join(evidence.owners), _IMAGES: " ".join(evidence.images)}
    plain = {**lists, _ACCOUNT: evidence.service_account}
    return {
        **{key: value for key, value in plain.items() if value},
        **{f"{_OF_NAMESPACE}{key}": value for key, value in evidence.namespace_labels.items()},
        **{f"{_word(key)}": f"{raw}{_BY}{origin}" for key, (raw, origin) in evidence.said.items()},
    }


def read_back(text: Mapping[str, str]) -> Evidence:
    """Evidence that was written, still without the names and labels that stand in the row itself."""
    said: dict[tuple[Source, Dimension], Statement] = {}
    namespace_labels: dict[str, str] = {}
    for key, value in text.items():
        if key.startswith(_OF_NAMESPACE):
            namespace_labels[key.removeprefix(_OF_NAMESPACE)] = value
        elif (about := _KEYS.get(key)) is not None:
            raw, _, origin = value.rpartition(_BY)
            said[about] = (raw, origin)
    return Evidence(
        namespace="",
        pod="",
        namespace_labels=namespace_labels,
        owners=tuple(text.get(_OWNERS, "").split()),
        images=tuple(text.get(_IMAGES, "").split()),
        service_account=text.get(_ACCOUNT, ""),
        said=said,
    )


def _word(about: tuple[Source, Dimension]) -> str:
    """`owner_label team`: the key under which a statement is written."""
    return f"{about[0].name.lower()} {about[1].value}"


_KEYS = {_word((source, dimension)): (source, dimension) for source in Source for dimension in Dimension}
