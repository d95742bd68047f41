"""What label policies say of themselves: usable or not, contradictions, lists, audits and who enforces."""

from fractions import Fraction

import pytest

from aicost.crd.reasons import CONDITIONS
from aicost.crd.status.policies import Enforcement, PolicyAudit
from aicost.entrypoints.controller.publish import policies
from aicost.entrypoints.controller.publish.answering import Unanswered
from aicost.entrypoints.controller.publish.writing import newly_false
from support.controller import NOW, made, said

LISTED = {"configMap": {"namespace": "finops", "name": "teams", "key": "all"}}


def policy(name="labels", **spec):
    return made("CostLabelPolicy", name, {"keys": [{"key": "team"}], **spec})


def keys(**change):
    return {"keys": [{"key": "team", **change}]}


def short(answer, condition):
    return said(answer, condition)[:2]


def test_a_policy_that_is_in_order_is_accepted(world):
    answer = world.answer(policy())
    assert short(answer, "Accepted") == ("True", "Accepted")
    assert short(answer, "Conflicting") == ("False", "NoConflict")
    assert answer.status["keys"] == 1


def test_an_unusable_key_is_told_with_its_fix_and_the_rest_is_counted(world):
    answer = world.answer(policy(keys=[{"key": "Team"}, {"key": "product"}]))
    status, reason, message = said(answer, "Accepted")
    assert (status, reason) == ("False", "InvalidEntry")
    assert "spec.keys[0].key: 'Team': did you mean team?" in message
    assert answer.status["keys"] == 1


def test_a_policy_that_cannot_be_read_says_why_and_nothing_else(world):
    answer = world.answer(policy(mode="Enforce"))
    assert short(answer, "Accepted") == ("False", "InvalidSpec")
    assert "spec.mode" in said(answer, "Accepted")[2]
    assert answer.status.keys() == {"conditions"}


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (keys(allowed={"values": ["a"]}, default="b"), "NotAllowed"),
        ({"keys": [{"key": "team", "aliases": ["x"]}, {"key": "product", "aliases": ["x"]}]}, "AmbiguousAlias"),
        (
            {"exemptions": [{"name": "e", "until": "2027-01-01", "approvedBy": "j", "keys": ["product"]}]},
            "UnknownKey",
        ),
        ({"kinds": ["Deploiment"]}, "UnknownKind"),
    ],
)
def test_a_part_without_effect_is_told(world, spec, reason):
    assert short(world.answer(policy(**spec)), "Accepted") == ("False", reason)


def test_policies_that_contradict_each_other_are_told_both(world):
    one = policy("one", **keys(allowed={"values": ["a"]}))
    two = policy("two", **keys(allowed={"values": ["b"]}))
    for answer in world.answers([one, two]):
        status, reason, message = said(answer, "Conflicting")
        assert (status, reason) == ("True", "ConflictingPolicies")
        assert "one and two allow no value in common" in message


@pytest.mark.parametrize(
    ("maps", "problems", "expected", "words"),
    [
        (None, {}, ("Unknown", "Waiting"), "not looked at yet"),
        ({}, {}, ("Unknown", "Waiting"), "not looked at yet"),
        ({("finops", "teams"): {"all": "a"}}, {}, ("True", "Found"), "were read"),
        ({("finops", "teams"): {"some": "a"}}, {}, ("False", "NotFound"), "it has no key all"),
        ({}, {("finops", "teams"): "it is not there: create it"}, ("False", "NotFound"), "finops/teams: it is not th"),
    ],
)
def test_a_list_that_cannot_be_read_is_told(world, maps, problems, expected, words):
    world.state.labels.maps, world.state.labels.map_problems = maps, problems
    status, reason, message = said(world.answer(policy(**keys(allowed=LISTED))), "ConfigMapFound")
    assert (status, reason) == expected
    assert words in message


def test_a_policy_without_lists_says_nothing_of_them(world):
    assert "ConfigMapFound" not in {str(one.type) for one in world.answer(policy()).statements}


def test_the_last_look_at_the_objects_is_shown_while_the_next_one_fails(world):
    labels = world.state.labels
    assert short(world.answer(policy()), "Ready") == ("Unknown", "Waiting")
    labels.audits = {"labels": PolicyAudit(NOW, Fraction(1, 2), 1, 1, would_deny=1)}
    assert said(world.answer(policy()), "Ready")[2] == "1 object is in scope; mode Deny would refuse 1 of them."
    labels.audit_problem = "jobs: 500"
    answer = world.answer(policy())
    assert short(answer, "Ready") == ("False", "AuditFails")
    assert answer.status["summary"]["coverage"] == "50.0%"


@pytest.mark.parametrize(
    ("mode", "enforcement", "expected"),
    [
        ("Audit", Enforcement("webhook"), ("False", "AuditOnly")),
        ("Warn", None, ("Unknown", "Waiting")),
        ("Warn", Enforcement(), ("False", "NoEngine")),
        ("Deny", Enforcement("webhook"), ("True", "Active")),
        ("Deny", Enforcement("webhook", problem="no endpoints"), ("False", "EngineFails")),
        ("Deny", Enforcement("vap", unsupported=(("spec.uses[0]", "why"),)), ("False", "PartlyActive")),
        ("Deny", Enforcement("webhook", unsupported=(("spec.uses[0]", "why"),)), ("True", "Active")),
    ],
)
def test_whether_anybody_enforces_is_said(world, mode, enforcement, expected):
    world.state.labels.enforcement = {"labels": enforcement} if enforcement else {}
    assert short(world.answer(policy(mode=mode)), "EnforcementActive") == expected


def test_a_stricter_mode_somewhere_is_enforced_though_the_policy_audits(world):
    stricter = [{"namespaces": {"names": ["prod"]}, "mode": "Deny"}]
    assert short(world.answer(policy(modeOverrides=stricter)), "EnforcementActive") == ("Unknown", "Waiting")


def test_no_warning_is_posted_for_what_was_asked_for(world):
    answer = world.answer(policy())
    assert newly_false(answer.statements, {}) == []


def test_each_statement_is_one_of_the_reference(world):
    world.state.labels.maps = {}
    for body in (policy(**keys(allowed=LISTED)), policy(mode="Enforce"), policy(mode="Deny")):
        for one in world.answer(body).statements:
            causes = CONDITIONS["CostLabelPolicy"][one.type]
            assert (one.status, str(one.reason)) in {(cause.status, str(cause.reason)) for cause in causes}


def test_a_bug_in_judging_policies_leaves_the_books(world, monkeypatch):
    monkeypatch.setattr(policies, "find_defects", lambda *_: 1 / 0)
    book = made("PriceBook", "p", {"currency": "USD", "entries": []})
    first, second = world.answers([book, policy()])
    assert not isinstance(first, Unanswered)
    assert isinstance(second, Unanswered)
