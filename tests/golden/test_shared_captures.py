"""What real clusters printed and asked for: expositions of L4, T4 and L40S, a Job on replicas, Pods with DRA claims.

The captures are no part of the project; where they are absent, these tests are skipped.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from aicost.adapters.dcgm.exposition import parse
from aicost.domain.sampling.series import RawSeries, Signal
from fleet.script import Fleet
from fleet.sharing.builders import DRA, claimed, sliced, slots
from support.pipeline import Notice
from support.samples import T0, context, read
from support.scripted import bill_of
from support.shared_bills import check_truth, host, level, lives

DATA = Path(__file__).parents[3] / "shared" / "data"
EXPOSITIONS = DATA / "cncf-k8s-ai-conformance" / "extracted"
OBJECTS = DATA / "k8s-objects"
pytestmark = pytest.mark.skipif(not OBJECTS.is_dir(), reason=f"no captures of real clusters at {DATA}")

ACTIVITY = {Signal.ENGINE_ACTIVE, Signal.GPU_UTIL}
REAL = {
    "kops-L4-dcgm-1": ("i-030791dc5a37cd257", "NVIDIA L4", ACTIVITY, 4_742_776),
    "upcloud-L40S-dcgm-1": ("gpu1-wl8sg", "NVIDIA L40S", ACTIVITY, 5_551_899_580),
    "rafay-T4-dcgm-1": ("ip-10-200-3-41", "Tesla T4", set(), None),
}
"""Capture -> its host, model, measured activities, and energy counter in millijoules."""


@pytest.mark.parametrize("name", REAL)
def test_an_idle_gpu_of_a_real_exporter_is_measured_where_it_says_so_and_held_by_nobody(name: str) -> None:
    node, model, measured, energy = REAL[name]
    found = parse((EXPOSITIONS / f"{name}.prom").read_bytes())
    at_ms = np.array([T0])
    rows = [RawSeries(r.name, r.labels, at_ms, np.array([r.value]), None, None, r.help) for r in found.readings]
    series = {one.signal: one for one in read(*rows, where=context([node])).series}
    assert {(one.node, one.gpu_model, one.holder, one.instance) for one in series.values()} == {
        (node, model, None, None)
    }
    assert series.keys() & ACTIVITY == measured, "an activity that is absent is unknown, never 0"
    assert all(series[signal].value.tolist() == [0] for signal in measured)
    assert series[Signal.MEMORY_USED].value.tolist() == [0]
    assert (series[Signal.ENERGY].value.tolist() if energy else None) == ([energy] if energy else None)


def document(name: str) -> dict[str, Any]:
    """An object as it was applied."""
    found: dict[str, Any] = yaml.safe_load((OBJECTS / name).read_text(encoding="utf-8"))
    return found


def as_applied(spec: dict[str, Any]) -> Callable[[Iterable[Notice]], list[Notice]]:
    """Pods of the script's namespace with the containers and claims of a real one."""

    def told(notices: Iterable[Notice]) -> list[Notice]:
        return [replace(one, object=_with(one.object, spec)) if _is_tenant(one) else one for one in notices]

    return told


def _is_tenant(notice: Notice) -> bool:
    return notice.kind == "pod" and notice.object["metadata"]["namespace"] == "team-a"


def _with(pod: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    kept = {name: spec[name] for name in ("containers", "resourceClaims") if name in spec}
    status = pod["status"]
    if "resourceClaims" in spec and "resourceClaimStatuses" in status:
        made = status["resourceClaimStatuses"][0]["resourceClaimName"]
        named = [{"name": spec["resourceClaims"][0]["name"], "resourceClaimName": made}]
        status = status | {"resourceClaimStatuses": named}
    return pod | {"spec": pod["spec"] | kept, "status": status}


def test_a_real_job_that_asks_for_seven_replicas_holds_seven_eighths(tmp_path: Path) -> None:
    spec = document("v1.35_upcloud_gang-scheduling-2-Job.yaml")["spec"]["template"]["spec"]
    asked = spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu.shared"]
    on = host(sliced(8, renamed=True))
    fleet = Fleet((on,), (lives("gpu-job-a", on, slots(asked), level("0.5"), since=1, until=9),))
    check_truth(bill_of(fleet, tmp_path, notices=as_applied(spec)), fleet)


PODS = ("v1.35_rafay_dra_support-3-Pod.yaml", "v1.35_rafay_secure_accelerator_access-4-Pod.yaml")


@pytest.mark.parametrize("name", PODS)
def test_a_real_pod_with_a_claim_holds_its_gpu_whether_a_container_uses_the_claim_or_not(name, tmp_path: Path) -> None:
    spec = document(name)["spec"]
    on = host(DRA, 2)
    fleet = Fleet(
        (on,), (lives("dra-test-gpu-pod", on, claimed("made-for-it"), level("0.5"), gpu=1, since=1, until=9),)
    )
    check_truth(bill_of(fleet, tmp_path, notices=as_applied(spec)), fleet)
