"""What objects say, whether they come from files or from a cluster: prices, policies, and what policies refer to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from aicost.crd.convert.books import price_book
from aicost.crd.convert.budget.left import SeenBudget, read_budget
from aicost.crd.convert.claims import workload_claim
from aicost.crd.convert.parsing import Converted
from aicost.crd.convert.policies import label_policy
from aicost.crd.convert.unknown import unknown_fields
from aicost.crd.models.aiworkload import AIWorkloadSpec
from aicost.crd.models.policy.resource import CostLabelPolicySpec
from aicost.crd.models.pricebook import PriceBookSpec
from aicost.crd.schema.base import ApiModel
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.inventory.cluster import NamespaceFacts, ServiceAccountFacts
from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.policy.snapshots import Known, MapName
from aicost.domain.pricing.books import PriceBook

Value = TypeVar("Value")
Body = Mapping[str, Any]
_NEVER_MADE: Mapping[str, Any] = {"uid": "", "namespace": "default", "creationTimestamp": "1970-01-01T00:00:00Z"}
"""What the API server writes into an object; one in a file has none of it."""


def books_of(bodies: Iterable[Body], problems: list[str]) -> tuple[PriceBook, ...]:
    """The price books among objects; what is wrong with them is added to the problems."""
    return read_kind(bodies, "PriceBook", price_book, problems, PriceBookSpec)


def budgets_seen(bodies: Sequence[Body], problems: list[str]) -> tuple[SeenBudget, ...]:
    """The budgets among objects that have been computed; what is wrong with them is added to the problems."""
    return tuple(one for kind in ("Budget", "ClusterBudget") for one in read_kind(bodies, kind, read_budget, problems))


def namespaces_of(bodies: Sequence[Body]) -> tuple[NamespaceFacts, ...]:
    """The namespaces among objects."""
    return tuple(NamespaceFacts(_name(body)[1], _labels(body)) for body in _of(bodies, "Namespace"))


def policies_of(bodies: Iterable[Body], problems: list[str]) -> tuple[LabelPolicy, ...]:
    """The label policies among objects; what is wrong with them is added to the problems."""
    return read_kind(bodies, "CostLabelPolicy", label_policy, problems, CostLabelPolicySpec)


def claims_of(bodies: Iterable[Body], problems: list[str]) -> tuple[WorkloadClaim, ...]:
    """The AIWorkloads among objects; what is wrong with them is added to the problems."""
    return read_kind(bodies, "AIWorkload", workload_claim, problems, AIWorkloadSpec)


def known_of(bodies: Iterable[Body], policies: tuple[LabelPolicy, ...]) -> Known:
    """All that policies refer to, as far as it is among the objects."""
    found = [body for body in bodies if isinstance(body.get("metadata"), Mapping)]
    return Known(
        policies=policies,
        maps={_name(body): body.get("data") or {} for body in _of(found, "ConfigMap")},
        namespaces=namespaces_of(found),
        accounts=tuple(ServiceAccountFacts(*_name(body), _labels(body)) for body in _of(found, "ServiceAccount")),
        claims=claims_of(found, []),
        queues={_name(body): _labels(body) for body in _of(found, "LocalQueue")},
    )


def read_kind(
    bodies: Iterable[Body],
    kind: str,
    convert: Callable[[Body], Converted[Value]],
    problems: list[str],
    spec: type[ApiModel] | None = None,
) -> tuple[Value, ...]:
    """What objects of a kind say; what is wrong with them, and with a `spec` what it does not know, is a problem."""
    values = []
    for body in _of(bodies, kind):
        named = {**body, "metadata": {**_NEVER_MADE, **(body.get("metadata") or {})}}
        try:
            read = convert(named)
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            problems.append(f"{kind} cannot be read: {problem!r}: give it metadata.name and a spec")
            continue
        odd = unknown_fields(spec, named.get("spec")) if spec else ()
        problems += [f"{kind}/{named['metadata'].get('name')}: {problem}" for problem in (*read.problems, *odd)]
        values += [] if read.value is None else [read.value]
    return tuple(values)


def _of(bodies: Iterable[Body], kind: str) -> list[Body]:
    return [body for body in bodies if body.get("kind") == kind]


def _name(body: Body) -> MapName:
    metadata = body["metadata"]
    return str(metadata.get("namespace") or _NEVER_MADE["namespace"]), str(metadata.get("name"))


def _labels(body: Body) -> dict[str, str]:
    labels = body["metadata"].get("labels")
    return {str(key): str(value) for key, value in labels.items()} if isinstance(labels, Mapping) else {}
