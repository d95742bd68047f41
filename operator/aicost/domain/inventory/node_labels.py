"""Where a node is and how it was bought, from the labels of clouds and provisioners. A new cloud is a new line here."""

from collections.abc import Mapping

from aicost.domain.inventory.nodes import CapacityType

REGION_LABELS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
ZONE_LABELS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
INSTANCE_TYPE_LABELS = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")

CAPACITY_LABELS: tuple[tuple[str, Mapping[str, CapacityType]], ...] = (
    (
        "aicost.dev/capacity-type",
        {
            "on-demand": CapacityType.ON_DEMAND,
            "spot": CapacityType.SPOT,
            "reserved": CapacityType.RESERVED,
        },
    ),
    (
        "karpenter.sh/capacity-type",
        {
            "on-demand": CapacityType.ON_DEMAND,
            "spot": CapacityType.SPOT,
            "reserved": CapacityType.RESERVED,
        },
    ),
    (
        "eks.amazonaws.com/capacityType",
        {
            "on_demand": CapacityType.ON_DEMAND,
            "spot": CapacityType.SPOT,
            "capacity_block": CapacityType.RESERVED,
        },
    ),
    ("cloud.google.com/gke-spot", {"true": CapacityType.SPOT}),
    ("cloud.google.com/gke-preemptible", {"true": CapacityType.SPOT}),
    (
        "cloud.google.com/gke-provisioning",
        {
            "standard": CapacityType.ON_DEMAND,
            "spot": CapacityType.SPOT,
            "preemptible": CapacityType.SPOT,
            "reservation": CapacityType.RESERVED,
        },
    ),
    ("kubernetes.azure.com/scalesetpriority", {"spot": CapacityType.SPOT, "regular": CapacityType.ON_DEMAND}),
    (
        "node.kubernetes.io/lifecycle",
        {
            "spot": CapacityType.SPOT,
            "normal": CapacityType.ON_DEMAND,
            "on-demand": CapacityType.ON_DEMAND,
        },
    ),
    (
        "lifecycle",
        {
            "ec2spot": CapacityType.SPOT,
            "spot": CapacityType.SPOT,
            "ondemand": CapacityType.ON_DEMAND,
            "normal": CapacityType.ON_DEMAND,
        },
    ),
)
"""Label -> what its values (in lower case) mean, the strongest first."""

_RESERVED_IF_SET = ("cloud.google.com/reservation-name", "karpenter.k8s.aws/capacity-reservation-id")
_ON_DEMAND_UNLESS_SPOT = ("cloud.google.com/gke-nodepool", "kubernetes.azure.com/agentpool")
"""Labels of managed pools that mark their spot nodes only: there, no mark means on demand."""

PROVIDERS: Mapping[str, str] = {
    "aws": "aws",
    "gce": "gcp",
    "azure": "azure",
    "oci": "oracle",
    "ocid1": "oracle",
    "digitalocean": "digitalocean",
    "linode": "linode",
    "ibm": "ibm",
    "openstack": "openstack",
    "vsphere": "vsphere",
    "alicloud": "alibaba",
    "hcloud": "hetzner",
    "scaleway": "scaleway",
    "equinixmetal": "equinix",
    "k3s": "k3s",
    "kind": "kind",
}
"""Scheme of `spec.providerID` -> provider, as price books name it."""


def first_label(labels: Mapping[str, str], keys: tuple[str, ...]) -> str:
    """The value of the first key that is set and not empty, else an empty string."""
    return next((labels[key] for key in keys if labels.get(key)), "")


def capacity_type(labels: Mapping[str, str]) -> CapacityType:
    """How a node was bought, UNKNOWN where no label tells."""
    if first_label(labels, _RESERVED_IF_SET):
        return CapacityType.RESERVED
    for key, meanings in CAPACITY_LABELS:
        meaning = meanings.get(labels.get(key, "").lower())
        if meaning is not None:
            return meaning
    return CapacityType.ON_DEMAND if first_label(labels, _ON_DEMAND_UNLESS_SPOT) else CapacityType.UNKNOWN


def provider(provider_id: str) -> str:
    """The provider that a `spec.providerID` such as `aws:///us-east-1a/i-0abc` names; an unknown scheme is kept."""
    scheme, separator, _ = provider_id.partition(":")
    if not separator:
        return "oracle" if provider_id.startswith("ocid1.") else ""
    return PROVIDERS.get(scheme.lower(), scheme.lower())
