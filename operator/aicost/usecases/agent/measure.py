"""One round of the node agent: look, find out whose it is, add up; and write down before telling.

What is told was written down: an agent that is killed goes on from there, and no counter falls. What was measured and
not told is lost with it, at most a few seconds of it.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from aicost.domain.agent.counters import Counters, Key
from aicost.domain.agent.device_ids import Layout, part_of, part_of_claim
from aicost.domain.agent.energy import IdlePower
from aicost.domain.agent.pids import PidBook
from aicost.domain.agent.step import Memory, step
from aicost.domain.agent.values import SECOND_NS, DeviceState, Part, Pod
from aicost.ports.agent import CounterStore, Gpus, Held, HeldDevices, Processes, Saved, Seen
from aicost.ports.errors import CountersNotKept

_WRITTEN_NS = 15 * SECOND_NS
"""So much is lost at most when the agent is killed and nobody asked it for long."""
_AGAIN_NS = SECOND_NS
"""Askers that come faster are told the same."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the agent tells.

    Attributes:
        up: whether the last round read a device, and what is told could be written down.
        counters: as they were written down.
        states: UUID -> how it answers.
        capabilities: UUID -> call -> whether it works.
        problem: what is wrong, and what to do; empty where nothing is.
    """

    up: bool
    counters: Mapping[Key, int]
    states: Mapping[str, DeviceState] = field(default_factory=dict)
    capabilities: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    problem: str = ""


class MeasurePods:
    """Measures, round by round.

    Args:
        gpus: the GPUs of the node.
        processes: what runs on it.
        held_devices: who holds which device.
        store: where counters are written down.
        boot: id of this boot; positions of the driver's counters are of no use in another.
        monotonic_ns: a clock that never steps.
    """

    def __init__(
        self,
        gpus: Gpus,
        processes: Processes,
        held_devices: HeldDevices,
        store: CounterStore,
        boot: str,
        monotonic_ns: Callable[[], int],
    ) -> None:
        self._gpus, self._processes, self._held, self._store = gpus, processes, held_devices, store
        self._boot, self._now = boot, monotonic_ns
        saved = store.load()
        self._memories = _memories(saved, boot)
        self._counters = Counters.resumed(saved.counters, monotonic_ns())
        self._book = PidBook()
        self._lock = threading.Lock()
        self._seen = Seen()
        self._capabilities: dict[str, Mapping[str, bool]] = {}
        self._written, self._written_ns, self._refused = dict(saved.counters), -_WRITTEN_NS, ""

    def round(self) -> Seen:
        """Look once and add up. Gives what was seen."""
        seen = self._gpus.look()
        now_ns = self._now()
        pids = {each.pid for one in seen.readings for part in one.parts for each in part.processes or ()}
        spoken = {each.pid for one in seen.readings for each in one.engine or ()}
        self._book = self._book.with_alive(self._processes.alive(pids | spoken), now_ns)
        holders, owns = self._holders(seen.layout), cache(self._book.owner)
        with self._lock:
            self._seen = seen
            for one in seen.readings:
                before = self._memories.get(one.uuid, Memory())
                self._memories[one.uuid], amounts = step(before, one, owns, holders)
                self._counters.add(one.uuid, one.model, amounts, now_ns)
                self._capabilities[one.uuid] = one.capabilities
            held = {pod for pods in holders.values() for pod in pods}
            here = {pod for pod in self._counters.alive_ns if pod.uid and self._processes.exists(pod.uid)}
            self._counters.keep(held | here, now_ns)
            if now_ns - self._written_ns >= _WRITTEN_NS:
                self._write(now_ns)
        return seen

    def tell(self, *, at_once: bool = False) -> Told:
        """What is known, written down first. May be called from any thread.

        Args:
            at_once: also if it was written down a moment ago.
        """
        with self._lock:
            now_ns = self._now()
            if at_once or now_ns - self._written_ns >= _AGAIN_NS:
                self._write(now_ns)
            up = bool(self._seen.readings) and not self._refused
            problem = self._refused or self._seen.problem
            return Told(up, self._written, self._seen.states, dict(self._capabilities), problem)

    def _write(self, now_ns: int) -> None:
        values = dict(self._counters.values)
        marks = {uuid: one.mark for uuid, one in self._memories.items() if one.mark is not None}
        idle = {uuid: one.idle.mw for uuid, one in self._memories.items() if one.idle.mw is not None}
        try:
            self._store.save(Saved(self._boot, values, marks, idle))
        except CountersNotKept as error:
            self._refused = str(error)
            return
        self._written, self._written_ns, self._refused = values, now_ns, ""

    def _holders(self, layout: Layout) -> dict[Part, frozenset[Pod]]:
        """Which pods hold which part; nothing while the kubelet does not answer."""
        found: dict[Part, set[Pod]] = {}
        for held in self._held.held() or ():
            pod = Pod(held.namespace, held.name, self._processes.uid_of(held.namespace, held.name))
            for part in _parts(held, layout):
                found.setdefault(part, set()).add(pod)
        return {part: frozenset(pods) for part, pods in found.items()}


def _parts(held: Held, layout: Layout) -> set[Part]:
    plain = (part_of(name, layout) for name in held.devices)
    claimed = (part_of_claim(driver, device, layout) for driver, device in held.claimed)
    return {part for part in (*plain, *claimed) if part is not None}


def _memories(saved: Saved, boot: str) -> dict[str, Memory]:
    """What is still true of each device. An unknown boot is another one."""
    marks = saved.marks if boot and saved.boot == boot else {}
    uuids = {*marks, *saved.idle_mw}
    return {uuid: Memory(mark=marks.get(uuid), idle=IdlePower(saved.idle_mw.get(uuid))) for uuid in uuids}
