"""Short ways to write pods and AIWorkloads in tests of who is who."""

from collections.abc import Mapping

from aicost.domain.identity.claims import LabelExpression, LabelSelector, TargetRef, WorkloadClaim
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.inventory.pods import ContainerFacts, OwnerFacts, PodFacts


def owner(kind: str, name: str, labels: Mapping[str, str] | None = None, api_version: str = "apps/v1") -> OwnerFacts:
    return OwnerFacts(api_version, kind, name, uid=f"uid-{kind}-{name}", labels=labels or {})


def pod(
    name: str,
    labels: Mapping[str, str] | None = None,
    *owners: OwnerFacts,
    namespace: str = "team-a",
    containers: tuple[ContainerFacts, ...] = (),
    account: str = "",
    node: str | None = None,
) -> PodFacts:
    return PodFacts(
        uid=f"uid-{namespace}-{name}",
        namespace=namespace,
        name=name,
        created_ms=0,
        labels=labels or {},
        owners=owners,
        containers=containers,
        service_account=account,
        node=node,
    )


def running(image: str, *args: str, name: str = "main") -> PodFacts:
    """A pod with one container."""
    return pod("engine-0", containers=(ContainerFacts(name, image, args),))


def by_labels(
    name: str,
    labels: Mapping[str, str] | None = None,
    *expressions: LabelExpression,
    namespace: str = "team-a",
    created_ms: int = 0,
) -> WorkloadClaim:
    selector = LabelSelector(labels or {}, expressions)
    return WorkloadClaim(namespace, name, f"uid-{namespace}-{name}", created_ms, selector=selector)


def by_target(
    name: str,
    kind: str,
    target: str,
    api_version: str = "apps/v1",
    *,
    namespace: str = "team-a",
    created_ms: int = 0,
    dimensions: Mapping[Dimension, str] | None = None,
) -> WorkloadClaim:
    return WorkloadClaim(
        namespace,
        name,
        f"uid-{namespace}-{name}",
        created_ms,
        target=TargetRef(api_version, kind, target),
        dimensions=dimensions or {},
    )
