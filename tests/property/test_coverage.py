"""Label coverage of any costs: parts never exceed their whole, and sum to it."""

from hypothesis import given
from hypothesis import strategies as st

from support.coverage import audit, report, seen, spend

NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.one_of(st.none(), st.sampled_from(["vision", "visoin", "search"]))
SOURCES = st.sampled_from(["pod_label", "namespace_label", "policy_default"])


@st.composite
def spends(draw):
    labels = {"team": draw(VALUES), "cost_center": draw(VALUES)}
    given_ones = {key: value for key, value in labels.items() if value}
    return spend(draw(NAMES), draw(st.integers(0, 100)), draw(NAMES), by=draw(SOURCES), **given_ones)


OBJECTS = st.builds(seen, NAMES, NAMES, lacks=st.sampled_from([(), ("team",), ("team", "cost-center")]))


@given(st.lists(spends(), max_size=12), st.lists(OBJECTS, max_size=6))
def test_parts_lie_within_their_whole_and_namespaces_sum_to_it(costs, objects):
    there = {one.of: one for one in objects}
    found = report(*costs, audit=audit(*there.values()))
    weights = [found.total, *(key.weight for key in found.keys), *(one.weight for one in found.namespaces)]
    for weight in [*weights, found.top.weight]:
        assert 0 <= weight.covered_nanos <= weight.whole_nanos
        assert 0 <= weight.covered <= weight.objects
    for field in ("covered_nanos", "whole_nanos", "covered", "objects"):
        assert sum(getattr(one.weight, field) for one in found.namespaces) == getattr(found.total, field)
    assert found.total.covered_nanos <= min(key.weight.covered_nanos for key in found.keys)


@given(st.lists(spends(), max_size=12), st.randoms())
def test_the_order_of_costs_changes_nothing(costs, random):
    shuffled = list(costs)
    random.shuffle(shuffled)
    one, other = report(*costs), report(*shuffled)
    assert (one.total, one.namespaces, one.line, one.lever and one.lever.gain_nanos) == (
        other.total, other.namespaces, other.line, other.lever and other.lever.gain_nanos,
    )  # fmt: skip
    assert one.maturity.level == other.maturity.level
    assert [(v.oddity, v.value, v.cost_nanos) for v in one.values] == [
        (v.oddity, v.value, v.cost_nanos) for v in other.values
    ]


@given(st.lists(spends(), max_size=12))
def test_labelling_the_objects_that_the_line_counts_reaches_it(costs):
    found = report(*costs)
    if found.line is None:
        return
    gained = sum(sorted((one.uncovered_nanos for one in found.offenders), reverse=True)[: found.line.objects])
    assert found.total.covered_nanos + gained >= found.line.target * found.total.whole_nanos
    if found.line.objects:
        fewer = sum(sorted((one.uncovered_nanos for one in found.offenders), reverse=True)[: found.line.objects - 1])
        assert found.total.covered_nanos + fewer < found.line.target * found.total.whole_nanos
