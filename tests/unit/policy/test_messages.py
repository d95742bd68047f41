"""What people read at `kubectl apply`."""

from dataclasses import replace

from aicost.domain.policy.admit import admit
from aicost.domain.policy.decisions import Verdict
from aicost.domain.policy.messages import LONGEST_WARNING, denial, warnings
from aicost.domain.policy.policies import Mode, UseRule
from support.admission.case import COST_LABELS, Case
from support.admission.manifests import deployment, owned_by, pod, ray_cluster
from support.admission.policies import COST_CENTER, TEAM, policy


def _asked(manifest, *policies):
    case = Case("message", manifest, Verdict.DENY, policies=policies or (COST_LABELS,))
    decision = admit(case.snapshot, case.request(), case.now_ms)
    return denial(decision, case.snapshot), warnings(decision)


def test_one_line_says_all_that_is_wrong_with_what_was_meant_the_fix_and_whom_to_ask():
    assert _asked(deployment({"aicost.dev/team": "visoin"}))[0] == (
        '[cost-labels] team="visoin" is not a known team (did you mean "vision"?); '
        "label aicost.dev/cost-center is missing (allowed: cc-100, cc-200, cc-300, +1). "
        "Fix: set metadata.labels {aicost.dev/team: vision, aicost.dev/cost-center: <cost-center>} and apply again · "
        "https://wiki.example/cost-labels · ask #finops"
    )


def test_a_problem_of_a_template_is_fixed_there():
    text, _ = _asked(ray_cluster({"aicost.dev/team": "vision"}, None, {"aicost.dev/team": "visoin"}), policy(TEAM))
    assert 'team="visoin" is not a known team in pod template gpu-workers (did you mean "vision"?)' in text
    assert "Fix: set metadata.labels of pod template gpu-workers {aicost.dev/team: vision} and apply again" in text


def test_both_places_are_named_where_both_are_wrong():
    text, _ = _asked(deployment({"aicost.dev/team": "visoin"}, {"aicost.dev/team": "reserch"}), policy(TEAM))
    assert "set metadata.labels {aicost.dev/team: vision}, and metadata.labels of the pod template" in text
    assert "{aicost.dev/team: research} and apply again" in text


def test_each_policy_speaks_under_its_own_name_and_links_stand_once():
    text, _ = _asked(deployment(), policy(TEAM, name="b"), policy(COST_CENTER, name="a"))
    assert text.index("[a] label aicost.dev/cost-center") < text.index("[b] label aicost.dev/team")
    assert text.count("https://wiki.example/cost-labels") == text.count("#finops") == 1


def test_the_only_value_that_would_do_is_the_fix():
    key = replace(TEAM, allowed=replace(TEAM.allowed, values=("vision",)))
    assert "Fix: set metadata.labels {aicost.dev/team: vision}" in _asked(deployment(), policy(key))[0]


def test_where_no_label_is_the_fix_none_is_proposed():
    text, _ = _asked(deployment({"aicost.dev/team": "vision", "squad": "research"}), policy(TEAM))
    assert 'said in several ways: aicost.dev/team="vision", squad="research" · https://' in text
    assert "Fix" not in text


def test_a_forged_owner_is_told_why_it_does_not_help():
    text, _ = _asked(pod(ownerReferences=owned_by("ReplicaSet", "chat-1")), policy(TEAM))
    assert 'the ownerReference to "ReplicaSet/chat-1" excuses nothing: "dana" is not a known controller' in text


def test_a_warning_stands_for_each_problem_and_is_short():
    _, told = _asked(deployment({"aicost.dev/team": "visoin"}), replace(COST_LABELS, mode=Mode.WARN))
    assert told == (
        '[cost-labels] team="visoin" is not a known team (did you mean "vision"?)',
        "[cost-labels] label aicost.dev/cost-center is missing (allowed: cc-100, cc-200, cc-300, +1)",
    )
    assert all(len(warning) <= 120 for warning in told)


def test_what_is_refused_is_not_warned_of_as_well():
    assert _asked(deployment())[1] == ()


def test_what_is_only_counted_is_not_told():
    quiet = policy(TEAM, mode=Mode.AUDIT, name="quiet")
    text, told = _asked(deployment(), quiet, policy(COST_CENTER, mode=Mode.WARN))
    assert "quiet" not in text
    assert len(told) == 1


def test_what_a_policy_says_with_line_breaks_and_at_length_stays_one_short_line():
    rule = UseRule("long", gpu_models=("l4",), hint="use\nan L4\r\n" * 100)
    _, told = _asked(deployment({"aicost.dev/team": "vision"}), policy(TEAM, mode=Mode.WARN, uses=(rule,)))
    assert "\n" not in told[0]
    assert len(told[0]) == LONGEST_WARNING
    assert told[0].endswith("...")


def test_many_problems_are_counted_after_the_first_twenty():
    made = ray_cluster({"aicost.dev/team": "vision"}, None, {"aicost.dev/team": "nobody"})
    (group,) = made["spec"]["workerGroupSpecs"]
    made["spec"]["workerGroupSpecs"] = [{**group, "groupName": f"group-{number}"} for number in range(30)]
    text, _ = _asked(made, policy(TEAM))
    assert text.count("is not a known team") == 20
    assert "; 10 more" in text
