"""What makes two nodes alike, and what tells them apart."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from aicost.domain.attribution.alike.looks import Frame, Look, Site, look_at
from aicost.domain.attribution.resolvers.scene import scene_of
from aicost.domain.attribution.resolvers.sizes import sizing_labels
from aicost.domain.attribution.resolvers.table import held_by
from aicost.domain.exact.windows import DAY_MS, MINUTE_MS, SECOND_MS, Window
from aicost.domain.inventory.dra.claims import ClaimedDevice
from aicost.domain.inventory.nodes import NodeFacts, NodeRecord, SharingMode
from aicost.domain.inventory.pods import ContainerFacts, PodFacts, PodRecord
from aicost.domain.sampling.series import DeviceSeries, Signal
from support.nodes import HOUR, at, price

AROUND = Window(at(-5), at(65))
KNOWN = frozenset({("team", f"{node}-{pod}") for node in "ab" for pod in range(3)} | {("team", "elsewhere")})
FRAME = Frame(HOUR, AROUND, KNOWN, 15_000)


def pod(node: str, number: int, bound: float, end: float | None = None, **changes) -> PodRecord:
    name = f"{node}-{number}"
    facts = PodFacts(f"uid-{name}", "team", name, at(bound), node=node, devices={"nvidia.com/gpu": 1})
    facts = replace(facts, bound_ms=at(bound), **changes)
    return PodRecord(facts, seen_ms=at(60), held_until_ms=None if end is None else at(end))


def shown(node: str, device: int, number: int | None, start: float = -5, end: float = 65, **changes) -> DeviceSeries:
    times = np.arange(at(start), at(end), 15_000, dtype=np.int64)
    name = None if number is None else ("team", f"{node}-{number}")
    one = DeviceSeries(
        Signal.ENGINE_ACTIVE, f"{node}-gpu-{device}", None, node, name, None, None, times, np.zeros(len(times), int)
    )
    return replace(one, **changes)


def site(node: str, pods=None, series=None, prices=None, **changes) -> Site:
    """Two pods on two GPUs, of which the second one ended after half an hour."""
    facts = NodeFacts(node, node, 0, labels={"kubernetes.io/hostname": node}, gpu_model="h100-80gb", gpus=2)
    life = {key: changes.pop(key) for key in ("since_ms", "until_ms", "unhealthy") if key in changes}
    record = NodeRecord(replace(facts, **changes), at(60), **{"since_ms": 0} | life)
    pods = [pod(node, 0, -90), pod(node, 1, -60, 30)] if pods is None else pods
    series = [shown(node, 0, 0), shown(node, 1, 1, end=30)] if series is None else series
    return Site(record, series, list(enumerate(pods)), prices or (price(4),))


def key_of(one: Site) -> object:
    look = look_at(one, FRAME)
    assert isinstance(look, Look)
    return look.key


USUAL = key_of(site("a"))


def test_names_and_the_moments_of_what_came_long_before_make_no_difference():
    pods = [replace(pod("b", 1, -61, 31), seen_ms=0), pod("b", 0, -7 * 24 * 60)]
    series = [shown("b", 1, 1, -4.9, 31), shown("b", 0, 0, -4.9)]
    assert key_of(site("b", pods, series, labels={"anything": "else"})) == USUAL


PODS = [pod("b", 0, -90), pod("b", 1, -60, 30)]
OTHERS = {
    "fewer devices": site("b", series=[shown("b", 0, 0)], gpus=1),
    "a device that nobody holds": site("b", gpus=3),
    "another model": site("b", gpu_model="a100-40gb"),
    "other capacity": site("b", capacity={"aws.amazon.com/neuron": 1}),
    "cut into instances of a size": site("b", labels={"nvidia.com/gpu.product": "H100-MIG-1g.10gb"}),
    "replicas of its instances": site("b", labels={"nvidia.com/mig-1g.10gb.replicas": "2"}),
    "came late": site("b", since_ms=at(10)),
    "came before the second pod ended": site("b", since_ms=at(29)),
    "left": site("b", until_ms=at(50)),
    "two prices": site("b", prices=(price(4, Window(HOUR.start_ms, at(20))), price(5, Window(at(20), HOUR.end_ms)))),
    "another pod": site("b", [*PODS, pod("b", 2, 40)]),
    "another end": site("b", [PODS[0], pod("b", 1, -60)]),
    "the first one ended too": site("b", [pod("b", 0, -90, 40), PODS[1]]),
    "both ended at once": site("b", [pod("b", 0, -90, 30), PODS[1]]),
    "came in the window": site("b", [PODS[0], pod("b", 1, 5, 30)]),
    "asks for more": site("b", [PODS[0], pod("b", 1, -60, 30, devices={"nvidia.com/gpu": 2})]),
    "asks for another thing": site("b", [PODS[0], pod("b", 1, -60, 30, devices={"amd.com/gpu": 1})]),
    "is of the platform": site(
        "b", [PODS[0], pod("b", 1, -60, 30, containers=(ContainerFacts("main", "dcgm-exporter"),))]
    ),
    "samples name nobody": site("b", series=[shown("b", 0, None), shown("b", 1, None, end=30)]),
    "samples show them the other way round": site("b", series=[shown("b", 1, 0), shown("b", 0, 1, end=30)]),
    "a second device wears the name": site("b", series=[shown("b", 0, 0), shown("b", 1, 0, end=30)]),
    "counters alone name it": site(
        "b", series=[shown("b", 0, 0), shown("b", 1, 1, end=30, signal=Signal.BUSY_SECONDS)]
    ),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_a_layout_looks_at_tells_nodes_apart(what):
    assert key_of(OTHERS[what]) != USUAL


def test_a_pod_that_may_have_handed_over_is_told_from_one_that_was_there_beside_the_other():
    def ended(later_ms: int) -> Site:
        end = at(30) + later_ms
        first = replace(pod("b", 0, -90), held_until_ms=end)
        return site("b", [first, pod("b", 1, 30)])

    assert key_of(ended(5 * SECOND_MS)) == key_of(ended(SECOND_MS))
    assert key_of(ended(5 * SECOND_MS + 1)) != key_of(ended(5 * SECOND_MS))


def test_a_pod_that_came_with_the_window_is_told_from_one_that_came_with_the_samples():
    keys = {key_of(site("b", [pod("b", 0, bound)], [])) for bound in (-5, 0)}
    assert len(keys) == 2


def test_a_name_that_a_device_wore_just_before_is_told_from_one_that_it_took_on():
    def worn(start: float) -> Site:
        pods = [pod("b", 0, 10, devices={"nvidia.com/gpu": 1}), pod("b", 1, -60, 30)]
        return site("b", pods, [shown("b", 0, 0, start), shown("b", 1, 0, 10)])

    assert key_of(worn(-5)) != key_of(worn(10))


CLAIMED = (ClaimedDevice("claim", "b-gpu-0", Fraction(1)),)
CASES = {
    "shared": site("b", sharing=SharingMode.TIME_SLICING),
    "instances": site("b", series=[shown("b", 0, 0, instance="1")]),
    "lost devices": site("b", unhealthy=((Window(at(5), at(6)), 1),)),
    "parts of cards": site("b", annotations={"hami.io/node-nvidia-register": "anything"}),
    "a pod that nobody knows": site("b", series=[shown("b", 0, None, holder=("team", "ghost"))]),
    "an end that nobody saw": site("b", [replace(PODS[1], gap=Window(at(29), at(30)))]),
    "claims": site("b", [replace(PODS[0], claimed=CLAIMED)]),
    "fractions": site("b", [pod("b", 0, -90, annotations={"gpu-fraction": "0.5"})]),
    "reservations": site("b", [pod("b", 0, -90, namespace="runai-reservation")]),
    "two pods of one uid": site("b", [PODS[0], pod("b", 1, -60, uid="uid-b-0")]),
    "a pod without a uid": site("b", [pod("b", 0, -90, uid="")]),
    "not there in the window": site("b", until_ms=HOUR.start_ms - MINUTE_MS),
}


@pytest.mark.parametrize("what", CASES)
def test_cases_of_their_own_have_no_look(what):
    assert look_at(CASES[what], FRAME) is None


def test_lost_devices_of_days_ago_are_nothing_to_the_window():
    before = Window(HOUR.start_ms - 2 * DAY_MS, HOUR.start_ms - DAY_MS)
    assert key_of(site("b", unhealthy=((before, 1),))) == USUAL


class Spied(dict):
    """Labels that remember what they were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key, default=None):
        self.asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key):
        self.asked.add(key)
        return super().__getitem__(key)


@pytest.mark.parametrize(
    "resource",
    [
        "nvidia.com/gpu",
        "nvidia.com/gpu.shared",
        "nvidia.com/mig-1g.10gb",
        "nvidia.com/GRID_A100-10C",
        "amd.com/cpx_nps4",
        "aws.amazon.com/neuroncore",
        "gpu.intel.com/millicores",
    ],
)
def test_no_other_label_of_a_node_is_looked_at(resource):
    labels = Spied()
    facts = replace(site("a").record.facts, labels=labels)
    one = pod("a", 0, -60, devices={resource: 1, "gpu.intel.com/i915": 1})
    held_by(scene_of(facts, ("a-gpu-0",), [one]), one)
    assert labels.asked
    assert {key for key, _ in sizing_labels(dict.fromkeys(labels.asked, "1"))} == labels.asked
