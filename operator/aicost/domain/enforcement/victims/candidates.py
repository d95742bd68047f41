"""Workloads that could be stopped: who they are, what they cost, and what would be lost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.budgets.redlines import Subject
from aicost.domain.budgets.spend.running import MILLI, Running
from aicost.domain.enforcement.levers.batch import QUEUE
from aicost.domain.enforcement.levers.lever import Lever
from aicost.domain.enforcement.levers.serving import ANY_SCALE
from aicost.domain.enforcement.levers.table import stopper
from aicost.domain.enforcement.names import EXEMPT_UNTIL, LAST_CHECKPOINT, PHASE
from aicost.domain.enforcement.values import LeverName, ObjectRef
from aicost.domain.enforcement.victims.idleness import Use
from aicost.domain.exact.windows import from_rfc3339
from aicost.domain.inventory.pods import OwnerFacts, PodFacts
from aicost.domain.workloads.durations import EXPECTED_DURATION, MAX_EXEC_TIME, parse_duration

GANGS = ("kueue.x-k8s.io/pod-group-name", "pod-group.scheduling.sigs.k8s.io", "scheduling.x-k8s.io/pod-group")
"""Labels that name a gang of pods of several owners."""
_GANG_NOTE = "scheduling.k8s.io/group-name"
_LOSES_NOTHING = frozenset({LeverName.SCALE, LeverName.STOP_SERVING, LeverName.SUSPEND_WORKFLOW})
"""Levers of what begins anew where it was: servers, and steps that finish first."""
_KEPT_BY_OTHERS = frozenset({("ray.io", "RayService"), ("apps", "DaemonSet"), ("", "Node")})
"""Owners that make again whatever of theirs is stopped, and have no switch of their own."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A workload that could be stopped.

    Attributes:
        lever: how; None where it cannot be stopped in a way that can be undone.
        queued: whether Kueue manages it: then its Workload is stopped.
        rate_nanos: cost per hour of its pods.
        since_ms: when the oldest of its pods was bound: one pod that begins anew makes no workload young.
        stake_ms: work since the last checkpoint, or since the start; None where nothing is lost.
        ends_ms: when it is expected to end by itself; None where nothing says it.
        exempt_ms: no budget stops it before this; 0 for no exemption.
        gang: what is stopped together with it or not at all; empty for nothing.
    """

    target: ObjectRef
    lever: Lever | None
    pods: tuple[Running, ...]
    queued: bool
    gpu_milli: int
    rate_nanos: int
    stage: str
    priority: int
    since_ms: int
    stake_ms: int | None
    ends_ms: int | None
    exempt_ms: int
    gang: str
    use: Use = Use.UNKNOWN
    crossed: bool = False
    """Whether it is beyond a redline."""

    @property
    def live(self) -> int:
        """Pods that run."""
        return len(self.pods)


@dataclass(frozen=True, slots=True)
class Hearsay:
    """What is known of workloads beside their pods.

    Attributes:
        annotations: uid of an object -> its annotations, where it was read.
        uses: uid of a pod -> whether it does something.
        crossed: uids of objects that are beyond a redline.
    """

    annotations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    uses: Mapping[str, Use] = field(default_factory=dict)
    crossed: frozenset[str] = frozenset()


def candidates(running: Iterable[Running], hearsay: Hearsay, now_ms: int) -> tuple[Candidate, ...]:
    """The workloads behind some pods, by the outermost owner that can be stopped."""
    by_target: defaultdict[ObjectRef, list[Running]] = defaultdict(list)
    levers: dict[ObjectRef, Lever | None] = {}
    for pod in running:
        target, lever = target_of(pod.record.facts)
        by_target[target].append(pod)
        levers[target] = lever
    return tuple(
        _candidate(target, levers[target], tuple(pods), hearsay, now_ms)
        for target, pods in sorted(by_target.items(), key=lambda pair: str(pair[0]))
    )


def target_of(pod: PodFacts) -> tuple[ObjectRef, Lever | None]:
    """The object to stop for a pod, and how.

    The outermost owner that a lever is for: what it owns would be made anew by it. Where there is none, the outermost
    owner of all, which may have a /scale. A pod without an owner cannot be stopped in a way that can be undone.
    """
    if not pod.owners:
        return ObjectRef("v1", "Pod", pod.namespace, pod.name, pod.uid), None
    outermost = pod.owners[-1]
    if (_group(outermost), outermost.kind) in _KEPT_BY_OTHERS:
        return _ref(outermost, pod.namespace), None
    for owner in reversed(pod.owners):
        lever = stopper(_group(owner), owner.kind)
        if lever is not None:
            return _ref(owner, pod.namespace), lever
    return _ref(outermost, pod.namespace), ANY_SCALE


def speaks(subject: Subject, pods: Iterable[Running]) -> bool:
    """Whether a subject of redlines is what one of some pods belongs to."""
    holders = [pod.holder for pod in pods]
    if subject.kind == "AIWorkload":
        return any((one.namespace, one.workload) == (subject.namespace, subject.name) for one in holders)
    return any(Subject(one.controller_kind, one.namespace, one.controller) == subject for one in holders)


def _group(owner: OwnerFacts) -> str:
    return owner.api_version.rpartition("/")[0]


def _ref(owner: OwnerFacts, namespace: str) -> ObjectRef:
    return ObjectRef(owner.api_version, owner.kind, namespace, owner.name, owner.uid)


def _candidate(
    target: ObjectRef, lever: Lever | None, pods: tuple[Running, ...], hearsay: Hearsay, now_ms: int
) -> Candidate:
    facts = [pod.record.facts for pod in pods]
    said = hearsay.annotations.get(target.uid, {})
    stages = [pod.holder.dimensions.get("stage", "") for pod in pods]
    return Candidate(
        target=target,
        lever=lever,
        pods=pods,
        queued=any(QUEUE in labels for one in facts for labels in (one.labels, *(o.labels for o in one.owners))),
        gpu_milli=sum(pod.gpu_milli for pod in pods),
        rate_nanos=sum(pod.rate_nanos or 0 for pod in pods),
        stage=_strictest(stages),
        priority=max(one.priority for one in facts),
        since_ms=min(one.bound_ms or now_ms for one in facts),
        stake_ms=_stake_ms(lever, pods, said, now_ms),
        ends_ms=_ends_ms(facts, said),
        exempt_ms=max(
            (_moment(one.get(EXEMPT_UNTIL)) or 0 for one in (said, *(f.annotations for f in facts))), default=0
        ),
        gang=next((gang for one in facts if (gang := _gang(one))), ""),
        use=_use(facts, hearsay),
        crossed=target.uid in hearsay.crossed,
    )


def _strictest(stages: Sequence[str]) -> str:
    """The stage of a workload whose pods are of several: what is partly production is production."""
    order = ("production", "pilot", "", "experiment", "sandbox")
    return min(stages, key=lambda stage: order.index(stage) if stage in order else 2)


def _use(facts: Sequence[PodFacts], hearsay: Hearsay) -> Use:
    """A workload is idle where all its pods are."""
    uses = {hearsay.uses.get(one.uid, Use.UNKNOWN) for one in facts}
    return Use.IDLE if uses == {Use.IDLE} else Use.BUSY if Use.BUSY in uses else Use.UNKNOWN


def _stake_ms(lever: Lever | None, pods: Sequence[Running], said: Mapping[str, str], now_ms: int) -> int | None:
    if lever is not None and lever.name in _LOSES_NOTHING:
        return None
    saved = _moment(said.get(LAST_CHECKPOINT)) or 0
    return sum(pod.gpu_milli * max(0, now_ms - _safe_since(pod, saved)) // MILLI for pod in pods)


def _safe_since(pod: Running, saved_ms: int) -> int:
    """From when on the work of a pod would be lost."""
    facts = pod.record.facts
    own = _moment(facts.annotations.get(LAST_CHECKPOINT)) or 0
    return max(facts.bound_ms or 0, own, saved_ms)


def _ends_ms(facts: Sequence[PodFacts], said: Mapping[str, str]) -> int | None:
    """When it is expected to end: as long after its start as it says."""
    start = min((one.bound_ms for one in facts if one.bound_ms is not None), default=None)
    texts = [said.get(EXPECTED_DURATION, ""), *(one.annotations.get(EXPECTED_DURATION, "") for one in facts)]
    seconds = next((one.labels[MAX_EXEC_TIME] for one in facts if MAX_EXEC_TIME in one.labels), "")
    texts.append(f"{seconds}s" if seconds.isdigit() else "")
    known = next((length for text in texts if (length := parse_duration(text))), None)
    return None if start is None or known is None else start + known


def _gang(pod: PodFacts) -> str:
    name = next((pod.labels[key] for key in GANGS if key in pod.labels), pod.annotations.get(_GANG_NOTE, ""))
    return f"{pod.namespace}/{name}" if name else ""


def _moment(text: str | None) -> int | None:
    """A moment that somebody wrote; None for what is none."""
    try:
        return from_rfc3339(text) if text and len(text) <= 64 else None
    except ValueError:
        return None


def is_busy_phase(facts: Iterable[PodFacts]) -> str:
    """The phase that pods say they are at; empty for none."""
    return next((one.annotations[PHASE] for one in facts if one.annotations.get(PHASE)), "")
