"""Each lever is pulled and put back on objects of the real control plane, and nothing else of them changes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.adapters.kube.wire.errors import Conflict
from aicost.domain.enforcement.levers.lever import Lever
from aicost.domain.enforcement.levers.table import LEVERS
from aicost.domain.enforcement.writing.changes import holds
from aicost.domain.enforcement.writing.pointers import patch_path, read
from aicost.domain.enforcement.writing.records import ENFORCED, changes_of, records_on
from support.third_party.bench import ACTION, SCALED, Pulled, bare, pulling
from support.third_party.objects import objects

pytest_plugins = ("support.third_party.installed",)
pytestmark = pytest.mark.cluster

EXAMPLES = settings(max_examples=5)
PULLED = (*LEVERS, SCALED)


def another(value: Any) -> Any:
    """A value of the same kind that nobody of us writes."""
    return (
        {True: False, False: True}[value] if isinstance(value, bool) else value + 2 if isinstance(value, int) else "3"
    )


def named(lever: Lever) -> str:
    return f"{lever.name}-{lever.kind}"


@pytest.mark.parametrize("lever", PULLED, ids=named)
def test_a_lever_writes_its_fields_and_its_record_and_is_undone_to_the_last_field(bench, lever):
    @EXAMPLES
    @given(objects(lever.group, lever.kind))
    def each(body):
        async def test(it: Pulled) -> None:
            before = await it.read()
            changes, written = await it.pull()
            after = await it.read()
            assert holds(after, changes)
            assert after["metadata"]["labels"][ENFORCED] == "true"
            assert records_on(after) == (it.record(changes),)
            assert bare(written) == bare(after)
            undone = await it.undo(changes)
            assert undone.left == ()
            restored = await it.read()
            assert bare(restored) == bare(before)
            assert restored.get("scale", {}).get("spec") == before.get("scale", {}).get("spec")

        pulling(bench, lever, body, test)

    each()


@pytest.mark.parametrize("lever", PULLED, ids=named)
def test_a_lever_that_is_pulled_twice_is_pulled_once(bench, lever):
    @settings(max_examples=2)
    @given(objects(lever.group, lever.kind))
    def each(body):
        async def test(it: Pulled) -> None:
            before = await it.read()
            changes, _ = await it.pull()
            again, second = await it.pull()
            assert again == ()
            assert changes_of(second, ACTION) == changes
            assert holds(second, changes)
            assert (await it.undo(())).left == (), "what the object remembers is enough"
            assert bare(await it.read()) == bare(before)

        pulling(bench, lever, body, test)

    each()


@pytest.mark.parametrize("lever", PULLED, ids=named)
def test_a_field_that_somebody_changed_in_between_stays_theirs_and_is_reported(bench, lever):
    @settings(max_examples=3)
    @given(objects(lever.group, lever.kind), st.data())
    def each(body, data):
        async def test(it: Pulled) -> None:
            changes, written = await it.pull()
            open_to_all = [one for one in changes if one.pointer != "/spec/minReplicas"]  # which the maximum binds
            if not open_to_all:
                return
            theirs = data.draw(st.sampled_from(open_to_all))
            value = another(theirs.after)
            it.bench.somebody(written, [{"op": "replace", "path": patch_path(written, theirs.pointer), "value": value}])
            undone = await it.undo(changes)
            if value == theirs.before:
                assert undone.left == (), "somebody put it back: nothing of ours is left"
            else:
                assert undone.left == (f"{theirs.pointer} was changed by somebody else since and stays as it is",)
            restored = await it.read()
            assert read(restored, theirs.pointer) == value
            for one in changes:
                assert one is theirs or read(restored, one.pointer) == one.before
            assert ENFORCED not in restored["metadata"].get("annotations", {})
            assert ENFORCED not in restored["metadata"].get("labels", {})

        pulling(bench, lever, body, test)

    each()


@pytest.mark.parametrize("lever", PULLED, ids=named)
def test_an_object_that_was_written_meanwhile_is_not_written_over(bench, lever):
    @settings(max_examples=1)
    @given(objects(lever.group, lever.kind))
    def each(body):
        async def test(it: Pulled) -> None:
            read_before = await it.read()
            it.bench.api.patch(
                it.bench.path(read_before, it.ref.name), {"metadata": {"annotations": {"example.dev/seen": "yes"}}}
            )
            with pytest.raises(Conflict, match=it.ref.name):
                await it.pull_on(read_before)
            now = await it.read()
            assert ENFORCED not in now["metadata"].get("labels", {})
            assert records_on(now) == ()

        pulling(bench, lever, body, test)

    each()
