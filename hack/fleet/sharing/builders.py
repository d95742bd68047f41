"""Short ways to write a script of shared GPUs."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from fleet.activity import Program
from fleet.builders import node, pod
from fleet.exporter.dialects import AGENT, HAMI
from fleet.script import Collection, SimExporter, SimGpu, SimNode, SimPod
from fleet.sharing.mig import instances
from fleet.sharing.terms import Claim, Layout, MigStrategy, Part, Plugin, Sharing


def sliced(slots: int, *, renamed: bool = False, plugin: Plugin = Plugin.TIME_SLICING) -> Sharing:
    """Each GPU is offered so many times."""
    return Sharing(plugin, slots, renamed)


def mixed(slots: int = 1) -> Sharing:
    """MIG instances under their own names; more than one slot offers each instance so often."""
    plugin = Plugin.DEVICE if slots == 1 else Plugin.TIME_SLICING
    return Sharing(plugin, slots, strategy=MigStrategy.MIXED)


SINGLE = Sharing(strategy=MigStrategy.SINGLE)
KAI = Sharing(Plugin.KAI)
DRA = Sharing(Plugin.DRA)
VIRTUAL = {Plugin.HAMI: Sharing(Plugin.HAMI, 10), Plugin.VOLCANO: Sharing(Plugin.VOLCANO, 10)}


def cut(host: SimNode, index: int, *profiles: str, from_ms: int = 0, first_id: int = 1) -> SimNode:
    """The node with one GPU cut into instances from a moment on; ids count from `first_id`."""
    made = instances(host.model.name, *profiles) if profiles else ()
    numbered = tuple(replace(one, id=one.id + first_id - 1) for one in made)
    gpu = host.gpus[index]
    layouts = tuple(sorted((*gpu.layouts, Layout(from_ms, numbered)), key=lambda layout: layout.from_ms))
    gpus = (*host.gpus[:index], SimGpu(gpu.index, gpu.uuid, layouts), *host.gpus[index + 1 :])
    return replace(host, gpus=gpus)


def exporter(name: str = "4.8.3", collection: Collection | None = None, **more: Any) -> SimExporter:
    """A dcgm-exporter that shows all that matters of shared GPUs; `agent()` and `hami()` beside it know more."""
    shows: dict[str, Any] = {"virtual_gpus": True, "dra": True, "with_sm": True, "without": ("fb_free", "xid")}
    timing = {} if collection is None else {"collection": collection}
    return SimExporter(name, **(shows | timing | more))


def agent(**more: Any) -> SimExporter:
    """The node agent."""
    names = {"pod": "aicost-agent-q4z7r", "ip": "127.10.2.1", "namespace": "aicost-system", "container": "agent"}
    return SimExporter(AGENT, **(names | more))


def hami(**more: Any) -> SimExporter:
    """HAMi's exporter."""
    names = {
        "pod": "hami-device-plugin-5x2vd",
        "ip": "127.10.3.1",
        "namespace": "kube-system",
        "container": "vgpu-monitor",
    }
    return SimExporter(HAMI, **(names | more))


def host(name: str, sharing: Sharing, gpus: int = 1, **more: Any) -> SimNode:
    """A node whose GPUs are shared."""
    return node(name, gpus=gpus, sharing=sharing, **({"exporters": (exporter(),)} | more))


def tenant(name: str, on: SimNode, gpu: int | tuple[int, ...], part: Part, activity: Program, **more: Any) -> SimPod:
    """A pod that holds a part of a GPU, or the same part of several."""
    indices = (gpu,) if isinstance(gpu, int) else gpu
    return pod(name, on, indices, parts=(part,) * len(indices), activity=activity, **more)


def slots(count: int = 1, instance: int | None = None) -> Part:
    """Replicas of a GPU, or of an instance."""
    return Part(slots=count, instance=instance)


def fraction(cores: Fraction, memory_mib: int = 0) -> Part:
    """A part of a GPU for KAI, HAMi or Volcano."""
    return Part(cores=cores, memory_mib=memory_mib)


def claimed(name: str, instance: int | None = None, **more: Any) -> Part:
    """What a ResourceClaim gives."""
    return Part(instance=instance, claim=Claim(name, **more))
