"""Unit costs from a ledger and from what engines counted: beside the ledger, in a Prometheus or in a bundle."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aicost.adapters.bundle.bundle import open_bundle
from aicost.adapters.bundle.engines import BundleEngines
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.economics.values import query_weights
from aicost.adapters.prometheus.engines import PrometheusEngines
from aicost.adapters.prometheus.remote.reading import RemoteRead
from aicost.bootstrap import open_counts
from aicost.domain.exact.windows import Window
from aicost.entrypoints.cli.sources.cluster import find_cluster
from aicost.entrypoints.cli.sources.ledger import open_ledgers, open_place
from aicost.entrypoints.cli.sources.query.units import Remote, ask_units
from aicost.ports.errors import InvalidRequest
from aicost.ports.measured.engines import EngineSource
from aicost.usecases.economics.cost_units import (
    UnitQuestion,
    UnitReport,
    cost_counted,
    cost_of,
    cost_units,
    read_now,
    runs_of,
)
from aicost.usecases.economics.spend.with_accounts import homes


@dataclass(frozen=True, slots=True)
class Where:
    """Which cluster, as a person names it."""

    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str | None = None
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """Where money and counters are.

    Attributes:
        ledger: directory or URL; empty where a cluster is asked.
        cluster: the cluster in it; None where it knows one alone.
        url: base address of a Prometheus; None takes the bundle.
        bundle: a bundle. Without either, what was kept beside the ledger is read.
        remote: the cluster that is asked; None reads the ledger.
        weights: a query of the Prometheus that says who asked for how much; None goes by what gateways count.
    """

    ledger: str
    cluster: str | None
    url: str | None = None
    bundle: str | None = None
    remote: Remote | None = None
    weights: str | None = None


def find_places(
    ledger: str | None, cluster: str | None, counters: tuple[str | None, str | None], where: Where
) -> Places:
    """A ledger and its sources of counters, or the cluster that kubectl would speak with.

    Args:
        ledger: directory or URL; None asks a cluster.
        cluster: the cluster in the ledger.
        counters: base address of a Prometheus, and a bundle.
        where: which cluster, and what of it.

    Raises:
        InvalidRequest: options contradict each other, or there is no such cluster.
    """
    named = [
        name
        for name, value in zip(("--cluster", "--prometheus", "--bundle"), (cluster, *counters), strict=True)
        if value
    ]
    if ledger:
        if where.kubeconfig or where.context or where.namespace or where.everywhere:
            raise InvalidRequest(
                "--ledger reads without a cluster: leave --kubeconfig, --context and -A out, and write "
                "--filter namespace=NAME for one namespace"
            )
        return Places(ledger, cluster, *counters)
    if named:
        raise InvalidRequest(f"{', '.join(named)}: give --ledger too: a cluster is asked for what it counted itself")
    if where.namespace and where.everywhere:
        raise InvalidRequest("--namespace and --all-namespaces contradict: leave one out")
    config = find_cluster(where.kubeconfig, where.context)
    namespace = None if where.everywhere else where.namespace or config.namespace
    return Places("", None, remote=Remote(config, namespace))


def units_of(places: Places, span: Window, question: UnitQuestion) -> UnitReport:
    """Unit costs of a span; errors as of `cost_units`.

    Raises:
        InvalidRequest: there is no such ledger, cluster or bundle, or both sources of counters were named.
    """
    if places.remote is not None:
        return ask_units(places.remote, span, question)
    reader = open_ledgers([places.ledger], cluster=places.cluster).reader
    cluster = _cluster(places, homes(reader))
    if places.url is None and places.bundle is None:
        counts = open_counts(open_place(places.ledger))
        return cost_counted(reader, counts, span, question, cluster=cluster)
    with counters_of(places) as engines:
        if places.weights is None or question.tenants is None:
            return cost_units(reader, engines, span, question, cluster=cluster)
        counted = read_now(reader, engines, span, question.tenants, cluster=cluster, rounds=question.rounds)
    weights = query_weights(
        PrometheusConfig(places.url or ""), places.weights, question.tenants, runs_of(counted.windows)
    )
    return cost_of(reader, replace(counted, weights=weights), span, question, cluster=cluster)


def cluster_of(places: Places) -> str:
    """The cluster whose money and counters are read in a ledger; errors as of `units_of`."""
    return _cluster(places, homes(open_ledgers([places.ledger], cluster=places.cluster).reader))


def _cluster(places: Places, known: Sequence[str]) -> str:
    if places.cluster is None and len(known) != 1:
        named = ", ".join(known) or "none yet"
        raise InvalidRequest(f"--cluster: {places.ledger} knows {named}: name one whose engines the counters are of")
    return places.cluster or known[0]


@contextmanager
def counters_of(places: Places) -> Iterator[EngineSource]:
    """The counters of a Prometheus or of a bundle, while the context is open.

    Raises:
        InvalidRequest: not one of the two was named.
    """
    if places.url and not places.bundle:
        config = PrometheusConfig(places.url)
        engines = PrometheusEngines(config, remote=RemoteRead(config))
        try:
            yield engines
        finally:
            engines.close()
    elif places.bundle and not places.url:
        with open_bundle(places.bundle) as bundle:
            yield BundleEngines(bundle)
    else:
        raise InvalidRequest(
            "name one source of counters: --prometheus URL or --bundle DIR, or neither for what was kept"
        )
