"""What AIWorkloads say of how they are counted: in files, in a cluster, and in a bundle from moment to moment."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aicost.adapters.bundle.bundle import Bundle
from aicost.adapters.bundle.completing import Sighting, in_order
from aicost.adapters.bundle.objects import Change
from aicost.crd.convert.success import workload_success
from aicost.crd.convert.units import declared_engine
from aicost.crd.schema.definition import GROUP
from aicost.domain.exact.windows import SECOND_MS
from aicost.domain.serving.declared import DeclaredEngine
from aicost.entrypoints.cli.manifests.documents import read_documents
from aicost.entrypoints.cli.sources.bodies import Body, read_kind
from aicost.entrypoints.cli.sources.cluster import find_cluster
from aicost.entrypoints.cli.sources.objects import Wish, gather, own_resource
from aicost.ports.measured.successes import SuccessQuery
from aicost.settings import Settings
from aicost.usecases.economics.cost_units import SaidAt
from aicost.usecases.economics.count_window import Said

KIND = "AIWorkload"


@dataclass(frozen=True, slots=True)
class Declared:
    """What one AIWorkload says.

    Attributes:
        query: what it wants to know of successes; None where it asks nothing.
    """

    engine: DeclaredEngine
    query: SuccessQuery | None = None


def declared_of(bodies: Iterable[Body], problems: list[str]) -> tuple[Declared, ...]:
    """What AIWorkloads among objects say; what is wrong with them is added to the problems, each once."""
    found, told = list(bodies), list[str]()
    engines = read_kind(found, KIND, declared_engine, told)
    successes = read_kind(found, KIND, workload_success, told)
    problems += [one for one in dict.fromkeys(told) if one not in problems]
    queries = {one.workload: one.query for one in successes}
    return tuple(Declared(one, queries.get(one.workload)) for one in engines)


def said_of(declared: Iterable[Declared]) -> Said:
    """All of it together; of two that have one name the last one holds."""
    last = {one.engine.workload: one for one in declared}
    queries = tuple(one.query for one in last.values() if one.query is not None)
    return Said((), {name: one.engine for name, one in last.items()}, queries)


@dataclass(frozen=True, slots=True)
class Objects:
    """Where AIWorkloads stand beside a Prometheus.

    Attributes:
        files: with manifests; `-` for standard input.
        kubeconfig, context: the cluster whose AIWorkloads are read; None and None for none.
    """

    files: Sequence[str] = ()
    kubeconfig: Path | None = None
    context: str | None = None

    def __bool__(self) -> bool:
        """Whether any place was named."""
        return bool(self.files or self.kubeconfig or self.context)


NO_OBJECTS = Objects()
"""None is read."""


def said_now(objects: Objects, notes: list[str]) -> SaidAt:
    """What AIWorkloads in files and in a cluster say, whichever window is counted; those of the files go before.

    Args:
        objects: where they stand.
        notes: gets what is wrong with them.

    Raises:
        InvalidRequest: a file cannot be read, or there is no such cluster.
        ClusterUnavailable, NotPermitted: the cluster does not show them.
    """
    bodies: list[Body] = []
    if objects.kubeconfig or objects.context:
        config = find_cluster(objects.kubeconfig, objects.context, instead="or name files by --objects")
        gathered = gather(config, [Wish(own_resource(KIND))])
        bodies += gathered.bodies
        notes += gathered.gaps
    bodies += [one.body for one in read_documents(objects.files)] if objects.files else []
    said = said_of(declared_of(bodies, notes))
    return lambda _: said


def said_in(bundle: Bundle, notes: list[str]) -> SaidAt:
    """What AIWorkloads of a bundle said when each window had settled, which is when it is counted.

    Args:
        bundle: with its objects.
        notes: gets what is wrong with them.
    """
    seen = list(in_order(one for one in bundle.events() if one.kind == KIND and one.group in {GROUP, ""}))
    settle_ms, moments = Settings().window.settle_seconds * SECOND_MS, [one.known_from_ms for one in seen]

    @cache
    def after(events: int) -> Said:
        return said_of(declared_of(_standing(seen[:events]), notes))

    return lambda window: after(bisect_right(moments, window.end_ms + settle_ms))


def _standing(seen: Iterable[Sighting]) -> Sequence[Body]:
    """The objects that are there after some events."""
    bodies: dict[tuple[str, str], Body] = {}
    for one in seen:
        metadata = one.event.body["metadata"]
        name = str(metadata.get("namespace") or ""), str(metadata["name"])
        bodies.pop(name, None)
        if one.event.change is not Change.DELETED:
            bodies[name] = one.event.body
    return list(bodies.values())
