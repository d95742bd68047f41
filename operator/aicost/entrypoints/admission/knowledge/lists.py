"""Lists of allowed values that ConfigMaps hold, for those that policies name."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aicost.adapters.kube.config_maps import ConfigMaps
from aicost.domain.policy.snapshots import MapName, maps_named
from aicost.entrypoints.admission.knowledge.snapshot import Seen
from aicost.telemetry.logs import line

AGAIN_SECONDS = 15.0
_log = logging.getLogger("aicost.admission")


@dataclass(slots=True)
class Lists:
    """Keeps what the lists hold among what was seen.

    Attributes:
        changed: is called when the content of one changed.
    """

    maps: ConfigMaps
    seen: Seen
    changed: Callable[[], None]
    _named: frozenset[MapName] = frozenset()
    _told: Mapping[MapName, str] = field(default_factory=dict)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)

    def look(self) -> None:
        """Policies may have changed: read what is newly named without waiting."""
        if maps_named(self.seen.policies.values()) != self._named:
            self._wanted.set()

    async def run(self) -> None:
        """Read again and again until cancelled: by name a ConfigMap can be read, and not watched."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS):
                    await self._wanted.wait()
            await self.read()

    async def read(self) -> None:
        """Read all that are named, once."""
        self._wanted.clear()
        self._named = maps_named(self.seen.policies.values())
        await self.maps.read(self._named)
        for name, problem in self.maps.problems.items():
            if self._told.get(name) != problem:
                line(_log, logging.WARNING, "a list of values cannot be read", configmap="/".join(name), error=problem)
        self._told = self.maps.problems
        if self.maps.maps != self.seen.maps:
            self.seen.maps = dict(self.maps.maps)
            self.changed()
