"""What the node agent needs from its node."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aicost.domain.agent.counters import Key
from aicost.domain.agent.device_ids import Layout
from aicost.domain.agent.energy import Mark
from aicost.domain.agent.pids import Alive
from aicost.domain.agent.values import DeviceState, Reading


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at the GPUs of a node found.

    Attributes:
        readings: of the devices that answered.
        states: UUID -> how a device answers; devices that do not answer are there too.
        layout: devices by the names that the kubelet has for them.
        problem: why there is nothing to read, with what to do; empty where there is.
    """

    readings: tuple[Reading, ...] = ()
    states: Mapping[str, DeviceState] = field(default_factory=dict)
    layout: Layout = field(default_factory=Layout)
    problem: str = ""


class Gpus(Protocol):
    """The GPUs of the node."""

    def look(self) -> Seen:
        """Read each device; never raises, and never waits for long on one of them."""
        ...


class Processes(Protocol):
    """What runs on the node."""

    def alive(self, pids: Iterable[int]) -> Mapping[int, Alive]:
        """Those of the PIDs that run now, with their pods."""
        ...

    def uid_of(self, namespace: str, name: str) -> str:
        """UID of the newest pod of a name; empty where it is not known."""
        ...

    def exists(self, uid: str) -> bool:
        """Whether the node still has a pod."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """A pod with devices.

    Attributes:
        devices: names of the device plugin's devices.
        claimed: driver and name of each device of a claim.
    """

    namespace: str
    name: str
    devices: tuple[str, ...] = ()
    claimed: tuple[tuple[str, str], ...] = ()


class HeldDevices(Protocol):
    """Which pod holds which device, as the kubelet says."""

    def held(self) -> tuple[Held, ...] | None:
        """All pods with devices; None while the kubelet does not answer."""
        ...


@dataclass(frozen=True, slots=True)
class Saved:
    """What the agent writes down.

    Attributes:
        boot: id of the boot in which it was written.
        marks: UUID -> where its counter of energy stood.
        idle_mw: UUID -> what it draws while idle.
    """

    boot: str = ""
    counters: Mapping[Key, int] = field(default_factory=dict)
    marks: Mapping[str, Mark] = field(default_factory=dict)
    idle_mw: Mapping[str, int] = field(default_factory=dict)


class CounterStore(Protocol):
    """Where counters outlive the agent."""

    def load(self) -> Saved:
        """What was written last; nothing where nothing was, or where it cannot be read."""
        ...

    def save(self, saved: Saved) -> None:
        """Write all of it, so that it is there after a loss of power.

        Raises:
            CountersNotKept: it cannot be written.
        """
        ...
