"""The telemetry of a bundle, judged as the controller would have judged it, look by look."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aicost.adapters.bundle.bundle import Bundle, open_bundle
from aicost.adapters.bundle.objects import Change, ObjectEvent
from aicost.adapters.journal.memory import MemoryInventory
from aicost.adapters.kube.discovery import is_exporter
from aicost.adapters.kube.seen.decode import decode_pod
from aicost.adapters.kube.seen.values import BadObject
from aicost.crd.trust.document import telemetry_document
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.trust.episodes import Chronicle
from aicost.domain.trust.standing import NodeTelemetry
from aicost.domain.trust.values import ExporterSeen, Stranger
from aicost.entrypoints.cli.replay.world import ReplayedCluster
from aicost.usecases.gpus.judge_telemetry import JudgeTelemetry

LOOKS_MS = MINUTE_MS
"""Between two looks: as often as the controller looks."""
Tell = Callable[[str], None]


@dataclass(slots=True)
class BundleExporters:
    """Exporter pods as they were at a moment (port `Exporters`)."""

    _coming: list[tuple[int, str, ExporterSeen | None]] = field(default_factory=list)
    _there: dict[str, ExporterSeen] = field(default_factory=dict)
    _next: int = 0

    def load(self, events: Iterable[ObjectEvent]) -> None:
        """Take what the bundle shows of pods, in the order of time."""
        found = [one for event in events if event.kind == "Pod" for one in _exporter(event)]
        self._coming = sorted(found, key=lambda one: one[0])

    def advance(self, until_ms: int) -> None:
        """Let everything that was known by a moment be known."""
        while self._next < len(self._coming) and self._coming[self._next][0] <= until_ms:
            _, name, seen = self._coming[self._next]
            if seen is None:
                self._there.pop(name, None)
            else:
                self._there[name] = seen
            self._next += 1

    def exporters(self) -> Sequence[ExporterSeen]:
        """The exporters that are there now."""
        return tuple(self._there.values())

    def strangers(self) -> Sequence[Stranger]:
        """A bundle is read for the names that are needed, and for no others."""
        return ()


def _exporter(event: ObjectEvent) -> Iterable[tuple[int, str, ExporterSeen | None]]:
    """When an exporter pod was seen, its uid and what was seen; None once it is gone."""
    pod = decode_pod(msgspec.json.encode(event.body))
    if not isinstance(pod, BadObject) and is_exporter(pod):
        facts = pod.facts
        gone = event.change is Change.DELETED
        seen = None if gone else ExporterSeen((facts.namespace, facts.name), facts.node or "", host_pid=pod.host_pid)
        yield event.at_ms, facts.uid, seen


def judge_bundle(place: str, tell: Tell) -> dict[str, Any]:
    """The document of a bundle: how its nodes stood at the end of its window, and what was wrong within it.

    Raises:
        InvalidRequest: it is no bundle; the message names file, field, value and fix.
    """
    with open_bundle(place) as bundle:
        tell("reading objects")
        events = list(bundle.events())
        inventory, exporters = MemoryInventory(bundle.head.window.start_ms), BundleExporters()
        world = ReplayedCluster(inventory)
        world.load(events)
        exporters.load(events)
        return _walk(bundle, inventory, exporters, world, tell)


def _walk(
    bundle: Bundle, inventory: MemoryInventory, exporters: BundleExporters, world: ReplayedCluster, tell: Tell
) -> dict[str, Any]:
    """Look once a minute."""
    source, window = bundle.samples(tell), bundle.head.window
    looking = JudgeTelemetry(inventory, source, exporters, ahead_ms=0)
    nodes: tuple[NodeTelemetry, ...] = ()
    chronicle = Chronicle()
    for moment in _moments(window):
        world.advance(moment)
        exporters.advance(moment)
        nodes = looking(nodes, f"the bundle {bundle.head.cluster}", moment)
        chronicle.add(nodes)
    return telemetry_document(nodes, window.end_ms, chronicle.episodes(), _why_none(nodes))


def _moments(window: Window) -> Iterable[int]:
    return (*range(window.start_ms + LOOKS_MS, window.end_ms, LOOKS_MS), window.end_ms)


def _why_none(nodes: Sequence[NodeTelemetry]) -> str:
    return "" if nodes else "no node has a GPU, by its labels, by its capacity or by samples"
