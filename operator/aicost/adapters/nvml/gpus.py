"""All GPUs of a node. Each has a worker of its own, so that one that hangs or is lost holds nobody up."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pynvml

from aicost.adapters.nvml.calls import DeviceFailed, Why
from aicost.adapters.nvml.device import Card, Device
from aicost.adapters.nvml.driver import card_again, list_cards, open_driver
from aicost.adapters.nvml.worker import Worker
from aicost.domain.agent.device_ids import Layout
from aicost.domain.agent.values import SECOND_NS, DeviceState, Reading
from aicost.ports.agent import Seen

_LOG = logging.getLogger(__name__)
_LONGEST_BACKOFF_NS = 60 * SECOND_NS
_LISTED_NS = 60 * SECOND_NS
"""How often it is looked for GPUs that were not there."""


@dataclass(slots=True)
class _Backoff:
    """When to try again: after 1, 2, 4 and up to 60 seconds."""

    failures: int = 0
    next_ns: int = 0

    def failed(self, now_ns: int) -> None:
        self.next_ns = now_ns + min(SECOND_NS << min(self.failures, 6), _LONGEST_BACKOFF_NS)
        self.failures += 1

    def worked(self) -> None:
        self.failures = self.next_ns = 0


@dataclass(slots=True)
class _Slot:
    """One GPU, its worker, and how it does."""

    card: Card
    worker: Worker[Reading]
    device: Device | None = None
    state: DeviceState = DeviceState.OK
    backoff: _Backoff = field(default_factory=_Backoff)


class NvmlGpus:
    """The GPUs of this node, by NVIDIA's own library.

    Args:
        monotonic_ns: a clock that never steps.
        patience_seconds: how long one look waits, for all devices together.
    """

    def __init__(self, monotonic_ns: Callable[[], int], patience_seconds: float = 2.0) -> None:
        self._now, self._patience = monotonic_ns, patience_seconds
        self._slots: dict[str, _Slot] = {}
        self._driver: Worker[tuple[Card, ...]] = Worker("nvml")
        self._open = False
        self._backoff = _Backoff()
        self._listed_ns = 0
        self._problem = ""

    def look(self) -> Seen:
        """Read each device; never raises, and never waits for long on one of them."""
        deadline = time.monotonic() + self._patience
        self._look_after_driver(deadline)
        for slot in self._slots.values():
            self._ask(slot)
        readings = [reading for slot in self._slots.values() if (reading := self._take(slot, deadline))]
        states = {uuid: slot.state for uuid, slot in self._slots.items()}
        return Seen(tuple(readings), states, self._layout(), self._problem)

    def close(self) -> None:
        """Let the workers end."""
        self._driver.stop()
        for slot in self._slots.values():
            slot.worker.stop()

    def _look_after_driver(self, deadline: float) -> None:
        """Open the driver, open it anew when nothing answers any more, and look for new GPUs now and then."""
        now_ns = self._now()
        if self._open and self._all_lost() and now_ns >= min(one.backoff.next_ns for one in self._slots.values()):
            self._open = False
        if not self._open and now_ns >= self._backoff.next_ns:
            self._driver.ask(open_driver)
        elif self._open and now_ns - self._listed_ns >= _LISTED_NS:
            self._driver.ask(list_cards)
        if self._driver.busy:  # nobody waits for a list while there are devices to read
            self._found(self._driver.answer(0 if self._open else max(deadline - time.monotonic(), 0)), now_ns)

    def _all_lost(self) -> bool:
        """Whether no device answers, and none hangs: the driver must not be closed under a call."""
        return bool(self._slots) and all(
            one.state in {DeviceState.LOST, DeviceState.DENIED} and not one.worker.busy for one in self._slots.values()
        )

    def _found(self, cards: tuple[Card, ...] | BaseException | None, now_ns: int) -> None:
        if isinstance(cards, tuple):
            if not self._open:  # handles of before are worth nothing now
                for slot in self._slots.values():
                    slot.device = None
                    slot.backoff.worked()
            self._open, self._listed_ns = True, now_ns
            self._backoff.worked()
            self._add(cards)
            self._say("" if self._slots else "the NVIDIA driver runs and shows no GPU: look at `nvidia-smi -L`")
        elif not self._open:
            self._say("the NVIDIA driver does not answer: a call of it hangs" if cards is None else str(cards))
            if cards is not None:
                self._backoff.failed(now_ns)

    def _add(self, cards: tuple[Card, ...]) -> None:
        for card in cards:
            slot = self._slots.get(card.uuid)
            if slot is None:
                self._slots[card.uuid] = _Slot(card, Worker(card.uuid))
            elif slot.device is None:
                slot.card = card

    def _ask(self, slot: _Slot) -> None:
        if slot.backoff.next_ns <= self._now() and (self._open or slot.worker.busy):
            slot.worker.ask(lambda: self._read(slot))

    def _read(self, slot: _Slot) -> Reading:
        """In the worker's thread."""
        if slot.device is None:
            if slot.state is not DeviceState.OK:
                slot.card = card_again(slot.card.uuid)
            slot.device = Device(slot.card, self._now)
        return slot.device.read()

    def _take(self, slot: _Slot, deadline: float) -> Reading | None:
        if not slot.worker.busy:
            return None
        known_to_hang = slot.state is DeviceState.HANGING  # nobody waits for it twice
        found = slot.worker.answer(0 if known_to_hang else max(deadline - time.monotonic(), 0))
        if found is None:
            self._turn(slot, DeviceState.HANGING, "a call of the driver hangs")
            return None
        if isinstance(found, Reading):
            slot.backoff.worked()
            self._turn(slot, DeviceState.OK, "")
            return found
        denied = _is_denial(found)
        if not isinstance(found, DeviceFailed | pynvml.NVMLError):
            _LOG.error("reading GPU %s failed", slot.card.uuid, exc_info=found)
        slot.device = None
        slot.backoff.failed(self._now())
        self._turn(slot, DeviceState.DENIED if denied else DeviceState.LOST, str(found))
        return None

    def _turn(self, slot: _Slot, state: DeviceState, why: str) -> None:
        if slot.state is not state:
            log = _LOG.info if state is DeviceState.OK else _LOG.warning
            log("GPU %s is %s%s", slot.card.uuid, state, f": {why}" if why else " again")
        slot.state = state

    def _say(self, problem: str) -> None:
        if problem and problem != self._problem:
            _LOG.warning("%s", problem)
        self._problem = problem

    def _layout(self) -> Layout:
        slots = self._slots.values()
        minors = {slot.card.minor: slot.card.uuid for slot in slots if slot.card.minor is not None}
        instances = {name: part for one in slots if one.device for name, part in one.device.instances.items()}
        return Layout(frozenset(self._slots), minors, instances)


def _is_denial(error: BaseException) -> bool:
    if isinstance(error, DeviceFailed):
        return error.why is Why.DENIED
    return isinstance(error, pynvml.NVMLError) and error.value == pynvml.NVML_ERROR_NO_PERMISSION
