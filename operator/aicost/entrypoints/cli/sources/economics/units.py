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
from aicost.adapters.prometheus.successes import PrometheusSuccesses
from aicost.bootstrap import open_counts, open_outcomes
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.entrypoints.cli.sources.cluster import find_cluster
from aicost.entrypoints.cli.sources.economics.declared import NO_OBJECTS, Objects, said_in, said_now
from aicost.entrypoints.cli.sources.ledger import open_ledgers, open_place
from aicost.entrypoints.cli.sources.query.units import Remote, ask_units
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader
from aicost.ports.measured.engines import EngineSource
from aicost.usecases.economics.cost_units import (
    Counted,
    Live,
    UnitQuestion,
    UnitReport,
    cost_of,
    read_counted,
    read_now,
    runs_of,
)
from aicost.usecases.economics.outcomes.judge_lines import Verdicts, verdicts_of
from aicost.usecases.economics.outcomes.judging import Judging
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
        objects: where AIWorkloads stand beside the Prometheus; a bundle has its own, and with what was kept it was kept
            what they said.
    """

    ledger: str
    cluster: str | None
    url: str | None = None
    bundle: str | None = None
    remote: Remote | None = None
    weights: str | None = None
    objects: Objects = NO_OBJECTS


@dataclass(frozen=True, slots=True)
class Read:
    """Unit costs as they were read.

    Attributes:
        report: with successes by the word that AIWorkloads declare.
        judging: what it rests on; None where a cluster was asked.
        notes: what is wrong with AIWorkloads, for people.
    """

    report: UnitReport
    judging: Judging | None = None
    notes: Sequence[str] = ()


def find_places(
    ledger: str | None,
    cluster: str | None,
    counters: tuple[str | None, str | None],
    where: Where,
    files: Sequence[str] = (),
) -> Places:
    """A ledger and its sources of counters, or the cluster that kubectl would speak with.

    Args:
        ledger: directory or URL; None asks a cluster.
        cluster: the cluster in the ledger.
        counters: base address of a Prometheus, and a bundle.
        where: which cluster, and what of it; beside a Prometheus, whose AIWorkloads are read.
        files: with AIWorkloads.

    Raises:
        InvalidRequest: options contradict each other, or there is no such cluster.
    """
    named = [
        name
        for name, value in zip(
            ("--cluster", "--prometheus", "--bundle", "--objects"), (cluster, *counters, files), strict=True
        )
        if value
    ]
    if ledger:
        url, objects = counters[0], Objects(files, where.kubeconfig, where.context)
        if where.namespace or where.everywhere or (not url and (where.kubeconfig or where.context)):
            raise InvalidRequest(
                "--ledger reads without a cluster: leave --kubeconfig, --context and -A out, and write "
                "--filter namespace=NAME for one namespace"
            )
        if objects and not url:
            raise InvalidRequest(
                "--objects: give --prometheus URL too: a bundle has AIWorkloads of its own, and what was kept was "
                "counted as they said then"
            )
        return Places(ledger, cluster, *counters, objects=objects)
    if named:
        raise InvalidRequest(f"{', '.join(named)}: give --ledger too: a cluster is asked for what it counted itself")
    if where.namespace and where.everywhere:
        raise InvalidRequest("--namespace and --all-namespaces contradict: leave one out")
    config = find_cluster(where.kubeconfig, where.context)
    namespace = None if where.everywhere else where.namespace or config.namespace
    return Places("", None, remote=Remote(config, namespace))


def read_units(places: Places, span: Window, question: UnitQuestion) -> Read:
    """Unit costs of a span; errors as of `cost_units`.

    Raises:
        InvalidRequest: there is no such ledger, cluster, bundle or file, or both sources of counters were named.
    """
    if places.remote is not None:
        return Read(ask_units(places.remote, span, question))
    reader = open_ledgers([places.ledger], cluster=places.cluster).reader
    cluster, notes = _cluster(places, homes(reader)), list[str]()
    counted = count_in(places, reader, span, question.tenants, notes, cluster=cluster, rounds=question.rounds)
    if places.weights is not None and question.tenants is not None:
        config = PrometheusConfig(places.url or "")
        weights = query_weights(config, places.weights, question.tenants, runs_of(counted.windows))
        counted = replace(counted, weights=weights)

    def posted(runs: Sequence[Window]) -> Verdicts:
        return verdicts_of(open_outcomes(open_place(places.ledger)).sums(cluster, runs))

    report = cost_of(reader, counted, span, question, cluster=cluster)
    judging = Judging(reader, cluster, counted, report, question, posted)
    return Read(judging.declared(), judging, notes)


def count_in(
    places: Places,
    reader: LedgerReader,
    span: Window,
    tenants: Dimension | None,
    notes: list[str],
    *,
    cluster: str,
    rounds: bool = False,
) -> Counted:
    """What was kept beside the ledger, or what a Prometheus or a bundle says now, as AIWorkloads say that they count.

    Args:
        places: where counters are.
        reader: the ledger.
        span: which time.
        tenants: who asked, by this dimension; None for nobody.
        notes: gets what is wrong with AIWorkloads.
        cluster: of which cluster.
        rounds: look at what is behind the requests.
    """
    if places.url is None and places.bundle is None:
        counts = open_counts(open_place(places.ledger))
        return read_counted(reader, counts, span, tenants, cluster=cluster, rounds=rounds)
    with _live(places, notes) as live:
        return read_now(reader, live, span, tenants, cluster=cluster, rounds=rounds)


@contextmanager
def _live(places: Places, notes: list[str]) -> Iterator[Live]:
    """Counters, what AIWorkloads say of them, and who answers their queries, while the context is open."""
    with counters_of(places) as engines:
        if isinstance(engines, BundleEngines):
            yield Live(engines, said_in(engines.bundle, notes))
            return
        said, successes = said_now(places.objects, notes), PrometheusSuccesses(PrometheusConfig(places.url or ""))
        try:
            yield Live(engines, said, successes)
        finally:
            successes.close()


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
