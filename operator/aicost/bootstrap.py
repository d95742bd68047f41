"""The composition root: settings in, wired use cases out. Read this file first.

The way of a sample: a source (`adapters/prometheus`, or `adapters/dcgm` into `adapters/journal`) gives raw series;
`usecases/compute_window` gathers them with lifetimes, prices and claims; `domain/attribution` states who owes what;
`usecases/close_windows` posts the rows to `adapters/ledger`; `usecases/build_report` sums them up again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aicost.adapters.audits import AuditFile
from aicost.adapters.held import FencedWriter, HeldBooks, HeldClaims, HeldPolicies, HeldSource
from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.journal.samples import SampleJournal
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.domain.exact.windows import HOUR_MS, SECOND_MS, Grid
from aicost.settings import PrometheusSettings, Settings
from aicost.telemetry.metrics import Metrics
from aicost.usecases.close_windows import CloseWindows, RefreshOpenWindow
from aicost.usecases.compute_window import ComputeWindow
from aicost.usecases.revisit_windows import RevisitWindows


@dataclass(frozen=True, slots=True)
class Stores:
    """What is kept on the volume."""

    inventory: InventoryJournal
    samples: SampleJournal
    ledger: DeltaLedger

    def close(self) -> None:
        """Put everything on the volume and let go of it."""
        self.samples.close()
        self.inventory.close()


@dataclass(frozen=True, slots=True)
class Application:
    """The use cases of the controller, wired.

    Attributes:
        source, books, claims, policies: ports whose answers are swapped while the controller runs.
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
    close_windows: CloseWindows
    refresh_open: RefreshOpenWindow
    revisit: RevisitWindows


def open_stores(settings: Settings, now_ms: int) -> Stores:
    """Open what is kept on the volume.

    Raises:
        AicostError: it cannot be opened; the message names the file and the fix.
    """
    path = Path(settings.journal.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return Stores(
        inventory=InventoryJournal(path, now_ms),
        samples=SampleJournal(
            path.with_suffix(".samples.sqlite"), settings.telemetry.scrape.interval_seconds * SECOND_MS
        ),
        ledger=open_ledger(settings.ledger.url, dict(settings.ledger.storage_options)),
    )


def open_ledger(url: str, options: dict[str, str] | None = None) -> DeltaLedger:
    """The ledger at a directory or URL."""
    return DeltaLedger(url, options)


def open_audits(settings: Settings) -> AuditFile:
    """Where the last audit of labels lies: in the ledger's folder; beside the journal where the ledger has none."""
    local = LedgerPlace(settings.ledger.url).local
    return AuditFile(local or Path(settings.journal.path).parent)


def audit_beside(place: str) -> AuditFile:
    """The audit that lies in the folder of a ledger, which may be a copy; an object store has none."""
    reason = "no audit lies in this ledger: ask the cluster without --ledger"
    return AuditFile(LedgerPlace(place).local or Path(place), none_here=reason)


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
    compute = ComputeWindow(cluster, stores.inventory, source, books, claims, policies, collection_ms)
    writer = FencedWriter(stores.ledger, holds)
    epoch_ms, settle_ms = stores.inventory.epoch_ms, settings.window.settle_seconds * SECOND_MS
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
        close_windows=CloseWindows(cluster, compute, writer, stores.ledger, grid, settle_ms, epoch_ms),
        refresh_open=RefreshOpenWindow(cluster, compute, writer, stores.ledger, grid, epoch_ms),
        revisit=RevisitWindows(
            cluster, compute, writer, stores.ledger, grid, settings.window.revisit, epoch_ms, memory_ms
        ),
    )


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
