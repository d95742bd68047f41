"""ConfigMaps that policies name, each read by its name: nobody should need the right to read all of them."""

from collections.abc import Collection, Mapping

import msgspec

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.errors import NotFound
from aicost.adapters.kube.wire.resources import CONFIG_MAPS
from aicost.domain.policy.snapshots import MapName
from aicost.ports.errors import AicostError, InvalidAnswer, NotPermitted


class _ConfigMap(msgspec.Struct):
    data: dict[str, str] | None = None


class ConfigMaps:
    """What the ConfigMaps of a list of names hold.

    Attributes:
        maps: content by namespace and name, as far as it could be read.
        problems: why one could not be read, for people.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client
        self.maps: Mapping[MapName, Mapping[str, str]] = {}
        self.problems: Mapping[MapName, str] = {}

    async def read(self, named: Collection[MapName]) -> None:
        """Read all that are named, and forget the others."""
        maps: dict[MapName, Mapping[str, str]] = {}
        problems: dict[MapName, str] = {}
        for name in sorted(named):
            content, problem = await self._read(name)
            if content is not None:
                maps[name] = content
            if problem:
                problems[name] = problem
        self.maps, self.problems = maps, problems

    async def _read(self, name: MapName) -> tuple[Mapping[str, str] | None, str]:
        """One that is not there or not ours to read is absent; one that cannot be read just now stays as it was."""
        try:
            raw = await self._client.get(CONFIG_MAPS, name[1], name[0])
            return msgspec.json.decode(raw, type=_ConfigMap).data or {}, ""
        except NotFound:
            return None, "it is not there: create it"
        except NotPermitted as problem:
            return None, f"it is not ours to read: add {name[0]} to admission.listNamespaces of the chart ({problem})"
        except (InvalidAnswer, msgspec.MsgspecError) as problem:
            return None, str(problem)
        except AicostError as problem:
            return self.maps.get(name), str(problem)
