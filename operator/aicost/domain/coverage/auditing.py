"""From an object to what an audit keeps of it: what `admit()` says, and what each key comes to."""

from collections.abc import Iterator, Sequence

from aicost.domain.coverage.keys import TEAM, Reach, WantedKey, wanted_keys
from aicost.domain.coverage.objects import Asked, Audit, AuditedObject, PolicyState, Running
from aicost.domain.identity.dimensions import LABEL_PREFIX, Dimension, Source, Tag
from aicost.domain.identity.discovery import discover
from aicost.domain.inventory.pods import OwnerFacts, PodFacts
from aicost.domain.policy.admit import admit
from aicost.domain.policy.judging.hearing import Hearing, open_hearing
from aicost.domain.policy.judging.inheritance import claim_on
from aicost.domain.policy.judging.keys import requires
from aicost.domain.policy.judging.scopes import holds_for, in_namespaces, namespace_labels, out_of_scope
from aicost.domain.policy.policies import LabelKey, LabelPolicy, Mode, Need
from aicost.domain.policy.requests import Operation, PolicySnapshot, Request
from aicost.domain.workloads.shapes import Workload

NO_POLICY = LabelPolicy("", "", 0, Mode.AUDIT, (LabelKey(TEAM.key, TEAM.label, Dimension.TEAM, need=Need.GPU_ONLY),))
"""What objects are looked at by where there is no policy: whether somebody owns what runs on GPUs."""
_OWNERS = (f"{LABEL_PREFIX}owner", "owner", "contact", "maintainer", "app.kubernetes.io/owner", "a8r.io/owner")
"""Annotations and labels by which people say who answers for an object, the surest first."""
_LONGEST = 63


def audit_object(workload: Workload, snapshot: PolicySnapshot, now_ms: int) -> AuditedObject:
    """Look at one object: what policies say of it, what each key comes to, and what it runs."""
    request = Request(Operation.AUDIT, workload)
    decision = admit(snapshot, request, now_ms)
    hearings = [] if out_of_scope(snapshot, request) else _hearings(snapshot, request)
    tags = _tags(hearings)
    return AuditedObject(
        api_version=workload.api_version,
        kind=workload.kind,
        namespace=workload.namespace,
        name=workload.name,
        runs=_runs(workload, open_hearing(NO_POLICY, snapshot, request)) if workload.templates else Running(),
        values={key: tag.value for key, tag in tags.items()},
        sources={key: tag.source.name.lower() for key, tag in tags.items()},
        asked={hearing.policy.name: _asked(hearing) for hearing in hearings},
        problems=decision.problems,
        verdict=decision.verdict,
        owner=_owner(workload),
    )


def put_together(
    objects: Sequence[AuditedObject],
    snapshot: PolicySnapshot,
    at_ms: int,
    *,
    kinds: Sequence[str] = (),
    unread: Sequence[str] = (),
) -> Audit:
    """An audit of objects that were looked at one by one.

    Args:
        objects: what was found.
        snapshot: what they were judged by.
        at_ms: when the look ended.
        kinds: kinds that were listed.
        unread: kinds that could not be listed, with the reason.
    """
    reach, listed = _reaches(snapshot), snapshot.listed
    states = tuple(
        PolicyState(
            policy.name,
            policy.mode,
            wanted_keys((policy,), listed, reach) if policy.keys else (),
            policy.min_coverage_ppm,
            policy.unused_days,
        )
        for policy in snapshot.policies
    )
    ordered = tuple(sorted(objects, key=lambda one: (*one.of, one.api_version)))
    return Audit(at_ms, snapshot.revision, ordered, wanted_by(snapshot), states, tuple(kinds), tuple(unread))


def wanted_by(snapshot: PolicySnapshot) -> tuple[WantedKey, ...]:
    """The keys that policies want of cost; see `wanted_keys`."""
    return wanted_keys(snapshot.policies, snapshot.listed, _reaches(snapshot))


def _reaches(snapshot: PolicySnapshot) -> dict[str, Reach]:
    return {policy.name: _reach(policy, snapshot) for policy in snapshot.policies}


def _reach(policy: LabelPolicy, snapshot: PolicySnapshot) -> Reach:
    """The namespaces in which a policy holds; a namespace that is gone is known by its name alone."""
    scope = policy.namespaces
    if scope is None:
        return None
    known = {name for name in snapshot.namespaces if in_namespaces(scope, name, namespace_labels(snapshot, name))}
    return frozenset(known | scope.names)


def _hearings(snapshot: PolicySnapshot, request: Request) -> list[Hearing]:
    """One for each policy that judges the object."""
    if not snapshot.policies:
        return [open_hearing(NO_POLICY, snapshot, request)]
    labels = namespace_labels(snapshot, request.workload.namespace)
    held = (policy for policy in snapshot.policies if holds_for(policy, request.workload, labels))
    return [open_hearing(policy, snapshot, request) for policy in held]


def _tags(hearings: Sequence[Hearing]) -> dict[str, Tag]:
    """What each key comes to for its pods, the policy's default last; the first policy that knows a value is heard."""
    found: dict[str, Tag] = {}
    for hearing in hearings:
        for key in hearing.policy.keys:
            tag = _weakest(hearing, key)
            if tag is not None:
                found.setdefault(key.key, tag)
    defaults = ((key, hearing.policy) for hearing in hearings for key in hearing.policy.keys if key.default)
    for key, policy in defaults:
        found.setdefault(key.key, Tag(key.default, Source.POLICY_DEFAULT, f"CostLabelPolicy/{policy.name}"))
    return found


def _weakest(hearing: Hearing, key: LabelKey) -> Tag | None:
    """The value of a key where all pods have one: that of the part of which the weakest source speaks."""
    tags = [hearing.tag(key, place) for place in hearing.running]
    given = [tag for tag in tags if tag is not None]
    return max(given, key=lambda tag: tag.source) if given and len(given) == len(tags) else None


def _asked(hearing: Hearing) -> Asked:
    """What a policy requires, and what of it nobody gives; a default that is good enough is no coverage."""
    required = [key for key in hearing.policy.keys if requires(hearing, key)]
    missing = (key.key for key in required if _weakest(hearing, key) is None)
    return Asked(tuple(key.key for key in required), tuple(missing))


def _runs(workload: Workload, hearing: Hearing) -> Running:
    """What an object runs; dimensions are read as any label is, with all that they inherit."""
    place = hearing.running[0]
    claim = claim_on(place, hearing.snapshot, hearing.request)
    return Running(
        wants_gpus=workload.wants_gpus,
        gpu_milli=workload.gpu_milli,
        pods=sum(template.replicas for template in workload.templates),
        max_pods=sum(template.max_replicas for template in workload.templates),
        scaling=workload.scaling,
        model=hearing.value(Dimension.MODEL, place),
        workload_type=hearing.value(Dimension.WORKLOAD_TYPE, place) or next(_types(workload), ""),
        product=hearing.value(Dimension.PRODUCT, place),
        claim=claim.name if claim else "",
    )


def _types(workload: Workload) -> Iterator[str]:
    """Workload types that its kind and its commands tell."""
    owner = OwnerFacts(workload.api_version, workload.kind, workload.name, "")
    for template in workload.templates:
        pod = PodFacts("", workload.namespace, workload.name, 0, owners=(owner,), containers=template.containers)
        found = discover(pod).get(Dimension.WORKLOAD_TYPE)
        if found is not None:
            yield found.value


def _owner(workload: Workload) -> str:
    said = ({**workload.labels, **workload.annotations}.get(name, "") for name in _OWNERS)
    return next((text.strip()[:_LONGEST] for text in said if text.strip()), "")
