"""The audit of labels against an API server: a fake one that counts and refuses, and a real one."""

import pytest

from aicost.adapters.audits import AuditFile
from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.domain.ledger.rows import Row
from aicost.entrypoints.controller.labels.audit import LabelAuditor
from aicost.entrypoints.controller.labels.listing import ObjectLists
from aicost.ports.errors import ClusterUnavailable
from support.controller import made, make_world, said, shown
from support.crd_samples import resource
from support.definitions import applied_definitions
from support.fake_api.server import DEPLOYMENTS, PODS, FakeApi
from support.fake_api.session import open_client
from support.ledger_rows import CLUSTER, HOUR_0, make_holder, make_row

TEAM = {"key": "team", "required": "GpuOnly", "allowed": {"values": ["vision", "search"]}}
POLICY = {"mode": "Audit", "keys": [TEAM]}


def template(name: str, gpus: int = 1) -> dict:
    limits = {"nvidia.com/gpu": str(gpus)} if gpus else {}
    containers = [{"name": "main", "image": "registry.example/train:1", "resources": {"limits": limits}}]
    return {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}


def deployment_spec(name: str, gpus: int = 1) -> dict:
    return {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template(name, gpus)}


class Desk:
    """An auditor between a world and a fake API server."""

    def __init__(self, folder, api: FakeApi, client: KubeClient) -> None:
        self.api, self.world, self.bare = api, make_world(folder), {"team-b"}
        self.file = AuditFile(folder)
        self.lists = [ObjectLists(client, lambda: self.bare) for _ in range(4)]
        given = iter(self.lists)
        world = self.world
        self.auditor = LabelAuditor(
            world.app, world.registry, world.state, world.attempts, self.file, lambda: next(given)
        )
        world.registry.put(made("CostLabelPolicy", "labels", POLICY, namespace=""))

    def deployment(self, name, namespace="team-a", gpus=1, **labels):
        told = {f"aicost.dev/{key}": value for key, value in labels.items()}
        self.api.put(DEPLOYMENTS, name, namespace, metadata={"labels": told}, spec=deployment_spec(name, gpus))

    def post(self, *rows: Row):
        self.world.post(*rows)

    @property
    def audit(self):
        return self.world.state.labels.audits["labels"]

    @property
    def metrics(self):
        return {name: value for name, value in shown(self.world.metrics).items() if "label" in name[0]}

    def answer(self):
        return self.world.answer(made("CostLabelPolicy", "labels", POLICY, namespace=""))


@pytest.fixture
async def desk(tmp_path, monkeypatch):
    monkeypatch.setattr("aicost.entrypoints.controller.labels.audit.now_ms", lambda: HOUR_0.end_ms)
    async with FakeApi() as api, open_client(api) as client:
        one = Desk(tmp_path, api, client)
        yield one
        one.world.app.stores.close()


async def test_an_audit_tells_the_policy_the_metrics_and_the_file(desk):
    desk.deployment("chat", team="vision")
    desk.deployment("train", team="visoin")
    desk.deployment("free", gpus=0)
    desk.post(
        make_row(6_000, holder=make_holder("team-a", "chat-0", team="vision")),
        make_row(2_000, holder=make_holder("team-a", "train-0")),
    )
    await desk.auditor.once()
    found = desk.audit
    assert (found.by_cost, found.objects, found.labelled, found.would_deny) == (pytest.approx(0.75), 2, 2, 1)
    (offence,) = found.offences
    assert (offence.kind, offence.name) == ("Deployment", "train")
    assert 'team="visoin"' in offence.problems[0]
    assert desk.metrics["aicost_label_coverage_ratio", "team", "cost"] == 0.75
    assert desk.metrics["aicost_label_would_deny_objects", "labels"] == 1
    assert desk.metrics["aicost_label_audited_objects",] == 3
    assert len(desk.file.latest(CLUSTER).audit.objects) == 3
    status, reason, message = said(desk.answer(), "Ready")
    assert (status, reason) == ("True", "Audited")
    assert "mode Deny would refuse 1" in message


async def test_bare_pods_are_listed_where_there_are_some_and_nowhere_else(desk):
    for name, where in (("lonely", "team-b"), ("unseen", "team-c")):
        desk.api.put(PODS, name, where, spec=template(name)["spec"])
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "uid": "u", "controller": True}
    desk.api.put(PODS, "part", "team-b", metadata={"ownerReferences": [owner]}, spec=template("part")["spec"])
    await desk.auditor.once()
    assert [one.name for one in desk.file.latest().audit.objects] == ["lonely"]
    assert [seen.path for seen in desk.api.asked("GET", "/pods")] == ["/api/v1/namespaces/team-b/pods"]


async def test_a_kind_that_may_not_be_listed_is_told_and_the_others_are_audited(desk):
    desk.deployment("chat", team="vision")
    desk.bare = {"team-b"}
    desk.api.faults.forbid = {("list", "pods")}
    await desk.auditor.once()
    audit = desk.file.latest().audit
    assert [one.name for one in audit.objects] == ["chat"]
    assert len(audit.unread) == 1
    assert "pods" in audit.unread[0]


async def test_a_list_that_expires_is_begun_anew_and_no_object_counts_twice(desk):
    for number in range(450):
        desk.deployment(f"d-{number}", team="vision")
    desk.api.faults.expire_pages = 1
    await desk.auditor.once()
    assert len(desk.file.latest().audit.objects) == 450
    assert len(desk.api.asked("GET", "/deployments")) > 3


async def test_a_failed_audit_leaves_the_last_one_and_the_policy_says_so(desk):
    desk.deployment("chat", team="vision")
    await desk.auditor.once()
    desk.api.faults.refuse = [503] * 50
    with pytest.raises(ClusterUnavailable):
        await desk.auditor.once()
    assert desk.audit.objects == 1
    status, reason, message = said(desk.answer(), "Ready")
    assert (status, reason) == ("False", "AuditFails")
    assert "The figures are those of" in message
    desk.api.faults.refuse = []
    await desk.auditor.once()
    assert said(desk.answer(), "Ready")[0] == "True"


async def test_nothing_is_written_to_the_cluster(desk):
    desk.deployment("chat")
    await desk.auditor.once()
    assert {seen.method for seen in desk.api.requests} == {"GET"}


@pytest.mark.cluster
async def test_on_a_real_api_server_the_kinds_that_it_has_are_audited(cluster, tmp_path):
    objects = [
        resource_of_kind("apps/v1", "Deployment", "audit-chat", deployment_spec("audit-chat")),
        resource_of_kind(
            "batch/v1", "Job", "audit-train",
            {"suspend": True, "template": {"spec": {**template("x")["spec"], "restartPolicy": "Never"}}},
            {"aicost.dev/team": "vision"},
        ),
        resource_of_kind(
            "batch/v1", "CronJob", "audit-nightly",
            {
                "schedule": "0 3 * * *", "suspend": True,
                "jobTemplate": {"spec": {"template": {"spec": {**template("x")["spec"], "restartPolicy": "Never"}}}},
            },
        ),
    ]  # fmt: skip
    world = make_world(tmp_path)
    with applied_definitions(cluster):
        for body in objects:
            cluster.apply(body)
        world.registry.put(made("CostLabelPolicy", "labels", POLICY, namespace=""))
        try:
            async with KubeClient(load({}, now_ms, kubeconfig=cluster.kubeconfig)) as client:
                file = AuditFile(tmp_path)
                lists = ObjectLists(client, lambda: {"default"})
                state = world.state
                auditor = LabelAuditor(world.app, world.registry, state, world.attempts, file, lambda: lists)
                await auditor.once()
        finally:
            world.app.stores.close()
            for body in objects:
                cluster.kubectl("delete", body["kind"], body["metadata"]["name"], "--wait=false")
    audit = file.latest().audit
    ours = {one.name: one for one in audit.objects if one.name.startswith("audit-")}
    assert {name: one.missing for name, one in ours.items()} == {
        "audit-chat": ("team",), "audit-train": (), "audit-nightly": ("team",),
    }  # fmt: skip
    assert ours["audit-nightly"].runs.scaling.value == "scheduled"
    assert {"Deployment", "Job", "CronJob", "StatefulSet", "AIWorkload"} <= set(audit.kinds)
    assert audit.unread == ()
    assert state.labels.audits["labels"].would_deny >= 2


def resource_of_kind(api_version, kind, name, spec, labels=None):
    metadata = {"name": name, "namespace": "default", "labels": labels or {}}
    return {
        **resource("AIWorkload", name, {}),
        "apiVersion": api_version,
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }
