"""The pods of the chart are restricted, and what they mount, listen on and are asked for fits together."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from aicost.crd.kinds import KINDS

ROOT = Path(__file__).parents[3]
EVERYTHING = {
    "replicas": 2,
    "ledger": {"url": "s3://bucket/aicost"},
    "persistence": {"accessMode": "ReadWriteMany"},
    "telemetry": {"prometheus": {"secretName": "credentials", "secretKeys": ["token"]}},
    "prices": {
        "http": {"url": "https://prices.example/b", "secretName": "prices", "secretKeys": ["token", "ca.crt"]},
    },
    "metrics": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    },
    "admission": {
        "certificateSecretName": "own",
        "webhookAnnotations": {"cert-manager.io/inject-ca-from": "aicost-system/own"},
        "listNamespaces": ["lists"],
    },
    "networkPolicy": {"enabled": True},
    "privacy": {"customerKeySecretName": "customers"},
    "imagePullSecrets": ["registry"],
    "podLabels": {"team": "platform"},
    "podAnnotations": {"note": "on"},
    "nodeSelector": {"pool": "system"},
    "tolerations": [{"key": "system", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "extraEnv": [{"name": "AWS_PROFILE", "value": "x"}],
}
WIDE = {
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
}
LEAST = {
    "queryApi": {"enabled": False},
    "admission": {"replicas": 1},
    "persistence": {"enabled": False},
    "prices": {"starter": False},
    "crds": {"install": False},
}


@pytest.fixture(params=[{}, EVERYTHING, LEAST], ids=["as it comes", "with everything", "with the least"])
def values(request) -> Any:
    return request.param


@pytest.fixture(params=["controller", "admission"])
def deployment(request, values, helm, deployment_of) -> dict[str, Any]:
    return deployment_of(helm.render(values=values), request.param)


@pytest.fixture
def pod(deployment) -> dict[str, Any]:
    return deployment["spec"]["template"]["spec"]


def test_pods_meet_the_restricted_standard(pod) -> None:
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] > 0
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not [port for port in container["ports"] if "hostPort" in port or port["containerPort"] < 1024]


def test_no_volume_reaches_into_the_node(pod) -> None:
    kinds = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}
    assert kinds <= {"configMap", "secret", "emptyDir", "persistentVolumeClaim"}


def test_each_mount_has_its_volume_and_each_volume_is_mounted(pod) -> None:
    mounted = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
    assert mounted - {"journal"} == {volume["name"] for volume in pod["volumes"]}  # a journal may have its own claim


def test_the_files_that_the_settings_name_are_mounted_into_the_containers(helm, of_kind, deployment_of) -> None:
    documents = helm.render(values=EVERYTHING)
    settings = yaml.safe_load(of_kind(documents, "ConfigMap")[0]["data"]["settings.yaml"])
    pods = [deployment_of(documents, one)["spec"]["template"]["spec"] for one in ("controller", "admission")]
    containers = {one["name"]: one for pod in pods for one in pod["containers"]}
    mounts = {name: {mount["mountPath"] for mount in one["volumeMounts"]} for name, one in containers.items()}

    def reaches(container: str, file: str) -> bool:
        return any(file == path or file.startswith(f"{path}/") for path in mounts[container])

    controller = ("/etc/aicost/settings.yaml", settings["journal"]["path"], settings["prices"]["starterFile"])
    assert all(reaches("controller", file) for file in controller)
    assert reaches("controller", settings["telemetry"]["prometheus"]["bearerTokenFile"])
    assert reaches("controller", settings["prices"]["http"]["tokenFile"])
    assert reaches("controller", settings["privacy"]["customerKeyFile"])
    assert reaches("controller", settings["prices"]["http"]["caFile"])
    assert reaches("query", "/etc/aicost/settings.yaml")
    assert reaches("query", settings["server"]["certificateDir"])
    assert reaches("admission", "/etc/aicost/settings.yaml")
    assert reaches("admission", settings["admission"]["certificateDir"])


def test_a_journal_is_never_shared_by_replicas(helm, of_kind, deployment_of) -> None:
    for values, volume in (({}, "data"), (EVERYTHING, "journal")):
        documents = helm.render(values=values)
        settings = yaml.safe_load(of_kind(documents, "ConfigMap")[0]["data"]["settings.yaml"])
        pod = deployment_of(documents)["spec"]["template"]["spec"]
        mounts = {mount["mountPath"]: mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
        assert mounts[str(Path(settings["journal"]["path"]).parent)] == volume
        claims = [one["metadata"]["name"] for one in deployment_of(documents)["spec"].get("volumeClaimTemplates", ())]
        assert claims == (["journal"] if volume == "journal" else [])
        assert [one["name"] for one in pod["volumes"]].count(volume) == (volume == "data")


def test_several_replicas_may_keep_their_journals_as_long_as_their_pods(helm, of_kind) -> None:
    (many,) = of_kind(helm.render("journal.size=", values=EVERYTHING), "StatefulSet")
    assert "volumeClaimTemplates" not in many["spec"]
    assert {"name": "journal", "emptyDir": {}} in many["spec"]["template"]["spec"]["volumes"]


def test_several_replicas_keep_apart_and_are_drained_one_by_one(helm, of_kind) -> None:
    high = ("replicas=2", "persistence.enabled=false", "ledger.url=s3://bucket/aicost")
    documents = helm.render(*high)
    (many,) = of_kind(documents, "StatefulSet")
    assert many["spec"]["podManagementPolicy"] == "Parallel"
    (template,) = many["spec"]["volumeClaimTemplates"]
    assert template["spec"]["resources"]["requests"]["storage"] == "2Gi"
    terms = many["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]
    keys = {
        one["podAffinityTerm"]["topologyKey"]: one["weight"]
        for one in terms["preferredDuringSchedulingIgnoredDuringExecution"]
    }
    assert keys == {"kubernetes.io/hostname": 100, "topology.kubernetes.io/zone": 50}
    (budget,) = [one for one in of_kind(documents, "PodDisruptionBudget") if one["metadata"]["name"] == "aicost"]
    assert budget["spec"]["maxUnavailable"] == 1
    labels = many["spec"]["template"]["metadata"]["labels"].items()
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels
    own = helm.render(*high, values={"affinity": {"nodeAffinity": {}}})
    assert of_kind(own, "StatefulSet")[0]["spec"]["template"]["spec"]["affinity"] == {"nodeAffinity": {}}
    assert [one["metadata"]["name"] for one in of_kind(helm.render(), "PodDisruptionBudget")] == ["aicost-admission"]


def test_credentials_of_the_store_are_files_of_a_secret_and_stand_in_no_setting(helm, of_kind, deployment_of) -> None:
    ledger = {
        "url": "s3://bucket/aicost",
        "secretName": "store",
        "secretOptions": {"AWS_SECRET_ACCESS_KEY": "key"},
        "retentionDays": 400,
    }
    documents = helm.render(values={"ledger": ledger})
    settings = yaml.safe_load(of_kind(documents, "ConfigMap")[0]["data"]["settings.yaml"])["ledger"]
    assert settings["storageOptionFiles"] == {"AWS_SECRET_ACCESS_KEY": "/etc/aicost/ledger/key"}
    assert settings["retentionDays"] == 400
    pod = deployment_of(documents)["spec"]["template"]["spec"]
    assert {"name": "ledger", "secret": {"secretName": "store"}} in pod["volumes"]
    for container in pod["containers"]:
        assert "/etc/aicost/ledger" in [mount["mountPath"] for mount in container["volumeMounts"]]


def test_probes_and_services_use_ports_that_the_containers_name(helm, of_kind, deployment_of) -> None:
    changed = {"metrics": {"port": 9090}, "queryApi": {"port": 9443}, "admission": {"port": 1443, "metricsPort": 1090}}
    documents = helm.render(values={"networkPolicy": {"enabled": True}, **changed})
    wanted = {"controller": {"metrics": 9090, "query": 9443}, "admission": {"webhook": 1443, "metrics": 1090}}
    for component, expected in wanted.items():
        pod = deployment_of(documents, component)["spec"]["template"]["spec"]
        ports = {port["name"]: port["containerPort"] for container in pod["containers"] for port in container["ports"]}
        assert ports == expected
        _probes_use_own_ports(pod)
        selects = {"app.kubernetes.io/component": component}.items()
        services = [one for one in of_kind(documents, "Service") if selects <= one["spec"]["selector"].items()]
        assert {port["targetPort"] for one in services for port in one["spec"]["ports"]} == set(ports)
        policies = [one["spec"] for one in of_kind(documents, "NetworkPolicy")]
        (policy,) = [one for one in policies if selects <= one["podSelector"]["matchLabels"].items()]
        assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} == set(ports)


def _probes_use_own_ports(pod: dict[str, Any]) -> None:
    for container in pod["containers"]:
        own = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            for action in ("httpGet", "tcpSocket"):
                assert container.get(probe, {}).get(action, {}).get("port", next(iter(own))) in own


def test_selectors_find_the_pods_and_the_metrics_services(helm, of_kind, deployment_of) -> None:
    documents = helm.render(values=EVERYTHING)
    pods = []
    for component in ("controller", "admission"):
        deployment = deployment_of(documents, component)
        labels = deployment["spec"]["template"]["metadata"]["labels"].items()
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels
        assert ("team", "platform") in labels
        pods.append(labels)
    selectors = [one["spec"]["selector"] for one in of_kind(documents, "Service")]
    for kind, name in (("NetworkPolicy", "podSelector"), ("PodDisruptionBudget", "selector")):
        selectors += [one["spec"][name]["matchLabels"] for one in of_kind(documents, kind)]
    assert len(selectors) == 8
    for selector in selectors:
        assert sum(selector.items() <= labels for labels in pods) == 1, "each finds the pods of one Deployment"
    (monitor,) = of_kind(documents, "ServiceMonitor")
    chosen = [
        service["metadata"]["name"]
        for service in of_kind(documents, "Service")
        if monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    ]
    assert sorted(chosen) == ["aicost-admission-metrics", "aicost-metrics"]


def test_the_arguments_are_commands_with_the_settings_file(pod) -> None:
    for container in pod["containers"]:
        verb, *rest = container["args"]
        assert verb == container["name"]
        assert verb in {"admission", "controller", "query"}
        assert rest == ["--config", "/etc/aicost/settings.yaml"]


def test_a_change_of_the_settings_or_of_the_list_prices_rolls_the_pods(helm, deployment_of) -> None:
    def sums(*settings: str) -> dict[str, str]:
        deployment = deployment_of(helm.render(*settings))
        notes = deployment["spec"]["template"]["metadata"]["annotations"]
        return {name: text for name, text in notes.items() if name.startswith("checksum/")}

    before, after = sums(), sums("log.level=debug")
    assert before["checksum/settings"] != after["checksum/settings"]
    prices = (ROOT / "charts/aicost/files/starter-prices.yaml").read_bytes()
    assert before["checksum/starter-prices"] == hashlib.sha256(prices).hexdigest()


def test_one_replica_lets_go_of_the_volume_before_the_next_one_takes_it(helm, deployment_of) -> None:
    one, many = deployment_of(helm.render()), deployment_of(helm.render(values=EVERYTHING))
    assert (one["kind"], one["spec"]["strategy"]["type"]) == ("Deployment", "Recreate")
    assert (many["kind"], many["spec"]["updateStrategy"]["type"]) == ("StatefulSet", "RollingUpdate")


def test_the_image_is_the_one_of_the_release_unless_a_tag_is_given(helm, of_kind) -> None:
    version = yaml.safe_load((ROOT / "charts/aicost/Chart.yaml").read_text())["appVersion"]
    for settings, image in (
        ((), f"aicost:{version}"),
        (("image.repository=r.example/a", "image.tag=x"), "r.example/a:x"),
    ):
        pods = [one["spec"]["template"]["spec"] for one in of_kind(helm.render(*settings), "Deployment")]
        assert {one["image"] for pod in pods for one in pod["containers"]} == {image}


def test_chart_and_product_have_one_version() -> None:
    chart = yaml.safe_load((ROOT / "charts/aicost/Chart.yaml").read_text())
    project = (ROOT / "pyproject.toml").read_text()
    assert {chart["version"], chart["appVersion"]} == set(re.findall(r'^version = "([^"]+)"', project, re.MULTILINE))


def test_crds_and_the_ledger_outlive_the_release(helm, of_kind) -> None:
    documents = helm.render()
    definitions = of_kind(documents, "CustomResourceDefinition")
    assert len(definitions) == len(KINDS)
    for kept in (*definitions, *of_kind(documents, "PersistentVolumeClaim")):
        assert kept["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep", kept["metadata"]["name"]
    assert of_kind(helm.render("crds.install=false"), "CustomResourceDefinition") == []


def test_the_definitions_in_the_chart_are_the_ones_that_are_published(helm, of_kind) -> None:
    published = {}
    for path in (ROOT / "crds").glob("*.yaml"):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        published[document["metadata"]["name"]] = document["spec"]
    definitions = of_kind(helm.render(), "CustomResourceDefinition")
    assert {one["metadata"]["name"]: one["spec"] for one in definitions} == published


def test_nothing_but_what_belongs_to_the_cluster_lies_outside_the_namespace(helm) -> None:
    for document in helm.render(values=EVERYTHING):
        where = document["metadata"].get("namespace")
        elsewhere = {("RoleBinding", "kube-system"): "aicost-front-proxy", ("Role", "lists"): "aicost-admission-lists"}
        elsewhere["RoleBinding", "lists"] = "aicost-admission-lists"
        expected = None if document["kind"] in WIDE else "aicost-system"
        assert where == expected or elsewhere[document["kind"], where] == document["metadata"]["name"]


def test_without_the_query_api_nothing_of_it_is_left(helm, of_kind, deployment_of) -> None:
    documents = helm.render("queryApi.enabled=false")
    assert of_kind(documents, "APIService") == of_kind(documents, "Secret") == []
    assert "aicost-query" not in [one["metadata"]["name"] for one in of_kind(documents, "Service")]
    pod = deployment_of(documents)["spec"]["template"]["spec"]
    assert [one["name"] for one in pod["containers"]] == ["controller"]


def test_a_namespace_deletion_is_never_held_up_by_the_order_of_the_uninstall(helm, of_kind) -> None:
    """An APIService without its Service blocks the deletion of namespaces: Helm has to take both, with the release."""
    (service,) = of_kind(helm.render(), "APIService")
    assert "helm.sh/resource-policy" not in service["metadata"].get("annotations", {})
    assert service["spec"]["caBundle"]
    assert "insecureSkipTLSVerify" not in service["spec"]
