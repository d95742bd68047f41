"""Whatever a CostLabelPolicy says, it is read or told, and one bad part leaves the others as they were."""

from hypothesis import given
from hypothesis import strategies as st

from aicost.crd.convert.policies import label_policy
from aicost.domain.policy.policies import Inherit, Mode
from aicost.domain.policy.review.defects import find_defects
from aicost.domain.policy.values import form_of
from support.crd_samples import FULL

FULLEST = FULL["CostLabelPolicy"]
FIELDS = st.sampled_from([*FULLEST, *FULLEST["keys"][0], "values", "pattern", "match", "until", "selector"])
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["team", "a*"])
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=5), max_leaves=20
)


def read(spec):
    return label_policy({"metadata": {"name": "any"}, "spec": spec})


@given(JSON)
def test_any_json_at_all_is_read_or_told(spec):
    found = read(spec)
    assert found.value is not None or found.problems


@given(st.sampled_from(list(FULLEST)), JSON)
def test_any_json_in_any_field_leaves_the_rest_as_it_was_or_nothing(field, value):
    found, whole = read({**FULLEST, field: value}), read(FULLEST).value
    if found.value is None:
        assert found.problems
        return
    kept = {"keys": "keys", "uses": "uses", "exemptions": "exemptions", "attributionRules": "rules"}
    for name in kept.keys() - {field}:
        assert getattr(found.value, kept[name]) == getattr(whole, kept[name])
    assert field == "mode" or found.value.mode is Mode.WARN


VALUES = st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=6, unique=True)


@given(VALUES)
def test_allowed_values_are_their_own_normal_form(values):
    found = read({"keys": [{"key": "team", "allowed": {"values": values}}]})
    (key,) = found.value.keys
    assert all(form_of(key.dimension, key.case, value) == value for value in key.allowed.values)
    assert len(set(key.allowed.values)) == len(key.allowed.values)


@given(st.lists(st.sampled_from(list(Inherit)), unique=True))
def test_inheritance_is_in_the_order_of_the_precedence_whatever_the_order_in_the_policy(chosen):
    (key,) = read({"keys": [{"key": "team", "inherit": [str(one) for one in chosen]}]}).value.keys
    assert key.inherit == tuple(one for one in Inherit if one in chosen)


LISTS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3, unique=True)


@given(LISTS, LISTS)
def test_two_lists_contradict_if_and_only_if_they_have_nothing_in_common(one, other):
    policies = [
        label_policy({"metadata": {"name": name}, "spec": {"keys": [{"key": "team", "allowed": {"values": values}}]}})
        for name, values in (("one", one), ("two", other))
    ]
    found = find_defects([policy.value for policy in policies])
    assert {defect.policy for defect in found} == ({"one", "two"} if not set(one) & set(other) else set())
