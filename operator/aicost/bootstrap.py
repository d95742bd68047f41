"""The composition root: settings in, wired use cases out. Read this file first.

The way of a sample: a source (`adapters/prometheus`, or `adapters/dcgm` into `adapters/journal`) gives raw series;
`usecases/compute_window` gathers them with lifetimes, prices and claims; `domain/attribution` states who owes what;
`usecases/close_windows` posts the rows to `adapters/ledger`; `usecases/build_report` sums them up again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from aicost.adapters.audits import AuditFile
from aicost.adapters.concealed import ConcealedClaims, ConcealedInventory, ConcealedPolicies
from aicost.adapters.held import (
    FencedCounts,
    FencedWriter,
    HeldActivities,
    HeldBooks,
    HeldClaims,
    HeldEngines,
    HeldPolicies,
    HeldSource,
    HeldSuccesses,
    HeldUnits,
    HeldUsage,
)
from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.journal.memory import MemoryInventory
from aicost.adapters.journal.samples import SampleJournal
from aicost.adapters.ledger.counts.store import DeltaCounts
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.inputs.store import DeltaInputs
from aicost.adapters.ledger.outcomes.store import DeltaOutcomes
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.table import give_memory_back
from aicost.adapters.ledger.upkeep.erasing.eraser import DeltaEraser
from aicost.adapters.ledger.upkeep.export import DeltaExport
from aicost.adapters.ledger.upkeep.record import DeltaRecord
from aicost.adapters.ledger.upkeep.upkeep import DeltaUpkeep
from aicost.adapters.notify.config import ChannelKind, NotifyConfig, Route
from aicost.adapters.notify.notifier import RouteNotifier
from aicost.adapters.pricing.http.config import PriceFeedConfig
from aicost.adapters.pricing.http.feed import HttpPriceFeed
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.trusts import TrustFile
from aicost.domain.attribution.customers import CustomerIds, check_secret
from aicost.domain.budgets.messages.values import Urgency
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, SECOND_MS, Grid, Window
from aicost.ports.errors import InvalidRequest
from aicost.ports.inventory import History, Inventory
from aicost.ports.ledger import LedgerReader
from aicost.ports.measured.counts import CountStore
from aicost.ports.measured.outcomes import OutcomeReader
from aicost.ports.measured.usage import UsageSource
from aicost.ports.notifications import Notifier
from aicost.ports.policies import Policies
from aicost.ports.prices import PriceFeed, PriceSource
from aicost.ports.telemetry import TelemetrySource
from aicost.ports.upkeep import LedgerUpkeep
from aicost.ports.workloads import Claims
from aicost.settings import HttpPriceSettings, NotificationSettings, PrometheusSettings, Settings
from aicost.settings.ledger import LedgerSettings
from aicost.telemetry.metrics import Metrics
from aicost.usecases.close_windows import CloseWindows, RefreshOpenWindow
from aicost.usecases.compute_window import ComputeWindow
from aicost.usecases.economics.keep_counts import KeepCounts
from aicost.usecases.economics.outcomes.remembered import RememberedOutcomes
from aicost.usecases.economics.spend.settle_estimates import accounts_in
from aicost.usecases.economics.spend.with_accounts import with_accounts
from aicost.usecases.economics.unit_book import UnitCostBook
from aicost.usecases.replay_windows import ReplayWindows
from aicost.usecases.revisit_windows import RevisitWindows
from aicost.usecases.upkeep.keep_ledger import KeepLedger


@dataclass(frozen=True, slots=True)
class Stores:
    """What is kept on the volume."""

    inventory: InventoryJournal
    samples: SampleJournal
    ledger: DeltaLedger
    counts: CountStore
    inputs: DeltaInputs | None = None
    upkeep: LedgerUpkeep | None = None
    outcomes: OutcomeReader | None = None
    engine_samples: SampleJournal | None = None

    def close(self) -> None:
        """Put everything on the volume and let go of it."""
        self.samples.close()
        if self.engine_samples is not None:
            self.engine_samples.close()
        self.inventory.close()


@dataclass(frozen=True, slots=True)
class Charged:
    """What says who a cost is charged to."""

    inventory: Inventory
    claims: Claims
    policies: Policies


@dataclass(frozen=True, slots=True)
class Application:
    """The use cases of the controller, wired.

    Attributes:
        source, books, claims, policies, units, activities, usage: ports whose answers are swapped while it runs.
        engines, successes: what engines and gateways count, and what queries say of successes; ports as those.
        counts: what was counted in closed windows.
        count: counts them.
        unit_costs: money and counts together, remembered while both stay as they are.
        fence: writes the ledger, and only while we lead.
        charged: what says who pays, with customers under ids where the settings want it.
    """

    cluster: str
    grid: Grid
    settings: Settings
    stores: Stores
    metrics: Metrics
    source: HeldSource
    books: HeldBooks
    claims: HeldClaims
    policies: HeldPolicies
    units: HeldUnits
    activities: HeldActivities
    usage: HeldUsage
    engines: HeldEngines
    successes: HeldSuccesses
    counts: CountStore
    count: KeepCounts
    unit_costs: UnitCostBook
    fence: FencedWriter
    charged: Charged
    close_windows: CloseWindows
    refresh_open: RefreshOpenWindow
    revisit: RevisitWindows
    keep: KeepLedger | None = None

    def counted(self, reader: LedgerReader) -> LedgerReader:
        """The ledger as reports and budgets of the cluster see it: with its accounts, unless the settings say no."""
        return with_accounts(reader, self.cluster) if self.settings.ledger.count_accounts else reader


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a past.

    Attributes:
        usage: what pods used of CPU and memory.
        collection_ms: how often the exporters collected; None for what is usual.
    """

    telemetry: TelemetrySource
    usage: UsageSource | None = None
    collection_ms: int | None = None


class Past(History, Protocol):
    """What the use cases ask while a past is gone through again."""

    @property
    def books(self) -> PriceSource:
        """Prices as they were."""

    @property
    def claims(self) -> Claims:
        """AIWorkloads as they were."""

    @property
    def policies(self) -> Policies:
        """Label policies as they were."""


def open_stores(settings: Settings, now_ms: int, cluster: str) -> Stores:
    """Open what is kept on the volume.

    A journal that is new beside a ledger that is not, as that of a replica more or of a volume that was lost, begins
    where the ledger ends: pods tell since when they run, and no time is left out.

    Raises:
        AicostError: it cannot be opened; the message names the file and the fix.
    """
    path = Path(settings.journal.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    ledger, scrape = open_ledger(settings.ledger.url, ledger_options(settings.ledger)), settings.telemetry.scrape
    return Stores(
        inventory=InventoryJournal(path, now_ms if path.exists() else _beginning(ledger, cluster, now_ms)),
        samples=SampleJournal(path.with_suffix(".samples.sqlite"), scrape.interval_seconds * SECOND_MS),
        engine_samples=SampleJournal(path.with_suffix(".engines.sqlite"), scrape.engines.interval_seconds * SECOND_MS),
        ledger=ledger,
        counts=open_counts(ledger),
        outcomes=RememberedOutcomes(open_outcomes(ledger)),
        inputs=open_inputs(ledger) if settings.ledger.inputs.keep else None,
        upkeep=open_upkeep(ledger),
    )


def _beginning(ledger: DeltaLedger, cluster: str, now_ms: int) -> int:
    """Where a new journal begins: of more than a day it would know too little."""
    last = ledger.last_window(cluster)
    return last.end_ms if last and 0 <= now_ms - last.end_ms <= DAY_MS else now_ms


def open_ledger(url: str, options: dict[str, str] | None = None) -> DeltaLedger:
    """The ledger at a directory or URL."""
    give_memory_back()
    return DeltaLedger(url, options)


def ledger_options(settings: LedgerSettings) -> dict[str, str]:
    """Options of the object store, with those that files hold.

    Raises:
        InvalidRequest: a file cannot be read.
    """
    found = dict(settings.storage_options)
    for name, file in settings.storage_option_files.items():
        try:
            found[name] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise InvalidRequest(
                f"ledger.storageOptionFiles.{name}: {file} cannot be read ({type(problem).__name__}): mount the Secret "
                "that has it, or name another file"
            ) from problem
    return found


def open_record(ledger: DeltaLedger) -> DeltaRecord:
    """A ledger as it is now, for whoever checks it.

    Raises:
        LedgerUnavailable: it cannot be read.
    """
    return DeltaRecord(ledger.place)


def open_upkeep(ledger: DeltaLedger) -> DeltaUpkeep:
    """Whoever keeps a ledger small."""
    return DeltaUpkeep(ledger.place)


def open_eraser(ledger: DeltaLedger, progress: Callable[[str], None]) -> DeltaEraser:
    """Whoever takes customers out of a ledger.

    Args:
        ledger: the ledger.
        progress: told the day that is looked at.
    """
    return DeltaEraser(ledger.place, progress)


def open_export(ledger: DeltaLedger) -> DeltaExport:
    """The rows of a ledger for other programs."""
    return DeltaExport(ledger.place)


def open_counts(ledger: DeltaLedger) -> DeltaCounts:
    """What engines, gateways and workloads counted in the windows of a ledger, beside it."""
    return DeltaCounts(ledger.place)


def open_inputs(ledger: DeltaLedger) -> DeltaInputs:
    """What the amounts of a ledger rest on, beside it."""
    return DeltaInputs(ledger.place, version("aicost"))


def open_outcomes(ledger: DeltaLedger) -> DeltaOutcomes:
    """What is stated of requests, beside a ledger."""
    return DeltaOutcomes(ledger.place)


def customer_ids(file: str) -> CustomerIds:
    """Ids of customers by the key in a file.

    Raises:
        InvalidRequest: it cannot be read, or the key is too short.
    """
    try:
        return CustomerIds(check_secret(Path(file).read_bytes().strip()))
    except (OSError, ValueError) as problem:
        said = problem if isinstance(problem, ValueError) else type(problem).__name__
        raise InvalidRequest(
            f"privacy.customerKeyFile {file!r}: {said}. Write a random key there, such as that of "
            "`openssl rand -hex 32`, and keep it: with another one the same customers have other ids"
        ) from problem


def _customer_ids(settings: Settings) -> CustomerIds | None:
    """Ids of customers, where the settings want them."""
    return customer_ids(settings.privacy.customer_key_file) if settings.privacy.customer_key_file else None


def _charged(settings: Settings, inventory: Inventory, claims: Claims, policies: Policies) -> Charged:
    """By name, or by ids."""
    ids = _customer_ids(settings)
    if ids is None:
        return Charged(inventory, claims, policies)
    return Charged(
        ConcealedInventory(inventory, policies, ids),
        ConcealedClaims(claims, policies, ids),
        ConcealedPolicies(policies, ids),
    )


def open_audits(settings: Settings) -> AuditFile:
    """Where the last audit of labels lies: in the ledger's folder; beside the journal where the ledger has none."""
    local = LedgerPlace(settings.ledger.url).local
    return AuditFile(local or Path(settings.journal.path).parent)


def open_trusts(settings: Settings) -> TrustFile:
    """Where the last judgement of telemetry lies: beside the last audit of labels."""
    local = LedgerPlace(settings.ledger.url).local
    return TrustFile(local or Path(settings.journal.path).parent)


def audit_beside(place: str) -> AuditFile:
    """The audit that lies in the folder of a ledger, which may be a copy; an object store has none."""
    reason = "no audit lies in this ledger: ask the cluster without --ledger"
    return AuditFile(LedgerPlace(place).local or Path(place), none_here=reason)


def open_notifier(settings: NotificationSettings, cluster: str) -> Notifier:
    """Those whom the settings name, ready to be told."""
    routes = tuple(
        Route(
            one.name,
            ChannelKind(one.kind),
            Path(one.url_file),
            _path(one.token_file),
            one.namespaces,
            one.teams,
            one.finops,
            Urgency(one.min_urgency),
        )
        for one in settings.routes
    )
    return RouteNotifier(
        NotifyConfig(
            routes,
            cluster,
            settings.timeout_seconds,
            settings.allow_http,
            settings.allowed_schemes,
            settings.runbook_base,
        )
    )


def open_price_feed(settings: HttpPriceSettings) -> PriceFeed | None:
    """The URL that publishes prices; None where the settings name none.

    Raises:
        InvalidRequest: no prices may be read from there.
    """
    if not settings.url:
        return None
    return HttpPriceFeed(
        PriceFeedConfig(
            settings.url,
            _path(settings.token_file),
            _path(settings.ca_file),
            settings.timeout_seconds,
            settings.max_bytes,
            settings.allow_http,
        )
    )


def build(settings: Settings, cluster: str, stores: Stores, metrics: Metrics, holds: Callable[[], bool]) -> Application:
    """Wire the use cases.

    Args:
        settings: the settings.
        cluster: key of the cluster in the ledger.
        stores: what is kept on the volume.
        metrics: our own metrics.
        holds: True while we may write: see `FencedWriter`.
    """
    grid = Grid(settings.window.length_ms)
    source = HeldSource(settings.telemetry.scrape.interval_seconds * SECOND_MS)
    books, claims, policies = HeldBooks(), HeldClaims(), HeldPolicies()
    collection_ms = settings.telemetry.collection_seconds * SECOND_MS
    usage, counting = HeldUsage(), settings.components.counting
    charged = _charged(settings, stores.inventory, claims, policies)
    said, sharing = (books, charged.claims, charged.policies), settings.sharing.policy
    compute = ComputeWindow(cluster, charged.inventory, source, *said, collection_ms, usage, counting, sharing)
    writer = FencedWriter(stores.ledger, holds, stores.ledger)
    epoch_ms, settle_ms = stores.inventory.epoch_ms, settings.window.settle_seconds * SECOND_MS
    units, engines, counts = HeldUnits(), HeldEngines(), FencedCounts(stores.counts, holds)
    successes, ids = HeldSuccesses(), _customer_ids(settings)
    memory_ms = settings.journal.retention_hours * HOUR_MS - grid.length_ms  # samples from before a window count too
    return Application(
        cluster=cluster,
        grid=grid,
        settings=settings,
        stores=stores,
        metrics=metrics,
        source=source,
        books=books,
        claims=claims,
        policies=policies,
        units=units,
        engines=engines,
        successes=successes,
        counts=counts,
        count=KeepCounts(cluster, counts, stores.ledger, engines, units, ids, successes, engines.since_ms),
        unit_costs=UnitCostBook(stores.ledger.version, counts, cluster),
        activities=HeldActivities(),
        usage=usage,
        fence=writer,
        charged=charged,
        close_windows=CloseWindows(cluster, compute, writer, stores.ledger, grid, settle_ms, epoch_ms, stores.inputs),
        refresh_open=RefreshOpenWindow(cluster, compute, writer, stores.ledger, grid, epoch_ms),
        revisit=RevisitWindows(
            cluster,
            compute,
            writer,
            stores.ledger,
            grid,
            settings.window.revisit,
            epoch_ms,
            memory_ms,
            stores.inputs,
            settle_ms,
            stores.inventory,
        ),
        keep=_upkeep(cluster, stores, settings.ledger),
    )


def _upkeep(cluster: str, stores: Stores, settings: LedgerSettings) -> KeepLedger | None:
    """Whoever keeps the ledger small, its accounts too."""
    if stores.upkeep is None:
        return None

    def accounts(before_ms: int) -> Sequence[str]:
        return accounts_in(stores.ledger, Window(0, before_ms))

    return KeepLedger(cluster, stores.upkeep, settings.retention_days, accounts)


def build_replay(
    cluster: str, grid: Grid, inventory: MemoryInventory, measured: Measured, past: Past, ledger: DeltaLedger
) -> ReplayWindows:
    """Wire the use cases of the controller over a past that is gone through again.

    Args:
        cluster: key of the cluster in the ledger.
        grid: billing windows.
        inventory: what the past moves forward; its first moment is the ledger's.
        measured: samples of the whole past.
        past: prices, claims and policies as they were, and the hand that moves them.
        ledger: where rows are posted.
    """
    settings = Settings()
    usual_ms = settings.telemetry.collection_seconds * SECOND_MS
    collection_ms = usual_ms if measured.collection_ms is None else measured.collection_ms
    said, counting = (past.books, past.claims, past.policies), settings.components.counting
    compute = ComputeWindow(cluster, inventory, measured.telemetry, *said, collection_ms, measured.usage, counting)
    settle_ms, epoch_ms, inputs = settings.window.settle_seconds * SECOND_MS, inventory.epoch_ms, open_inputs(ledger)
    return ReplayWindows(past, CloseWindows(cluster, compute, ledger, ledger, grid, settle_ms, epoch_ms, inputs))


def prometheus_config(settings: PrometheusSettings, url: str, interval_ms: int) -> PrometheusConfig:
    """How to reach a Prometheus: at the URL of the settings, or at one that was found."""
    return PrometheusConfig(
        url=url,
        interval_ms=interval_ms,
        bearer_token_file=_path(settings.bearer_token_file),
        username=settings.basic_user or None,
        password_file=_path(settings.basic_password_file),
        ca_file=_path(settings.ca_file),
        cert_file=_path(settings.client_cert_file),
        key_file=_path(settings.client_key_file),
        insecure=settings.insecure_skip_verify,
        tenant=settings.tenant or None,
        tenant_header=settings.tenant_header,
        matchers=settings.matchers,
        timeout_s=settings.timeout_seconds,
    )


def _path(text: str) -> Path | None:
    """A path that may be left out."""
    return Path(text) if text else None
