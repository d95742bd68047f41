"""One cluster, every way to hold a GPU, one bill that adds up: by reservation, since nothing is measured here."""

import json
import subprocess
import sys
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import pytest

from aicost.adapters.bundle.anonymise import Anonymiser
from aicost.adapters.bundle.bundle import open_bundle
from aicost.adapters.kube.seen.recording import recordable
from aicost.adapters.kube.wire.resources import NODES, PODS, resource_claims, resource_slices
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import HOUR_MS, to_rfc3339
from aicost.domain.ledger.rows import Component
from aicost.entrypoints.cli.replay.run import Wanted, replay
from support.builders import T0
from support.bundles import event, head, write
from support.every_way import Way, ways

RESOURCES = {
    "Node": NODES,
    "Pod": PODS,
    "ResourceClaim": resource_claims("v1"),
    "ResourceSlice": resource_slices("v1"),
}
WAYS = {way.name: way for way in ways()}
GPU_HOUR = 4_000_000_000


def book():
    entries = [
        {"name": name, "match": {"nodeSelector": {"kubernetes.io/hostname": name}}, "perGpuHour": "4"} for name in WAYS
    ]
    spec = {"currency": "USD", "entries": entries}
    return {"apiVersion": "aicost.dev/v1alpha1", "kind": "PriceBook", "metadata": {"name": "b"}, "spec": spec}


def bundle(folder, change=lambda body: body):
    bodies = [one for way in WAYS.values() for one in way.objects]
    kept = [recordable(RESOURCES[one["kind"]], json.dumps(one).encode()) for one in bodies]
    events = [event(T0, change(one)) for one in (book(), *kept)]
    return write(folder, head(T0, T0 + HOUR_MS), events)


def rows_of(place, ledger):
    done = replay(Wanted(str(place), str(ledger)), lambda _: None)
    assert done is not None
    with open_bundle(str(place)) as found:
        window = found.head.window
    return [row for row in DeltaLedger(str(ledger)).rows(window) if row.component is Component.GPU]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    return tmp_path_factory.mktemp("ways") / "ledger"


@pytest.fixture(scope="module")
def rows(ledger):
    return rows_of(bundle(ledger.parent / "bundle"), ledger)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_each_pod_pays_for_what_it_holds_and_the_node_for_the_rest(rows: list, way: Way):
    mine = [row for row in rows if row.place.node == way.name]
    held: defaultdict[str, int] = defaultdict(int)
    for row in mine:
        held[row.holder.pod] += row.cost_nanos
    assert sum(held.values()) == way.cards * GPU_HOUR
    assert set(held) - {""} == set(way.due)
    for pod, due in way.due.items():
        assert abs(held[pod] - due * GPU_HOUR) <= way.cards + 2, pod
    assert abs(held[""] - (way.cards - sum(way.due.values(), Fraction(0))) * GPU_HOUR) <= 2 * way.cards + 4


@pytest.mark.parametrize("way", [way for way in WAYS.values() if way.named], ids=lambda way: way.name)
def test_what_somebody_names_is_where_the_pod_is(rows: list, way: Way):
    found = {row.holder.pod: row.place.device for row in rows if row.place.node == way.name and row.holder.pod}
    assert found == way.named


def test_every_device_of_the_cluster_is_in_the_bill_once(rows):
    assert sum(row.gpu_milliseconds for row in rows) == sum(way.cards for way in WAYS.values()) * HOUR_MS
    assert {flag for row in rows for flag in row.flags} <= {"assumed-device"}


def test_pseudonyms_change_nothing_of_it(rows, tmp_path):
    hide = Anonymiser(b"key")
    hidden = rows_of(bundle(tmp_path / "bundle", hide.body), tmp_path / "ledger")
    of = lambda found, name: sorted((name(row.holder.pod), row.cost_nanos) for row in found if row.holder.pod)  # noqa: E731
    assert of(hidden, str) == of(rows, hide.text)
    told = (tmp_path / "bundle" / "objects.jsonl").read_text()
    assert not [one for way in WAYS.values() for one in (*way.due, *way.named.values()) if f'"{one}"' in told]
    assert not [name for name in WAYS if f'"{name}"' in told]


@pytest.mark.parametrize("node", ["dra", "hami", "kai"])
def test_receipts_of_it_are_equal(rows: list, ledger: Path, node: str):
    """What pods hold by claims and annotations is kept with the inputs, so it is told the same from them alone."""
    window = f"{to_rfc3339(T0)}/{to_rfc3339(T0 + HOUR_MS)}"
    words = ["explain", "--node", node, "--ledger", str(ledger), "--window", window]
    done = subprocess.run([sys.executable, "-m", "aicost", *words], capture_output=True, text=True, check=False)
    assert "replayed: equal" in done.stdout, done.stdout + done.stderr
    assert {row.holder.pod for row in rows if row.place.node == node and f"/{row.holder.pod}" in done.stdout}
