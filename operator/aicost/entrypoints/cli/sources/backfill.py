"""A backfill, wired: a Prometheus and files in, the use case out."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from aicost.adapters.held import HeldBooks, HeldClaims, HeldPolicies
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.engines import PrometheusEngines
from aicost.adapters.prometheus.history.asking import Asker
from aicost.adapters.prometheus.history.inventory import HistoryInventory
from aicost.adapters.prometheus.history.keys import LabelKeys
from aicost.adapters.prometheus.history.pace import PacedSource
from aicost.adapters.prometheus.history.survey import Survey, survey
from aicost.adapters.prometheus.patient import PatientClient
from aicost.adapters.prometheus.remote.reading import RemoteRead
from aicost.adapters.prometheus.source import PrometheusSource
from aicost.adapters.prometheus.successes import PrometheusSuccesses
from aicost.adapters.prometheus.usage import PrometheusUsage
from aicost.bootstrap import open_counts, open_inputs, open_ledger
from aicost.domain.attribution.resources.kubelet import CPU
from aicost.domain.attribution.resources.residents import ALL_COUNTED, Counting
from aicost.domain.attribution.sharing.choosing import NO_POLICY, SharingPolicy
from aicost.domain.exact.amounts import parse_nanos
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Grid, Window, to_rfc3339
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.inventory.gpu_models import canonical_model
from aicost.domain.ledger.grounds import Ground
from aicost.domain.ledger.rows import Row
from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.pricing.books import ALWAYS, NodeMatch, NodeSplit, PriceBook, PriceEntry
from aicost.domain.sampling.series import COLLECTION_MS
from aicost.entrypoints.cli.manifests.documents import read_documents
from aicost.entrypoints.cli.sources.bodies import claims_of, policies_of
from aicost.entrypoints.cli.sources.economics.declared import declared_of, said_of
from aicost.entrypoints.cli.sources.market import LIST_PRICES, read_books
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader
from aicost.usecases.backfill import Backfill, FlaggedWriter
from aicost.usecases.close_windows import CloseWindows
from aicost.usecases.compute_window import ComputeWindow
from aicost.usecases.economics.count_window import NOTHING_SAID, Said
from aicost.usecases.economics.keep_counts import KeepCounts

LENGTH_MS = HOUR_MS
PATIENCE_S = 900.0
_SETTLE_MS = 10 * MINUTE_MS
"""The last window must have ended so long ago: what vanished is believed to be gone after that time."""
_PRICE = re.compile(r"([^=]+)=\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([A-Za-z]{3})?")
Wait = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for.

    Attributes:
        config: the server.
        span: the time.
        ledger: directory or URL.
        cluster: its name in the ledger; empty where none was given.
        prices, claims, policies: files.
        counting: what is counted beside the GPUs, as far as the server tells of it.
        sharing: how GPUs that pods share are split.
        host_matchers: labels that the kubelet's series must have.
        collection_ms: how often the exporters collect.
        list_prices: use public list prices.
        gpu_prices: MODEL=AMOUNT or MODEL=AMOUNT CURRENCY per GPU-hour.
    """

    config: PrometheusConfig
    span: Window
    ledger: str
    cluster: str = ""
    prices: Sequence[str] = ()
    list_prices: bool = False
    gpu_prices: Sequence[str] = ()
    claims: Sequence[str] = ()
    policies: Sequence[str] = ()
    counting: Counting = ALL_COUNTED
    sharing: SharingPolicy = NO_POLICY
    host_matchers: Mapping[str, str] = field(default_factory=dict)
    collection_ms: int = COLLECTION_MS


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in files.

    Attributes:
        said: what AIWorkloads say of how they are counted.
    """

    books: tuple[PriceBook, ...]
    claims: tuple[WorkloadClaim, ...]
    policies: tuple[LabelPolicy, ...]
    said: Said = NOTHING_SAID

    def keys(self) -> LabelKeys:
        """Label keys that matter, those that the files name included."""
        return LabelKeys((*_keys_of_claims(self.claims), *_keys_of_policies(self.policies)))


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that is known before the first window.

    Attributes:
        asked: with the name of the cluster, and the span cut to what there is.
        survey: what the server has.
        cut: why the span was cut, empty where it was not.
    """

    asked: Asked
    survey: Survey
    given: Given
    client: PatientClient
    cut: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A backfill, ready to run."""

    backfill: Backfill
    inventory: HistoryInventory
    reader: LedgerReader
    counting: KeepCounts


def read_given(asked: Asked) -> Given:
    """Read the files.

    Raises:
        InvalidRequest: one cannot be read, or something in it is wrong.
    """
    places = [*asked.prices, *([str(LIST_PRICES)] if asked.list_prices else [])]
    books = (*(read_books(places) if places else ()), *_named_prices(asked.gpu_prices))
    claims, said = _workloads(asked.claims)
    problems: list[str] = []
    policies = policies_of((one.body for one in read_documents(asked.policies)), problems) if asked.policies else ()
    if problems:
        raise InvalidRequest(f"--policies: {'; '.join(problems)}")
    return Given(books, claims, policies, said)


def _named_prices(texts: Sequence[str]) -> tuple[PriceBook, ...]:
    """Prices by GPU model alone, one book for each currency: what people know by heart.

    Raises:
        InvalidRequest: one is not written as MODEL=AMOUNT.
    """
    entries: dict[str, list[PriceEntry]] = {}
    for text in texts:
        match = _PRICE.fullmatch(text.strip())
        model = canonical_model(match[1]) if match else None
        if match is None or model is None or not float(match[2]):
            raise InvalidRequest(
                f"--gpu-price {text!r}: write MODEL=AMOUNT per GPU-hour, such as h100-80gb=2.50 or a10g=1.10EUR"
            )
        entry = PriceEntry(
            name=model,
            match=NodeMatch(gpu_model=model),
            per_gpu_hour_nanos=parse_nanos(match[2]),
            per_node_hour_nanos=None,
            split=NodeSplit.RESIDUAL,
            gpu_share_ppm=None,
            effective=ALWAYS,
            source="the command line",
        )
        entries.setdefault((match[3] or "USD").upper(), []).append(entry)
    return tuple(
        PriceBook(f"gpu-price-{currency.lower()}", currency, tuple(found)) for currency, found in entries.items()
    )


def _workloads(places: Sequence[str]) -> tuple[tuple[WorkloadClaim, ...], Said]:
    """What AIWorkloads claim, and what they say of how they are counted."""
    problems: list[str] = []
    bodies = [one.body for one in read_documents(places)] if places else []
    claims, said = claims_of(bodies, problems), said_of(declared_of(bodies, problems))
    if problems:
        raise InvalidRequest(f"--aiworkloads: {'; '.join(problems)}")
    return claims, said


def prepare(asked: Asked, wait: Wait, patience_s: float = PATIENCE_S) -> Prepared:
    """Read the files, and look at what the server has.

    Raises:
        InvalidRequest: something in the request or in a file is wrong, or the server has nothing to compute from.
        SourceUnavailable, InvalidAnswer, NotPermitted: the server does not answer as it should.
    """
    given = read_given(asked)
    client = PatientClient(asked.config, wait, patience_s)
    found = survey(Asker(asked.config, client), asked.span, asked.config.interval_ms, given.keys())
    if found is None or found.first_ms is None:
        raise InvalidRequest(
            f"--prometheus {asked.config.url}: it has no series of GPUs in the time that was asked for"
            f"{_matched(asked)}: let this Prometheus scrape dcgm-exporter, or look at --since and --match"
        )
    cluster = _cluster(asked, found)
    span, cut = _cut(asked.span, found.first_ms)
    return Prepared(replace(asked, cluster=cluster, span=span), found, given, client, cut)


def priced(prepared: Prepared, books: tuple[PriceBook, ...]) -> Prepared:
    """The same at other prices."""
    return replace(prepared, given=replace(prepared.given, books=books))


def wire(prepared: Prepared, now_ms: int) -> Running:
    """Wire the use case over what was found.

    Raises:
        InvalidRequest, LedgerUnavailable: the ledger's place cannot be used.
    """
    asked, config = prepared.asked, replace(prepared.asked.config, interval_ms=prepared.survey.interval_ms)
    ledger = open_ledger(asked.ledger)
    first = ledger.first_window(asked.cluster)
    epoch_ms = min(first.start_ms, asked.span.start_ms) if first else asked.span.start_ms
    known_ms = min(now_ms, asked.span.end_ms + LENGTH_MS)  # nothing later is of use
    inventory = HistoryInventory(Asker(config, prepared.client), epoch_ms, known_ms, prepared.given.keys())
    samples = PrometheusSource(config, prepared.client, RemoteRead(config))
    source = PacedSource(samples, prepared.survey.interval_ms)
    books, claims, policies = HeldBooks(), HeldClaims(), HeldPolicies()
    books.value, claims.value, policies.value = prepared.given.books, prepared.given.claims, prepared.given.policies
    usage = PrometheusUsage(config, asked.host_matchers, prepared.client) if prepared.survey.has(CPU) else None
    told = prepared.survey.components
    counting = replace(asked.counting, components=tuple(one for one in asked.counting.components if one in told))
    said = (books, claims, policies)
    compute = ComputeWindow(
        asked.cluster, inventory, source, *said, asked.collection_ms, usage, counting, asked.sharing
    )

    def flags_of(row: Row) -> tuple[str, ...]:
        coarse = (Ground.COARSE_SAMPLES,) if source.coarse else ()
        return tuple(ground.value for ground in (*inventory.grounds(row), *coarse))

    writer = FlaggedWriter(ledger, flags_of)
    closing = CloseWindows(
        asked.cluster,
        compute,
        writer,
        ledger,
        Grid(LENGTH_MS),
        _SETTLE_MS,
        asked.span.start_ms,
        open_inputs(ledger),
    )
    engines = PrometheusEngines(config, prepared.client, RemoteRead(config))
    kept = KeepCounts(asked.cluster, open_counts(ledger), ledger, engines, successes=PrometheusSuccesses(config))
    return Running(Backfill(closing, asked.span), inventory, ledger, kept)


def _cut(span: Window, first_ms: int) -> tuple[Window, str]:
    """The span in whole hours, from the first one on that there are samples of as a whole."""
    if first_ms <= span.start_ms + 2 * LENGTH_MS:
        return Window(span.start_ms - span.start_ms % LENGTH_MS, span.end_ms), ""
    begin = min(-(-first_ms // LENGTH_MS) * LENGTH_MS, span.end_ms)
    return Window(begin, span.end_ms), (
        f"the server has GPU samples from {to_rfc3339(begin)} on: what it keeps is shorter than asked"
    )


def _cluster(asked: Asked, found: Survey) -> str:
    """The name of the cluster: as given, as matched, as its series say, else the name of the host that was asked.

    Raises:
        InvalidRequest: the server has several, and none was chosen.
    """
    if len(found.clusters) > 1:
        listed = ", ".join(found.clusters[:8])
        raise InvalidRequest(
            f"--prometheus {asked.config.url}: it has several clusters ({listed}): choose one by "
            f"--match 'cluster=\"{found.clusters[0]}\"'"
        )
    said = (asked.cluster, asked.config.matchers.get("cluster"), *found.clusters, urlsplit(asked.config.url).hostname)
    return next(filter(None, said), "default")


def _matched(asked: Asked) -> str:
    matchers = asked.config.matchers
    return f" with {', '.join(f'{k}={v!r}' for k, v in matchers.items())}" if matchers else ""


def _keys_of_claims(claims: Iterable[WorkloadClaim]) -> Iterable[str]:
    for claim in claims:
        selector = claim.selector
        if selector is not None:
            yield from selector.match_labels
            yield from (term.key for term in selector.expressions)


def _keys_of_policies(policies: Iterable[LabelPolicy]) -> Iterable[str]:
    for policy in policies:
        for key in policy.keys:
            yield from (key.label, *key.aliases)
