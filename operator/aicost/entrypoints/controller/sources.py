"""Finding telemetry: the Prometheus that settings name, one that the cluster shows, or the exporters themselves."""

import asyncio
import logging
from collections.abc import Sequence

from aicost.adapters.clock import now_ms
from aicost.adapters.dcgm.scrape import ScrapeConfig, Scraper
from aicost.adapters.kube.discovery import ExporterTarget, exporter_targets, looked_for, prometheus_candidates
from aicost.adapters.prometheus.source import PrometheusSource
from aicost.bootstrap import Application, prometheus_config
from aicost.domain.exact.windows import SECOND_MS
from aicost.domain.sampling.scrapes import Scrape, ScrapeTarget
from aicost.entrypoints.controller.state import SourceState, State
from aicost.entrypoints.controller.watching import Sighted
from aicost.ports.errors import AicostError
from aicost.settings import TelemetrySettings
from aicost.telemetry.logs import line

SEARCH_SECONDS = 60
HOW_TO_POINT = (
    "To point aicost to telemetry set telemetry.prometheus.url (Helm: --set telemetry.prometheus.url=http://...), "
    "or install dcgm-exporter and it is scraped directly."
)
_log = logging.getLogger("aicost.telemetry")


class SourceFinder:
    """Chooses the source, and looks again as long as there is none or the chosen one fails."""

    def __init__(self, app: Application, sighted: Sighted, state: State) -> None:
        self._app, self._sighted, self._state = app, sighted, state
        self._settings: TelemetrySettings = app.settings.telemetry

    async def run(self) -> None:
        """Look each minute; a source that was found is kept while it answers."""
        while True:
            if self._state.source.name != "prometheus" or self._state.source.problem:
                found = await asyncio.to_thread(self._find)
                if found != self._state.source:
                    line(_log, logging.INFO, "telemetry source", source=found.name or "none", origin=found.origin)
                self._state.source = found
            await asyncio.sleep(SEARCH_SECONDS)

    def _find(self) -> SourceState:
        """Choose: what settings name, else a Prometheus with GPU series, else the exporters, else nothing."""
        if self._settings.prometheus.url:
            return self._try(self._settings.prometheus.url, "the Prometheus of the settings", insist=True)
        tried: list[str] = []
        if self._settings.source != "scrape":
            for candidate in prometheus_candidates(self._sighted.services.values()):
                found = self._try(candidate.url, candidate.origin, insist=False)
                if found.name:
                    return found
                tried.append(f"{candidate.origin} at {candidate.url}: {found.problem}")
        targets = self.targets()
        if targets and self._settings.source != "prometheus":
            self._app.source.value = self._app.stores.samples
            return SourceState("scrape", f"direct scrapes of {len(targets)} dcgm-exporter pods")
        self._app.source.value = None
        seen = f" Tried {'; '.join(tried)}." if tried else " Found none."
        return SourceState(looked_for=f"Looked for {looked_for()}.{seen} {HOW_TO_POINT}")

    def _try(self, url: str, origin: str, *, insist: bool) -> SourceState:
        """Ask a Prometheus whether it has series of GPUs. The one that settings name is used even while it has none."""
        interval_ms = self._settings.interval_seconds * SECOND_MS
        try:
            source = PrometheusSource(prometheus_config(self._settings.prometheus, url, interval_ms))
            found = source.probe()
        except AicostError as error:
            return SourceState("prometheus" if insist else "", f"{origin} at {url}", problem=str(error))
        if found is None and not insist:
            source.close()
            return SourceState(problem="it answers and has no series of GPUs")
        self._app.source.value = source
        problem = "" if found else "it answers and has no series of GPUs"
        return SourceState("prometheus", f"{origin} at {url}", problem=problem)

    def targets(self) -> Sequence[ExporterTarget]:
        """Exporters that are there now, in the namespaces of the settings."""
        wanted = self._settings.scrape.namespaces
        found = exporter_targets(list(self._sighted.pods.values()))
        return [target for target in found if not wanted or target.namespace in wanted]


class ScrapeLoop:
    """Scrapes the exporters directly into the journal, unless a Prometheus is the source."""

    def __init__(self, app: Application, finder: SourceFinder, state: State) -> None:
        self._app, self._finder, self._state = app, finder, state
        config = ScrapeConfig(timeout_s=app.settings.telemetry.scrape.timeout_seconds)
        self._scraper = Scraper(now_ms, config)

    async def run(self) -> None:
        """One scrape of all per interval, at even distances whatever one takes."""
        loop, interval = asyncio.get_running_loop(), self._app.settings.telemetry.scrape.interval_seconds
        due = loop.time()
        while True:
            if self._state.source.name != "prometheus":
                await asyncio.to_thread(self._scrape)
            due = max(due + interval, loop.time())
            await asyncio.sleep(due - loop.time())

    def _scrape(self) -> None:
        """Ask all exporters and keep what they answer."""
        targets = [ScrapeTarget(t.url, t.node or None, (t.namespace, t.pod)) for t in self._finder.targets()]
        scrapes = self._scraper.scrape_all(targets)
        failed = [scrape for scrape in scrapes if scrape.error]
        try:
            for scrape in scrapes:
                _keep(self._app, scrape)
            self._app.stores.samples.flush()
        except AicostError as error:
            line(_log, logging.ERROR, "samples cannot be kept", error=str(error))
        self._app.metrics.show("aicost_telemetry_targets", len(scrapes) - len(failed), outcome="answered")
        self._app.metrics.show("aicost_telemetry_targets", len(failed), outcome="failed")
        for scrape in failed:
            line(_log, logging.WARNING, "exporter failed", url=scrape.target.url, error=scrape.error)


def _keep(app: Application, scrape: Scrape) -> None:
    """Hand one scrape to the journal."""
    samples = [(reading.key, reading.value) for reading in scrape.readings]
    app.stores.samples.append(scrape.target, scrape.at_ms, samples)
