"""Names that kube-state-metrics bent are bent back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.prometheus.history.keys import WELL_KNOWN, LabelKeys, bent, resource_of, resource_pattern
from aicost.domain.inventory.accelerators import RESOURCES
from support.history.ksm import label_name, resource_name


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("label_aicost_dev_team", "aicost.dev/team"),
        ("label_aicost_dev_cost_center", "aicost.dev/cost-center"),
        ("label_aicost_dev_customer_segment", "aicost.dev/customer-segment"),
        ("label_app_kubernetes_io_name", "app.kubernetes.io/name"),
        ("label_eks_amazonaws_com_capacity_type", "eks.amazonaws.com/capacityType"),
        ("label_node_kubernetes_io_instance_type", "node.kubernetes.io/instance-type"),
        ("label_nvidia_com_gpu_product", "nvidia.com/gpu.product"),
        ("label_kueue_x_k8s_io_queue_name", "kueue.x-k8s.io/queue-name"),
        ("label_team", "team"),
        ("label_acme_com_owner", "acme_com_owner"),
        ("label_team_conflict1", "team_conflict1"),
    ],
)
def test_a_key_that_is_known_is_bent_back_and_any_other_is_kept(written, key):
    assert LabelKeys().read({written: "x", "pod": "p", "label_empty": ""}) == {key: "x"}


def test_keys_that_policies_name_are_known_too_and_the_first_of_two_that_look_alike_is_taken():
    keys = LabelKeys(("acme.com/owner", "acme-com/owner"))
    assert keys.read({"label_acme_com_owner": "x"}) == {"acme.com/owner": "x"}


@pytest.mark.parametrize("key", WELL_KNOWN)
def test_what_kube_state_metrics_writes_of_a_known_key_is_read_as_one_that_bends_alike(key):
    (read,) = LabelKeys().read({label_name("label", key): "x"})
    assert bent(read) == bent(key)


@given(st.text(min_size=1, max_size=40))
def test_no_label_name_of_strangers_breaks_anything(name):
    assert len(LabelKeys().read({f"label_{name}": "x"})) == 1


RESOURCE_CASES = [line.name for line in RESOURCES if not line.prefix] + [
    "nvidia.com/mig-1g.5gb", "nvidia.com/mig-3g.40gb", "nvidia.com/mig-1c.3g.20gb", "nvidia.com/mig-1g.10gb.me",
    "huawei.com/Ascend910", "volcano.sh/vgpu-memory", "cpu", "memory",
]  # fmt: skip


@pytest.mark.parametrize("resource", RESOURCE_CASES)
def test_resources_are_bent_back(resource):
    assert resource_of(resource_name(resource)) == resource


def test_the_pattern_of_resources_has_nothing_that_a_query_would_not_take():
    assert '"' not in resource_pattern()
    assert "nvidia_com_mig_.*" in resource_pattern()
