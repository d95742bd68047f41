"""Counts closed windows beside the rounds: a source that is slow or away holds up no cost."""

import asyncio
import logging

from aicost.bootstrap import Application
from aicost.crd.convert.success import workload_success
from aicost.crd.convert.units import declared_engine, workload_unit
from aicost.domain.exact.windows import SECOND_MS
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.registry import Registry, read_each
from aicost.telemetry.logs import line
from aicost.usecases.economics.count_window import Said
from aicost.usecases.economics.keep_counts import WindowCounted

STEP = "count-windows"
LONGEST_SECONDS = 1_800.0
"""A source that fails is asked again after one interval, after two, after four, and at last twice an hour."""
_log = logging.getLogger("aicost.units")


class UnitRounds:
    """Counts what is due, again and again.

    Args:
        app: the use cases.
        registry: our objects: AIWorkloads name counters of their own.
        attempts: does the steps.
    """

    def __init__(self, app: Application, registry: Registry, attempts: Attempts) -> None:
        self._app, self._registry, self._attempts = app, registry, attempts
        self._failures = 0

    async def run(self) -> None:
        """Round after round until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(self.pause_seconds())

    async def once(self) -> None:
        """One round; nothing where no source has counters."""
        if self._app.engines.value is None:
            self._failures = 0
            return
        good = await self._attempts.attempt(STEP, self._count)
        self._failures = 0 if good else self._failures + 1

    def pause_seconds(self) -> float:
        """How long to wait for the next round."""
        usual = float(self._app.settings.window.refresh_seconds)
        return max(usual, min(LONGEST_SECONDS, usual * 2 ** min(self._failures - 1, 10))) if self._failures else usual

    async def _count(self) -> None:
        for one in await asyncio.to_thread(lambda: list(self._app.count(self._said()))):
            self._tell(one)

    def _said(self) -> Said:
        """What AIWorkloads say, as far as it can be asked: counters and queries of their own take a Prometheus."""
        workloads = self._registry.of_kind("AIWorkload")
        engines = read_each(workloads, declared_engine)
        units = read_each(workloads, workload_unit) if self._app.units.value is not None else ()
        successes = read_each(workloads, workload_success) if self._app.successes.value is not None else ()
        return Said(
            tuple(one.query for one in units),
            {one.workload: one for one in engines},
            tuple(one.query for one in successes if one.query),
        )

    def _tell(self, one: WindowCounted) -> None:
        self._app.metrics.show("aicost_last_counted_window_timestamp_seconds", one.window.end_ms / SECOND_MS)
        self._app.metrics.count("aicost_unit_counts_total", one.rows)
        line(
            _log, logging.INFO, "window counted", window=str(one.window), revision=one.revision, rows=one.rows,
        )  # fmt: skip
