"""Which kinds the API server has, and whether they have a `/scale`: remembered for some minutes."""

from collections.abc import Callable
from dataclasses import dataclass, field

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.resources import ServedKind
from aicost.domain.exact.windows import MINUTE_MS

KNOWN_LIFE_MS = 10 * MINUTE_MS
UNKNOWN_LIFE_MS = MINUTE_MS


@dataclass(frozen=True, slots=True)
class _Found:
    kind: ServedKind | None
    at_ms: int


@dataclass(slots=True)
class Kinds:
    """Finds kinds by group and name, in the newest version that the server has of them."""

    client: KubeClient
    now_ms: Callable[[], int]
    _found: dict[tuple[str, str], _Found] = field(default_factory=dict)

    async def find(self, group: str, kind: str, life_ms: int = KNOWN_LIFE_MS) -> ServedKind | None:
        """A kind, None where it is not served. One that was not there is looked for again soon: its CRD may come.

        Args:
            group: empty for the core one.
            kind: its name.
            life_ms: how long an answer is believed at most.

        Raises:
            AicostError: the API server did not say.
        """
        known, now = self._found.get((group, kind)), self.now_ms()
        if known is not None and 0 <= now - known.at_ms < min(life_ms, _life_ms(known)):
            return known.kind
        found = await self._look(group, kind)
        self._found[group, kind] = _Found(found, now)
        return found

    async def _look(self, group: str, kind: str) -> ServedKind | None:
        """The first version that has it; not each version of a group has all of its kinds."""
        for version in await self.client.versions(group):
            served = await self.client.served(version)
            found = next((one for one in served if one.resource.kind == kind), None)
            if found is not None:
                return found
        return None


def _life_ms(found: _Found) -> int:
    return UNKNOWN_LIFE_MS if found.kind is None else KNOWN_LIFE_MS
