"""What holds for every lever on every object, in memory: the same is tried on a real control plane."""

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.enforcement.levers.lever import Ask
from aicost.domain.enforcement.levers.serving import ANY_SCALE
from aicost.domain.enforcement.levers.table import LEVERS
from aicost.domain.enforcement.values import ABSENT, Change, LeverName
from aicost.domain.enforcement.writing.changes import change, combined, holds, undoing, writing
from aicost.domain.enforcement.writing.pointers import escaped, item, parse, patch_path, read
from aicost.domain.enforcement.writing.records import changes_of, record, records_on
from aicost.domain.enforcement.writing.steps import (
    all_changes,
    doing,
    own_changes,
    rescaling,
    scale_changes,
    scaling_back,
    taking_back,
)
from support.json_patch import patched
from support.third_party.objects import objects

USED = st.fixed_dictionaries({"nvidia.com/gpu": st.integers(0, 9)})
ASKS = st.builds(Ask, st.integers(0, 3), st.integers(0, 5), st.just("over its budget"), USED)
SERVER = {"name": "one", "namespace": "team", "uid": "uid-1", "resourceVersion": "7"}


@st.composite
def pulled(draw):
    """A lever with an object of its kind, as the API server would show it."""
    one = draw(st.sampled_from(LEVERS))
    obj = draw(objects(one.group, one.kind))
    return one, {**obj, "metadata": {**obj["metadata"], **SERVER}}


def noted(changes, action="month-1"):
    return record(action, "research/month", "Suspend", 1_800_000_000_000, changes)


@given(pulled(), ASKS)
def test_what_a_lever_writes_is_there_and_is_undone_to_the_last_field(lever_and_object, ask):
    lever, obj = lever_and_object
    changes = lever.changes(obj, ask)
    after = patched(obj, doing(obj, changes, noted(changes)))
    assert holds(after, changes)
    assert records_on(after) == (noted(changes),)
    assert lever.changes(after, ask) == ()
    undone = taking_back(after, "month-1", changes)
    assert undone.left == ()
    assert patched(after, undone.operations) == obj


@given(pulled(), ASKS, ASKS)
def test_a_step_in_two_goes_is_undone_to_before_the_first(lever_and_object, first, second):
    lever, obj = lever_and_object
    after = obj
    for ask in (first, second):
        changes = lever.changes(after, ask)
        after = patched(after, doing(after, changes, noted(changes)))
    assert patched(after, taking_back(after, "month-1", changes_of(after, "month-1")).operations) == obj


@given(pulled(), ASKS, st.permutations(["a", "b"]))
def test_two_steps_leave_nothing_of_either_in_whatever_order_they_are_undone(lever_and_object, ask, order):
    lever, obj = lever_and_object
    after = obj
    for action in ("a", "b"):
        changes = lever.changes(after, ask)
        after = patched(after, doing(after, changes, noted(changes, action)))
    for action in order:
        after = patched(after, taking_back(after, action, changes_of(after, action)).operations)
    assert after == obj


@given(st.lists(st.integers(0, 5), min_size=2, max_size=4), st.data())
def test_steps_that_wrote_over_each_other_leave_nothing_in_whatever_order_they_are_undone(floors, data):
    """Of two budgets each may lower the same number, and the first may be the first to let go."""
    lower = next(one for one in LEVERS if one.name is LeverName.LOWER_AUTOSCALER)
    obj = {"metadata": dict(SERVER), "spec": {"minReplicas": 4, "maxReplicas": 9}}
    after, told = obj, {}
    for number, floor in enumerate(floors):
        told[f"{number}"] = lower.changes(after, Ask(floor))
        after = patched(after, doing(after, told[f"{number}"], noted(told[f"{number}"], f"{number}")))
    for action in data.draw(st.permutations(sorted(told))):
        undone = taking_back(after, action, all_changes(after, action, told[action]))
        assert undone.left == ()
        after = patched(after, undone.operations)
    assert after == obj


@given(pulled(), ASKS)
def test_a_lever_never_writes_into_a_pod_template_and_never_asks_for_more(lever_and_object, ask):
    lever, obj = lever_and_object
    for one in lever.changes(obj, ask):
        assert "/template" not in one.pointer
        numbers = [value for value in (one.before, one.after) if type(value) is int]
        assert numbers == sorted(numbers, reverse=True)


@given(st.integers(0, 9), ASKS, st.integers(0, 9) | st.none())
def test_what_lies_below_scale_comes_back_unless_somebody_scaled(size, ask, theirs):
    scale = {"metadata": {"resourceVersion": "7"}, "spec": {"replicas": size}}
    changes = ANY_SCALE.changes({"scale": scale}, ask)
    assert own_changes(changes) == ()
    after = patched(scale, rescaling(scale, scale_changes(changes)))
    assert holds(after, scale_changes(changes))
    seen = after if theirs is None else {**after, "spec": {"replicas": theirs}}
    undone = scaling_back({"scale": seen}, "month-1", changes)
    number = patched(seen, undone.operations)["spec"]["replicas"]
    ours = theirs is None or any(one.after == theirs for one in changes)
    assert number == (size if ours else theirs)
    assert bool(undone.left) == (not ours and theirs != size and bool(changes))


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="[]"), max_size=4)
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
TREES = st.recursive(VALUES, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=8)
OBJECTS = st.dictionaries(NAMES, TREES, max_size=3)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: "".join(f"/{escaped(name)}" for name in names))


def has_scalar_above(obj, pointer):
    steps = pointer.split("/")[1:-1]
    above = ["/" + "/".join(steps[: count + 1]) for count in range(len(steps))]
    return any(read(obj, one) is not ABSENT and not isinstance(read(obj, one), dict) for one in above)


@given(OBJECTS, PATHS, VALUES | st.just(ABSENT))
def test_any_field_of_any_object_is_written_and_put_back(obj, pointer, value):
    if has_scalar_above(obj, pointer):
        return
    done = change(obj, pointer, value)
    after = patched(obj, writing(obj, [done]))
    assert holds(after, [done])
    assert patched(after, undoing(after, [done]).operations) == obj


@given(OBJECTS, st.lists(st.tuples(PATHS, VALUES), max_size=4))
def test_any_number_of_writes_come_to_one_change_per_field(obj, writes):
    after, known = obj, ()
    for pointer, value in writes:
        if has_scalar_above(after, pointer) or isinstance(read(after, pointer), dict):
            continue
        done = change(after, pointer, value)
        after, known = patched(after, writing(after, [done])), combined(known, [done])
    assert len({one.pointer for one in known}) == len(known)
    assert patched(after, undoing(after, known).operations) == obj


@given(NAMES, st.text(max_size=6), st.lists(st.text(max_size=6), max_size=4))
def test_an_item_is_found_by_any_name_wherever_it_stands(key, wanted, others):
    groups = [{"name": one} for one in others if one != wanted]
    obj = {"groups": [*groups, {"name": wanted, "most": 4}]}
    pointer = f"/groups/{item('name', wanted)}/most"
    assert parse(pointer) == ("groups", ("name", wanted), "most")
    assert read(obj, pointer) == 4
    assert patch_path(obj, pointer) == f"/groups/{len(groups)}/most"
    assert undoing(obj, [Change(pointer, 9, 4)]).operations == (
        {"op": "add", "path": f"/groups/{len(groups)}/most", "value": 9},
    )
