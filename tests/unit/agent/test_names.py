"""From a PID to a pod, and from the kubelet's names of devices to parts."""

import os

import pytest

from aicost.adapters.procfs.names import PodNames
from aicost.adapters.procfs.processes import ProcFs
from aicost.domain.agent.cgroups import Place, place_of
from aicost.domain.agent.device_ids import Layout, part_of, part_of_claim
from aicost.domain.agent.pids import KEPT_NS, Alive, PidBook
from aicost.domain.agent.values import Outside, Part, Pod
from support.gpus.tree import HOST, RUNTIMES, Tree, cgroup
from support.gpus.truth import Card, Process, Truth

UID = "2c9f8a79-5391-4f0e-88cb-86190881cb96"
LAYOUT = Layout(frozenset({"GPU-a", "GPU-b"}), {0: "GPU-a", 1: "GPU-b"}, {"MIG-x": Part("GPU-b", "7")})


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_each_runtime_says_which_pod_and_which_container(runtime) -> None:
    place = place_of(cgroup(UID, runtime))
    assert place.pod_uid == UID
    assert len(place.container) == 64


def test_a_static_pod_has_the_hash_of_its_manifest() -> None:
    uid = "0123456789abcdef0123456789abcdef"
    for runtime in RUNTIMES:
        assert place_of(cgroup(uid, runtime)).pod_uid == uid


@pytest.mark.parametrize(
    "text", [HOST, "0::/", "", "0::/user.slice/user-1000.slice/session-1.scope", "garbage", "0::/init.scope\n\n:::"]
)
def test_what_is_outside_pods_is_no_pods(text) -> None:
    assert place_of(text).pod_uid == ""


def test_a_container_beside_pods_is_a_container_and_no_pod() -> None:
    identity = "f" * 64
    assert place_of(f"0::/system.slice/docker-{identity}.scope") == Place("", identity)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("GPU-a", Part("GPU-a")),
        ("GPU-a::3", Part("GPU-a")),
        ("MIG-x", Part("GPU-b", "7")),
        ("MIG-x::1", Part("GPU-b", "7")),
        ("MIG-GPU-a/9/0", Part("GPU-a", "9")),
        ("nvidia0", Part("GPU-a")),
        ("nvidia1/vgpu2", Part("GPU-b")),
        ("nvidia1/gi7", Part("GPU-b", "7")),
        ("nvidia1/gi7/vgpu1", Part("GPU-b", "7")),
        ("GPU-of-another-node", None),
        ("nvidia9", None),
        ("MIG-GPU-z/1/0", None),
        ("0000:3b:00.0", None),
        ("", None),
    ],
)
def test_names_of_devices(name, part) -> None:
    assert part_of(name, LAYOUT) == part


def test_devices_of_claims() -> None:
    assert part_of_claim("gpu.nvidia.com", "gpu-1", LAYOUT) == Part("GPU-b")
    assert part_of_claim("gpu.nvidia.com", "gpu-1-mig-1g5gb-19-6", LAYOUT) is None
    assert part_of_claim("gpu.intel.com", "gpu-1", LAYOUT) is None


def test_processes_are_read_with_their_pods_and_their_servers(tmp_path) -> None:
    truth = Truth(
        [Card("GPU-0")],
        [Process(10, UID, name="a) b (c"), Process(11, ""), Process(12, "", name="nvidia-cuda-mps-server")],
    )
    tree = Tree(tmp_path, truth)
    tree.named(UID, "ml", "train-0")
    tree.update()
    found = ProcFs(tree.proc, PodNames(tree.logs, lambda: 0)).alive([10, 11, 12, 13])
    assert set(found) == {10, 11, 12}
    assert found[10].pod == Pod("ml", "train-0", UID)
    assert found[11].pod is None
    assert [pid for pid, one in found.items() if one.mps] == [12]


def test_a_pod_whose_folder_comes_later_gets_its_name_then(tmp_path) -> None:
    truth, now = Truth([Card("GPU-0")], [Process(10, UID)]), [0]
    tree = Tree(tmp_path, truth)
    tree.update()
    processes = ProcFs(tree.proc, PodNames(tree.logs, lambda: now[0]))
    assert processes.alive([10])[10].pod == Pod("", "", UID)
    tree.named(UID, "ml", "train-0")
    now[0] = 2_000_000_000
    assert processes.alive([10])[10].pod == Pod("ml", "train-0", UID)


def test_of_pods_with_one_name_the_newest_counts(tmp_path) -> None:
    for age, uid in ((200, "u-old"), (100, "u-new")):
        folder = tmp_path / f"ml_db-0_{uid}"
        folder.mkdir()
        os.utime(folder, (1000 - age, 1000 - age))
    names = PodNames(tmp_path, lambda: 0)
    assert names.uid_of("ml", "db-0") == "u-new"
    assert names.name_of("u-old") == ("ml", "db-0")
    assert PodNames(tmp_path / "nothing", lambda: 0).name_of("u-old") == ("", "")


def test_a_pid_is_who_had_it_at_the_time() -> None:
    first, second = Pod("ml", "a", "A"), Pod("ml", "b", "B")
    book = PidBook().with_alive({7: Alive(1_000_000, first)}, 0).with_alive({7: Alive(9_000_000, second)}, 10)
    assert book.owner(7, 5_000_000) == first
    assert book.owner(7, 9_500_000) == second
    assert book.owner(7) == second
    assert book.owner(7, 0) == first
    assert book.owner(8) is Outside.UNSEEN
    assert book.with_alive({}, KEPT_NS + 20).owner(7) is Outside.UNSEEN
