"""One cluster on which GPUs are held in every way, as objects of the API server, and the shares that should result."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from typing import Any

from support import dra

Body = dict[str, Any]
H100, A100 = "NVIDIA-H100-80GB-HBM3", "NVIDIA-A100-SXM4-40GB"
TEAM = "team"
CREATED = "2026-11-25T09:00:00Z"


def uuid(name: str) -> str:
    """The UUID of a card: the same in each run, another one for each name."""
    digits = sha256(name.encode()).hexdigest()
    return f"GPU-{digits[:8]}-0000-4000-8000-{digits[:12]}"


@dataclass
class Way:
    """One node and its pods.

    Attributes:
        due: pod -> GPUs that it holds of the node's, where they sum to at most the number of its cards.
        cards: how many GPUs the node is billed for.
        named: pod -> the card that it must be on.
    """

    name: str
    due: dict[str, Fraction]
    cards: int
    objects: list[Body] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)


def meta(name: str, namespace: str = "", **more: Any) -> Body:
    place = {"namespace": namespace} if namespace else {}
    return {"name": name, "uid": f"uid-{namespace}-{name}", "creationTimestamp": CREATED, **place, **more}


def node(name: str, capacity: dict[str, Any], annotations: dict[str, str] | None = None, **labels: str) -> Body:
    """A node with labels of GPU feature discovery: `gpu__count` is `nvidia.com/gpu.count`."""
    named = {key if "/" in key else f"nvidia.com/{key.replace('__', '.')}": value for key, value in labels.items()}
    counts = {key: str(value) for key, value in capacity.items()}
    metadata = meta(name, labels={"kubernetes.io/hostname": name, **named}, annotations=annotations or {})
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata,
            "status": {"capacity": counts, "allocatable": counts}}  # fmt: skip


def pod(name: str, on: str, resources: dict[str, Any] | None = None, *, namespace: str = TEAM,
        labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None,
        claims: tuple[str, ...] = (), status: Body | None = None) -> Body:  # fmt: skip
    """A pod that is bound to a node."""
    limits = {key: str(value) for key, value in (resources or {}).items()}
    spec: Body = {"nodeName": on, "containers": [{"name": "main", "image": "i", "resources": {"limits": limits}}]}
    if claims:
        spec["resourceClaims"] = [{"name": f"c{place}", "resourceClaimName": one} for place, one in enumerate(claims)]
    metadata = meta(name, namespace, labels=labels or {}, annotations=annotations or {})
    bound = [{"type": "PodScheduled", "status": "True", "lastTransitionTime": CREATED}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec,
            "status": {"phase": "Running", "conditions": bound, **(status or {})}}  # fmt: skip


def claim(name: str, *results: Body) -> Body:
    """A claim that is allocated."""
    body = dra.claim(TEAM, name, {})
    return {**body, "metadata": meta(name, TEAM), "status": dra.allocated(*results)}


def offered(name: str, *devices: Body, driver: str = dra.DRIVER) -> Body:
    """The slice of a driver."""
    body = dra.resource_slice(name, *devices, driver=driver)
    return {**body, "metadata": meta(body["metadata"]["name"])}


def exclusive() -> Way:
    pods = [pod("e1", "exclusive", {"nvidia.com/gpu": 3}), pod("e2", "exclusive", {"nvidia.com/gpu": 1})]
    here = node("exclusive", {"nvidia.com/gpu": 8}, gpu__count="8", gpu__product=H100)
    return Way("exclusive", {"e1": Fraction(3), "e2": Fraction(1)}, 8, [here, *pods])


def mig_single() -> Way:
    product = f"{H100}-MIG-1g.10gb"
    here = node("mig-single", {"nvidia.com/gpu": 7}, gpu__count="7", gpu__product=product, mig__strategy="single")
    return Way("mig-single", {"s1": Fraction(2, 7)}, 1, [here, pod("s1", "mig-single", {"nvidia.com/gpu": 2})])


def mig_mixed() -> Way:
    capacity = {"nvidia.com/gpu": 0, "nvidia.com/mig-3g.40gb": 2, "nvidia.com/mig-1g.10gb": 7}
    here = node("mig-mixed", capacity, gpu__count="2", gpu__product=H100, mig__strategy="mixed")
    pods = [
        pod("m1", "mig-mixed", {"nvidia.com/mig-3g.40gb": 1}),
        pod("m2", "mig-mixed", {"nvidia.com/mig-1g.10gb": 1}),
    ]
    return Way("mig-mixed", {"m1": Fraction(1, 2), "m2": Fraction(1, 7)}, 2, [here, *pods])


def sliced(name: str, resource: str, strategy: str, product: str) -> Way:
    here = node(name, {resource: 8}, gpu__count="2", gpu__product=product, gpu__replicas="4",
                **{"nvidia.com/gpu.sharing-strategy": strategy})  # fmt: skip
    pods = [pod(f"{name}-{number}", name, {resource: 1}) for number in range(3)]
    return Way(name, {one["metadata"]["name"]: Fraction(1, 4) for one in pods}, 2, [here, *pods])


def hami() -> Way:
    cards = [uuid("hami-0"), uuid("hami-1")]
    register = "".join(f"{one},10,40960,100,NVIDIA-A100,0,true:" for one in cards)
    here = node("hami", {"nvidia.com/gpu": 20}, {"hami.io/node-nvidia-register": register}, gpu__product=A100)
    key = "hami.io/vgpu-devices-allocated"
    asked = {"nvidia.com/gpu": 1, "nvidia.com/gpumem": 10240, "nvidia.com/gpucores": 30}
    pods = [
        pod("h1", "hami", asked, annotations={key: f"{cards[1]},NVIDIA,10240,30:;", "hami.io/vgpu-node": "hami"}),
        pod("h2", "hami", {"nvidia.com/gpu": 1}, annotations={key: f"{cards[1]},NVIDIA,20480,0:;"}),
    ]
    return Way(
        "hami", {"h1": Fraction(3, 10), "h2": Fraction(1, 2)}, 2, [here, *pods], dict.fromkeys(("h1", "h2"), cards[1])
    )


def volcano() -> Way:
    cards = [uuid("volcano-0"), uuid("volcano-1")]
    register = "".join(f"{one},10,40960,NVIDIA-A100,true:" for one in cards)
    capacity = {"volcano.sh/vgpu-number": 20, "volcano.sh/vgpu-memory": 81920}
    here = node("volcano", capacity, {"volcano.sh/node-vgpu-register": register}, gpu__product=A100)
    asked = {"volcano.sh/vgpu-number": 1, "volcano.sh/vgpu-memory": 10240}
    written = {"volcano.sh/vgpu-ids-new": f"{cards[1]},NVIDIA,10240,0:"}
    return Way(
        "volcano",
        {"vol1": Fraction(1, 4)},
        2,
        [here, pod("vol1", "volcano", asked, annotations=written)],
        {"vol1": cards[1]},
    )


def kai() -> Way:
    card = uuid("kai-1")
    here = node("kai", {"nvidia.com/gpu": 2}, gpu__count="2", gpu__product=A100)
    slice_of_node = offered("kai", dra.gpu(0, uuid("kai-0")), dra.gpu(1, card))
    group = {"runai-gpu-group": "g-1"}
    keeper = pod("gpu-reservation-g-1", "kai", {"nvidia.com/gpu": 1}, namespace="kai-resource-reservation",
                 labels=group, annotations={"run.ai/reserve_for_gpu_index": card})  # fmt: skip
    pods = [
        pod("k1", "kai", labels=group, annotations={"gpu-fraction": "0.5", "received-resource-type": "Fraction"}),
        pod("k2", "kai", labels=group, annotations={"gpu-memory": "10240"}),
    ]
    due = {"k1": Fraction(1, 2), "k2": Fraction(1, 4)}
    return Way("kai", due, 2, [here, slice_of_node, keeper, *pods], dict.fromkeys(due, card))


def allocated() -> Way:
    """Whole, shared, cut, consumed in part, watched, and behind a plain request."""
    name = "dra"
    cards = [uuid(f"dra-{number}") for number in range(5)]
    devices = [dra.gpu(number, cards[number]) for number in range(4)]
    offer = offered(name, *devices, dra.mig(4, cards[4], "3g.40gb", 0), dra.mig(4, cards[4], "1g.10gb", 4))
    plain = {"extendedResourceClaimStatus": {
        "resourceClaimName": "plain",
        "requestMappings": [{"containerName": "main", "resourceName": "nvidia.com/gpu", "requestName": "r0"}],
    }}  # fmt: skip
    claims = [
        claim("whole", dra.result(name, "gpu-0")),
        claim("shared", dra.result(name, "gpu-1")),
        claim("plain", dra.result(name, "gpu-2")),
        claim("taken", dra.result(name, "gpu-3", shareID="s", consumedCapacity={"memory": "20Gi"})),
        claim("cut", dra.result(name, "gpu-4-mig-3g40gb-0")),
        claim("watched", dra.result(name, "gpu-0", adminAccess=True)),
    ]
    pods = [
        pod("d1", name, claims=("whole",)), pod("d2", name, claims=("shared",)), pod("d3", name, claims=("shared",)),
        pod("d4", name, {"nvidia.com/gpu": 1}, status=plain), pod("d5", name, claims=("taken",)),
        pod("d6", name, claims=("taken",)), pod("d7", name, claims=("cut",)), pod("d8", name, claims=("watched",)),
    ]  # fmt: skip
    half, eighth = Fraction(1, 2), Fraction(1, 8)
    due = {"d1": Fraction(1), "d2": half, "d3": half, "d4": Fraction(1), "d5": eighth, "d6": eighth, "d7": half}
    named = dict(
        zip(("d1", "d2", "d3", "d4", "d5", "d6", "d7"), (cards[i] for i in (0, 1, 1, 2, 3, 3, 4)), strict=True)
    )
    return Way(name, due, 5, [node(name, {}), offer, *claims, *pods], named)


def others() -> Iterator[Way]:
    """Guests, and devices of other makers."""
    guest = node("guest", {"nvidia.com/gpu": 1}, gpu__count="1", gpu__product="GRID-A100-10C", vgpu__present="true")
    yield Way("guest", {"q1": Fraction(1)}, 1, [guest, pod("q1", "guest", {"nvidia.com/gpu": 1})])
    host = node("host", {"nvidia.com/GRID_A100-10C": 8}, gpu__count="2", gpu__product=A100)
    yield Way("host", {"q2": Fraction(1, 4)}, 2, [host, pod("q2", "host", {"nvidia.com/GRID_A100-10C": 1})])
    cut = node("amd-cut", {"amd.com/cpx_nps4": 16})
    yield Way("amd-cut", {"a2": Fraction(1, 4)}, 2, [cut, pod("a2", "amd-cut", {"amd.com/cpx_nps4": 2})])
    amd = node("amd", {"amd.com/gpu": 8}, **{"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM"})
    yield Way("amd", {"a1": Fraction(2)}, 8, [amd, pod("a1", "amd", {"amd.com/gpu": 2})])
    xe = node("xe", {"gpu.intel.com/xe": 2, "gpu.intel.com/millicores": 2000})
    asked = {"gpu.intel.com/xe": 1, "gpu.intel.com/millicores": 500}
    yield Way("xe", {"i1": Fraction(1, 2)}, 2, [xe, pod("i1", "xe", asked)])
    tpu = node("tpu", {"google.com/tpu": 4}, **{"cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice"})
    yield Way("tpu", {"t1": Fraction(4)}, 4, [tpu, pod("t1", "tpu", {"google.com/tpu": 4})])
    neuron = node("neuron", {"aws.amazon.com/neuron": 2, "aws.amazon.com/neuroncore": 4})
    yield Way("neuron", {"n1": Fraction(1, 2)}, 2, [neuron, pod("n1", "neuron", {"aws.amazon.com/neuroncore": 1})])


def ways() -> list[Way]:
    """All of them."""
    return [
        exclusive(), mig_single(), mig_mixed(), hami(), volcano(), kai(), allocated(), *others(),
        sliced("sliced", "nvidia.com/gpu", "time-slicing", f"{H100}-SHARED"),
        sliced("renamed", "nvidia.com/gpu.shared", "time-slicing", H100),
        sliced("processes", "nvidia.com/gpu", "mps", f"{H100}-SHARED"),
    ]  # fmt: skip
