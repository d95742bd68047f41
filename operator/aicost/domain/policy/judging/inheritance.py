"""Values that an object does not give itself, from where the one precedence finds them."""

from collections.abc import Callable, Iterator, Mapping

from aicost.domain.identity.claim_index import ClaimIndex
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.identity.dimensions import Dimension, Source, Tag
from aicost.domain.inventory.pods import OwnerFacts, PodFacts
from aicost.domain.policy.judging.places import Place, object_place
from aicost.domain.policy.judging.spellings import stated
from aicost.domain.policy.policies import Inherit, LabelKey
from aicost.domain.policy.requests import PolicySnapshot, Request
from aicost.domain.policy.values import canonical

_DEFAULT_ACCOUNT = "default"


def value_at(key: LabelKey, place: Place, snapshot: PolicySnapshot, request: Request) -> Tag | None:
    """What a key comes to for the pods of a place, None where nothing but the policy's default is left.

    Strongest first: the place's own labels, the object, then what is inherited, then what was found in the object.
    """
    own = _labelled(key, place.labels, Source.POD_LABEL, place.origin)
    return own or next(_inherited(key, place, snapshot, request), None)


def _inherited(key: LabelKey, place: Place, snapshot: PolicySnapshot, request: Request) -> Iterator[Tag]:
    for inherit, read in _SOURCES:
        tag = read(key, place, snapshot, request) if inherit in key.inherit else None
        if tag is not None:
            yield tag
    found = _discovered(key, request)
    if found is not None:
        yield found


def _labelled(key: LabelKey, labels: Mapping[str, str], source: Source, origin: str) -> Tag | None:
    spelling = stated(key, labels)
    return None if spelling is None else Tag(spelling.value, source, origin, spelling.raw)


def _by_owner(key: LabelKey, place: Place, _: PolicySnapshot, request: Request) -> Tag | None:
    """The object speaks for its templates."""
    above = object_place(request.workload)
    return _labelled(key, above.labels, Source.OWNER_LABEL, above.origin) if place.path else None


def _by_claim(key: LabelKey, place: Place, snapshot: PolicySnapshot, request: Request) -> Tag | None:
    if key.dimension is None:
        return None
    claim = claim_on(place, snapshot, request)
    raw = "" if claim is None else claim.dimensions.get(key.dimension, "")
    value = canonical(key, raw)
    return None if claim is None or value is None else Tag(value, Source.AIWORKLOAD, f"AIWorkload/{claim.name}", raw)


def claim_on(place: Place, snapshot: PolicySnapshot, request: Request) -> WorkloadClaim | None:
    """The AIWorkload that will claim the pods of a place."""
    workload = request.workload
    claims = [each for each in snapshot.claims.get(workload.namespace, ()) if _may_claim(each, place, workload.name)]
    if not claims:
        return None
    itself = OwnerFacts(workload.api_version, workload.kind, workload.name, "")
    pod = PodFacts("", workload.namespace, workload.name, 0, labels=place.labels, owners=(itself,))
    best = min(ClaimIndex(claims).bids(pod), key=lambda bid: bid.rank, default=None)
    return None if best is None else best.claim


def _may_claim(claim: WorkloadClaim, place: Place, name: str) -> bool:
    """A quick look that leaves out most claims of a namespace: it is taken for each key while somebody waits."""
    if claim.target is not None:
        return claim.target.name == name
    return claim.selector is not None and claim.selector.match_labels.items() <= place.labels.items()


def _by_queue(key: LabelKey, _: Place, snapshot: PolicySnapshot, request: Request) -> Tag | None:
    queue = request.workload.queue
    labels = snapshot.queues.get((request.workload.namespace, queue), {})
    return _labelled(key, labels, Source.QUEUE, f"queue/{queue}")


def _by_namespace(key: LabelKey, _: Place, snapshot: PolicySnapshot, request: Request) -> Tag | None:
    facts = snapshot.namespaces.get(request.workload.namespace)
    return None if facts is None else _labelled(key, facts.labels, Source.NAMESPACE_LABEL, f"namespace/{facts.name}")


def _by_service_account(key: LabelKey, place: Place, snapshot: PolicySnapshot, request: Request) -> Tag | None:
    name = (place.template.service_account if place.template else "") or _DEFAULT_ACCOUNT
    facts = snapshot.service_accounts.get((request.workload.namespace, name))
    return None if facts is None else _labelled(key, facts.labels, Source.SERVICE_ACCOUNT, f"ServiceAccount/{name}")


def _by_group(key: LabelKey, _: Place, __: PolicySnapshot, request: Request) -> Tag | None:
    """The first group of the policy's list that the requester is in."""
    groups = frozenset(request.requester.groups)
    group = next((group for group in key.groups if group in groups), None)
    value = None if group is None else canonical(key, key.groups[group])
    return None if value is None else Tag(value, Source.REQUESTER_GROUP, f"group/{group}", key.groups[group or ""])


def _discovered(key: LabelKey, request: Request) -> Tag | None:
    """What nobody stated, but a run tracker's id or the model in the arguments tells."""
    workload = request.workload
    if key.dimension is None:
        return None
    raw, origin = workload.run_ids.get(key.dimension, ("", ""))
    if key.dimension is Dimension.MODEL and workload.models:
        raw, origin = workload.models[0], f"{workload.kind}/{workload.name}"
    value = canonical(key, raw)
    return None if value is None else Tag(value, Source.DISCOVERED, origin, raw)


_Read = Callable[[LabelKey, Place, PolicySnapshot, Request], Tag | None]
_SOURCES: tuple[tuple[Inherit, _Read], ...] = (
    (Inherit.OWNER, _by_owner),
    (Inherit.AIWORKLOAD, _by_claim),
    (Inherit.QUEUE, _by_queue),
    (Inherit.NAMESPACE, _by_namespace),
    (Inherit.SERVICE_ACCOUNT, _by_service_account),
    (Inherit.GROUP, _by_group),
)
"""In the order of the one precedence, whatever the order in the policy."""
