"""The registry knows what is there, whatever a watch missed or told late."""

import pytest

from aicost.crd.convert.parsing import Converted, SpecProblem
from aicost.entrypoints.controller.registry import Key, Registry, read_each, trimmed
from support.controller import made


@pytest.fixture
def registry():
    return Registry()


def of(name, generation=1, **more):
    body = made("AIWorkload", name, {"model": name})
    return {**body, "metadata": {**body["metadata"], "generation": generation}, **more}


def names(registry, kind="AIWorkload"):
    return [body["metadata"]["name"] for body in registry.of_kind(kind)]


def test_objects_are_told_apart_by_kind_namespace_and_name(registry):
    for body in (of("b"), of("a"), made("AICostReport", "a"), made("PriceBook", "a")):
        registry.put(body)
    assert names(registry) == ["a", "b"]
    assert [str(key) for key in registry] == [
        "AICostReport team-a/a", "AIWorkload team-a/a", "AIWorkload team-a/b", "PriceBook a",
    ]  # fmt: skip
    assert Key("PriceBook", "", "a") in registry
    assert Key("PriceBook", "", "b") not in registry


def test_a_new_spec_is_a_change_and_a_status_of_ours_is_none(registry):
    registry.put(of("a"))
    assert registry.changed.is_set()
    registry.changed.clear()
    registry.put(of("a", status={"conditions": [{"type": "Ready", "status": "True"}]}))
    assert not registry.changed.is_set()
    registry.put(of("a", generation=2))
    assert registry.changed.is_set()


def test_an_object_made_anew_under_its_name_is_a_change(registry):
    registry.put(of("a"))
    registry.changed.clear()
    again = of("a")
    again["metadata"]["uid"] = "another"
    registry.put(again)
    assert registry.changed.is_set()


def test_a_deletion_is_a_change_once(registry):
    registry.put(of("a"))
    registry.changed.clear()
    registry.drop(of("a"))
    assert registry.changed.is_set()
    registry.changed.clear()
    registry.drop(of("a"))
    assert not registry.changed.is_set()


def test_a_list_takes_away_what_a_watch_never_told_the_end_of(registry):
    registry.put(of("a"))
    registry.put(of("b"))
    registry.put(made("PriceBook", "p"))
    registry.changed.clear()
    registry.replace("AIWorkload", [of("b")], registry.moment)
    assert names(registry) == ["b"]
    assert names(registry, "PriceBook") == ["p"]
    assert registry.changed.is_set()


def test_a_list_that_says_nothing_new_is_no_change(registry):
    registry.put(of("a"))
    registry.changed.clear()
    registry.replace("AIWorkload", [of("a")], registry.moment)
    assert not registry.changed.is_set()


def test_what_was_told_while_a_list_was_on_its_way_is_newer_than_the_list(registry):
    registry.put(of("changed"))
    registry.put(of("gone"))
    since = registry.moment
    registry.put(of("changed", generation=2))
    registry.drop(of("gone"))
    registry.put(of("new"))
    registry.replace("AIWorkload", [of("changed"), of("gone")], since)
    assert names(registry) == ["changed", "new"]
    assert [body["metadata"]["generation"] for body in registry.of_kind("AIWorkload")] == [2, 1]
    registry.replace("AIWorkload", [of("changed")], registry.moment)
    assert names(registry) == ["changed"]


def test_a_snapshot_does_not_change_with_the_registry(registry):
    registry.put(of("a"))
    before = registry.of_kind("AIWorkload")
    registry.put(of("b"))
    assert [body["metadata"]["name"] for body in before] == ["a"]


def test_rows_and_managed_fields_are_not_kept(registry):
    conditions = [{"type": "Ready", "status": "True"}]
    body = of("a", status={"rows": [{"cost": "1"}] * 200, "conditions": conditions})
    body["metadata"] |= {"managedFields": [{}], "annotations": {"x": "y" * 9_000}}
    registry.put(body)
    (kept,) = registry.of_kind("AIWorkload")
    assert kept["status"] == {"conditions": conditions}
    assert set(kept["metadata"]) == {"name", "namespace", "uid", "generation", "creationTimestamp"}
    assert kept["spec"] == body["spec"]


def test_an_object_without_spec_and_status_is_kept_too():
    body = made("AIWorkload", "a")
    del body["spec"], body["status"]
    assert trimmed(body)["spec"] == {}
    assert trimmed(body)["status"] == {"conditions": []}


def test_one_object_that_cannot_be_read_leaves_the_others(registry):
    def read(body):
        match body["metadata"]["name"]:
            case "bug":
                raise RuntimeError("a bug")
            case "bad":
                return Converted(None, (SpecProblem("spec", "x", "y"),))
            case name:
                return Converted(name)

    assert read_each([of("a"), of("bug"), of("bad"), of("z")], read) == ("a", "z")


def test_a_list_of_thousands_is_taken_in_without_comparing_each_with_each(registry):
    class Counting(dict):
        reads = 0

        def __getitem__(self, name):
            Counting.reads += 1
            return super().__getitem__(name)

    bodies = [Counting(of(f"w-{number}")) for number in range(3_000)]
    registry.replace("AIWorkload", bodies, registry.moment)
    registry.replace("AIWorkload", bodies, registry.moment)
    assert len(registry.of_kind("AIWorkload")) == 3_000
    assert Counting.reads < 20 * 2 * 3_000
