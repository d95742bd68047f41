"""Metrics of the node agent, and their page: the reference is generated from this table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.agent.counters import Labels, Measure
from aicost.domain.agent.values import DeviceState
from aicost.usecases.agent.measure import Told


class Kind(StrEnum):
    """Type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class AgentMetric:
    """A metric of the agent as documented.

    Attributes:
        digits: so many digits of the counted integer stand behind the point.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    measure: Measure | None = None
    digits: int = 0


_DEVICE = ("uuid", "instance", "model", "node")
_POD = ("uuid", "instance", "node", "namespace", "pod", "pod_uid")
UP = "aicost_agent_up"
STATE = "aicost_agent_device_state"
CAPABILITY = "aicost_agent_capability"
AGENT_METRICS = (
    AgentMetric(
        "aicost_device_busy_seconds_total",
        Kind.COUNTER,
        "Time for which the compute or graphics engine of a GPU, or of an instance of MIG, was busy.",
        _DEVICE,
        Measure.DEVICE_BUSY,
        9,
    ),
    AgentMetric(
        "aicost_pod_gpu_seconds_total",
        Kind.COUNTER,
        "Time for which a pod kept the engine busy. All pods of a device together never have more than the device.",
        _POD,
        Measure.POD_ENGINE,
        9,
    ),
    AgentMetric(
        "aicost_pod_sm_seconds_total",
        Kind.COUNTER,
        "Engine time of a pod times the share of its device's SMs that were active; only where the driver has GPM.",
        _POD,
        Measure.POD_SM,
        9,
    ),
    AgentMetric(
        "aicost_pod_gpu_memory_byte_seconds_total",
        Kind.COUNTER,
        "GPU memory that a pod held, times for how long.",
        _POD,
        Measure.POD_MEMORY,
        3,
    ),
    AgentMetric(
        "aicost_pod_gpu_energy_joules_total",
        Kind.COUNTER,
        "Energy that a pod caused: what its device drew beyond an idle one, divided by engine time.",
        _POD,
        Measure.POD_ENERGY,
        6,
    ),
    AgentMetric(
        "aicost_device_energy_joules_total",
        Kind.COUNTER,
        "Energy that a GPU drew, idle or not; of the whole board, also under MIG.",
        _DEVICE,
        Measure.DEVICE_ENERGY,
        6,
    ),
    AgentMetric(
        "aicost_agent_unmapped_gpu_seconds_total",
        Kind.COUNTER,
        "Engine time of processes outside pods, or of which no pod is known.",
        ("uuid",),
        Measure.UNMAPPED,
        9,
    ),
    AgentMetric(
        UP, Kind.GAUGE, "1 if the last round read a device, and its counters could be written to the node's disk.", ()
    ),
    AgentMetric(
        STATE,
        Kind.GAUGE,
        "1 for how a device answers: ok, lost, hanging or denied; 0 for the others.",
        ("uuid", "state"),
    ),
    AgentMetric(CAPABILITY, Kind.GAUGE, "1 if a call of the driver works on a device.", ("uuid", "call")),
)
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def exposition(told: Told, node: str) -> str:
    """What the agent tells, as Prometheus reads it."""
    return "".join(f"{line}\n" for metric in AGENT_METRICS for line in _lines(metric, told, node))


def _lines(metric: AgentMetric, told: Told, node: str) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for labels, value in sorted(_values(metric, told, node)):
        pairs = ",".join(
            f'{name}="{text.translate(_ESCAPES)}"' for name, text in zip(metric.labels, labels, strict=True)
        )
        yield f"{metric.name}{{{pairs}}} {value}" if pairs else f"{metric.name} {value}"


def _values(metric: AgentMetric, told: Told, node: str) -> Iterator[tuple[Labels, str]]:
    if metric.measure is not None:
        for (measure, labels), value in told.counters.items():
            if measure is metric.measure:
                yield _with_node(metric, labels, node), decimal(value, metric.digits)
    elif metric.name == STATE:
        for uuid, state in told.states.items():
            yield from (((uuid, one.value), str(int(one is state))) for one in DeviceState)
    elif metric.name == CAPABILITY:
        yield from _capabilities(told.capabilities)
    else:
        yield (), str(int(told.up))


def _capabilities(found: Mapping[str, Mapping[str, bool]]) -> Iterator[tuple[Labels, str]]:
    for uuid, calls in found.items():
        yield from (((uuid, call), str(int(works))) for call, works in calls.items())


def _with_node(metric: AgentMetric, labels: Labels, node: str) -> Labels:
    if "node" not in metric.labels:
        return labels
    at = metric.labels.index("node")
    return (*labels[:at], node, *labels[at:])


def decimal(value: int, digits: int) -> str:
    """An integer with its point moved, exactly."""
    if not digits:
        return str(value)
    whole, rest = divmod(value, 10**digits)
    return f"{whole}.{rest:0{digits}d}"
