"""Ports whose answer is held in memory and swapped whole: what was found, accepted or allowed last."""

from collections.abc import Callable, Sequence

from aicost.domain.exact.windows import Window
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.ledger.rows import Row
from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.pricing.books import PriceBook
from aicost.domain.sampling.series import RawSeries
from aicost.ports.errors import LedgerConflict, SourceUnavailable
from aicost.ports.ledger import LedgerWriter, Posting
from aicost.ports.telemetry import TelemetrySource


class HeldBooks:
    """The accepted price books (port `PriceSource`)."""

    def __init__(self) -> None:
        self.value: tuple[PriceBook, ...] = ()

    def books(self) -> Sequence[PriceBook]:
        """The books as they are now."""
        return self.value


class HeldClaims:
    """The accepted AIWorkloads (port `Claims`)."""

    def __init__(self) -> None:
        self.value: tuple[WorkloadClaim, ...] = ()

    def claims(self) -> Sequence[WorkloadClaim]:
        """The claims as they are now."""
        return self.value


class HeldPolicies:
    """The usable CostLabelPolicies (port `Policies`)."""

    def __init__(self) -> None:
        self.value: tuple[LabelPolicy, ...] = ()

    def policies(self) -> Sequence[LabelPolicy]:
        """The policies as they are now."""
        return self.value


class HeldSource:
    """The telemetry source that was found (port `TelemetrySource`).

    Args:
        default_interval_ms: time between samples while there is no source.
    """

    def __init__(self, default_interval_ms: int) -> None:
        self._default_interval_ms = default_interval_ms
        self.value: TelemetrySource | None = None

    @property
    def interval_ms(self) -> int:
        """Time between samples that the source aims at."""
        return self.value.interval_ms if self.value else self._default_interval_ms

    def samples(self, span: Window) -> Sequence[RawSeries]:
        """The samples of the source that was found.

        Raises:
            SourceUnavailable: none was found yet.
        """
        if self.value is None:
            raise SourceUnavailable("no telemetry source was found yet")
        return self.value.samples(span)


class FencedWriter:
    """A ledger writer that asks before each write whether we still lead (port `LedgerWriter`).

    Args:
        writer: the real one.
        holds: True while nobody else can hold the Lease.
    """

    def __init__(self, writer: LedgerWriter, holds: Callable[[], bool]) -> None:
        self._writer, self._holds = writer, holds

    def post(self, posting: Posting) -> bool:
        """Post if we lead.

        Raises:
            LedgerConflict: we do not.
        """
        self._check()
        return self._writer.post(posting)

    def replace_provisional(self, cluster: str, window: Window, rows: Sequence[Row]) -> None:
        """Replace if we lead.

        Raises:
            LedgerConflict: we do not.
        """
        self._check()
        self._writer.replace_provisional(cluster, window, rows)

    def _check(self) -> None:
        if not self._holds():
            raise LedgerConflict("this replica no longer holds the Lease: nothing was written")
