"""What a policy becomes in the API server: which objects, how large, and what is said to be left out."""

import json
from dataclasses import replace

import pytest

from aicost.crd.vap.generate import LABELS, generate, generated_guards
from aicost.crd.vap.guarding.guards import static_guards
from aicost.crd.vap.language.cel import found, stands, text
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.inventory.cluster import ServiceAccountFacts
from aicost.domain.policy.policies import Mode, ModeOverride, NamespaceScope, Need, UseRule
from aicost.domain.policy.requests import PolicySnapshot
from aicost.domain.workloads.kinds import KINDS
from support.admission.policies import BOUND_TEAM, COST_CENTER, TEAM, WORLD, dimension_key, policy
from support.admission_cases import CASES

LARGEST_BYTES = 200_000
LAB = NamespaceScope(frozenset({"lab"}))


def _names(objects) -> set[str]:
    return {one["metadata"]["name"] for one in objects}


@pytest.mark.parametrize(
    ("mode", "actions"),
    [
        (Mode.AUDIT, set()),
        (Mode.WARN, {"warn", "write"}),
        (Mode.DENY_NEW, {"deny", "warn", "write"}),
        (Mode.DENY, {"deny", "warn", "write"}),
    ],
)
def test_each_mode_becomes_the_objects_that_it_needs(mode, actions) -> None:
    made = generate(PolicySnapshot(), policy(TEAM, mode=mode))
    assert _names(made.objects) == {f"cost-labels.{action}.labels.aicost.dev" for action in actions}


def test_a_stricter_mode_somewhere_is_enough_to_refuse() -> None:
    strict = policy(TEAM, mode=Mode.AUDIT, overrides=(ModeOverride(LAB, Mode.DENY),))
    assert "cost-labels.deny.labels.aicost.dev" in _names(generate(PolicySnapshot(), strict).objects)


def test_a_value_that_says_who_pays_is_refused_under_warn_and_guarded_whatever_judges() -> None:
    bound = policy(BOUND_TEAM, mode=Mode.WARN)
    assert "cost-labels.deny.labels.aicost.dev" in _names(generate(PolicySnapshot(), bound).objects)
    assert _names(generated_guards(PolicySnapshot(), bound)) == {"cost-labels.payer-team.labels.aicost.dev"}
    assert generated_guards(PolicySnapshot(), policy(BOUND_TEAM, mode=Mode.AUDIT)) == ()


def test_the_policys_own_words_for_production_are_guarded() -> None:
    stage = dimension_key(Dimension.STAGE, aliases=("phase",), value_aliases={"live": "production"})
    guards = generated_guards(PolicySnapshot(), policy(stage))
    assert _names(guards) == {"cost-labels.stage.labels.aicost.dev"}
    assert generated_guards(PolicySnapshot(), policy(dimension_key(Dimension.STAGE))) == ()


def test_all_that_is_generated_is_found_again_by_its_labels() -> None:
    objects = [*generate(WORLD, policy(BOUND_TEAM)).objects, *generated_guards(WORLD, policy(BOUND_TEAM))]
    assert {json.dumps(one["metadata"]["labels"]) for one in objects} == {json.dumps(dict(LABELS))}


def test_no_object_comes_near_to_what_the_api_server_takes() -> None:
    sizes = [
        len(json.dumps(one))
        for case in CASES
        for each in case.policies
        for one in generate(case.snapshot, each).objects
    ]
    assert max(sizes) < LARGEST_BYTES


def test_the_same_policy_becomes_the_same_objects() -> None:
    one, other = (generate(WORLD, policy(BOUND_TEAM, COST_CENTER)) for _ in range(2))
    assert one == other


def test_what_the_api_server_cannot_see_is_written_into_expressions() -> None:
    account = {("plain", "robot"): ServiceAccountFacts("plain", "robot", {"aicost.dev/team": "Vision"})}
    made = generate(replace(PolicySnapshot(), service_accounts=account), policy(TEAM))
    assert '{\\"plain/robot\\": \\"vision\\"}' in json.dumps(made.objects)


def test_before_labels_can_be_written_nothing_tries_to_and_it_is_said() -> None:
    made = generate(PolicySnapshot(), policy(TEAM), mutating=False)
    assert {one["kind"] for one in made.objects} == {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
    assert any("1.36" in one.reason for one in made.unsupported)


def test_what_cel_cannot_express_is_named_with_its_field() -> None:
    model = dimension_key(Dimension.MODEL, need=Need.ALWAYS)
    rules = (UseRule("small", gpu_models=("l4",)),)
    told = {one.field: one.reason for one in generate(WORLD, policy(TEAM, model, uses=rules)).unsupported}
    assert set(told) == {"spec.kinds", "spec.keys[1].required", "spec.uses[0]"}
    assert "AppWrapper" in told["spec.kinds"]


def test_a_label_that_two_policies_read_otherwise_is_judged_and_not_written() -> None:
    one, other = policy(TEAM), policy(replace(TEAM, value_aliases={}), name="other")
    made = generate(replace(PolicySnapshot(), policies=(one, other)), one)
    assert [each.field for each in made.unsupported if "not written" in each.reason] == ["spec.keys[0]"]
    (writer,) = (each for each in made.objects if each["kind"] == "MutatingAdmissionPolicy")
    assert "escapeKey" not in writer["spec"]["mutations"][0]["jsonPatch"]["expression"]


@pytest.mark.parametrize("raw", ["it's", 'say "no"', "back\\slash", "line\nbreak", "{{ braces }}", "schön ☃", "\x7f"])
def test_a_text_stays_a_text(raw) -> None:
    assert json.loads(text(raw)) == raw
    assert "\n" not in text(raw)


def test_a_pointer_through_two_lists_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot follow"):
        found("object", "/spec/a/*/b/*")


def test_names_that_are_no_words_are_looked_up_as_texts() -> None:
    assert stands("object", "/spec/rayStartParams/num-gpus") == '[?object.?spec.?rayStartParams[?"num-gpus"]]'


def test_the_charts_guards_hear_of_every_kind_that_runs_pods() -> None:
    for guard in list(static_guards())[:2]:
        for kind in KINDS:
            assert kind.plural in guard.rules.plurals[kind.group], (guard.name, kind.kind)
        assert {"namespaces", "serviceaccounts"} <= set(guard.rules.plurals[""])
