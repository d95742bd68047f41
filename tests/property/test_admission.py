"""What holds of every decision about cost labels, whatever the policies and the object."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.stages import Stage
from aicost.domain.policy.admit import admit
from aicost.domain.policy.as_patch import json_patch
from aicost.domain.policy.decisions import Verdict
from aicost.domain.policy.messages import LONGEST_WARNING, denial, warnings
from aicost.domain.policy.policies import AllowedValues, Exemption, Inherit, LabelKey, Mode, Need
from aicost.domain.policy.requests import Operation
from aicost.domain.policy.values import canonical
from support.admission.case import Case
from support.admission.manifests import deployment, job, ray_cluster
from support.admission.patching import patched
from support.admission.policies import dimension_key, own_key, policy
from support.admission_cases import CASES
from support.builders import T0

SEVERITY = list(Verdict)
WORDS = st.sampled_from(["vision", "Vision", "research", "recs", "visoin", "", "untagged", "v_1", "x", *Stage])
LABELS = st.dictionaries(
    st.sampled_from(["aicost.dev/team", "squad", "aicost.dev/stage", "aicost.dev/product", "acme.example/owner"]), WORDS
)
NAMESPACES = st.sampled_from(["plain", "vision", "squads", "misspelt"])
ALLOWED = st.builds(AllowedValues, values=st.lists(st.sampled_from(["vision", "research", "x"])).map(tuple))
ALIASES = st.dictionaries(st.sampled_from(["recs", "visoin", "vision", "x"]), st.sampled_from(["vision", "x", "recs"]))
PLAIN_KEYS = (dimension_key(Dimension.TEAM), dimension_key(Dimension.PRODUCT), own_key("acme.example/owner"))


def _varied(plain: LabelKey) -> st.SearchStrategy[LabelKey]:
    return st.builds(
        replace,
        st.just(plain),
        aliases=st.sampled_from([(), ("squad",), ("squad", "Team")]),
        value_aliases=ALIASES,
        allowed=ALLOWED,
        need=st.sampled_from(Need),
        stages=st.lists(st.sampled_from(Stage), max_size=2).map(tuple),
        inherit=st.lists(st.sampled_from(Inherit)).map(tuple),
        groups=st.sampled_from([{}, {"engineers": "Vision"}]),
        default=st.sampled_from(["", "x"]),
        immutable=st.booleans(),
    )


KEYS = st.lists(st.sampled_from(PLAIN_KEYS).flatmap(_varied), max_size=3, unique_by=lambda key: key.label)
POLICIES = st.lists(
    st.builds(
        lambda keys, mode, name: policy(*keys, mode=mode, name=name),
        KEYS,
        st.sampled_from(Mode),
        st.sampled_from(["a", "b", "c"]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one.name,
).map(tuple)
MANIFESTS = st.one_of(
    st.builds(lambda own, inner, where: deployment(own, inner, namespace=where), LABELS, LABELS, NAMESPACES),
    st.builds(ray_cluster, st.none() | LABELS, st.none() | LABELS, st.none() | LABELS),
    st.builds(job, st.none() | LABELS, LABELS),
)
QUESTIONS = st.builds(
    lambda manifest, policies: Case("any", manifest, Verdict.ALLOW, policies=policies), MANIFESTS, POLICIES
)

FEW = settings(max_examples=40)
"""Each example is a whole world with its policies."""


def answered(case: Case):
    return admit(case.snapshot, case.request(), case.now_ms)


def _is_written_once(case: Case) -> None:
    decision = answered(case)
    manifest = patched(case.manifest, json_patch(case.request().workload, decision.changes))
    again = answered(replace(case, manifest=manifest))
    assert again.changes == ()
    assert set(_told(again)) <= set(_told(decision)), "what we write is never wrong"
    if len(case.policies) == 1:
        assert _told(again) == _told(decision)


def _told(decision):
    return [(problem.code, problem.policy, problem.key) for problem in decision.problems]


@FEW
@given(QUESTIONS)
def test_what_is_written_leaves_nothing_to_write_and_is_never_wrong(case):
    _is_written_once(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_written_in_a_case_leaves_nothing_to_write(case):
    if case.operation is Operation.CREATE and not case.unreachable:
        _is_written_once(case)


@FEW
@given(QUESTIONS, st.randoms(use_true_random=False))
def test_the_order_of_policies_does_not_count(case, chance):
    shuffled = list(case.policies)
    chance.shuffle(shuffled)
    assert answered(replace(case, policies=tuple(shuffled))) == answered(case)


@FEW
@given(QUESTIONS, LABELS, st.sampled_from(Operation))
def test_a_stricter_mode_is_never_milder(case, before, operation):
    if operation is Operation.UPDATE:
        old = {**case.manifest, "metadata": {**case.manifest["metadata"], "labels": before}}
        case = replace(case, operation=operation, before=old)
    verdicts = [
        answered(replace(case, policies=tuple(replace(one, mode=mode) for one in case.policies))).verdict
        for mode in Mode
    ]
    assert verdicts == sorted(verdicts, key=SEVERITY.index)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_stricter_mode_is_never_milder_in_a_case(case):
    verdicts = [
        answered(
            replace(case, policies=tuple(replace(one, mode=mode, overrides=(), uses=()) for one in case.policies))
        ).verdict
        for mode in Mode
    ]
    assert verdicts == sorted(verdicts, key=SEVERITY.index)


@FEW
@given(QUESTIONS, st.integers(-(10**6), 10**6))
def test_an_exemption_ends_to_the_millisecond(case, after_ms):
    exemption = Exemption("until-then", T0, "frida")
    excused = tuple(replace(one, exemptions=(exemption,)) for one in case.policies)
    decision = answered(replace(case, policies=excused, now_ms=T0 + after_ms))
    if after_ms < 0:
        assert decision.verdict is Verdict.ALLOW
        assert all(problem.excused_by == "until-then" for problem in decision.problems)
    else:
        assert decision.verdict is answered(case).verdict
        assert not any(problem.excused_by for problem in decision.problems)


@FEW
@given(QUESTIONS)
def test_each_message_is_one_line_and_no_warning_is_cut_by_the_api_server(case):
    decision = answered(case)
    assert "\n" not in denial(decision, case.snapshot)
    for warning in warnings(decision):
        assert len(warning) <= LONGEST_WARNING
        assert "\n" not in warning
    assert bool(warnings(decision)) == (decision.verdict is Verdict.WARN)


@FEW
@given(QUESTIONS)
def test_a_denial_names_each_key_that_is_wrong(case):
    decision = answered(case)
    text = denial(decision, case.snapshot)
    for problem in decision.problems:
        if problem.mode is not Mode.AUDIT:
            assert problem.text in text


@given(st.sampled_from(PLAIN_KEYS), st.dictionaries(st.text(max_size=3), st.text(max_size=3)), st.text(max_size=80))
def test_the_value_that_counts_is_its_own_value_that_counts(plain, aliases, raw):
    key = replace(plain, value_aliases=aliases)
    value = canonical(key, raw)
    if value is not None:
        assert canonical(key, value) == value
