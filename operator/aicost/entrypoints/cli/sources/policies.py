"""The snapshot that manifests are judged by: the policies of a cluster or of files, and what they refer to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.wire.resources import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS, Resource
from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.policy.requests import PolicySnapshot
from aicost.domain.policy.snapshots import maps_named, policy_snapshot
from aicost.domain.workloads.shapes import Workload
from aicost.entrypoints.cli.manifests.documents import read_documents
from aicost.entrypoints.cli.sources.bodies import Body, known_of, policies_of
from aicost.entrypoints.cli.sources.objects import Wish, gather, own_resource
from aicost.ports.errors import InvalidRequest

_QUEUES = tuple(Resource("kueue.x-k8s.io", version, "localqueues", "LocalQueue") for version in ("v1beta1", "v1beta2"))
"""LocalQueues of Kueue, the version that wins last: which one a cluster serves is found out by asking."""
_DEFAULT_ACCOUNT = "default"


@dataclass(frozen=True, slots=True)
class Rules:
    """What objects are judged by.

    Attributes:
        of: whose policies these are, for people.
        bodies: what the policies refer to.
        gaps: what could not be read.
    """

    policies: tuple[LabelPolicy, ...]
    of: str
    bodies: tuple[Body, ...] = ()
    gaps: tuple[str, ...] = ()

    def snapshot(self, beside: Sequence[Body]) -> PolicySnapshot:
        """The snapshot; objects of the input itself, such as a Namespace, stand before those that are there already."""
        return policy_snapshot(known_of((*self.bodies, *beside), self.policies))


def rules_of_files(places: Sequence[str]) -> Rules:
    """The policies in files, and Namespaces, ServiceAccounts, ConfigMaps, queues and AIWorkloads that stand with them.

    Raises:
        InvalidRequest: there is no policy, or something in one is wrong.
    """
    bodies = tuple(document.body for document in read_documents(places))
    problems: list[str] = []
    policies = policies_of(bodies, problems)
    if problems:
        raise InvalidRequest(f"policy: {'; '.join(problems)}")
    if not policies:
        raise InvalidRequest(
            f"policy: no CostLabelPolicy is in {', '.join(places)}: kubectl get clp -o yaml prints some"
        )
    return Rules(policies, ", ".join(places), bodies, _unlisted(policies, bodies))


def _unlisted(policies: Sequence[LabelPolicy], bodies: Sequence[Body]) -> tuple[str, ...]:
    """Lists of allowed values that are not at hand."""
    missing = sorted(maps_named(policies) - known_of(bodies, ()).maps.keys())
    return tuple(f"ConfigMap {'/'.join(name)} is not at hand: values that it lists are not judged" for name in missing)


def rules_of_cluster(config: ClusterConfig, workloads: Sequence[Workload], files: Rules | None) -> Rules:
    """The policies of a cluster, or those of files within it, with what is there for these objects."""
    around = gather(config, list(dict.fromkeys(_around(workloads, with_policies=files is None))))
    problems: list[str] = []
    policies = files.policies if files else policies_of(around.bodies, problems)
    maps = gather(config, [Wish(CONFIG_MAPS, *name) for name in sorted(maps_named(policies))])
    bodies = (*around.bodies, *maps.bodies, *(files.bodies if files else ()))
    none = () if policies else ("the cluster has no CostLabelPolicy: nothing is judged",)
    left_out = tuple(f"left out of the policies: {problem}" for problem in problems)
    gaps = (*around.gaps, *maps.gaps, *left_out, *none, *_unlisted(policies, bodies))
    return Rules(policies, f"{files.of}, {config.server}" if files else config.server, bodies, gaps)


def _around(workloads: Sequence[Workload], *, with_policies: bool) -> Iterator[Wish]:
    """What the policies may ask of the objects' surroundings, each by its name: it takes no right to list."""
    if with_policies:
        yield Wish(own_resource("CostLabelPolicy"))
    for workload in workloads:
        yield Wish(NAMESPACES, name=workload.namespace)
        yield Wish(own_resource("AIWorkload"), workload.namespace)
        if workload.queue:
            yield from (Wish(queues, workload.namespace, workload.queue) for queues in _QUEUES)
        for account in (template.service_account or _DEFAULT_ACCOUNT for template in workload.templates):
            yield Wish(SERVICE_ACCOUNTS, workload.namespace, account)
