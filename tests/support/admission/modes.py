"""Cases: how strict a policy is, where, whom it excuses, and whom it does not judge."""

from dataclasses import replace
from typing import Any

from aicost.domain.exact.windows import DAY_MS, to_rfc3339
from aicost.domain.identity.claims import LabelSelector
from aicost.domain.policy.decisions import ProblemCode, Verdict
from aicost.domain.policy.policies import Exemption, LabelPolicy, Mode, ModeOverride, NamespaceScope
from aicost.domain.policy.requests import Operation, Requester
from support.admission.case import Case
from support.admission.manifests import PLAIN, deployment, job, owned_by, pod, pod_spec
from support.admission.policies import CONTROLLER, COST_CENTER, TEAM, labelled, policy
from support.builders import T0

_MISSING, _UNKNOWN, _IMMUTABLE = ProblemCode.MISSING, ProblemCode.UNKNOWN_VALUE, ProblemCode.IMMUTABLE
_FORGED = ProblemCode.FORGED_OWNER
_TEAM = "aicost.dev/team"
_MIRROR = {"kubernetes.io/config.mirror": "0123"}
_RECENT = {"aicost.dev/exempt-until": to_rfc3339(T0 + DAY_MS), "aicost.dev/exempt-reason": "migration of the old stack"}
_CONTROLLER = Requester(CONTROLLER, ("system:serviceaccounts", "system:authenticated"))
_KUBELET = Requester("system:node:node-1", ("system:nodes", "system:authenticated"))
_FIXED = replace(TEAM, immutable=True)
_DEFAULT_MODE = Mode.DENY


def _team(mode: Mode = _DEFAULT_MODE, **more: Any) -> tuple[LabelPolicy, ...]:
    return (policy(TEAM, mode=mode, **more),)


def _exempt(**more: Any) -> tuple[LabelPolicy, ...]:
    given = {"name": "moving", "until_ms": T0 + 1, "approved_by": "frida", **more}
    return _team(exemptions=(Exemption(**given),))


def _update(name: str, before: dict[str, Any], after: dict[str, Any], verdict: Verdict, **more: Any) -> Case:
    given: dict[str, Any] = {"policies": _team(), **more}
    return Case(name, after, verdict, before=before, operation=Operation.UPDATE, **given)


_MODES = (
    Case("Audit lets in what is wrong", deployment(), Verdict.ALLOW, (_MISSING,), (), _team(Mode.AUDIT)),
    Case("Warn lets in with a warning", deployment(), Verdict.WARN, (_MISSING,), (), _team(Mode.WARN)),
    Case("DenyNew refuses what is new", deployment(), Verdict.DENY, (_MISSING,), (), _team(Mode.DENY_NEW)),
    Case("Deny refuses", deployment(), Verdict.DENY, (_MISSING,), (), _team(Mode.DENY)),
    Case("Audit writes nothing", deployment({"squad": "recs"}), Verdict.ALLOW, policies=_team(Mode.AUDIT)),
    Case(
        "Warn writes normal forms",
        deployment({"squad": "recs"}),
        Verdict.ALLOW,
        changes=(("", _TEAM, "recommendation-engine"),),
        policies=_team(Mode.WARN),
    ),
    Case("an audit judges like a creation", deployment(), Verdict.DENY, (_MISSING,), (), _team(), Operation.AUDIT),
    Case(
        "an audit writes nothing",
        deployment({"squad": "recs"}),
        Verdict.ALLOW,
        policies=_team(),
        operation=Operation.AUDIT,
    ),
    Case(
        "another mode holds where an override matches the namespace's labels",
        deployment(namespace="lab"),
        Verdict.WARN,
        (_MISSING,),
        policies=_team(overrides=(ModeOverride(labelled(tier="lab"), Mode.WARN),)),
    ),
    Case(
        "another mode holds where an override names the namespace",
        deployment(),
        Verdict.ALLOW,
        (_MISSING,),
        policies=_team(overrides=(ModeOverride(NamespaceScope(frozenset({PLAIN})), Mode.AUDIT),)),
    ),
    Case(
        "of two overrides that match the first holds",
        deployment(namespace="lab"),
        Verdict.WARN,
        (_MISSING,),
        policies=_team(
            Mode.AUDIT,
            overrides=(
                ModeOverride(labelled(tier="lab"), Mode.WARN),
                ModeOverride(NamespaceScope(frozenset({"lab"})), Mode.DENY),
            ),
        ),
    ),
    Case(
        "a policy for other namespaces judges nothing here",
        deployment(),
        Verdict.ALLOW,
        policies=_team(namespaces=NamespaceScope(frozenset({"vision"}))),
    ),
    Case("a policy for other kinds judges nothing here", deployment(), Verdict.ALLOW, policies=_team(kinds=("Job",))),
    Case("a policy for this kind does", job(), Verdict.DENY, (_MISSING,), (), _team(kinds=("Job",))),
    Case(
        "of two policies the stricter outcome counts",
        deployment(),
        Verdict.DENY,
        (_MISSING, _MISSING),
        policies=(policy(COST_CENTER, name="z-finance"), policy(TEAM, mode=Mode.WARN, name="a-platform")),
    ),
    Case("no policy refuses nobody", deployment(), Verdict.ALLOW, policies=()),
)

_UPDATES = (
    _update(
        "a change of what was wrong before only warns under DenyNew",
        deployment(replicas=1),
        deployment(replicas=4),
        Verdict.WARN,
        codes=(_MISSING,),
        policies=_team(Mode.DENY_NEW),
    ),
    _update(
        "a change that takes a label away is refused under DenyNew",
        deployment({_TEAM: "vision"}),
        deployment({}),
        Verdict.DENY,
        codes=(_MISSING,),
        policies=_team(Mode.DENY_NEW),
    ),
    _update(
        "a change of what was wrong before is refused under Deny",
        deployment(replicas=1),
        deployment(replicas=4),
        Verdict.DENY,
        codes=(_MISSING,),
    ),
    _update(
        "a change of an annotation gets a warning at most",
        deployment(),
        deployment(annotations={"note": "checked"}),
        Verdict.WARN,
        codes=(_MISSING,),
    ),
    _update("a change that puts things in order is let in", deployment(), deployment({_TEAM: "vision"}), Verdict.ALLOW),
    _update("an update is never written to", deployment(), deployment({"squad": "recs"}), Verdict.ALLOW),
    _update(
        "an immutable label may not become another",
        deployment({_TEAM: "vision"}),
        deployment({_TEAM: "research"}),
        Verdict.DENY,
        codes=(_IMMUTABLE,),
        policies=(policy(_FIXED),),
    ),
    _update(
        "an immutable label may not become another under DenyNew either",
        deployment({_TEAM: "vision"}),
        deployment({_TEAM: "research"}),
        Verdict.DENY,
        codes=(_IMMUTABLE,),
        policies=(policy(_FIXED, mode=Mode.DENY_NEW),),
    ),
    _update(
        "an immutable label may be spelt otherwise",
        deployment({_TEAM: "vision"}),
        deployment({_TEAM: "Vision"}),
        Verdict.ALLOW,
        policies=(policy(_FIXED),),
    ),
    _update(
        "an immutable label may be set where there was none",
        deployment(),
        deployment({_TEAM: "vision"}),
        Verdict.ALLOW,
        policies=(policy(_FIXED),),
    ),
    _update(
        "an immutable label may not be taken away from a template",
        deployment({_TEAM: "vision"}, {_TEAM: "vision"}),
        deployment({_TEAM: "vision"}),
        Verdict.DENY,
        codes=(_IMMUTABLE,),
        policies=(policy(_FIXED),),
    ),
)

_EXEMPTIONS = (
    Case("an exemption excuses until its end", deployment(), Verdict.ALLOW, (_MISSING,), (), _exempt()),
    Case(
        "an exemption that has ended excuses nothing", deployment(), Verdict.DENY, (_MISSING,), (), _exempt(until_ms=T0)
    ),
    Case(
        "an exemption holds in its namespaces only",
        deployment(),
        Verdict.DENY,
        (_MISSING,),
        policies=_exempt(namespaces=NamespaceScope(frozenset({"lab"}))),
    ),
    Case(
        "an exemption holds for the objects that it selects",
        deployment({"legacy": "yes"}),
        Verdict.ALLOW,
        (_MISSING,),
        policies=_exempt(selector=LabelSelector({"legacy": "yes"})),
    ),
    Case(
        "an exemption holds for the keys that it names",
        deployment(),
        Verdict.DENY,
        (_MISSING,),
        policies=_exempt(keys=("cost-center",)),
    ),
    Case(
        "an object's own exemption excuses it",
        deployment(annotations=_RECENT),
        Verdict.ALLOW,
        (_MISSING,),
        policies=_team(),
    ),
    Case(
        "an object's own exemption without a reason excuses nothing",
        deployment(annotations={"aicost.dev/exempt-until": to_rfc3339(T0 + DAY_MS)}),
        Verdict.DENY,
        (_MISSING, ProblemCode.EXEMPTION),
        policies=_team(),
    ),
    Case(
        "an object's own exemption that has ended excuses nothing",
        deployment(annotations={**_RECENT, "aicost.dev/exempt-until": to_rfc3339(T0)}),
        Verdict.DENY,
        (_MISSING,),
        policies=_team(),
    ),
    Case(
        "an end that is no time excuses nothing",
        deployment(annotations={**_RECENT, "aicost.dev/exempt-until": "for ever"}),
        Verdict.DENY,
        (_MISSING, ProblemCode.EXEMPTION),
        policies=_team(),
    ),
    Case(
        "an end on a day that there is not excuses nothing",
        deployment(annotations={**_RECENT, "aicost.dev/exempt-until": "2027-02-31T00:00:00Z"}),
        Verdict.DENY,
        (_MISSING, ProblemCode.EXEMPTION),
        policies=_team(),
    ),
)

_SCOPE = (
    Case("a system namespace is nobody's to judge", deployment(namespace="kube-system"), Verdict.ALLOW),
    Case("a DaemonSet is nobody's to judge", deployment(kind="DaemonSet"), Verdict.ALLOW),
    Case(
        "a mirror pod of a kubelet is nobody's to judge",
        pod(annotations=_MIRROR, spec={**pod_spec(0), "nodeName": "node-1"}),
        Verdict.ALLOW,
        policies=_team(),
        requester=_KUBELET,
        unreachable="a kubelet's identity is not a user's to have",
    ),
    Case(
        "a mirror annotation that a user writes hides nothing",
        pod(annotations=_MIRROR),
        Verdict.DENY,
        (_MISSING,),
        policies=_team(),
    ),
    Case(
        "a controller's child is not judged again",
        pod(ownerReferences=owned_by("ReplicaSet", "chat-1")),
        Verdict.ALLOW,
        requester=_CONTROLLER,
        unreachable="a controller's identity is not a user's to have",
    ),
    Case(
        "a forged owner skips nothing",
        pod(ownerReferences=owned_by("ReplicaSet", "chat-1")),
        Verdict.DENY,
        (_MISSING, _FORGED),
        policies=_team(),
    ),
    Case(
        "a forged owner does no harm where the labels are in order",
        pod({_TEAM: "vision"}, ownerReferences=owned_by("ReplicaSet", "chat-1")),
        Verdict.ALLOW,
        policies=_team(),
    ),
    Case(
        "an owner that does not control excuses nothing",
        pod(ownerReferences=owned_by("ReplicaSet", "chat-1", controller=False)),
        Verdict.DENY,
        (_MISSING,),
        policies=_team(),
        requester=_CONTROLLER,
        unreachable="a controller's identity is not a user's to have",
    ),
    Case(
        "a forged DaemonSet as owner hides nothing",
        pod(ownerReferences=owned_by("DaemonSet", "agent")),
        Verdict.DENY,
        (_MISSING, _FORGED),
        policies=_team(),
    ),
    Case(
        "an audit passes over what is made for an object that is judged itself",
        pod(ownerReferences=owned_by("ReplicaSet", "chat-1")),
        Verdict.ALLOW,
        operation=Operation.AUDIT,
    ),
    Case(
        "an audit looks at what is made for an object of another kind",
        deployment(ownerReferences=owned_by("Platform", "ours", api_version="acme.example/v1")),
        Verdict.DENY,
        (_MISSING, _FORGED),
        policies=_team(),
        operation=Operation.AUDIT,
    ),
    Case(
        "an object that says it belongs to a job that it made itself is judged",
        job(ownerReferences=owned_by("JobSet", "pretext", api_version="jobset.x-k8s.io/v1alpha2")),
        Verdict.DENY,
        (_MISSING, _FORGED),
        policies=_team(),
    ),
)

MODES: tuple[Case, ...] = (*_MODES, *_UPDATES, *_EXEMPTIONS, *_SCOPE)
