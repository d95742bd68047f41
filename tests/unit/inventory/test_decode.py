"""What is read of Kubernetes objects, and what is said of those that make no sense."""

import json
from pathlib import Path

import pytest

from aicost.adapters.kube.seen.decode import (
    decode_namespace,
    decode_node,
    decode_pod,
    decode_service,
    decode_service_account,
)
from aicost.adapters.kube.seen.trim import REDACTED, keep_arguments
from aicost.adapters.kube.seen.values import BadObject, PortSeen, ServicePortSeen
from aicost.domain.inventory.nodes import SharingMode
from support.builders import T0, make_node, make_pod

S = 1_000
POD = make_pod("team-a", "serve-0").gpus(2).bound(T0 + 5 * S).running()


def encode(manifest):
    return json.dumps(manifest).encode()


def changed(manifest, path, value):
    """The manifest with one field replaced."""
    *parents, last = path.split(".")
    at = manifest
    for key in parents:
        at = at[int(key) if key.isdigit() else key]
    at[int(last) if last.isdigit() else last] = value
    return encode(manifest)


def test_a_pod_is_read_as_it_was_built():
    pod = POD.label(team="x").annotation("aicost.dev/price", "2").runs("vllm:1", "serve", "m").service_account("sa")
    assert decode_pod(encode(pod.manifest())).facts == pod.facts()


def test_a_finished_pod_tells_when_its_last_container_ended():
    pod = POD.succeeded(T0 + 90 * S)
    assert decode_pod(encode(pod.manifest())).facts.ended_ms == T0 + 90 * S


def test_the_end_of_a_container_is_no_end_of_a_running_pod():
    manifest = POD.succeeded(T0 + 90 * S).manifest()
    manifest["status"]["phase"] = "Running"
    assert decode_pod(encode(manifest)).facts.ended_ms is None


def test_a_container_that_never_ran_tells_no_end():
    manifest = POD.failed(T0).manifest()
    manifest["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = "1970-01-01T00:00:00Z"
    manifest["status"]["conditions"][1]["lastTransitionTime"] = "2026-11-25T10:01:00Z"
    assert decode_pod(encode(manifest)).facts.ended_ms == T0 + 60 * S


def test_an_evicted_pod_without_containers_ended_when_it_stopped_being_ready():
    manifest = POD.failed(None).manifest()
    manifest["status"]["conditions"][1]["lastTransitionTime"] = "2026-11-25T10:01:00Z"
    assert decode_pod(encode(manifest)).facts.ended_ms == T0 + 60 * S


def test_what_finds_owners_and_exporters_is_read_too():
    pod = POD.owned_by("ReplicaSet", "serve-7f").listens("10.0.0.7", metrics=9400)
    seen = decode_pod(encode(pod.manifest()))
    assert (seen.owner.kind, seen.owner.name) == ("ReplicaSet", "serve-7f")
    assert (seen.pod_ip, seen.ready, seen.resource_version) == ("10.0.0.7", True, "7")
    assert seen.ports == (PortSeen("metrics", 9400),)


def test_of_the_environment_only_the_run_ids_of_trackers_are_kept():
    manifest = POD.variable("WANDB_PROJECT", "ranker").variable("MLFLOW_RUN_ID", "$(FROM_ELSEWHERE)").manifest()
    manifest["spec"]["containers"][0]["env"].append({"name": "WANDB_RUN_GROUP", "value": "x" * 257})
    seen = decode_pod(encode(manifest))
    assert seen.facts.run_ids == {"WANDB_PROJECT": "ranker", "MLFLOW_RUN_ID": "$(FROM_ELSEWHERE)"}
    assert "hunter2" not in repr(seen)


def test_of_two_containers_that_name_a_run_the_first_counts():
    manifest = POD.variable("WANDB_PROJECT", "first").manifest()
    manifest["spec"]["containers"].append({"name": "b", "env": [{"name": "WANDB_PROJECT", "value": "second"}]})
    assert decode_pod(encode(manifest)).facts.run_ids == {"WANDB_PROJECT": "first"}


def test_an_environment_that_is_null_is_none():
    manifest = POD.manifest()
    manifest["spec"]["containers"][0]["env"] = None
    assert decode_pod(encode(manifest)).facts.run_ids == {}


def test_values_of_secret_flags_are_taken_out_and_the_model_stays():
    arguments = ["vllm", "serve", "--model", "org/m", "--api-key", "sk-1", "--hf-token=hf_2", "--tokenizer", "org/t"]
    kept = (
        "vllm",
        "serve",
        "--model",
        "org/m",
        "--api-key",
        REDACTED,
        f"--hf-token={REDACTED}",
        "--tokenizer",
        "org/t",
    )
    assert keep_arguments(arguments) == kept


def test_secrets_inside_a_shell_script_are_taken_out():
    script = "export HF_TOKEN=hf_2; vllm serve org/m --api-key 'sk 1' --max-tokens 5 --db postgres://u:pw@db/x"
    kept = keep_arguments(["-c", script])[1]
    assert not any(secret in kept for secret in ("hf_2", "sk 1", "pw@"))
    assert all(word in kept for word in ("org/m", "--max-tokens 5", "postgres://u:", "@db/x"))


def test_a_huge_script_is_cut():
    assert len(keep_arguments(["x" * 1_000_000])[0]) == 4_096
    assert len(keep_arguments(["x"] * 10_000)) == 256


def test_only_annotations_with_meaning_are_kept():
    pod = (
        POD.annotation("gpu-fraction", "0.5")
        .annotation("secret.example/x", "y")
        .annotation("aicost.dev/z", "a" * 99_999)
    )
    assert decode_pod(encode(pod.manifest())).facts.annotations == {"gpu-fraction": "0.5"}


def test_sidecars_init_containers_and_claims_count():
    manifest = POD.manifest()
    asks = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    manifest["spec"]["initContainers"] = [{"name": "side", "restartPolicy": "Always", **asks}, {"name": "init", **asks}]
    manifest["spec"]["resourceClaims"] = [{"name": "a", "resourceClaimName": "mine"}, {"name": "b"}]
    manifest["status"]["resourceClaimStatuses"] = [{"name": "b", "resourceClaimName": "made-b"}]
    manifest["status"]["extendedResourceClaimStatus"] = {"resourceClaimName": "ext"}
    facts = decode_pod(encode(manifest)).facts
    assert facts.devices == {"nvidia.com/gpu": 3}
    assert facts.claims == ("mine", "made-b", "ext")


def test_a_pod_names_no_binding_before_it_is_bound():
    facts = decode_pod(encode(make_pod("a", "b").gpus(1).manifest())).facts
    assert (facts.node, facts.bound_ms) == (None, None)


def test_a_node_is_read_as_it_was_built():
    node = make_node("gpu-1").gpus(8).instance("p5.48xlarge").capacity_type("spot").annotation("aicost.dev/x", "1")
    seen = decode_node(encode(node.manifest()))
    assert seen.facts == node.facts()


def test_a_node_with_a_dead_plugin_still_has_its_gpus():
    facts = decode_node(encode(make_node("gpu-1").gpus(8).plugin_down().manifest())).facts
    assert (facts.gpus, facts.allocatable) == (8, {"nvidia.com/gpu": 0})


def test_a_shared_node_says_so():
    node = make_node("gpu-1").gpus(2, "NVIDIA-L4-SHARED").label("nvidia.com/gpu.replicas", "4")
    manifest = node.manifest()
    manifest["status"]["capacity"]["nvidia.com/gpu"] = "8"
    facts = decode_node(encode(manifest)).facts
    assert (facts.sharing, facts.slots_per_gpu, facts.gpus, facts.gpu_model) == (SharingMode.TIME_SLICING, 4, 2, "l4")


def test_namespaces_accounts_and_services_are_read():
    metadata = {"uid": "u", "name": "n", "namespace": "a", "resourceVersion": "3", "labels": {"k": "v"}}
    assert decode_namespace(encode({"metadata": metadata})).facts.labels == {"k": "v"}
    account = decode_service_account(encode({"metadata": metadata, "secrets": [{"name": "x"}]}))
    assert (account.facts.namespace, account.facts.name) == ("a", "n")
    ports = [{"name": "m", "port": 80, "targetPort": "metrics"}, {"port": 9400}]
    spec = {"clusterIP": "None", "selector": {"app": "x"}, "ports": ports}
    service = decode_service(encode({"metadata": metadata, "spec": spec}))
    assert service.ports == (ServicePortSeen("m", 80, "metrics"), ServicePortSeen("", 9400, 9400))
    assert (service.cluster_ip, service.selector) == ("", {"app": "x"})


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("metadata.labels", {"team": 5}, "labels"),
        ("metadata.uid", "", "metadata.uid"),
        ("metadata.namespace", None, "metadata.namespace"),
        ("metadata.creationTimestamp", None, "creationTimestamp"),
        ("metadata.creationTimestamp", "yesterday", "creationTimestamp"),
        ("metadata.creationTimestamp", "2026-11-25T10:00:00", "creationTimestamp"),
        ("spec.containers", "none", "containers"),
        ("spec.containers.0.resources.requests", {"nvidia.com/gpu": "many"}, "nvidia.com/gpu"),
        ("spec.containers.0.resources.requests", {"nvidia.com/gpu": "-2"}, "nvidia.com/gpu"),
        ("spec.containers.0.resources.requests", {"nvidia.com/gpu": "1e99"}, "nvidia.com/gpu"),
        ("status.phase", "Dancing", "status.phase"),
        ("status.conditions", [7], "conditions"),
        ("status", [], "status"),
    ],
)
def test_a_pod_with_a_wrong_field_is_reported_by_name_and_field(path, value, field):
    bad = decode_pod(changed(POD.manifest(), path, value))
    assert isinstance(bad, BadObject)
    assert field in bad.problem
    assert bad.name == "serve-0"
    assert str(bad).startswith("Pod ")


@pytest.mark.parametrize("encoded", [b"", b"{", b"null", b"[]", b"7", b"\xff\xfe", b'{"metadata":[]}', b"[" * 50_000])
def test_what_is_no_object_at_all_is_reported_too(encoded):
    for decode in (decode_pod, decode_node, decode_namespace, decode_service, decode_service_account):
        assert isinstance(decode(encoded), BadObject)


def test_labels_may_hold_any_text():
    pod = POD.raw_label("aicost.dev/team", "x" * 63).raw_label("weird", "'; DROP TABLE pods; -- \u202e \x00 🚀")
    assert decode_pod(encode(pod.manifest())).facts.labels == pod.labels


def test_null_where_a_list_or_a_map_should_be_is_an_empty_one():
    manifest = POD.manifest()
    manifest["metadata"].update(labels=None, annotations=None, ownerReferences=None)
    manifest["status"].update(conditions=None, containerStatuses=None)
    assert decode_pod(encode(manifest)).facts.labels == {}


def test_pods_of_real_clusters_are_read():
    folder = Path(__file__).parents[4] / "shared/data/k8s-objects"
    if not folder.is_dir():
        pytest.skip("no real objects here: ../shared/data is absent")
    yaml = pytest.importorskip("yaml")
    seen = 0
    for path in sorted(folder.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document and document.get("kind") == "Pod":
                document["metadata"].update(uid="u", namespace="n", creationTimestamp="2026-11-25T10:00:00Z")
                assert not isinstance(decode_pod(json.dumps(document, default=str).encode()), BadObject)
                seen += 1
    assert seen
