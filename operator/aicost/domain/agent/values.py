"""What the node agent reads and adds up. Time is integer nanoseconds, energy microjoules, memory byte-milliseconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

SECOND_NS = 1_000_000_000


class Part(NamedTuple):
    """What is held and measured: a GPU, or a GPU instance of MIG.

    Attributes:
        uuid: of the GPU, also for an instance.
        instance: id of the GPU instance; empty for a whole GPU.
    """

    uuid: str
    instance: str = ""


class Pod(NamedTuple):
    """A pod. Its names are empty while only its UID is known, and the UID while only its names are."""

    namespace: str
    name: str
    uid: str


class DeviceState(StrEnum):
    """How a device answers."""

    OK = "ok"
    LOST = "lost"
    HANGING = "hanging"
    DENIED = "denied"


class Outside(StrEnum):
    """Who a process belongs to where it is no pod."""

    HOST = "host"  # it runs, and no pod's cgroup holds it
    UNSEEN = "unseen"  # the driver names it, and it was never seen running here
    MPS = "mps"  # the server through which clients of MPS compute


Owner = Pod | Outside


@dataclass(frozen=True, slots=True)
class Sample:
    """How busy a process, or a whole device, was: raw, as the driver says it.

    Attributes:
        pid: the process; 0 for the device.
        stamp_us: of the driver's clock.
        percent: 0 to 100; anything else is garbage.
    """

    pid: int
    stamp_us: int
    percent: float


@dataclass(frozen=True, slots=True)
class EngineTime:
    """Time for which a process kept the engine busy.

    Attributes:
        stamp_us: until when, by the driver's clock; tells who a PID was that is used again.
    """

    pid: int
    stamp_us: int
    busy_ns: int


@dataclass(frozen=True, slots=True)
class Running:
    """A process with a context on a device.

    Attributes:
        memory_bytes: None where the driver does not know.
    """

    pid: int
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Busy:
    """For how long a part was busy since its previous reading.

    Attributes:
        sm_ns: time times the share of its SMs that were active; None where it is not measured.
    """

    engine_ns: int
    sm_ns: int | None = None


@dataclass(frozen=True, slots=True)
class PartReading:
    """One part at one moment.

    Attributes:
        busy: None where nothing measures it, or not this time.
        processes: None where they cannot be listed.
        sms: streaming multiprocessors, as weight of the instance within its device; 1 for a whole device.
        metered: whether something measures how busy it is, be it not this time.
    """

    part: Part
    busy: Busy | None
    processes: tuple[Running, ...] | None
    sms: int = 1
    metered: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """One device at one moment, and what happened since its previous reading.

    Attributes:
        at_ns: when, by a clock that never steps.
        elapsed_ns: since the previous reading; 0 for the first.
        engine: engine time by process; None where the driver does not tell processes apart, as under MIG.
        counter_mj: energy since the driver was loaded; None where it does not count.
        power_mw: what the board draws now; None where it is not measured.
        capabilities: name of a call of the driver -> whether it works on this device.
    """

    uuid: str
    model: str
    at_ns: int
    elapsed_ns: int
    parts: tuple[PartReading, ...]
    engine: tuple[EngineTime, ...] | None
    counter_mj: int | None = None
    power_mw: int | None = None
    capabilities: Mapping[str, bool] = field(default_factory=dict)
