"""The rounds of the leader: close windows, compute the open one, publish; each step fails alone and is tried again."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import asdict, replace

from aicost.adapters.clock import now_ms
from aicost.bootstrap import Application
from aicost.crd.convert.books import price_book
from aicost.crd.convert.claims import workload_claim
from aicost.crd.convert.policies import label_policy
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, SECOND_MS
from aicost.domain.sampling.series import SampleDefects
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.publish.publisher import Publisher
from aicost.entrypoints.controller.registry import Registry, read_each
from aicost.entrypoints.controller.state import State
from aicost.telemetry.logs import line
from aicost.usecases.budgets.spending import OpenSpend
from aicost.usecases.close_windows import WindowClosed
from aicost.usecases.compute_window import Computed

SOON_SECONDS = 2.0
"""A change of one of our objects is answered after this pause, in which others may come."""
Claimed = Callable[[Collection[str]], Awaitable[None]]
"""Is told in which namespaces there are AIWorkloads; done once the owners of the pods there are known."""
_log = logging.getLogger("aicost.rounds")


class Rounds:
    """One round per refresh interval, sooner where one of our objects changed.

    Args:
        app: the use cases.
        registry: our objects.
        state: what the rounds find.
        publisher: publishes it.
        attempts: does the steps.
        claimed: see `Claimed`.
    """

    def __init__(
        self,
        app: Application,
        registry: Registry,
        state: State,
        publisher: Publisher,
        attempts: Attempts,
        *,
        claimed: Claimed,
    ) -> None:
        self._app, self._registry, self._state, self._publisher = app, registry, state, publisher
        self._attempts, self._claimed = attempts, claimed
        self._use_missing = ""
        self._kept_on: int | None = None

    async def run(self) -> None:
        """Round after round until cancelled."""
        while True:
            began = time.monotonic()
            await self.once()
            await self._wait(began + self._app.settings.window.refresh_seconds)

    async def once(self) -> None:
        """One round: what our objects say, windows that are due, the open window, reports, statuses.

        A step that fails is tried again in the next round and does not hold up the others.
        """
        self._registry.changed.clear()
        await self._attempts.attempt("take-in", self._take_in)
        await self._attempts.attempt("close", self._close)
        await self._attempts.attempt("open", self._refresh)
        await self._attempts.attempt("upkeep", self._keep)
        await self._attempts.attempt("reports", self._publisher.keep_reports)
        await self._attempts.attempt("publish", self._publisher.publish)

    async def _wait(self, until: float) -> None:
        """Wait for the next round, or for a change of one of our objects."""
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                await self._registry.changed.wait()
        except TimeoutError:
            return
        await asyncio.sleep(SOON_SECONDS)

    async def _take_in(self) -> None:
        """Hand the accepted books, claims and policies to the use cases."""
        self._app.books.value = read_each(self._registry.of_kind("PriceBook"), price_book)
        self._app.claims.value = read_each(self._registry.of_kind("AIWorkload"), workload_claim)
        self._app.policies.value = read_each(self._registry.of_kind("CostLabelPolicy"), label_policy)
        await self._claimed({claim.namespace for claim in self._app.claims.value})

    async def _close(self) -> None:
        """Close what is due, then look again at the windows before, and at those that were closed before their time."""
        reader, cluster = self._app.stores.ledger, self._app.cluster
        try:
            closed = await asyncio.to_thread(self._app.close_windows, now_ms())
            for one in closed:
                self._tell_closed(one)
            await self._revisit(anew=bool(closed))
            if closed:
                await asyncio.to_thread(self._forget)
        finally:
            self._state.last_closed = await asyncio.to_thread(reader.last_window, cluster)
            if self._state.last_closed:
                end = self._state.last_closed.end_ms / SECOND_MS
                self._app.metrics.show("aicost_last_closed_window_timestamp_seconds", end)

    async def _revisit(self, *, anew: bool) -> None:
        """After a window was closed, and when one has settled that was closed by a clock that was ahead."""
        if not anew and not await asyncio.to_thread(self._app.revisit.due, now_ms()):
            return
        for revised in await asyncio.to_thread(self._app.revisit, now_ms()):
            self._app.metrics.count("aicost_ledger_rows_total", len(revised.rows), kind="difference")
            line(
                _log, logging.INFO, "window revised",
                window=str(revised.window), revision=revised.revision, reason=revised.reason, rows=len(revised.rows),
            )  # fmt: skip

    def _forget(self) -> None:
        """Drop lifetimes and samples that no window needs any more, and inputs of windows of long ago."""
        before_ms = now_ms() - self._app.settings.journal.retention_hours * HOUR_MS
        self._app.stores.inventory.retire(before_ms)
        self._app.stores.samples.prune(before_ms)
        if self._app.stores.engine_samples is not None:
            self._app.stores.engine_samples.prune(before_ms)
        if self._app.stores.inputs is not None:
            kept_ms = self._app.settings.ledger.inputs.retention_days * DAY_MS
            self._app.stores.inputs.prune(now_ms() - kept_ms)

    async def _keep(self) -> None:
        """Once a day put files of the ledger together and drop what retention no longer wants; that is said aloud."""
        today, keep = now_ms() // DAY_MS, self._app.keep
        if keep is None or self._kept_on == today:
            return
        own = await asyncio.to_thread(keep.drop, now_ms())
        for gone in [*([own] if own else []), *await asyncio.to_thread(keep.drop_of_accounts, now_ms())]:
            self._app.metrics.count("aicost_ledger_rows_dropped_total", gone.rows)
            line(
                _log, logging.WARNING, "retention dropped rows for good", cluster=gone.cluster, first=gone.first,
                last=gone.last, windows=gone.windows, rows=gone.rows, cost_nanos=dict(gone.cost_nanos),
            )  # fmt: skip
        done = await asyncio.to_thread(keep.compact, now_ms())
        self._kept_on = today
        if done.dates:
            files = {"before": done.before, "after": done.after}
            self._app.metrics.show_all("aicost_ledger_files", "when", files)
            line(_log, logging.INFO, "ledger compacted", dates=list(done.dates), files=files)

    async def _refresh(self) -> None:
        """Compute the open window."""
        at_ms = now_ms()
        computed = await asyncio.to_thread(self._app.refresh_open, at_ms)
        rows = tuple(row for one in computed for row in one.statement.rows)
        self._state.open = OpenSpend(rows, at_ms)
        self._state.measured_ms = measured_until(computed, self._state.measured_ms, at_ms)
        if computed:
            self._remember(computed[-1], at_ms)

    def _remember(self, computed: Computed, at_ms: int) -> None:
        """Keep what the computation found, and show it."""
        statement, metrics = computed.statement, self._app.metrics
        self._state.statement, self._state.computed_ms, self._state.defects = statement, at_ms, computed.defects
        metrics.show("aicost_open_window_timestamp_seconds", at_ms / SECOND_MS)
        self._judge_source(computed)
        self._tell_use(computed.use_missing)
        self._show(computed)
        for name, count in _counts(computed.defects).items():
            metrics.show("aicost_sample_defects", count, defect=name)
        metrics.show("aicost_unpriced_nodes", len(statement.unpriced))

    def _tell_use(self, missing: str) -> None:
        """Once while it lasts: pods pay for what they ask for meanwhile."""
        if missing and missing != self._use_missing:
            line(_log, logging.WARNING, "use of CPU and memory not known", error=missing)
        self._use_missing = missing

    def _judge_source(self, computed: Computed) -> None:
        """A source that failed is looked for again; one that has samples is fine."""
        source = self._state.source
        self._app.metrics.show_all("aicost_telemetry_up", "source", {source.name or "none": 0 if computed.blind else 1})
        if source.name and (computed.blind or computed.samples):
            self._state.source = replace(source, problem=computed.blind)

    def _show(self, computed: Computed) -> None:
        """Balance and coverages of one computation."""
        statement, metrics = computed.statement, self._app.metrics
        metrics.show("aicost_unbalanced_cost_nanos", statement.unbalanced_nanos)
        if statement.unbalanced_nanos:
            line(_log, logging.ERROR, "the rows do not sum to the price", nanos=statement.unbalanced_nanos)
        if statement.device_milliseconds:
            whole = statement.device_milliseconds
            metrics.show("aicost_telemetry_coverage_ratio", statement.measured_milliseconds / whole)
            metrics.show("aicost_price_coverage_ratio", statement.priced_milliseconds / whole)

    def _tell_closed(self, closed: WindowClosed) -> None:
        statement = closed.computed.statement
        self._show(closed.computed)
        if closed.posted:
            self._app.metrics.count("aicost_windows_closed_total")
            self._app.metrics.count("aicost_ledger_rows_total", len(statement.rows), kind="posting")
        line(
            _log, logging.INFO, "window closed",
            window=str(closed.window), rows=len(statement.rows), unbalanced_nanos=statement.unbalanced_nanos,
            blind=closed.computed.blind,
        )  # fmt: skip


def measured_until(computed: Sequence[Computed], before_ms: int | None, at_ms: int) -> int | None:
    """The moment up to which the figures are known: that of the newest sample, or now where nothing ran.

    Args:
        computed: the open windows.
        before_ms: what was said before; it never goes back.
        at_ms: the moment of the computation.
    """
    ran = any(one.statement.device_milliseconds for one in computed)
    newest = max((one.newest_ms for one in computed if one.newest_ms is not None), default=None)
    known = [moment for moment in (before_ms, newest if ran else at_ms) if moment is not None]
    return min(at_ms, max(known)) if known else None


def _counts(defects: SampleDefects) -> dict[str, int]:
    """Defects as numbers, lists by their length."""
    return {
        name.replace("_", "-"): value if isinstance(value, int) else len(value)
        for name, value in asdict(defects).items()
    }
