"""The chart's own controller on a real API server: GPUs held by claims, HAMi, KAI and Volcano, and one who lies."""

import secrets
import time
from datetime import datetime
from fractions import Fraction

import pytest

from aicost.domain.ledger.rows import Component
from devcluster.nodes import FakeNode
from support import dra
from support.chart import forget_definitions
from support.every_way import uuid
from support.stage import Controller, Stage

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
RESERVATIONS = "kai-resource-reservation"
MIB = 40_960
_KEYS = {
    "hami": "hami.io/node-nvidia-register",
    "volcano": "volcano.sh/node-vgpu-register",
    "parts": "hami.io/vgpu-devices-allocated",
    "ids": "volcano.sh/vgpu-ids-new",
    "fraction": "gpu-fraction",
}


@pytest.fixture
def stage(cluster, tmp_path):
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    forget_definitions(cluster)
    with Stage(cluster, tmp_path).open(("4.8.2", "4.9")) as stage:
        yield stage


class Town:
    """One node for each scheduler that shares GPUs."""

    def __init__(self, cluster, namespace):
        self.cluster, self.namespace, self.mark = cluster, namespace, secrets.token_hex(3)
        self.type = f"town-{self.mark}.8x"
        self.made: list[str] = []

    def name(self, way):
        return f"{way}-{self.mark}"

    def card(self, way, number):
        return uuid(f"{self.name(way)}-{number}")

    def node(self, way, resources, **annotations):
        notes = {_KEYS[key]: value for key, value in annotations.items()}
        where = {"instance_type": self.type, "annotations": notes, "gpu_product": "NVIDIA-A100-SXM4-40GB"}
        self.cluster.nodes.create(FakeNode(self.name(way), resources=resources, **where))
        self.made.append(f"/api/v1/nodes/{self.name(way)}")

    def create(self, path, body):
        self.cluster.api.create(path, body)
        self.made.append(f"{path}/{body['metadata']['name']}")

    def build(self):
        cards = {way: [self.card(way, number) for number in range(2)] for way in ("hami", "volcano", "kai", "dra")}
        hami = "".join(f"{one},10,{MIB},100,NVIDIA-A100,0,true:" for one in cards["hami"])
        volcano = "".join(f"{one},10,{MIB},NVIDIA-A100,true:" for one in cards["volcano"])
        self.node("hami", {"nvidia.com/gpu": "20"}, hami=hami)
        self.node("volcano", {"volcano.sh/vgpu-number": "20"}, volcano=volcano)
        self.node("kai", {"nvidia.com/gpu": "2"})
        self.node("dra", {})
        devices = [dra.gpu(number, card, allowMultipleAllocations=number == 1)
                   for number, card in enumerate(cards["dra"])]  # fmt: skip
        self.create(f"{dra.API}/resourceslices", dra.resource_slice(self.name("dra"), *devices))
        self.create(f"{dra.API}/deviceclasses", dra.device_class(self.name("dra"), f'device.driver == "{dra.DRIVER}"'))
        self.create("/api/v1/namespaces", {"metadata": {"name": RESERVATIONS}})
        self.cluster.until(f"/api/v1/namespaces/{RESERVATIONS}/serviceaccounts/default", lambda _: True)
        return cards

    def forget(self):
        for path in reversed(self.made):
            self.cluster.api.delete(path)

    def pod(self, way, name, resources=None, namespace=None, labels=None, **annotations):
        notes = {_KEYS[key]: value for key, value in annotations.items()}
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace or self.namespace, "annotations": notes,
                         "labels": labels or {}},
            "spec": {
                "nodeSelector": {"kubernetes.io/hostname": self.name(way)},
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "main", "image": "serve:1", "resources": {"limits": resources or {}}}],
            },
        }  # fmt: skip
        self.cluster.apply(body)

    def claims(self, name, **exactly):
        spec = dra.claim_spec(deviceClassName=self.name("dra"), **exactly)
        self.cluster.apply(dra.template(self.namespace, name, spec))
        where = {"nodeSelector": {"kubernetes.io/hostname": self.name("dra")}}
        self.cluster.apply(dra.pod(self.namespace, name, of={"resourceClaimTemplateName": name}, **where))

    def prices(self):
        entry = {"name": "town", "match": {"instanceType": self.type}, "perGpuHour": "4"}
        spec = {"currency": "USD", "entries": [entry]}
        metadata = {"name": f"town-{self.mark}"}
        return {"apiVersion": "aicost.dev/v1alpha1", "kind": "PriceBook", "metadata": metadata, "spec": spec}

    def people(self, cards):
        """Pods of all nodes; the shares that they should have, and on which card where somebody says."""
        whole = f'device.capacity["{dra.DRIVER}"].memory.compareTo(quantity("1Gi")) > 0'
        one = [{"cel": {"expression": f'device.attributes["{dra.DRIVER}"].uuid == "{cards["dra"][0]}" && {whole}'}}]
        two = [{"cel": {"expression": f'device.attributes["{dra.DRIVER}"].uuid == "{cards["dra"][1]}"'}}]
        self.claims("whole", selectors=one)
        self.claims("part", selectors=two, capacity={"requests": {"memory": "20Gi"}})
        gpu, group = {"nvidia.com/gpu": "1"}, {"runai-gpu-group": self.mark}
        self.pod("hami", "quarter", gpu, parts=f"{cards['hami'][1]},NVIDIA,{MIB // 4},0:;")
        self.pod("hami", "rest", gpu, parts=f"{cards['hami'][1]},NVIDIA,{MIB // 4 * 3},0:;")
        self.pod("volcano", "half", {"volcano.sh/vgpu-number": "1"},
                 ids=f"{cards['volcano'][1]},NVIDIA,{MIB // 2},0:")  # fmt: skip
        self.pod("kai", "reserve", gpu, RESERVATIONS, group)
        self.cluster.api.patch(f"/api/v1/namespaces/{RESERVATIONS}/pods/reserve", {
            "metadata": {"annotations": {"run.ai/reserve_for_gpu_index": cards["kai"][0]}},
        })  # fmt: skip
        self.pod("kai", "fraction", labels=group, fraction="0.3")
        quarter, half = Fraction(1, 4), Fraction(1, 2)
        due = {"whole": Fraction(1), "part": quarter, "quarter": quarter, "rest": 3 * quarter, "half": half}
        named = {"whole": cards["dra"][0], "part": cards["dra"][1], "quarter": cards["hami"][1],
                 "rest": cards["hami"][1], "half": cards["volcano"][1]}  # fmt: skip
        return due | {"fraction": Fraction(3, 10)}, named


@pytest.fixture
def town(cluster, stage):
    town = Town(cluster, stage.team)
    yield town
    town.forget()


def shares(controller, town):
    """Pod -> device -> share since it was bound, as the ledger says it now; and the flags of its rows."""
    found, flags = {}, {}
    rows = [row for row in controller.rows() if row.component is Component.GPU]
    for row in rows:
        flags.setdefault(row.holder.pod, set()).update(row.flags)
        found.setdefault(row.holder.pod, {}).setdefault(row.place.device, [0, row.window.end_ms])
        device = found[row.holder.pod][row.place.device]
        device[0] += row.gpu_milliseconds
        device[1] = max(device[1], row.window.end_ms)
    return found, flags


def bound_ms(cluster, namespace, name):
    pod = cluster.until(f"/api/v1/namespaces/{namespace}/pods/{name}", lambda one: one["spec"].get("nodeName"))
    scheduled = next(one for one in pod["status"]["conditions"] if one["type"] == "PodScheduled")
    return int(datetime.fromisoformat(scheduled["lastTransitionTime"]).timestamp() * 1_000)


def test_all_of_them_are_billed_by_what_they_hold_and_a_restart_forgets_none(cluster, stage, town):
    controller = Controller(stage)
    cards = town.build()
    with controller.installed():
        cluster.apply(town.prices())
        due, named = town.people(cards)
        bound = {name: bound_ms(cluster, stage.team, name) for name in due}
        _until_all(controller, town, due)
        liar = f"{cards['hami'][1]},NVIDIA,{MIB},0:;"
        town.pod("hami", "liar", {"nvidia.com/gpu": "1"}, parts=liar)
        # Once it is seen the watch has spoken again: whatever goes unseen from now on went later than that.
        _until_all(controller, town, {**due, "liar": Fraction(1)})
        cluster.api.delete(f"/api/v1/namespaces/{stage.team}/pods/part")
        controller.kill()
        found, flags = _until_all(controller, town, {**due, "liar": Fraction(1)})
        for name, share in due.items():
            ((device, (held_ms, end_ms)),) = found[name].items()
            assert device == named.get(name, device), name
            if name != "part":
                assert held_ms == pytest.approx(float(share) * (end_ms - bound[name]), rel=0.01), name
        assert flags["liar"] == {"foreign-device", "assumed-device"}
        assert cards["hami"][1] not in found["liar"]
        held_ms = found["part"][cards["dra"][1]][0]
        time.sleep(5)
        again, _ = shares(controller, town)
        assert again["part"][cards["dra"][1]][0] == held_ms
        assert held_ms > 1_000


def _until_all(controller, town, due, seconds=90):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(1)
        try:
            found, flags = shares(controller, town)
        except (FileNotFoundError, ValueError, KeyError, IndexError):
            continue
        if due.keys() <= found.keys():
            return found, flags
    pytest.fail(f"not all are billed: {sorted(found)}\n{controller.log()[-6000:]}")
