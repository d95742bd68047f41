"""Lists of allowed values for the controller: read now and then, judged and audited by all who need them."""

import asyncio

from aicost.adapters.kube.config_maps import ConfigMaps
from aicost.crd.convert.policies import label_policy
from aicost.domain.policy.snapshots import maps_named
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.registry import Registry, read_each
from aicost.entrypoints.controller.state import State

READ_SECONDS = 15.0
"""A ConfigMap that changed is known after this: by name it can be read, and not watched."""


class Lists:
    """Keeps what ConfigMaps hold in the state, for those that policies name.

    Args:
        maps: reads them.
        registry: our objects, the policies among them.
        state: gets what was read.
        attempts: does the step.
    """

    def __init__(self, maps: ConfigMaps, registry: Registry, state: State, attempts: Attempts) -> None:
        self._maps, self._registry, self._state, self._attempts = maps, registry, state, attempts

    async def run(self) -> None:
        """Read again and again until cancelled."""
        while True:
            await self._attempts.attempt("read-lists", self.read)
            await asyncio.sleep(READ_SECONDS)

    async def read(self) -> None:
        """Read all that are named, once; a change is answered soon."""
        labels, maps = self._state.labels, self._maps
        await maps.read(maps_named(read_each(self._registry.of_kind("CostLabelPolicy"), label_policy)))
        before = labels.maps or {}, labels.map_problems
        labels.maps, labels.map_problems = maps.maps, maps.problems
        if (maps.maps, maps.problems) != before:
            self._registry.changed.set()
