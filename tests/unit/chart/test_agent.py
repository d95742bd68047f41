"""The node agent of the chart: off unless it is asked for, and with no more rights than its work takes."""

from typing import Any

import pytest

from aicost.entrypoints.agent.main import agent

ON = "agent.enabled=true"


def _daemon_set(documents: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = [one for one in documents if one["kind"] == "DaemonSet"]
    return found


def _pod(helm, *settings: str, values: Any = None) -> dict[str, Any]:
    return _daemon_set(helm.render(ON, *settings, values=values))["spec"]["template"]["spec"]


def test_nothing_of_it_is_there_unless_it_is_turned_on(helm) -> None:
    documents = helm.render("networkPolicy.enabled=true", "metrics.serviceMonitor.enabled=true")
    assert not [one for one in documents if one["metadata"]["name"].endswith("-agent")]


def test_it_may_do_what_it_needs_and_nothing_else(helm) -> None:
    pod = _pod(helm)
    (container,) = pod["containers"]
    assert pod["hostPID"] is True
    assert not {"hostNetwork", "hostIPC"} & set(pod)
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_of_the_node_it_writes_one_folder_and_reads_two(helm) -> None:
    pod = _pod(helm)
    places = {one["name"]: one["hostPath"]["path"] for one in pod["volumes"]}
    mounts = {one["name"]: one.get("readOnly", False) for one in pod["containers"][0]["volumeMounts"]}
    assert {places[name]: read_only for name, read_only in mounts.items()} == {
        "/var/lib/aicost-agent": False,
        "/var/log/pods": True,
        "/var/lib/kubelet/pod-resources": True,
    }


def test_it_has_no_right_at_the_api_server_and_no_token(helm) -> None:
    documents = helm.render(ON)
    pod = _daemon_set(documents)["spec"]["template"]["spec"]
    (account,) = [
        one for one in documents if one["kind"] == "ServiceAccount" and one["metadata"]["name"] == "aicost-agent"
    ]
    assert account["automountServiceAccountToken"] is False
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == "aicost-agent"
    bindings = [one for one in documents if one["kind"].endswith("RoleBinding")]
    assert not [subject for one in bindings for subject in one["subjects"] if subject["name"] == "aicost-agent"]


def test_its_arguments_are_those_that_it_knows_and_its_files_are_mounted(helm) -> None:
    container = _pod(helm)["containers"][0]
    words = container["args"]
    assert words[0] == "agent"
    given = dict(word.removeprefix("--").split("=") for word in words[1:])
    context = agent.make_context("agent", list(words[1:]), resilient_parsing=False)
    assert context.params["port"] == container["ports"][0]["containerPort"] == 9410
    assert context.params["interval"] == 1
    mounts = [one["mountPath"] for one in container["volumeMounts"]]
    for name in ("state", "pod-logs", "pod-resources"):
        assert any(given[name] == path or given[name].startswith(f"{path}/") for path in mounts)
    environment = {one["name"]: one.get("value") for one in container["env"]}
    assert environment["NVIDIA_VISIBLE_DEVICES"] == "all"
    assert environment["NVIDIA_DRIVER_CAPABILITIES"] == "utility"
    assert {probe for probe in ("livenessProbe", "readinessProbe") if container[probe]["httpGet"]["port"] == "metrics"}


def test_mig_takes_one_capability_more(helm) -> None:
    container = _pod(helm, "agent.mig=true")["containers"][0]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["SYS_ADMIN"]}
    assert {"name": "NVIDIA_MIG_MONITOR_DEVICES", "value": "all"} in container["env"]


def test_where_no_runtime_gives_the_driver_it_is_mounted_and_has_to_be_privileged(helm) -> None:
    folder = "agent.driverFolder=/home/kubernetes/bin/nvidia"
    assert "agent.privileged=true" in helm.refuse(ON, folder)
    pod = _pod(helm, folder, "agent.privileged=true", "agent.runtimeClassName=")
    assert "runtimeClassName" not in pod
    assert pod["containers"][0]["securityContext"] == {"readOnlyRootFilesystem": True, "privileged": True}
    assert {"name": "LD_LIBRARY_PATH", "value": "/usr/local/nvidia/lib64"} in pod["containers"][0]["env"]
    assert {"name": "driver", "hostPath": {"path": "/home/kubernetes/bin/nvidia", "type": "Directory"}} in pod[
        "volumes"
    ]


def test_it_runs_on_gpu_nodes_and_on_those_that_are_named(helm) -> None:
    pod = _pod(helm)
    assert pod["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    selector = {"nvidia.com/gpu.present": None, "cloud.google.com/gke-accelerator": "nvidia-h100-80gb"}
    pod = _pod(helm, values={"agent": {"nodeSelector": selector}})
    assert pod["nodeSelector"] == {"cloud.google.com/gke-accelerator": "nvidia-h100-80gb"}


def test_its_metrics_keep_their_own_labels_and_nothing_but_they_are_reached(helm) -> None:
    documents = helm.render(ON, "networkPolicy.enabled=true", "metrics.serviceMonitor.enabled=true")
    labels = _daemon_set(documents)["spec"]["template"]["metadata"]["labels"]
    (monitor,) = [one for one in documents if one["kind"] == "PodMonitor"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert monitor["spec"]["podMetricsEndpoints"] == [{"port": "metrics", "interval": "15s", "honorLabels": True}]
    (policy,) = [
        one for one in documents if one["kind"] == "NetworkPolicy" and one["metadata"]["name"] == "aicost-agent"
    ]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy["spec"]["egress"] == []


@pytest.mark.parametrize(
    "setting", ["agent.port=0", "agent.intervalSeconds=0", "agent.stateFolder=tmp", "agent.nonsense=1"]
)
def test_values_that_make_no_sense_are_refused(helm, setting) -> None:
    assert "agent" in helm.refuse(ON, setting)


def test_a_release_with_the_agent_leaves_the_other_pods_as_they_are(helm) -> None:
    def others(documents):
        return [one for one in documents if one["kind"] in {"Deployment", "ClusterRole", "ClusterRoleBinding"}]

    settings = ("queryApi.enabled=false", "admission.enabled=false")
    assert others(helm.render(ON, *settings)) == others(helm.render(*settings))
