"""Dynamic resource allocation on a real API server with its real scheduler: claims, slices and the bill they make."""

import json
import secrets
import subprocess
import sys
import time
from fractions import Fraction

import pytest
import yaml

from aicost.adapters.bundle.bundle import open_bundle
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.ledger.rows import Component
from devcluster.nodes import FakeNode
from support import dra
from support.cluster import LiveCluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]
DOLLARS = 1_000_000_000


def card(number: int) -> str:
    return f"GPU-{number:08d}-1111-2222-3333-444444444444"


@pytest.fixture
def place(local_cluster: LiveCluster, namespace):
    """A node without a device plugin, whose DRA driver offers what a test lists; and a class for all of it."""
    node, made = f"dra-{secrets.token_hex(3)}", []
    local_cluster.nodes.create(FakeNode(node, instance_type=f"{node}.type"))

    def create(path, body):
        local_cluster.api.create(path, body)
        made.append(f"{path}/{body['metadata']['name']}")

    create(f"{dra.API}/deviceclasses", dra.device_class(node, f'device.driver == "{dra.DRIVER}"'))
    yield Place(local_cluster, namespace, node, create)
    for path in reversed(made):
        local_cluster.api.delete(path)
    local_cluster.nodes.delete(node)


class Place:
    def __init__(self, cluster, namespace, node, create):
        self.cluster, self.namespace, self.node, self.create = cluster, namespace, node, create
        self.pods = f"/api/v1/namespaces/{namespace}/pods"

    def offer(self, *devices):
        self.create(f"{dra.API}/resourceslices", dra.resource_slice(self.node, *devices))

    def run(self, name, **more):
        where = {"nodeSelector": {"kubernetes.io/hostname": self.node}}
        self.cluster.apply(dra.pod(self.namespace, name, **where, **more))
        self.cluster.until(f"{self.pods}/{name}", lambda pod: pod["status"].get("phase") == "Running")

    def record(self, folder, *words):
        """What `aicost record` writes of the cluster as it is."""
        folder.mkdir()
        aicost(
            "record", "--for", "3s", "--out", folder / "bundle", "--no-samples", *words,
            "--kubeconfig", self.cluster.kubeconfig,
        )  # fmt: skip
        return folder / "bundle"

    def bill(self, bundle, folder, node=""):
        """Rows of this place's GPUs in the ledger that a replay of a bundle writes, and its window.

        Under pseudonyms (`node=None`) they are those of the one machine type that has a price.
        """
        book = {
            "apiVersion": "aicost.dev/v1alpha1", "kind": "PriceBook", "metadata": {"name": "dra"},
            "spec": {"currency": "USD", "entries": [{
                "name": "dra", "match": {"instanceType": f"{self.node}.type"}, "perGpuHour": "4",
            }]},
        }  # fmt: skip
        (folder / "book.yaml").write_text(yaml.safe_dump(book), encoding="utf-8")
        said = aicost("replay", bundle, "--ledger", folder / "ledger", "--prices", folder / "book.yaml", "-o", "json")
        told = json.loads(said)
        assert (told["unbalancedNanos"], told["passedOver"]) == (0, [])
        with open_bundle(str(bundle)) as found:
            window = found.head.window
        rows = DeltaLedger(str(folder / "ledger")).rows(window)
        mine = [row for row in rows if row.component is Component.GPU and row.price]
        return [row for row in mine if node is None or row.place.node == self.node], window


def aicost(*words):
    done = subprocess.run(
        [sys.executable, "-m", "aicost", *map(str, words)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def shares(rows, window):
    """Pod -> device -> share of the window, to a thousandth."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        device = found.setdefault(row.holder.pod, {})
        share = Fraction(row.gpu_milliseconds, window.length_ms)
        device[row.place.device] = round(float(share + Fraction(device.get(row.place.device, 0))), 3)
    return found


def test_a_pod_that_claims_a_gpu_pays_for_the_card_that_it_was_given(place, tmp_path):
    place.offer(dra.gpu(0, card(0)), dra.gpu(1, card(1)))
    spec = dra.claim_spec(deviceClassName=place.node)
    place.cluster.apply(dra.template(place.namespace, "one", spec))
    place.run("train", of={"resourceClaimTemplateName": "one"})
    rows, window = place.bill(place.record(tmp_path / "a"), tmp_path)
    pod = place.cluster.api.get(f"{place.pods}/train")
    (status,) = pod["status"]["resourceClaimStatuses"]
    claims = f"{dra.API}/namespaces/{place.namespace}/resourceclaims"
    claim = place.cluster.api.get(f"{claims}/{status['resourceClaimName']}")
    (given,) = claim["status"]["allocation"]["devices"]["results"]
    mine = card(int(given["device"].removeprefix("gpu-")))
    (other,) = {card(0), card(1)} - {mine}
    assert shares(rows, window) == {"train": {mine: 1.0}, "": {other: 1.0}}
    assert {row.flags for row in rows} == {()}
    assert sum(row.cost_nanos for row in rows) == round(2 * 4 * DOLLARS * window.length_ms / 3_600_000)


def test_pods_that_share_a_claim_share_its_card_and_an_instance_is_its_part(place, tmp_path):
    place.offer(dra.gpu(0, card(0)), dra.mig(1, card(1), "3g.40gb", 0), dra.mig(1, card(1), "1g.10gb", 4))
    of = {
        "whole": f'device.attributes["{dra.DRIVER}"].type == "gpu"',
        "part": f'device.attributes["{dra.DRIVER}"].profile == "3g.40gb"',
    }
    for name, expression in of.items():
        spec = dra.claim_spec(deviceClassName=place.node, selectors=[{"cel": {"expression": expression}}])
        place.cluster.apply(dra.claim(place.namespace, name, spec))
    for name in ("a", "b"):
        place.run(name, of={"resourceClaimName": "whole"})
    place.run("c", of={"resourceClaimName": "part"})
    rows, window = place.bill(place.record(tmp_path / "a"), tmp_path)
    assert shares(rows, window) == {
        "a": {card(0): 0.5}, "b": {card(0): 0.5}, "c": {card(1): 0.5}, "": {card(1): 0.5},
    }  # fmt: skip


def test_who_only_watches_a_card_pays_nothing(place, tmp_path):
    allowed = {"metadata": {"labels": {"resource.kubernetes.io/admin-access": "true"}}}
    place.cluster.api.patch(f"/api/v1/namespaces/{place.namespace}", allowed)
    place.offer(dra.gpu(0, card(0)))
    for name, admin in (("work", False), ("watch", True)):
        spec = dra.claim_spec(deviceClassName=place.node, adminAccess=admin)
        place.cluster.apply(dra.template(place.namespace, name, spec))
        place.run(name, of={"resourceClaimTemplateName": name})
    rows, window = place.bill(place.record(tmp_path / "a"), tmp_path)
    assert shares(rows, window) == {"work": {card(0): 1.0}}


def test_claims_that_consume_a_part_of_a_card_pay_that_part(place, tmp_path):
    place.offer(dra.gpu(0, card(0), allowMultipleAllocations=True))
    for name, memory in (("small", "20Gi"), ("large", "40Gi")):
        spec = dra.claim_spec(deviceClassName=place.node, capacity={"requests": {"memory": memory}})
        place.cluster.apply(dra.template(place.namespace, name, spec))
        place.run(name, of={"resourceClaimTemplateName": name})
    rows, window = place.bill(place.record(tmp_path / "a"), tmp_path)
    assert shares(rows, window) == {"small": {card(0): 0.25}, "large": {card(0): 0.5}, "": {card(0): 0.25}}


def test_a_plain_request_that_a_claim_serves_is_billed_once(place, tmp_path):
    resource = f"{place.node}.example.com/gpu"
    place.offer(dra.gpu(0, card(0)), dra.gpu(1, card(1)))
    served = dra.device_class(f"{place.node}-plain", f'device.driver == "{dra.DRIVER}"')
    served["spec"]["extendedResourceName"] = resource
    place.create(f"{dra.API}/deviceclasses", served)
    container = {"name": "main", "image": "trainer:1", "resources": {"limits": {resource: "1"}}}
    spec = {"containers": [container], "nodeSelector": {"kubernetes.io/hostname": place.node}}
    metadata = {"name": "plain", "namespace": place.namespace}
    place.cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    place.cluster.until(f"{place.pods}/plain", lambda pod: pod["status"].get("phase") == "Running")
    rows, window = place.bill(place.record(tmp_path / "a"), tmp_path)
    found = shares(rows, window)
    assert sorted(found) == ["", "plain"]
    assert [*found["plain"].values(), *found[""].values()] == [1.0, 1.0]


def test_a_claim_is_billed_from_allocation_to_release_and_under_pseudonyms_too(place, tmp_path):
    place.offer(dra.gpu(0, card(0)))
    place.cluster.apply(dra.template(place.namespace, "one", dra.claim_spec(deviceClassName=place.node)))
    place.run("short", of={"resourceClaimTemplateName": "one"})
    folder = tmp_path / "a"
    folder.mkdir()
    command = [sys.executable, "-m", "aicost", "record", "--for", "12s", "--out", folder / "bundle", "--no-samples",
               "--anonymise", "--kubeconfig", place.cluster.kubeconfig]  # fmt: skip
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as one:
        time.sleep(6)
        place.cluster.api.delete(f"{place.pods}/short")
        said, _ = one.communicate(timeout=120)
    assert one.returncode == 0, said
    rows, window = place.bill(folder / "bundle", tmp_path, node=None)
    held = [row for row in rows if row.holder.pod]
    length = window.length_ms
    assert len({row.place.device for row in held}) == 1
    assert 1_000 < sum(row.gpu_milliseconds for row in held) < length - 1_000
    assert card(0) not in {row.place.device for row in rows}
