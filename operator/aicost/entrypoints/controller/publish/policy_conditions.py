"""Conditions of a CostLabelPolicy: is it usable, does it contradict another one, who judges by it, what is known."""

from collections.abc import Mapping, Sequence

from aicost.crd.convert.parsing import Converted
from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.reasons import ConditionType, Reason
from aicost.crd.status.conditions import Statement
from aicost.crd.status.policies import Enforcement, PolicyAudit
from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.policy.policies import ConfigMapKey, LabelPolicy, Mode
from aicost.domain.policy.review.findings import PolicyDefect, PolicyDefectKind
from aicost.domain.policy.snapshots import MapName

_YES, _NO, _OPEN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN


def accepted(read: Converted[LabelPolicy], defects: Sequence[PolicyDefect]) -> Statement:
    """Accepted: all of the policy is usable, or what is left out or has no effect, and how to mend it."""
    kind = ConditionType.ACCEPTED
    own = [defect for defect in defects if defect.kind is not PolicyDefectKind.CONFLICT]
    text = " ".join(f"{one}." for one in (*read.problems, *(defect.message for defect in own)))
    if read.value is None:
        return Statement(kind, _NO, Reason.INVALID_SPEC, text)
    if read.problems:
        return Statement(kind, _NO, Reason.INVALID_ENTRY, text)
    if own:
        return Statement(kind, _NO, own[0].kind, text)
    return Statement(kind, _YES, Reason.ACCEPTED, "All of it is usable.")


def conflicting(defects: Sequence[PolicyDefect]) -> Statement:
    """Conflicting: another policy says otherwise of the same keys. Both hold, and the stricter outcome counts."""
    kind = ConditionType.CONFLICTING
    texts = [f"{defect.message}." for defect in defects if defect.kind is PolicyDefectKind.CONFLICT]
    if texts:
        return Statement(kind, _YES, PolicyDefectKind.CONFLICT, " ".join(texts))
    return Statement(kind, _NO, Reason.NO_CONFLICT, "No other policy says otherwise of the same keys and objects.")


def config_maps(
    policy: LabelPolicy, maps: Mapping[MapName, Mapping[str, str]] | None, problems: Mapping[MapName, str]
) -> Statement | None:
    """ConfigMapFound: could the lists of allowed values be read. None for a policy that names no ConfigMap.

    Args:
        policy: as it was read.
        maps: what was read; None where nobody looked yet.
        problems: why one could not be read.
    """
    kind = ConditionType.CONFIG_MAP_FOUND
    named = dict.fromkeys(key.allowed.config_map for key in policy.keys if key.allowed.config_map)
    if not named:
        return None
    if maps is None or any((one.namespace, one.name) not in {*maps, *problems} for one in named):
        return Statement(kind, _OPEN, Reason.WAITING, "The ConfigMaps were not looked at yet.")
    texts = [text for one in named if (text := _unread(one, maps, problems))]
    if texts:
        text = f"{' '.join(texts)} Values of the keys that need it are not judged by it until then."
        return Statement(kind, _NO, Reason.NOT_FOUND, text)
    return Statement(kind, _YES, Reason.FOUND, "All ConfigMaps that it names were read.")


def _unread(place: ConfigMapKey, maps: Mapping[MapName, Mapping[str, str]], problems: Mapping[MapName, str]) -> str:
    """What is wrong with a list, empty for nothing."""
    name = place.namespace, place.name
    problem = problems.get(name, "")
    if not problem and place.key not in maps.get(name, {}):
        problem = f"it has no key {place.key}: add it, one value a line"
    return f"ConfigMap {place.namespace}/{place.name}: {problem}." if problem else ""


def audited(audit: PolicyAudit | None, problem: str) -> Statement:
    """Ready: were the objects of the cluster judged by it.

    Args:
        audit: the last look at them.
        problem: why the last try failed, empty where it did not.
    """
    kind = ConditionType.READY
    if problem:
        since = f" The figures are those of {to_rfc3339(audit.at_ms)}." if audit else ""
        return Statement(kind, _NO, Reason.AUDIT_FAILS, f"The objects could not be looked at: {problem}.{since}")
    if audit is None:
        return Statement(kind, _OPEN, Reason.WAITING, "The objects were not looked at yet.")
    count = f"{audit.objects} {'object is' if audit.objects == 1 else 'objects are'} in scope"
    return Statement(kind, _YES, Reason.AUDITED, f"{count}; mode Deny would refuse {audit.would_deny} of them.")


def enforced(policy: LabelPolicy, enforcement: Enforcement | None) -> Statement:
    """EnforcementActive: who judges by the policy at admission, and what of it is left out."""
    kind = ConditionType.ENFORCEMENT_ACTIVE
    if _strictest(policy) is Mode.AUDIT:
        text = "The mode is Audit: nothing is said at admission; the figures count what Deny would refuse."
        return Statement(kind, _NO, Reason.AUDIT_ONLY, text)
    if enforcement is None:
        return Statement(kind, _OPEN, Reason.WAITING, "The engine was not looked at yet.")
    if not enforcement.engine:
        text = enforcement.problem or "no engine is installed: set admission.enabled in the chart"
        return Statement(kind, _NO, Reason.NO_ENGINE, f"Nobody judges at admission: {text}.")
    if enforcement.problem:
        text = f"Everything is let in, because the engine {enforcement.engine} does not judge: {enforcement.problem}."
        return Statement(kind, _NO, Reason.ENGINE_FAILS, text)
    if enforcement.unsupported and enforcement.engine == "vap":
        parts = "; ".join(f"{field}: {reason}" for field, reason in enforcement.unsupported)
        return Statement(kind, _NO, Reason.PARTLY_ACTIVE, f"The engine vap does not judge all of it. {parts}.")
    return Statement(kind, _YES, Reason.ACTIVE, f"The engine {enforcement.engine} judges requests by it.")


def _strictest(policy: LabelPolicy) -> Mode:
    modes = [policy.mode, *(one.mode for one in policy.overrides), *(use.mode for use in policy.uses if use.mode)]
    return max(modes, key=list(Mode).index)
