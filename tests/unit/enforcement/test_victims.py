"""Whom to stop: in which order, how many at once, and whom never."""

from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.domain.budgets.plans import VictimOrder, VictimRules
from aicost.domain.budgets.redlines import Subject
from aicost.domain.enforcement.surroundings import Surroundings, ref_of
from aicost.domain.enforcement.values import LeverName
from aicost.domain.enforcement.victims.candidates import Hearsay, candidates, is_busy_phase, speaks, target_of
from aicost.domain.enforcement.victims.idleness import Use
from aicost.domain.enforcement.victims.selection import Spared, select, why
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, to_rfc3339
from support.budget_books import DOLLAR, runs
from support.budget_victims import NOW, budget_of_disruption, candidate, rules
from support.builders import make_pod


def chosen(found, given=None):
    return [one.candidate.target.name for one in select(found, given or rules(), NOW).victims]


def spared(found, given=None):
    return {one.target.name: reason for one, reason in select(found, given or rules(), NOW).spared}


FIRST_TO_LAST = [
    candidate("a", crossed=True, stage="pilot", priority=9),
    candidate("b", stage="sandbox", use=Use.IDLE, priority=9),
    candidate("c", stage="sandbox", priority=-5, stake_ms=9 * HOUR_MS),
    candidate("d", stage="sandbox", stake_ms=None, since_ms=NOW - 9 * HOUR_MS),
    candidate("e", stage="sandbox", stake_ms=HOUR_MS, since_ms=NOW - 2 * HOUR_MS),
    candidate("f", stage="sandbox", stake_ms=HOUR_MS, since_ms=NOW - 3 * HOUR_MS),
    candidate("g", stage="experiment", use=Use.IDLE),
    candidate("h", stage="pilot"),
    candidate("i", stage=""),
]


def test_the_order_is_redline_stage_idle_priority_loss_and_youngest():
    assert chosen(reversed(FIRST_TO_LAST)) == list("abcdefghi")


def test_the_order_is_the_one_that_the_budget_names():
    by_loss = VictimRules(order=(VictimOrder.LOSS_AT_STAKE,), max_per_cycle=99, max_gpu_share=Fraction(1))
    found = [candidate(name, stake_ms=stake) for name, stake in (("a", 5), ("b", None), ("c", 3))]
    assert chosen(found, rules(victims=by_loss)) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("facts", "given", "reason"),
    [
        ({"lever": None}, {}, Spared.NO_LEVER),
        ({"stage": "production"}, {}, Spared.PRODUCTION),
        ({"exempt_ms": NOW + 1}, {}, Spared.EXEMPT),
        ({"since_ms": NOW - 15 * MINUTE_MS + 1}, {}, Spared.TOO_YOUNG),
        ({"ends_ms": NOW + MINUTE_MS}, {"notice_ms": 2 * MINUTE_MS}, Spared.ENDS_SOON),
        ({}, {"floors": {"uid-a": 1}}, Spared.STAYS_UP),
        ({"kind": "Job", "pods": 4}, {"floors": {"uid-a": 1}}, Spared.STAYS_UP),
        ({"queued": True, "pods": 4}, {"floors": {"uid-a": 1}}, Spared.STAYS_UP),
        ({"stage": "pilot"}, {"stages": frozenset({"sandbox"})}, Spared.WRONG_STAGE),
        ({}, {"handled": frozenset({"uid-a"})}, Spared.HANDLED),
    ],
    ids=str,
)
def test_a_workload_is_left_alone_for_a_reason(facts, given, reason):
    one = candidate("a", **facts)
    assert (chosen([one], rules(**given)), spared([one], rules(**given))) == ([], {"a": reason})


@pytest.mark.parametrize(
    ("facts", "given"),
    [
        ({"exempt_ms": NOW}, {}),
        ({"since_ms": NOW - 15 * MINUTE_MS}, {}),
        ({"since_ms": NOW}, {"unlimited": True}),
        ({"ends_ms": NOW + 2 * MINUTE_MS}, {"notice_ms": 2 * MINUTE_MS}),
        ({"ends_ms": NOW - 1}, {"notice_ms": HOUR_MS}),
        ({"stage": "production"}, {"may_stop_production": True}),
        ({"pods": 2}, {"floors": {"uid-a": 1}}),
    ],
    ids=str,
)
def test_and_only_for_that(facts, given):
    assert chosen([candidate("a", **facts)], rules(**given)) == ["a"]


def test_no_more_are_stopped_than_it_takes_and_the_cheapest_harm_goes_first():
    found = [candidate(name, dollars=dollars, stake_ms=stake) for name, dollars, stake in
             (("a", 2, 1), ("b", 3, 2), ("c", 5, 3), ("d", 9, 4))]  # fmt: skip
    assert chosen(found, rules(over=4)) == ["a", "b"]
    assert chosen(found, rules(over=9)) == ["a", "b", "c"]
    assert chosen(found, rules(over=0)) == []


def test_who_turns_out_not_to_be_needed_is_let_go_again():
    found = [candidate("small", dollars=1, stake_ms=1), candidate("large", dollars=9, stake_ms=2)]
    assert chosen(found, rules(over=9)) == ["large"]


def test_what_saves_nothing_is_let_run_unless_all_must_go():
    found = [candidate("free", dollars=None, stake_ms=1), candidate("paid", dollars=4, stake_ms=2)]
    assert chosen(found) == ["paid"]
    assert chosen(found, rules(unlimited=True)) == ["free", "paid"]


def test_no_more_are_stopped_at_once_than_the_caps_let():
    found = [candidate(name) for name in "abcdef"]
    assert chosen(found, rules(victims=VictimRules(max_per_cycle=2, max_gpu_share=Fraction(1)))) == ["a", "b"]
    share = VictimRules(max_per_cycle=99, max_gpu_share=Fraction(1, 2))
    assert chosen(found, rules(victims=share, scope_milli=6000)) == ["a", "b", "c"]
    assert chosen(found, rules(victims=share, scope_milli=6000, unlimited=True)) == list("abcdef")


def test_the_first_may_go_however_large_it_is_and_a_smaller_one_that_fits_goes_before_it_is_missed():
    found = [candidate("a", pods=9), candidate("b")]
    assert chosen(found, rules(victims=VictimRules(), scope_milli=10_000)) == ["a"]
    small_first = [candidate("a"), candidate("b", pods=9), candidate("c")]
    share = VictimRules(max_gpu_share=Fraction(1, 4))
    assert chosen(small_first, rules(victims=share, scope_milli=11_000)) == ["a", "c"]


def test_a_gang_is_stopped_as_a_whole_or_not_at_all():
    gang = [candidate(name, gang="g", dollars=1) for name in ("a", "b", "c")]
    assert chosen(gang, rules(over=1)) == ["a", "b", "c"]
    broken = [*gang[:2], replace(gang[2], stage="production")]
    assert spared(broken) == {"a": Spared.GANG, "b": Spared.GANG, "c": Spared.PRODUCTION}
    assert chosen(broken) == []
    assert chosen([*gang, candidate("d", dollars=3, stake_ms=1)], rules(over=3)) == ["d"]


def test_pods_that_stay_save_nothing():
    served = candidate("a", pods=4, dollars=8)
    (victim,) = select([served], rules(floors={"uid-a": 3}), NOW).victims
    assert (victim.floor, victim.save_nanos, victim.gpu_milli) == (3, 2 * DOLLAR, 1000)


def test_as_many_go_as_it_takes_with_what_has_to_stay():
    """A disruption budget keeps three of four pods: another workload has to go too."""
    found = [candidate("a", pods=4, dollars=8, stake_ms=1), candidate("b", dollars=8, stake_ms=2)]
    assert chosen(found, rules(over=8, floors={"uid-a": 3})) == ["b"]
    assert chosen(found, rules(over=9, floors={"uid-a": 3})) == ["a", "b"]


def test_why_it_is_among_the_first_is_said():
    assert why(candidate(stake_ms=90 * MINUTE_MS)) == "sandbox, 1.50 GPU-hours at stake"
    text = why(candidate(stage="", crossed=True, use=Use.IDLE, priority=7, stake_ms=None))
    assert text == "beyond a redline, no stage, idle, priority 7, nothing is lost"


DEPLOYMENT = ("apps/v1", "Deployment", "chat")


def owned(*owners):
    pod = make_pod("a", "p")
    for api_version, kind, name in owners:
        pod = pod.owned_by(kind, name, api_version)
    return pod.facts()


@pytest.mark.parametrize(
    ("owners", "kind", "lever"),
    [
        ((), "Pod", None),
        ((("apps/v1", "ReplicaSet", "rs"), DEPLOYMENT), "Deployment", LeverName.SCALE),
        ((("batch/v1", "Job", "j"), ("batch/v1", "CronJob", "c")), "Job", LeverName.SUSPEND_JOB),
        ((("batch/v1", "Job", "j"), ("jobset.x-k8s.io/v1alpha2", "JobSet", "s")), "JobSet", LeverName.SUSPEND_JOB),
        ((("ray.io/v1", "RayCluster", "c"), ("ray.io/v1", "RayJob", "j")), "RayJob", LeverName.SUSPEND_RAY),
        ((("ray.io/v1", "RayCluster", "c"), ("ray.io/v1", "RayService", "s")), "RayService", None),
        ((("apps/v1", "DaemonSet", "d"),), "DaemonSet", None),
        ((("v1", "Node", "n"),), "Node", None),
        ((("apps/v1", "StatefulSet", "s"), ("acme.example/v1", "Fleet", "f")), "StatefulSet", LeverName.SCALE),
        ((("acme.example/v1", "Fleet", "f"),), "Fleet", LeverName.SCALE),
    ],
    ids=str,
)
def test_what_is_stopped_is_the_outermost_owner_that_can_be_stopped(owners, kind, lever):
    target, found = target_of(owned(*owners))
    assert (target.kind, found and found.name) == (kind, lever)


def found(*pods, **said):
    return {one.target.name: one for one in candidates(pods, Hearsay(**said), NOW)}


def test_a_workload_is_what_its_pods_are_together():
    one = found(
        runs("a", "p-0", dollars=4, gpus=2, since_ms=NOW - 9 * HOUR_MS, priority=1, stage="sandbox"),
        runs("a", "p-1", dollars=2, since_ms=NOW - HOUR_MS, priority=5, stage="production"),
    )["train"]
    assert (one.gpu_milli, one.rate_nanos, one.live) == (3000, 6 * DOLLAR, 2)
    assert (one.stage, one.priority, one.since_ms) == ("production", 5, NOW - 9 * HOUR_MS)


JOB = ("batch/v1", "Job", "train")


def test_what_a_server_does_is_not_lost_and_what_a_job_did_since_its_last_checkpoint_is():
    at = to_rfc3339(NOW - HOUR_MS)
    assert found(runs("a", since_ms=NOW - 4 * HOUR_MS))["train"].stake_ms is None
    job = runs("a", since_ms=NOW - 4 * HOUR_MS, gpus=2, owner=JOB)
    assert found(job)["train"].stake_ms == 8 * HOUR_MS
    own = runs("a", since_ms=NOW - 4 * HOUR_MS, gpus=2, owner=JOB, notes={"aicost.dev/last-checkpoint": at})
    assert found(own)["train"].stake_ms == 2 * HOUR_MS
    told = {"uid-job-train": {"aicost.dev/last-checkpoint": at}}
    assert found(job, annotations=told)["train"].stake_ms == 2 * HOUR_MS
    odd = runs("a", since_ms=NOW - HOUR_MS, owner=JOB, notes={"aicost.dev/last-checkpoint": "just now"})
    assert found(odd)["train"].stake_ms == HOUR_MS


@pytest.mark.parametrize("where", ["pod", "object"])
def test_an_exemption_of_the_object_or_of_one_of_its_pods_counts(where):
    note = {"aicost.dev/budget-exempt-until": to_rfc3339(NOW + HOUR_MS)}
    pod = runs("a", notes=note if where == "pod" else None)
    told = {"uid-deployment-train": note} if where == "object" else {}
    assert found(pod, annotations=told)["train"].exempt_ms == NOW + HOUR_MS


@pytest.mark.parametrize(
    ("note", "label", "hours"),
    [("2h", None, 2), (None, "3600", 1), ("1h", "7200", 1), ("soon", None, None), (None, "x", None), (None, "²", None)],
)
def test_when_it_ends_by_itself_is_what_it_says(note, label, hours):
    notes = {"aicost.dev/expected-duration": note} if note else {}
    labels = {"kueue.x-k8s.io/max-exec-time-seconds": label} if label else {}
    one = found(runs("a", since_ms=NOW, notes=notes, labels=labels))["train"]
    assert one.ends_ms == (None if hours is None else NOW + hours * HOUR_MS)


def test_it_is_idle_where_all_its_pods_are_and_busy_where_one_is():
    pods = [runs("a", "p-0"), runs("a", "p-1")]
    uids = [pod.record.facts.uid for pod in pods]
    for uses, use in (
        ([Use.IDLE, Use.IDLE], Use.IDLE),
        ([Use.IDLE, Use.UNKNOWN], Use.UNKNOWN),
        ([Use.IDLE, Use.BUSY], Use.BUSY),
        ([Use.UNKNOWN, Use.BUSY], Use.BUSY),
    ):
        assert found(*pods, uses=dict(zip(uids, uses, strict=True)))["train"].use is use


def test_kueue_s_pods_and_gangs_are_known_by_their_labels():
    queue, group = "kueue.x-k8s.io/queue-name", "kueue.x-k8s.io/pod-group-name"
    one = found(runs("a", labels={queue: "q", group: "g"}, owner=JOB))["train"]
    assert (one.queued, one.gang) == (True, "a/g")
    noted = runs("a", notes={"scheduling.k8s.io/group-name": "pg"}, owner=JOB)
    assert found(noted)["train"].gang == "a/pg"
    assert not found(runs("a"))["train"].queued


def test_what_is_beyond_a_redline_is_known_by_its_uid():
    assert found(runs("a"), crossed=frozenset({"uid-deployment-train"}))["train"].crossed


@pytest.mark.parametrize(
    ("subject", "is_it"),
    [
        (Subject("AIWorkload", "a", "chat"), True),
        (Subject("AIWorkload", "b", "chat"), False),
        (Subject("Deployment", "a", "train"), True),
        (Subject("Job", "a", "train"), False),
        (Subject("Deployment", "b", "train"), False),
    ],
    ids=str,
)
def test_a_subject_of_redlines_is_an_aiworkload_or_a_controller_in_its_namespace(subject, is_it):
    assert speaks(subject, [runs("a", workload="chat")]) is is_it
    assert not speaks(subject, [])


def test_the_phase_that_pods_say_they_are_at():
    pods = [runs("a").record.facts, runs("a", notes={"aicost.dev/phase": "eval"}).record.facts]
    assert (is_busy_phase(pods), is_busy_phase(pods[:1])) == ("eval", "")


def floors(*budgets, pods=4, name="a"):
    return Surroundings(disruptions=budgets).floors([candidate(name, pods=pods)]).get(f"uid-{name}", 0)


@pytest.mark.parametrize(
    ("desired", "healthy", "floor"),
    [(0, 4, 0), (1, 4, 1), (3, 4, 3), (4, 4, 4), (9, 4, 4), (3, 6, 1), (3, 9, 0), (2, 3, 2), (3, 2, 3)],
)
def test_a_disruption_budget_keeps_what_others_do_not_make_up_for(desired, healthy, floor):
    assert floors(budget_of_disruption(desired=desired, healthy=healthy, app="a")) == floor


def test_of_several_disruption_budgets_the_strictest_keeps_most_and_those_of_others_keep_nothing():
    weak = budget_of_disruption(desired=1, healthy=4, app="a")
    strong = budget_of_disruption(desired=3, healthy=4, app="a")
    assert floors(weak, strong) == 3
    assert floors(budget_of_disruption(desired=3, healthy=4, app="b")) == 0
    elsewhere = {**strong, "metadata": {"namespace": "other"}}
    assert floors(elsewhere) == 0


@pytest.mark.parametrize(
    ("selector", "floor"),
    [
        ({}, 3),
        (None, 0),
        ("app=a", 0),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a"]}]}, 3),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}, 0),
        ({"matchExpressions": [{"key": "app", "operator": "Roughly", "values": ["a"]}]}, 0),
        ({"matchExpressions": ["odd"], "matchLabels": {"app": "a"}}, 3),
    ],
    ids=str,
)
def test_a_disruption_budget_selects_as_kubernetes_does(selector, floor):
    budget = budget_of_disruption(desired=3, healthy=4, app="a")
    assert floors({**budget, "spec": {"selector": selector}}) == floor


def test_workloads_that_share_a_disruption_budget_do_not_all_rely_on_each_other():
    """Each alone may go; both together may not."""
    shared = Surroundings(disruptions=[budget_of_disruption(desired=2, healthy=4, tier="web")])
    pods = [tuple(runs("research", f"{name}-{at}", labels={"tier": "web"}) for at in range(2)) for name in "ab"]
    pair = [replace(candidate(name, pods=2), pods=own) for name, own in zip("ab", pods, strict=True)]
    assert shared.floors(pair) == {}
    assert shared.floors_together(pair) == {"uid-b": 2}
    assert shared.floors_together(reversed(pair)) == {"uid-a": 2}


def test_only_disruption_budgets_that_keep_its_pods_are_about_a_workload():
    around = Surroundings(disruptions=[budget_of_disruption(desired=1, healthy=4, app=app) for app in ("a", "b")])
    assert len(around.keeping(candidate("a")).disruptions) == 1


def scaler(kind, name, target_kind="Deployment", namespace="research", **more):
    spec = {"scaleTargetRef": {"kind": target_kind, "name": name} if target_kind else {"name": name}}
    return {"kind": kind, "metadata": {"name": f"{name}-x", "namespace": namespace, **more}, "spec": spec}


def test_autoscalers_belong_to_what_they_scale_and_one_that_is_kept_by_another_is_its():
    target = candidate("a").target
    mine = scaler("HorizontalPodAutoscaler", "a")
    kept = scaler("HorizontalPodAutoscaler", "a", ownerReferences=[{"kind": "ScaledObject"}])
    others = [scaler("HPA", "b"), scaler("HPA", "a", "StatefulSet"), scaler("HPA", "a", namespace="other")]
    around = Surroundings(autoscalers=[mine, kept, *others], scaled=[scaler("ScaledObject", "a", "")])
    assert around.autoscalers_of(target) == [mine]
    assert len(around.scaled_of(target)) == 1


def test_a_workload_of_kueue_is_found_by_whom_it_is_owned_by():
    queued = {"metadata": {"name": "job-train", "ownerReferences": [{"uid": "uid-a"}, "odd"]}}
    around = Surroundings(queued=[{"metadata": {}}, {"metadata": {"ownerReferences": "odd"}}, queued])
    assert around.queued_of(candidate("a").target) == queued
    assert around.queued_of(candidate("b").target) is None


def test_what_stands_in_other_namespaces_is_left_out():
    here, there = scaler("HPA", "a"), scaler("HPA", "a", namespace="other")
    around = Surroundings(autoscalers=[here, there], disruptions=[there], missing=("list pods",)).within({"research"})
    assert (around.autoscalers, around.disruptions, around.missing) == ((here,), (), ("list pods",))


def test_an_object_is_referred_to_by_what_it_says_of_itself():
    ref = ref_of(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "n", "uid": "u"}}
    )
    assert (str(ref), ref.group, ref.uid) == ("Deployment n/a", "apps", "u")
    assert str(ref_of({})) == " /"
