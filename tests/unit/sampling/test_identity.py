from dataclasses import replace
from fractions import Fraction

import numpy as np

from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.dra.claims import ClaimedDevice
from aicost.domain.inventory.nodes import NodeFacts, NodeRecord
from aicost.domain.inventory.pods import ContainerFacts, PodFacts, PodRecord
from aicost.domain.sampling.identity import Holder, context_of, device_of, exporter_pods, holder_of
from aicost.domain.sampling.series import RawSeries
from support.samples import ENGINE, context, only, raw, read

EXPORTER = ("gpu-operator", "nvidia-dcgm-exporter-x7k2p")
KNOWN = context(
    exporters=[("gpu-operator", "watcher")], pod_nodes={("gpu-operator", "watcher"): "n2", ("t", "p"): "n1"}
)


def holder(**labels: str) -> Holder | None:
    return holder_of(raw([1], **labels), KNOWN)


def test_exported_pod_is_the_holder_and_pod_is_the_exporter():
    got = holder(exported_pod="p", exported_namespace="t", pod="watcher", namespace="gpu-operator")
    assert got == Holder(("t", "p"))


def test_pod_is_the_holder_where_nothing_was_renamed():
    assert holder(pod="p", namespace="t", pod_uid="u") == Holder(("t", "p"), "u")


def test_an_exporter_of_the_cluster_holds_nothing():
    assert holder(pod="watcher", namespace="gpu-operator") is None


def test_the_scrape_target_holds_nothing():
    assert holder_of(raw([1], pod="odd", namespace="x", target_pod=("x", "odd")), KNOWN) is None


def test_a_pod_with_devices_whose_own_metrics_are_scraped_is_their_holder():
    claim = ClaimedDevice("c", "GPU-1", Fraction(1))
    greedy = PodRecord(PodFacts("u", "x", "odd", 0, node="n", devices={"nvidia.com/gpu": 1}), 0)
    claiming = PodRecord(PodFacts("u", "x", "odd", 0, node="n", claims=("c",)), 0, claimed=(claim,))
    watching = replace(claiming, claimed=(replace(claim, share=Fraction(0)),))
    found = [
        holder_of(raw([1], pod="odd", namespace="x", target_pod=("x", "odd")), context_of(ClusterFacts((pod,), ()), 1))
        for pod in (greedy, claiming, watching)
    ]
    assert found == [Holder(("x", "odd")), Holder(("x", "odd")), None]


def test_an_exporter_by_name_that_the_cluster_does_not_know_holds_nothing():
    assert holder(namespace=EXPORTER[0], pod=EXPORTER[1]) is None


def test_a_workload_that_calls_itself_an_exporter_is_still_a_holder():
    where = context(pod_nodes={("t", "my-dcgm-exporter"): "n1"})
    assert holder_of(raw([1], pod="my-dcgm-exporter", namespace="t"), where) == Holder(("t", "my-dcgm-exporter"))


def test_an_empty_label_is_no_label():
    assert holder(pod="", namespace="") is None
    assert holder(exported_pod="", pod="p", namespace="t") == Holder(("t", "p"))


def test_the_uid_may_be_renamed_too():
    assert holder(exported_pod="p", exported_namespace="t", exported_pod_uid="u") == Holder(("t", "p"), "u")


def shown(labels, name=ENGINE):
    return RawSeries(name, labels, np.zeros(0, np.int64), np.zeros(0))


def test_a_device_is_its_uuid_and_its_instance():
    assert device_of(shown({"UUID": "GPU-1"})) == ("GPU-1", None)
    assert device_of(shown({"UUID": "GPU-1", "GPU_I_ID": ""})) == ("GPU-1", None)
    assert device_of(shown({"UUID": "GPU-1", "GPU_I_ID": "7"})) == ("GPU-1", "7")
    assert device_of(shown({"gpu": "0"})) is None


def test_who_asks_for_a_device_is_no_exporter():
    image = (ContainerFacts("main", "nvcr.io/nvidia/k8s/dcgm-exporter:4"),)
    plain = PodFacts("u", "a", "watcher", 0, containers=image)
    greedy = PodFacts("v", "a", "greedy", 0, containers=image, devices={"nvidia.com/gpu": 1})
    claiming = PodFacts("w", "a", "claiming", 0, containers=image, claims=("gpu",))
    other = PodFacts("x", "a", "other", 0, containers=(ContainerFacts("main", "vllm"),))
    assert exporter_pods([plain, greedy, claiming, other]) == {("a", "watcher")}


def node_of(where=None, **labels: str) -> str | None:
    return only(read(raw([0.5], **labels), where=where)).node


def test_the_exporters_own_node_counts_first():
    assert only(read(raw([0.5], Hostname="n1", target_node="n2"))).node == "n2"


def test_the_node_of_the_scraped_pod_is_the_exporters_node():
    where = context(pod_nodes={EXPORTER: "n2"})
    assert only(read(raw([0.5], Hostname="n1", target_pod=EXPORTER), where=where)).node == "n2"


def test_a_host_label_of_any_spelling_names_the_node():
    for label in ("Hostname", "hostname", "node", "kubernetes_node"):
        assert node_of(**({"Hostname": ""} | {label: "n2"})) == "n2"
    assert node_of(Hostname="", instance="n2:9400") == "n2"


def test_the_hostname_label_of_a_node_is_one_of_its_names():
    assert node_of(context({"i-0307": "worker-1", "i-0308": "worker-2"}), Hostname="worker-2") == "i-0308"


def test_a_short_name_finds_its_node_and_a_full_name_too():
    full = context(["ip-10-200-3-41.ec2.internal", "ip-10-200-3-42.ec2.internal"])
    assert node_of(full, Hostname="ip-10-200-3-41") == "ip-10-200-3-41.ec2.internal"
    short = context(["ip-10-200-3-41", "ip-10-200-3-42"])
    assert node_of(short, Hostname="ip-10-200-3-42.ec2.internal") == "ip-10-200-3-42"


def test_a_short_name_that_two_nodes_share_names_neither():
    assert node_of(context(["a.one", "a.two"]), Hostname="a") is None


def test_the_numbers_of_an_address_are_no_short_name():
    assert node_of(context(["10.example.com"]), Hostname="10.0.0.7", instance="10.0.0.7:9400") is None


def test_a_name_counts_more_than_a_host_label_of_another_node():
    assert node_of(context({"a": "b", "b": "a"}), Hostname="a") == "a"


def test_the_holders_node_is_the_last_resort():
    assert node_of(KNOWN, Hostname="pod-name-of-exporter", pod="p", namespace="t") == "n1"


def test_a_context_is_made_of_what_is_known_of_the_cluster():
    facts = NodeFacts("u", "i-0307", 0, labels={"kubernetes.io/hostname": "worker-1"})
    pods = [PodFacts(uid, "t", "web-0", 0, node=node) for uid, node in (("u1", "a"), ("u2", "b"))]
    pods.append(PodFacts("u3", "t", "one", 0, node="i-0307"))
    made = context_of(ClusterFacts(tuple(PodRecord(p, 0) for p in pods), (NodeRecord(facts, 0, 0),)), 30_000)
    assert made.nodes.find("worker-1") == (1, "i-0307")
    assert dict(made.pod_nodes) == {("t", "one"): "i-0307"}
