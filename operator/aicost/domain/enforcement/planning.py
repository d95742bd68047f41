"""Which steps a budget takes: for each gate that is open the levers that it asks for, on each workload in scope."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.gates import Gate, at_least, stops_pods
from aicost.domain.budgets.messages.words import moment, percent, reached
from aicost.domain.budgets.objects import concerns
from aicost.domain.budgets.plans import BudgetRef, RestorePolicy
from aicost.domain.budgets.redlines import RedlineFinding, RedlineMove, Subject
from aicost.domain.enforcement.levers.lever import Ask, Lever, text_at
from aicost.domain.enforcement.levers.quota import CLAMP_QUOTA
from aicost.domain.enforcement.levers.scaling import LOWER_AUTOSCALER, PAUSE_AUTOSCALER
from aicost.domain.enforcement.levers.table import DEPRIORITIZE, FREEZE, SCHEDULES, stopper
from aicost.domain.enforcement.levers.table import lever as lever_named
from aicost.domain.enforcement.release import stands_still
from aicost.domain.enforcement.surroundings import Surroundings, ref_of
from aicost.domain.enforcement.values import REDLINE, Action, ActionPhase, Estimate, LeverName, ObjectRef
from aicost.domain.enforcement.victims.candidates import Candidate, speaks
from aicost.domain.enforcement.victims.selection import Rules, Selection, Spared, Victim, select
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS
from aicost.domain.identity.stages import Stage

FAST_STAGES = frozenset({Stage.SANDBOX.value, Stage.EXPERIMENT.value})
"""Stages that the gate FastFail stops."""
QUOTA_PREFIX = "budget-"
_EVERYTHING = 1 << 62
_NAME_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Scene:
    """What the steps of one budget are planned in.

    Attributes:
        candidates: workloads in scope.
        around: what else stands in their namespaces.
        actions: steps of all budgets, those that are over included as long as their records are there.
        namespaces: name -> labels.
        used: namespace -> extended resource -> how many its pods ask for.
    """

    evaluation: Evaluation
    candidates: Sequence[Candidate]
    around: Surroundings
    actions: Sequence[Action]
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    used: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def now_ms(self) -> int:
        """The present moment."""
        return self.evaluation.now_ms

    @property
    def budget(self) -> BudgetRef:
        """The budget."""
        return self.evaluation.plan.ref

    def after(self, begun: Sequence[Action]) -> "Scene":
        """The scene once other budgets have begun steps."""
        return replace(self, actions=(*self.actions, *begun)) if begun else self


@dataclass(frozen=True, slots=True)
class Planned:
    """Steps to begin, and who is left alone.

    Attributes:
        left_out: workloads that would be stopped if they could be, and why they are not.
    """

    actions: tuple[Action, ...] = ()
    left_out: tuple[tuple[Candidate, Spared], ...] = ()


def plan_steps(scene: Scene) -> Planned:
    """The steps that a budget begins now. What is under way, or done, is not begun again."""
    one = scene.evaluation
    if not one.acts:
        return Planned()
    gate = one.last.gate
    soft = [
        *(_notes(scene) if at_least(gate, Gate.ANNOTATE) else ()),
        *(_later(scene) if at_least(gate, Gate.DEPRIORITIZE) else ()),
        *(_caps(scene) if at_least(gate, Gate.FREEZE_GROWTH) else ()),
        *(_schedules(scene) if at_least(gate, Gate.DENY_NEW) else ()),
        *(_clamps(scene) if at_least(gate, Gate.DENY_NEW) else ()),
    ]
    stopping, spared = _stops(scene)
    failing = [action for found in one.redlines for action in _fails(scene, found)]
    return Planned(tuple(_new(scene, (*soft, *stopping, *failing))), spared)


def _new(scene: Scene, wanted: Iterable[Action]) -> Iterator[Action]:
    """Steps that nobody takes already, each once; one that has ended is not begun again in the same episode."""
    taken = {(one.target.uid, one.lever) for one in scene.actions if not one.is_over}
    names = {one.name for one in scene.actions}
    for action in wanted:
        if (action.target.uid, action.lever) not in taken and action.name not in names:
            taken.add((action.target.uid, action.lever))
            yield action


def _notes(scene: Scene) -> Iterator[Action]:
    for one in scene.candidates:
        lever = lever_named(LeverName.ANNOTATE, one.target.group, one.target.kind)
        if lever is not None:
            yield _soft(scene, one.target, lever, Gate.ANNOTATE)


def _later(scene: Scene) -> Iterator[Action]:
    """A later place in the queue: for each Workload of Kueue; for whole queues where all of the namespace is meant."""
    priority, weight = DEPRIORITIZE
    for one in scene.candidates:
        queued = scene.around.queued_of(one.target)
        if queued is not None:
            yield _soft(scene, ref_of(queued), priority, Gate.DEPRIORITIZE, one.target)
    if set(scene.evaluation.plan.filters) <= {"namespace"} and scene.budget.namespace:
        for queue in scene.around.queues:
            yield _soft(scene, ref_of(queue), weight, Gate.DEPRIORITIZE)


def _caps(scene: Scene) -> Iterator[Action]:
    """What grows by itself stays as it is."""
    by_kind = {(one.group, one.kind): one for one in FREEZE}
    hpa, scaled = by_kind["autoscaling", "HorizontalPodAutoscaler"], by_kind["keda.sh", "ScaledObject"]
    for one in scene.candidates:
        for scaler in scene.around.autoscalers_of(one.target):
            yield _soft(scene, ref_of(scaler), hpa, Gate.FREEZE_GROWTH, one.target)
        for scaler in scene.around.scaled_of(one.target):
            yield _soft(scene, ref_of(scaler), scaled, Gate.FREEZE_GROWTH, one.target)
        own = by_kind.get((one.target.group, one.target.kind))
        if own is not None:
            yield _soft(scene, one.target, own, Gate.FREEZE_GROWTH)


def _schedules(scene: Scene) -> Iterator[Action]:
    """Schedules whose runs are in scope begin no further run."""
    by_kind = {(one.group, one.kind): one for one in SCHEDULES}
    for schedule in scene.around.schedules:
        ref = ref_of(schedule)
        lever = by_kind.get((ref.group, ref.kind))
        if lever is not None and concerns(scene.evaluation.plan, schedule, scene.namespaces):
            yield _soft(scene, ref, lever, Gate.DENY_NEW)


def _clamps(scene: Scene) -> Iterator[Action]:
    """The quota of our own, once it is there."""
    if wants_quota(scene.evaluation):
        for quota in scene.around.quotas:
            if text_at(quota, "/metadata/name") == quota_name(scene.budget):
                yield _soft(scene, ref_of(quota), CLAMP_QUOTA, Gate.DENY_NEW)


def wants_quota(one: Evaluation) -> bool:
    """Whether a budget asks for a quota: only one of a whole namespace may."""
    plan = one.plan
    return bool(plan.safety.clamp_quota and plan.ref.namespace and set(plan.filters) <= {"namespace"})


def quota_name(budget: BudgetRef) -> str:
    """Name of the quota of a budget."""
    return f"{QUOTA_PREFIX}{budget.name}"[:253]


def _soft(scene: Scene, target: ObjectRef, lever: Lever, gate: Gate, workload: ObjectRef | None = None) -> Action:
    """A step that stops nothing: it needs no notice."""
    one = scene.evaluation
    return Action(
        name=action_name(scene.budget, lever.name, target, one.memory.gate.since_ms),
        budget=scene.budget,
        target=target,
        workload=workload or target,
        gate=gate,
        lever=lever.name,
        destruction=lever.destruction,
        reason=reason(one, gate),
        action_at_ms=one.now_ms,
        restore=RestorePolicy.ON_ROLLOVER,
        currency=one.plan.currency,
        cause=one.memory.gate.rung,
        noticed_ms=one.now_ms,
    )


def _stops(scene: Scene) -> tuple[list[Action], tuple[tuple[Candidate, Spared], ...]]:
    """Steps that stop pods: those of an announced gate, and the next ones of a gate that is open."""
    one, state = scene.evaluation, scene.evaluation.memory.gate
    if stands_still(one):
        return [], ()
    if state.pending and stops_pods(state.pending.gate):
        if state.pending.announced_ms != one.now_ms:
            return [], ()
        return _chosen(scene, state.pending.gate, state.pending.due_ms)
    if not stops_pods(state.gate) or state.gate is None or _is_resting(scene):
        return [], ()
    return _chosen(scene, state.gate, one.now_ms + one.plan.safety.notice_ms)


def _is_resting(scene: Scene) -> bool:
    """Whether a step of this budget is announced already, or the last one was only just taken."""
    mine = [one for one in scene.actions if one.budget.uid == scene.budget.uid and one.stops and not one.redline]
    waiting = any(one.phase in {ActionPhase.NOTICED, ActionPhase.APPLYING} for one in mine)
    last = max((one.applied_ms for one in mine if one.applied_ms is not None), default=None)
    return waiting or (last is not None and scene.now_ms - last < scene.evaluation.plan.safety.cooldown_ms)


def _chosen(scene: Scene, gate: Gate, due_ms: int) -> tuple[list[Action], tuple[tuple[Candidate, Spared], ...]]:
    fast = gate is Gate.FAST_FAIL
    selection = choose(scene, due_ms - scene.now_ms, fast=fast)
    cause = scene.evaluation.memory.gate
    rung = cause.pending.rung if cause.pending else cause.rung
    actions = [action for victim in selection.victims for action in _stop(scene, victim, gate, due_ms, rung)]
    return actions, selection.spared


def choose(scene: Scene, notice_ms: int, *, fast: bool = False, over_nanos: int | None = None) -> Selection:
    """Whom to stop now.

    Args:
        scene: what it is chosen in.
        notice_ms: until it would be done.
        fast: experiments go at once, and all of them.
        over_nanos: cost per hour that has to go; None: what is above the rate that the budget can keep up.
    """
    one = scene.evaluation
    rules = Rules(
        victims=one.plan.safety.victims,
        over_nanos=_EVERYTHING if fast else over_rate(one) if over_nanos is None else over_nanos,
        scope_milli=sum(each.gpu_milli for each in scene.candidates),
        notice_ms=notice_ms,
        may_stop_production=one.weighed.may_stop_production and one.plan.safety.victims.allow_production,
        handled=handled(scene),
        stages=FAST_STAGES if fast else None,
        unlimited=fast,
    )
    return _select(scene, scene.candidates, rules)


def _select(scene: Scene, found: Sequence[Candidate], rules: Rules) -> Selection:
    """Whom to stop, so that what disruption budgets keep is kept by all that are stopped together."""
    floors = dict(scene.around.floors(found))
    while True:
        selection = select(found, replace(rules, floors=floors), scene.now_ms)
        going = rules.handled | {one.candidate.target.uid for one in selection.victims}
        together = scene.around.floors_together([one for one in scene.candidates if one.target.uid in going])
        more = {uid: floor for uid, floor in together.items() if floor > floors.get(uid, 0)}
        if not more:
            return selection
        floors |= more


def handled(scene: Scene) -> frozenset[str]:
    """Workloads with a step under way that stops them."""
    return frozenset(one.workload.uid for one in scene.actions if one.stops and not one.is_over)


def over_rate(one: Evaluation) -> int:
    """Cost per hour above what lasts to the end of the period: all of it where nothing is left.

    A rung on the committed rate asks for no more than its own threshold.
    """
    spend = one.spend
    left = max(0, spend.limit_nanos - spend.standing.spend.counted_nanos)
    target = _sustainable(one, left)
    rung = one.last.rung
    if rung is not None and rung.basis.value == "CommittedRate":
        target = rung.exit
    return max(0, spend.committed_nanos - target)


def _sustainable(one: Evaluation, left: int) -> int:
    """The rate at which what is left lasts: to the end of the period, or for as long as a rolling one looks back."""
    ends, begins = one.period.end_ms, one.period.start_ms
    length = (ends - one.now_ms) if ends is not None else (one.now_ms - begins)
    return left * HOUR_MS // max(length, MINUTE_MS)


def _stop(scene: Scene, victim: Victim, gate: Gate, due_ms: int, rung: str) -> Iterator[Action]:
    """The steps that stop one workload, in their order: what would start it again goes first."""
    candidate = victim.candidate
    target, lever = candidate.target, candidate.lever
    queued = scene.around.queued_of(target) if candidate.queued else None
    if queued is not None:
        target, lever = ref_of(queued), stopper("kueue.x-k8s.io", "Workload")
    if lever is None:
        return
    before = list(_companions(scene, candidate, victim.floor, lever))
    for order, (ref, companion) in enumerate(before):
        step = _hard(scene, victim, ref, companion, (gate, due_ms, rung, order))
        yield replace(step, destruction=max(step.destruction, lever.destruction))  # it comes and goes with the stop
    yield _hard(scene, victim, target, lever, (gate, due_ms, rung, len(before)))


def _companions(scene: Scene, one: Candidate, floor: int, lever: Lever) -> Iterator[tuple[ObjectRef, Lever]]:
    """Autoscalers that would undo a scaling."""
    if lever.name is not LeverName.SCALE:
        return
    for scaler in scene.around.scaled_of(one.target):
        yield ref_of(scaler), PAUSE_AUTOSCALER
    if floor > 0:
        for scaler in scene.around.autoscalers_of(one.target):
            yield ref_of(scaler), LOWER_AUTOSCALER


def _hard(scene: Scene, victim: Victim, target: ObjectRef, lever: Lever, when: tuple[Gate, int, str, int]) -> Action:
    gate, due_ms, cause, order = when
    one, candidate = scene.evaluation, victim.candidate
    main = target == candidate.target or target.kind == "Workload"
    estimate = Estimate(victim.gpu_milli, victim.save_nanos, candidate.stake_ms) if main else Estimate()
    policy = one.plan.safety.restore
    if gate is Gate.FAST_FAIL and policy is RestorePolicy.ON_ROLLOVER:
        policy = RestorePolicy.ON_APPROVAL  # what failed fast does not begin again because a month is over
    return Action(
        name=action_name(scene.budget, lever.name, target, due_ms),
        budget=scene.budget,
        target=target,
        workload=candidate.target,
        gate=gate,
        lever=lever.name,
        destruction=lever.destruction,
        reason=f"{reason(one, gate)} Chosen because: {victim.why}.",
        action_at_ms=due_ms,
        restore=policy,
        order=order,
        estimate=estimate,
        currency=one.plan.currency,
        cause=cause,
        noticed_ms=one.now_ms,
    )


def _fails(scene: Scene, found: RedlineFinding) -> Iterator[Action]:
    """Steps on the workloads behind a subject that crossed a redline."""
    if found.move not in {RedlineMove.ANNOUNCED, RedlineMove.WAITING, RedlineMove.DUE} or found.state.due_ms is None:
        return
    behind = [one for one in scene.candidates if speaks_for(found.state.subject, one)]
    rules = Rules(
        victims=scene.evaluation.plan.safety.victims,
        over_nanos=_EVERYTHING,
        scope_milli=0,
        notice_ms=0,
        handled=handled(scene),
        stages=frozenset(stage.value for stage in found.redline.stages),
        unlimited=True,
    )
    for victim in _select(scene, behind, rules).victims:
        yield from _stop(scene, victim, Gate.FAST_FAIL, found.state.due_ms, f"{REDLINE}{found.state.name}")


def speaks_for(subject: Subject, one: Candidate) -> bool:
    """Whether a subject of redlines is what a workload belongs to."""
    return speaks(subject, one.pods)


def reason(one: Evaluation, gate: Gate) -> str:
    """Why a step is taken, for people."""
    return f"{one.plan.ref}: {reached(one.plan, one.last.rung, one.spend)}; gate {gate}."


def note(one: Evaluation) -> str:
    """What people read on a workload in scope."""
    used, gate = percent(one.spend.standing.used_ppm), one.last.gate
    return f"{one.plan.ref}: {used} of the limit is spent, gate {gate} (since {moment(one.memory.gate.since_ms)})"


def ask_for(scene: Scene, action: Action) -> Ask:
    """What the lever of a step has to know."""
    mine = next((one for one in scene.candidates if one.target.uid == action.workload.uid), None)
    return Ask(
        floor=_floor(scene, mine) if mine else 0,
        live=mine.live if mine else 0,
        note=note(scene.evaluation),
        used=scene.used.get(action.namespace, {}),
        exempt_ms=mine.exempt_ms if mine else 0,
    )


def _floor(scene: Scene, mine: Candidate) -> int:
    """Pods of a workload that have to stay, with all else that is stopped beside it."""
    around = scene.around.keeping(mine)
    if not around.disruptions:
        return 0
    going = handled(scene)
    together = [one for one in scene.candidates if one is mine or one.target.uid in going]
    return around.floors_together(together).get(mine.target.uid, 0)


def action_name(budget: BudgetRef, lever: LeverName, target: ObjectRef, episode_ms: int) -> str:
    """The name of a step's record: the same for the same step, so that it is never begun twice."""
    basis = "\0".join((budget.uid, str(budget), lever, *target.place, target.uid, str(episode_ms)))
    digest = hashlib.sha256(basis.encode()).hexdigest()[:10]
    return f"{budget.name[:_NAME_LENGTH].rstrip('.-')}-{lever.lower()}-{digest}"
