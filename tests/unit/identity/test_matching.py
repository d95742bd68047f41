import random

import pytest

from aicost.domain.identity.claims import LabelExpression, WorkloadClaim
from aicost.domain.identity.matching import match_claims
from aicost.domain.identity.problems import ClaimProblemKind
from support.identity import by_labels, by_target, owner, pod

CHAIN = (owner("ReplicaSet", "chat-5d"), owner("Deployment", "chat"))


def claimed_by(pods, *claims):
    return {uid: claim.name for uid, claim in match_claims(pods, claims).by_pod.items()}


@pytest.mark.parametrize(
    "claim",
    [
        by_target("w", "Deployment", "chat"),
        by_target("w", "Deployment", "chat", "apps/v1beta1"),
        by_target("w", "ReplicaSet", "chat-5d"),
        by_target("w", "Pod", "chat-0", "v1"),
        by_labels("w", {"app": "chat"}),
        by_labels("w", {}, LabelExpression("app", "Exists")),
        by_labels("w", {"app": "chat"}, LabelExpression("tier", "NotIn", ("web",))),
    ],
)
def test_a_claim_reaches_its_pod(claim):
    assert claimed_by([pod("chat-0", {"app": "chat"}, *CHAIN)], claim) == {"uid-team-a-chat-0": "w"}


@pytest.mark.parametrize(
    "claim",
    [
        by_target("w", "Deployment", "chat", namespace="team-b"),
        by_labels("w", {"app": "chat"}, namespace="team-b"),
        by_target("w", "Deployment", "chat", "example.com/v1"),
        by_target("w", "StatefulSet", "chat"),
        by_target("w", "Deployment", "cha"),
        by_labels("w", {"app": "chat", "tier": "web"}),
        by_labels("w", {"app": "chat"}, LabelExpression("app", "Near")),
        WorkloadClaim("team-a", "w", "uid-w", 0),
    ],
)
def test_a_claim_reaches_no_further(claim):
    assert claimed_by([pod("chat-0", {"app": "chat"}, *CHAIN)], claim) == {}


@pytest.mark.parametrize(
    ("winner", "loser", "rule"),
    [
        (
            by_target("z", "Deployment", "chat", created_ms=9),
            by_labels("a", {"app": "chat"}, created_ms=1),
            "a targetRef beats a selector",
        ),
        (
            by_target("z", "ReplicaSet", "chat-5d", created_ms=9),
            by_target("a", "Deployment", "chat", created_ms=1),
            "the targetRef to the nearer owner wins",
        ),
        (
            by_target("z", "Pod", "chat-0", "v1", created_ms=9),
            by_target("a", "ReplicaSet", "chat-5d", created_ms=1),
            "the targetRef to the nearer owner wins",
        ),
        (
            by_labels("z", {"app": "chat"}, created_ms=1),
            by_labels("a", {}, LabelExpression("app", "Exists"), created_ms=9),
            "the older AIWorkload wins",
        ),
        (
            by_labels("a", {"app": "chat"}),
            by_labels("z", {"app": "chat"}),
            "of two that are equally old the first name in the alphabet wins",
        ),
    ],
)
def test_a_contest_is_decided_by_the_stated_rule_and_told_to_both(winner, loser, rule):
    matching = match_claims([pod("chat-0", {"app": "chat"}, *CHAIN)], [loser, winner])
    assert matching.by_pod == {"uid-team-a-chat-0": winner}
    told = {conflict.workload: conflict for conflict in matching.conflicts}
    assert told[winner.name].won
    assert not told[loser.name].won
    assert {conflict.rule for conflict in matching.conflicts} == {rule}
    assert {conflict.other for conflict in matching.conflicts} == {"a", "z"}


def test_a_conflict_names_both_the_pods_the_rule_and_the_fix():
    pods = [pod(f"chat-{number}", {"app": "chat"}, *CHAIN) for number in range(3)]
    matching = match_claims(pods, [by_target("chat", "Deployment", "chat"), by_labels("all-chat", {"app": "chat"})])
    expected = (
        "AIWorkload/chat and AIWorkload/all-chat in namespace team-a both claim 3 pods (such as chat-0); the cost goes "
        "to AIWorkload/chat: a targetRef beats a selector. Narrow spec.selector of AIWorkload/all-chat, or delete one "
        "of the two."
    )
    assert {conflict.message for conflict in matching.conflicts} == {expected}
    assert [conflict.pods for conflict in matching.conflicts] == [3, 3]


def test_the_loser_of_a_target_is_told_to_point_elsewhere():
    claims = [
        by_target("new", "Deployment", "chat", created_ms=2),
        by_target("old", "Deployment", "chat", created_ms=1),
    ]
    message = match_claims([pod("chat-0", {}, *CHAIN)], claims).conflicts[0].message
    assert "Point spec.targetRef of AIWorkload/new (now Deployment/chat) elsewhere" in message


def test_claims_on_different_pods_are_no_conflict():
    pods = [pod("a-0", {"app": "a"}), pod("b-0", {"app": "b"})]
    matching = match_claims(pods, [by_labels("a", {"app": "a"}), by_labels("b", {"app": "b"})])
    assert matching.conflicts == ()
    assert matching.problems == ()


def test_the_same_name_in_two_namespaces_is_two_workloads():
    pods = [pod("chat-0", {"app": "chat"}), pod("chat-0", {"app": "chat"}, namespace="team-b")]
    claims = [by_labels("chat", {"app": "chat"}), by_labels("chat", {"app": "chat"}, namespace="team-b")]
    by_pod = match_claims(pods, claims).by_pod
    assert {uid: claim.namespace for uid, claim in by_pod.items()} == {
        "uid-team-a-chat-0": "team-a",
        "uid-team-b-chat-0": "team-b",
    }


def test_the_order_of_pods_and_claims_does_not_matter():
    pods = [pod(f"p{number}", {"app": f"a{number % 3}", "tier": "gpu"}, *CHAIN) for number in range(9)]
    claims = [by_labels(f"w{number}", {"app": f"a{number}"}) for number in range(3)]
    claims += [by_labels("tier", {"tier": "gpu"}), by_target("chat", "Deployment", "chat", created_ms=5)]
    expected = match_claims(pods, claims)
    for seed in range(5):
        shuffled = random.Random(seed)
        assert match_claims(shuffled.sample(pods, len(pods)), shuffled.sample(claims, len(claims))) == expected


def problem_of(pods, claim):
    (problem,) = match_claims(pods, [claim]).problems
    return problem


def test_a_selector_that_meets_no_pod_says_what_the_pods_carry():
    pods = [pod("a", {"app": "chatbot"}), pod("b", {"app": "chatbot"}), pod("c", {"app": "recs"})]
    problem = problem_of(pods, by_labels("w", {"app": "chat"}))
    assert problem.kind is ClaimProblemKind.SELECTS_NOTHING
    assert problem.message == (
        "spec.selector app=chat selects none of the 3 pods of namespace team-a. "
        "No pod carries app=chat; values of app here: chatbot, recs."
    )


def test_an_expression_that_meets_no_pod_is_named():
    problem = problem_of(
        [pod("a", {"app": "chat"})], by_labels("w", {"app": "chat"}, LabelExpression("tier", "Exists"))
    )
    assert "No pod meets tier: correct that term." in problem.message


def test_terms_that_no_pod_meets_together_are_told():
    pods = [pod("a", {"app": "chat"}), pod("b", {"tier": "gpu"})]
    assert "no pod meets all" in problem_of(pods, by_labels("w", {"app": "chat", "tier": "gpu"})).message


@pytest.mark.parametrize("claim", [by_labels("w"), by_labels("w", {}, LabelExpression("app", "Exists"))])
def test_a_selector_that_takes_all_that_a_namespace_runs_is_told(claim):
    pods = [pod("a", {"app": "chat"}, *CHAIN), pod("b", {"app": "recs"}, owner("Deployment", "recs"))]
    problem = problem_of(pods, claim)
    assert problem.kind is ClaimProblemKind.SELECTS_EVERYTHING
    assert "selects every pod of namespace team-a (2)" in problem.message


def test_the_one_workload_of_a_namespace_may_take_all_its_pods():
    pods = [pod("chat-0", {"app": "chat"}, *CHAIN), pod("chat-1", {"app": "chat"}, *CHAIN)]
    assert match_claims(pods, [by_labels("w", {"app": "chat"})]).problems == ()


def test_a_target_that_owns_no_pod_is_told_with_those_that_do():
    problem = problem_of([pod("chat-0", {}, *CHAIN)], by_target("w", "Deployment", "chatt"))
    assert problem.kind is ClaimProblemKind.TARGET_NOT_FOUND
    assert problem.message == (
        "spec.targetRef Deployment/chatt (apps/v1) owns no pod of namespace team-a: it does not exist, or it runs "
        "nothing now. Deployment objects that own pods here: chat."
    )


def test_a_target_of_the_wrong_api_group_is_told_the_right_one():
    problem = problem_of([pod("chat-0", {}, *CHAIN)], by_target("w", "Deployment", "chat", "example.com/v1"))
    assert "API groups of Deployment/chat here: apps." in problem.message


def test_the_pods_of_another_namespace_are_no_answer():
    pods = [pod("chat-0", {"app": "chat"}, *CHAIN, namespace="team-b")]
    assert "none of the 0 pods of namespace team-a" in problem_of(pods, by_labels("w", {"app": "chat"})).message


def test_a_claim_without_target_and_selector_is_told():
    problem = problem_of([pod("a")], WorkloadClaim("team-a", "w", "uid-w", 0))
    assert problem.kind is ClaimProblemKind.INVALID_SELECTOR


def test_an_operator_that_nobody_knows_is_told_and_claims_nothing():
    problem = problem_of([pod("a")], by_labels("w", {}, LabelExpression("app", "Near")))
    assert problem.kind is ClaimProblemKind.INVALID_SELECTOR
    assert "'Near' is unknown: use In, NotIn, Exists or DoesNotExist" in problem.message
