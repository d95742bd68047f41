"""Unit costs from a ledger and from what engines counted: in a Prometheus or in a bundle."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from aicost.adapters.bundle.bundle import Bundle, open_bundle
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.engines import PrometheusEngines
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.gateways import GATEWAY_NAMES
from aicost.domain.serving.meters import GENERIC_NAMES, NAMES
from aicost.entrypoints.cli.sources.ledger import open_ledgers
from aicost.ports.errors import InvalidRequest
from aicost.ports.measured.engines import EngineSource
from aicost.usecases.economics.cost_units import UnitQuestion, UnitReport, cost_units


@dataclass(frozen=True, slots=True)
class Places:
    """Where money and counters are.

    Attributes:
        ledger: directory or URL.
        cluster: the cluster in it; None where it knows one alone.
        url: base address of a Prometheus; None takes the bundle.
        bundle: a bundle.
    """

    ledger: str
    cluster: str | None
    url: str | None = None
    bundle: str | None = None


@dataclass(frozen=True, slots=True)
class _OfBundle:
    """The counters in a bundle (port `EngineSource`)."""

    bundle: Bundle

    def series(self, span: Window) -> Sequence[RawSeries]:
        return self.bundle.series((*NAMES, *GENERIC_NAMES, *GATEWAY_NAMES), span)


def units_of(places: Places, span: Window, question: UnitQuestion) -> UnitReport:
    """Unit costs of a span; errors as of `cost_units`.

    Raises:
        InvalidRequest: there is no such ledger, cluster or bundle, or not one source of counters was named.
    """
    reader = open_ledgers([places.ledger], cluster=places.cluster).reader
    with _counters(places) as engines:
        cluster = _cluster(places, reader.clusters())
        return cost_units(reader, engines, span, question, cluster=cluster)


def _cluster(places: Places, known: Sequence[str]) -> str:
    if places.cluster is None and len(known) != 1:
        named = ", ".join(known) or "none yet"
        raise InvalidRequest(f"--cluster: {places.ledger} knows {named}: name one whose engines the counters are of")
    return places.cluster or known[0]


@contextmanager
def _counters(places: Places) -> Iterator[EngineSource]:
    if places.url and not places.bundle:
        engines = PrometheusEngines(PrometheusConfig(places.url))
        try:
            yield engines
        finally:
            engines.close()
    elif places.bundle and not places.url:
        with open_bundle(places.bundle) as bundle:
            yield _OfBundle(bundle)
    else:
        raise InvalidRequest("name one source of counters: --prometheus URL or --bundle DIR")
