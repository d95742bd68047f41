"""Steps that are cut off, objects that change or go while they are held, and what hands may not do."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.adapters.kube.hands.hands import GONE, Hands
from aicost.adapters.kube.hands.objects import ref_of
from aicost.adapters.kube.wire.errors import Conflict, Rejected
from aicost.domain.enforcement.levers.table import LEVERS
from aicost.domain.enforcement.values import ABSENT, Change, LeverName
from aicost.domain.enforcement.writing.changes import Undoing, holds
from aicost.domain.enforcement.writing.pointers import read
from aicost.domain.enforcement.writing.records import ENFORCED, changes_of, records_on
from aicost.ports.errors import ClusterUnavailable, NotPermitted
from support.third_party.bench import ACTION, ASK, SCALED, Pulled, bare, pulling
from support.third_party.definitions import ENGINE, LLM_INFERENCE_SERVICE
from support.third_party.objects import api_version

pytest_plugins = ("support.third_party.installed",)
pytestmark = pytest.mark.cluster

ENGINE_OF_3 = {"apiVersion": ENGINE.api_version, "kind": "Engine", "metadata": {}, "spec": {"size": 3, "image": "e:1"}}
NUMBER = "/scale/spec/replicas"


class Interrupted(KubeClient):
    """Ends before anything below ``/scale`` is written."""

    async def json_patch(self, *arguments: Any, subresource: str | None = None, **named: Any) -> bytes:
        if subresource == "scale":
            raise ClusterUnavailable("the process ended here")
        return await super().json_patch(*arguments, subresource=subresource, **named)


def test_a_step_that_was_cut_off_before_the_scale_is_finished_or_undone_and_never_half(bench):
    ref = bench.make(ENGINE_OF_3)

    async def cut_off() -> None:
        async with Interrupted(bench.config) as client:
            it = Pulled(bench, Hands(client, now_ms), SCALED, ref)
            with pytest.raises(ClusterUnavailable):
                await it.pull()
            half = await it.read()
            assert (read(half, NUMBER), changes_of(half, ACTION)) == (3, (Change(NUMBER, 3, 0),))

    async def finished() -> None:
        async with KubeClient(bench.config) as client:
            it = Pulled(bench, Hands(client, now_ms), SCALED, ref)
            changes, written = await it.pull()
            assert read(written, "/spec/size") == 0
            assert changes_of(written, ACTION) == changes == (Change(NUMBER, 3, 0),)
            await it.undo(())

    async def undone() -> None:
        async with KubeClient(bench.config) as client:
            it = Pulled(bench, Hands(client, now_ms), SCALED, ref)
            assert (await it.undo((Change(NUMBER, 3, 0),))).left == ()
            assert bare(await it.read())["spec"] == ENGINE_OF_3["spec"]
            assert ENFORCED not in (await it.read())["metadata"].get("annotations", {})

    for second in (finished, undone):
        asyncio.run(cut_off())
        asyncio.run(second())
    bench.remove(ref)


def test_a_scaled_object_whose_record_was_lost_is_undone_by_the_other_copy(bench):
    async def test(it: Pulled) -> None:
        changes, _ = await it.pull()
        lost = {"metadata": {"labels": {ENFORCED: None}, "annotations": {ENFORCED: None}}}
        bench.api.patch(bench.path(ENGINE_OF_3, it.ref.name), lost)
        assert (await it.undo(changes)).left == ()
        assert read(await it.read(), NUMBER) == 3

    pulling(bench, SCALED, ENGINE_OF_3, test)


def test_an_undoing_that_was_cut_off_after_the_scale_is_finished(bench):
    async def test(it: Pulled) -> None:
        changes, written = await it.pull()
        bench.somebody(written, [{"op": "add", "path": NUMBER, "value": 3}])
        assert (await it.undo(changes)).left == ()
        assert records_on(await it.read()) == ()

    pulling(bench, SCALED, ENGINE_OF_3, test)


def test_a_number_that_somebody_scaled_between_reading_and_writing_is_theirs(bench):
    async def test(it: Pulled) -> None:
        obj = await it.read()
        changes = SCALED.changes(obj, ASK)
        written = await it.hands.write(obj, (), it.record(changes))
        bench.somebody(written, [{"op": "add", "path": NUMBER, "value": 7}])
        with pytest.raises(Conflict, match="scaled by somebody else"):
            await it.hands.write(await it.read(), changes, it.record(changes))
        assert read(await it.read(), NUMBER) == 7

    pulling(bench, SCALED, ENGINE_OF_3, test)


def test_no_replicas_are_read_as_0_and_a_missing_number_is_not(bench):
    async def none_run(it: Pulled) -> None:
        assert read(await it.read(), NUMBER) == 0
        assert SCALED.changes(await it.read(), ASK) == ()

    async def nothing_said(it: Pulled) -> None:
        obj = await it.read()
        assert read(obj, NUMBER) is ABSENT
        assert SCALED.refuses(obj, ASK) == "its /scale names no number of replicas: its own controller chooses it"

    pulling(bench, SCALED, {**ENGINE_OF_3, "spec": {"size": 0}}, none_run)
    pulling(bench, SCALED, {**ENGINE_OF_3, "spec": {}}, nothing_said)


def test_two_steps_on_one_object_are_each_undone_alone(bench):
    stop = next(one for one in LEVERS if (one.name, one.kind) == (LeverName.SUSPEND_RAY, "RayCluster"))
    cap = next(one for one in LEVERS if one.name is LeverName.CAP_WORKERS)
    groups = [{"groupName": name, "replicas": 1, "maxReplicas": 8} for name in ("large-8", "small")]
    spec = {"enableInTreeAutoscaling": True, "workerGroupSpecs": groups}
    body = {"apiVersion": api_version(stop.group, stop.kind), "kind": stop.kind, "metadata": {}, "spec": spec}

    async def test(it: Pulled) -> None:
        before = await it.read()
        capped = cap.changes(before, ASK)
        first = await it.hands.write(before, capped, replace(it.record(capped), action="cap"))
        changes, both = await it.pull_on(first)
        assert [one.action for one in records_on(both)] == ["cap", ACTION]
        assert holds(both, (*capped, *changes))
        await it.hands.undo(both, "cap", ())
        left = await it.read()
        assert holds(left, changes)
        assert left["metadata"]["labels"][ENFORCED] == "true"
        assert [one["maxReplicas"] for one in read(left, "/spec/workerGroupSpecs")] == [8, 8]
        await it.undo(())
        assert bare(await it.read()) == bare(before)

    pulling(bench, stop, body, test)


def test_an_undoing_tries_again_while_somebody_else_writes(bench):
    async def test(it: Pulled) -> None:
        changes, stale = await it.pull()
        bench.api.patch(bench.path(ENGINE_OF_3, it.ref.name), {"spec": {"image": "e:2"}})
        assert (await it.hands.undo(stale, ACTION, changes)).left == ()
        assert read(await it.read(), "/spec/image") == "e:2"

    pulling(bench, SCALED, ENGINE_OF_3, test)


def test_an_object_that_went_is_reported_by_its_undoing_and_is_nobody_for_a_reader(bench):
    async def test(it: Pulled) -> None:
        changes, stale = await it.pull()
        bench.remove(it.ref)
        for seen in (stale, {key: value for key, value in stale.items() if key != "scale"}):
            assert await it.hands.undo(seen, ACTION, changes) == Undoing((), (GONE,))
        assert await it.hands.read(it.ref) is None
        again = bench.api.create(bench.path(ENGINE_OF_3), {**ENGINE_OF_3, "metadata": {"name": it.ref.name}})
        assert await it.hands.read(it.ref) is None, "another object took its name"
        assert await it.hands.read(ref_of(again)) is not None

    pulling(bench, SCALED, ENGINE_OF_3, test)


def test_what_is_not_accepted_any_more_is_told_in_the_words_of_the_api_server_and_nothing_is_put_back(bench):
    lower = next(one for one in LEVERS if one.name is LeverName.LOWER_AUTOSCALER)
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody"}
    spec = {"scaleTargetRef": target, "minReplicas": 5, "maxReplicas": 9}
    body = {"apiVersion": api_version(lower.group, lower.kind), "kind": lower.kind, "metadata": {}, "spec": spec}

    async def test(it: Pulled) -> None:
        changes, written = await it.pull()
        bench.somebody(written, [{"op": "replace", "path": "/spec/maxReplicas", "value": 3}])
        with pytest.raises(Rejected, match=r"must be greater than or equal to .?minReplicas"):
            await it.undo(changes)
        still = await it.read()
        assert changes_of(still, ACTION) == changes
        bench.somebody(still, [{"op": "replace", "path": "/spec/maxReplicas", "value": 6}])
        assert len((await it.undo(changes)).left) == 1
        assert read(await it.read(), "/spec/minReplicas") == 5

    pulling(bench, lower, body, test)


class Counting(KubeClient):
    """Notes which groups it is asked for."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.asked: list[str] = []

    async def versions(self, group: str) -> tuple[str, ...]:
        self.asked.append(group)
        return await super().versions(group)


def test_kinds_are_looked_up_once_in_ten_minutes_and_unknown_ones_each_minute(bench):
    ref = bench.make(ENGINE_OF_3)
    nobody = replace(ref, api_version="nobody.example.dev/v1")

    async def test() -> None:
        clock = [0]
        async with Counting(bench.config) as client:
            hands = Hands(client, lambda: clock[0])
            for seconds, lookups in ((0, (1, 1)), (59, (1, 1)), (61, (1, 2)), (599, (1, 3)), (601, (2, 3))):
                clock[0] = 1000 * seconds
                assert await hands.read(ref) is not None
                assert await hands.read(nobody) is None
                assert tuple(map(client.asked.count, (ref.group, nobody.group))) == lookups

    asyncio.run(test())
    bench.remove(ref)


def test_a_version_that_is_served_no_more_is_not_taken_for_an_object_that_went(bench):
    crd = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{LLM_INFERENCE_SERVICE.name}"
    body = {"apiVersion": LLM_INFERENCE_SERVICE.api_version, "kind": "LLMInferenceService", "metadata": {}, "spec": {}}

    def serve(newest: bool) -> None:
        spec = LLM_INFERENCE_SERVICE.crd()["spec"]
        spec["versions"][0]["served"] = newest
        bench.api.patch(crd, {"spec": spec})
        group = f"/apis/{LLM_INFERENCE_SERVICE.group}"
        bench.cluster.until(group, lambda it: (len(it["versions"]) == 3) is newest)

    async def test() -> None:
        clock = [0]
        ref = bench.make(body)
        async with KubeClient(bench.config) as client:
            hands = Hands(client, lambda: clock[0])
            first = await hands.read(ref)
            assert first is not None
            assert first["apiVersion"] == "serving.kserve.io/v1alpha2"
            serve(newest=False)
            clock[0] = 61_000
            found = await hands.read(ref)
        assert found is not None
        assert found["apiVersion"] == "serving.kserve.io/v1alpha1"

    try:
        asyncio.run(test())
    finally:
        serve(newest=True)


def test_annotations_are_set_and_removed_on_objects_and_pods(bench):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"annotations": {"mine": "yes", "old": "x"}}}
    pod["spec"] = {"containers": [{"name": "main", "image": "x"}], "nodeSelector": {"no": "where"}}

    async def test(it: Pulled) -> None:
        known = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": it.ref.name, "namespace": it.ref.namespace}}
        done = await it.hands.annotate(known, {"aicost.dev/checkpoint-request": "now", "old": None})
        assert done["metadata"]["annotations"] == {"mine": "yes", "aicost.dev/checkpoint-request": "now"}
        stranger = {**known, "metadata": {**known["metadata"], "uid": "another"}}
        with pytest.raises(Rejected, match="uid"):
            await it.hands.annotate(stranger, {"aicost.dev/checkpoint-request": None})

    pulling(bench, SCALED, pod, test)


def test_a_missing_permission_names_the_rule_to_grant(bench):
    ref = bench.make(ENGINE_OF_3)
    group, kubeconfig = ENGINE.group, bench.cluster.service_account_kubeconfig(bench.namespace, "default")
    rules = [
        {"apiGroups": [group], "resources": ["engines"], "verbs": ["get", "patch"]},
        {"apiGroups": [group], "resources": ["engines/scale"], "verbs": ["get"]},
    ]
    within = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{bench.namespace}"

    async def test(expected: str) -> None:
        async with KubeClient(load({}, now_ms, kubeconfig=kubeconfig)) as client:
            it = Pulled(bench, Hands(client, now_ms), SCALED, ref)
            with pytest.raises(NotPermitted, match=expected):
                await it.pull()

    asyncio.run(test(r'apiGroups \["engines.example.dev"\], resources \["engines"\], verbs \["get"\]'))
    bench.api.create(f"{within}/roles", {"metadata": {"name": "half"}, "rules": rules})
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": bench.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "half"}
    bench.api.create(f"{within}/rolebindings", {"metadata": {"name": "half"}, "roleRef": role, "subjects": [subject]})
    asyncio.run(test(r'resources \["engines/scale"\], verbs \["patch"\]'))
    bench.remove(ref)


def test_whose_hands_it_was_stands_in_the_managed_fields(bench):
    suspended = next(one for one in LEVERS if one.kind == "Workflow" and one.name is LeverName.SUSPEND_WORKFLOW)
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {}, "spec": {}}

    async def test(it: Pulled) -> None:
        _, written = await it.pull()
        ours = [one for one in written["metadata"]["managedFields"] if one["manager"] == "aicost-enforcer"]
        assert "f:suspend" in json.dumps(ours)

    pulling(bench, suspended, body, test)
