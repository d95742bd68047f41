"""Who holds which device, from a kubelet on a socket."""

import socket
from pathlib import Path

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.adapters.podresources.client import PodResources
from aicost.adapters.podresources.messages import pods
from aicost.ports.agent import Held
from aicost.ports.errors import InvalidAnswer
from support.gpus.kubelet import HeldByPod, Kubelet, encode, serving

TRAIN = HeldByPod(
    "ml", "train-0", [{"nvidia.com/gpu": ["GPU-a", "GPU-b"], "rdma/hca": ["mlx5"]}, {"nvidia.com/gpu": ["GPU-a"]}]
)
CLAIM = HeldByPod("ml", "claims", [{}], [("gpu.nvidia.com", "gpu-0")])
PLAIN = HeldByPod("kube-system", "dns", [{}, {}])


class Clock:
    def __init__(self) -> None:
        self.seconds = 100

    def __call__(self) -> int:
        return self.seconds * 1_000_000_000


@pytest.fixture
def place(tmp_path: Path) -> Path:
    assert len(str(tmp_path / "s")) < 100, "the path of a socket is short"
    return tmp_path / "s"


def test_pods_with_devices_are_told_and_others_are_not(place) -> None:
    with serving(place, Kubelet([TRAIN, PLAIN, CLAIM])):
        asker = PodResources(place, Clock())
        assert asker.held() == (
            Held("ml", "train-0", ("GPU-a", "GPU-b", "mlx5")),
            Held("ml", "claims", (), (("gpu.nvidia.com", "gpu-0"),)),
        )
        asker.close()


def test_the_kubelet_is_not_asked_more_than_each_ten_seconds(place) -> None:
    kubelet, clock = Kubelet([TRAIN]), Clock()
    with serving(place, kubelet):
        asker = PodResources(place, clock)
        for _ in range(30):
            asker.held()
            clock.seconds += 1
        asker.close()
    assert kubelet.asked == 3


def test_an_answer_of_a_node_with_very_many_pods_is_taken(place) -> None:
    many = [HeldByPod("ml", f"p{n}", [{"nvidia.com/gpu": [f"GPU-{n}-{'x' * 1000}"] * 6}]) for n in range(1000)]
    assert len(encode(many)) > 4 << 20
    with serving(place, Kubelet(many)):
        asker = PodResources(place, Clock())
        assert len(asker.held() or ()) == 1000
        asker.close()


def test_what_was_said_holds_for_a_minute_while_the_kubelet_is_away(place) -> None:
    kubelet, clock = Kubelet([TRAIN]), Clock()
    with serving(place, kubelet):
        asker = PodResources(place, clock)
        assert asker.held()
        kubelet.error = grpc.StatusCode.RESOURCE_EXHAUSTED
        clock.seconds += 30
        assert asker.held()
        assert "RESOURCE_EXHAUSTED" in asker.problem
        clock.seconds += 60
        assert asker.held() is None
        kubelet.error = None
        clock.seconds += 10
        assert asker.held()
        assert asker.problem == ""
        asker.close()


def test_without_a_socket_holders_are_not_known_and_nothing_breaks(place) -> None:
    asker = PodResources(place, Clock())
    assert asker.held() is None
    assert "no such socket" in asker.problem


def test_something_else_on_the_socket_breaks_nothing(place) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(place))
        deaf.listen(1)
        asker = PodResources(place, Clock(), timeout_seconds=0.2)
        assert asker.held() is None
        assert asker.problem
        asker.close()
    kubelet = Kubelet(raw=b"\x0a\xff\xff\xff\xff\x0f")
    place.unlink()
    with serving(place, kubelet):
        asker = PodResources(place, Clock())
        assert asker.held() is None
        assert "cut off" in asker.problem
        asker.close()


NAMES = st.text(st.characters(categories=["L", "N", "Pd"]), min_size=1, max_size=300)


DEVICES = st.dictionaries(NAMES, st.lists(NAMES, min_size=1, max_size=3), max_size=2)
CONTAINERS = st.lists(DEVICES, min_size=1, max_size=2)
CLAIMS = st.lists(st.tuples(NAMES, NAMES), max_size=2)


@given(st.lists(st.builds(HeldByPod, NAMES, NAMES, CONTAINERS, CLAIMS), max_size=4))
def test_what_the_kubelet_wrote_is_what_is_read(written) -> None:
    found = pods(encode(written))
    expected = [
        (
            pod.namespace,
            pod.name,
            {one for each in pod.containers for ids in each.values() for one in ids},
            set(pod.claims),
        )
        for pod in written
    ]
    read = [(pod.namespace, pod.name, set(pod.devices), set(pod.claimed)) for pod in found]
    assert read == [one for one in expected if one[2] or one[3]]


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_are_read_or_refused(data) -> None:
    try:
        pods(data)
    except InvalidAnswer:
        return
