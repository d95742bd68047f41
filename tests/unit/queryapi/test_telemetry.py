"""Telemetry of nodes behind the query API: as a list, a Table and a document; for the whole cluster alone."""

import json

from aicost.adapters.trusts import NAME
from aicost.domain.trust.reasons import TrustReason
from aicost.domain.trust.standing import settle
from aicost.domain.trust.values import Judged, found
from support.builders import T0
from support.queryapi import CLUSTER

PATH = "/apis/query.aicost.dev/v1alpha1/nodetelemetries"
TABLE = {"X-Remote-User": "a", "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
BLIND = found(TrustReason.EXPORTER_BLIND, "1 of 8 GPUs are shown; gpu/dcgm-1 runs on it")
NODES = settle({}, [Judged("gpu-1", T0 - 5_000, 1, 8, (BLIND,)), Judged("gpu-2", T0 - 5_000, 8, 8)], T0)


async def test_a_list_has_a_condition_for_each_node(served):
    served.trusts.put(NODES, CLUSTER)
    body = (await served.get(PATH)).body
    assert (body["kind"], body["notAssessed"]) == ("NodeTelemetryList", [])
    first, second = body["items"]
    assert (first["metadata"], first["gpus"], first["newestSample"]) == (
        {"name": "gpu-1"},
        "1/8",
        "2026-11-25T09:59:55Z",
    )
    assert first["conditions"] == [
        {
            "type": "TelemetryTrusted",
            "status": "False",
            "reason": "ExporterBlind",
            "message": BLIND.message,
            "lastTransitionTime": "2026-11-25T10:00:00Z",
        }
    ]
    assert first["reasons"][0]["runbook"] == "docs/runbooks/telemetry-not-trusted.md#exporterblind"
    assert (second["trusted"], second["reason"], "fix" in second) == ("True", "Trusted", False)


async def test_a_table_is_what_kubectl_prints(served):
    served.trusts.put(NODES, CLUSTER)
    body = (await served.get(PATH, headers=TABLE)).body
    assert [one["name"] for one in body["columnDefinitions"] if not one["priority"]] == [
        "NAME", "TRUSTED", "REASON", "GPUS", "SINCE", "SEEN",
    ]  # fmt: skip
    assert body["rows"][0]["cells"][:4] == ["gpu-1", "False", "ExporterBlind", "1/8"]
    assert body["rows"][1]["cells"][-1] == "-"


async def test_the_document_of_one_node(served):
    served.trusts.put(NODES, CLUSTER)
    body = (await served.get(f"{PATH}?format=report&node=gpu-2")).body
    assert (body["kind"], [one["node"] for one in body["nodes"]]) == ("NodeTelemetryReport", ["gpu-2"])


async def test_before_the_first_look_it_says_so(served):
    body = (await served.get(f"{PATH}?format=report")).body
    assert (body["nodes"], body["not_assessed"]) == (
        [],
        ["the controller has not looked at the telemetry of nodes yet"],
    )


async def test_a_look_of_another_cluster_or_a_file_that_is_none_is_not_told(served):
    served.trusts.put(NODES, "another")
    body = (await served.get(f"{PATH}?format=report")).body
    assert body["nodes"] == []
    assert "another cluster or version" in body["not_assessed"][0]
    strange = json.dumps({"version": 1, "cluster": CLUSTER, "nodes": [{"node": 3}]})
    for text in ("", "{", strange, "[" * 100_000):
        (served.folder / NAME).write_text(text)
        answer = await served.get(f"{PATH}?format=report")
        assert (answer.status, answer.body["nodes"]) == (200, [])
        assert "cannot be understood" in answer.body["not_assessed"][0]


async def test_there_is_no_path_in_a_namespace_nor_for_a_team(served):
    for path in ("namespaces/a/nodetelemetries", "teams/a/nodetelemetries", "nodetelemetries/gpu-1"):
        assert (await served.get(f"/apis/query.aicost.dev/v1alpha1/{path}")).status == 404


async def test_what_is_no_parameter_is_refused(served):
    for query in ("labelSelector=a", "watch=true", "namespace=a"):
        assert (await served.get(f"{PATH}?{query}")).status in {400, 405}


async def test_discovery_says_that_it_is_of_the_whole_cluster(served):
    body = (await served.get("/apis/query.aicost.dev/v1alpha1")).body
    (one,) = [each for each in body["resources"] if each["name"] == "nodetelemetries"]
    assert (one["namespaced"], one["kind"], one["shortNames"]) == (False, "NodeTelemetry", ["ntel"])
    paths = (await served.get("/openapi/v3/apis/query.aicost.dev/v1alpha1")).body["paths"]
    assert PATH in paths
    assert not [path for path in paths if "nodetelemetries" in path and path != PATH]


def test_a_look_that_is_kept_is_read_back(served):
    served.trusts.put(NODES, CLUSTER)
    assert served.trusts.latest(CLUSTER).nodes == NODES
    assert json.loads((served.folder / NAME).read_text())["version"] == 1
    assert [path.name for path in served.folder.glob("node-telemetry*")] == [NAME], "nothing is left beside it"
