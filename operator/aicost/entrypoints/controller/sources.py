"""Finding telemetry: the Prometheus that settings name, one that the cluster shows, or the exporters themselves."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aicost.adapters.clock import now_ms
from aicost.adapters.dcgm.scrape import ScrapeConfig, Scraper
from aicost.adapters.held import always
from aicost.adapters.journal.engines import ScrapedEngines
from aicost.adapters.kube.discovery import ExporterTarget, exporter_targets, looked_for, prometheus_candidates
from aicost.adapters.kube.seen.values import SeenService
from aicost.adapters.prometheus.activity import PrometheusActivity
from aicost.adapters.prometheus.engines import PrometheusEngines
from aicost.adapters.prometheus.names import PrometheusNames
from aicost.adapters.prometheus.remote.reading import RemoteRead
from aicost.adapters.prometheus.source import PrometheusSource
from aicost.adapters.prometheus.successes import PrometheusSuccesses
from aicost.adapters.prometheus.units import PrometheusUnits
from aicost.adapters.prometheus.usage import PrometheusUsage
from aicost.bootstrap import Application, prometheus_config
from aicost.domain.exact.windows import SECOND_MS
from aicost.domain.sampling.scrapes import Scrape, ScrapeTarget
from aicost.domain.trust.values import Stranger
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.state import SourceState, State
from aicost.entrypoints.controller.watching import Sighted
from aicost.ports.errors import AicostError
from aicost.ports.telemetry import TelemetrySource
from aicost.settings import TelemetrySettings
from aicost.telemetry.logs import line

SEARCH_SECONDS = 60.0
SEARCH_AGAIN_SECONDS = 10.0
"""Between searches while nothing was found: an exporter that was just installed should not wait."""
HOW_TO_POINT = (
    "To point aicost to telemetry set telemetry.prometheus.url (Helm: --set telemetry.prometheus.url=http://...), "
    "or install dcgm-exporter and it is scraped directly."
)
Heard = Callable[[Sequence[Scrape]], None]
_log = logging.getLogger("aicost.telemetry")


@dataclass(frozen=True, slots=True)
class _Prometheus:
    """One server and all that is read from it."""

    source: PrometheusSource
    units: PrometheusUnits
    engines: PrometheusEngines
    successes: PrometheusSuccesses
    activities: PrometheusActivity
    usage: PrometheusUsage
    names: PrometheusNames


class SourceFinder:
    """Chooses the source, and looks again as long as there is none or the chosen one fails.

    Attributes:
        looked: set after the first search: from then on it is known that there is no source where there is none.
    """

    def __init__(self, app: Application, sighted: Sighted, state: State, attempts: Attempts) -> None:
        self._app, self._sighted, self._state, self._attempts = app, sighted, state, attempts
        self._settings: TelemetrySettings = app.settings.telemetry
        self._known: dict[str, _Prometheus] = {}
        self._in_use = ""
        self.looked = asyncio.Event()

    async def run(self) -> None:
        """Look each minute, sooner while there is none; a Prometheus that was found is kept while it answers."""
        while True:
            await self._attempts.attempt("find-telemetry", self.look)
            self.looked.set()
            await asyncio.sleep(SEARCH_SECONDS if self._state.source.name else SEARCH_AGAIN_SECONDS)

    async def look(self) -> None:
        """Search, unless the source that is in use is a Prometheus that answers."""
        if self._state.source.name == "prometheus" and not self._state.source.problem:
            return
        services, targets = list(self._sighted.services.values()), self.targets()
        found = await asyncio.to_thread(self._find, services, targets)
        if found != self._state.source:
            fields = {"source": found.name or "none", "origin": found.origin, "problem": found.problem}
            line(_log, logging.INFO, "telemetry source", **fields)
        self._state.source = found

    def _find(self, services: Sequence[SeenService], targets: Sequence[ExporterTarget]) -> SourceState:
        """Choose: what settings name, else a Prometheus with GPU series, else the exporters, else nothing."""
        if self._settings.prometheus.url:
            return self._try(self._settings.prometheus.url, "the Prometheus of the settings", insist=True)
        tried: list[str] = []
        if self._settings.source != "scrape":
            for candidate in prometheus_candidates(services):
                found = self._try(candidate.url, candidate.origin, insist=False)
                if found.name:
                    return found
                tried.append(f"{candidate.origin} at {candidate.url}: {found.problem}")
        if targets and self._settings.source != "prometheus":
            self._use_none(self._app.stores.samples)
            return SourceState("scrape", f"direct scrapes of {len(targets)} dcgm-exporter pods{_instead_of(tried)}")
        self._use_none(None)
        seen = f" Tried {'; '.join(tried)}." if tried else " Found none."
        return SourceState(looked_for=f"Looked for {looked_for()}.{seen} {HOW_TO_POINT}")

    def _try(self, url: str, origin: str, *, insist: bool) -> SourceState:
        """Ask a Prometheus whether it has series of GPUs.

        The one that settings name is used even while it has none. One that answered before is kept while it fails:
        windows wait for its samples, and other sources do not have them.
        """
        try:
            server = self._server(url)
            if insist:  # what fails now may answer in the next round: windows wait for it, not for the next search
                self._use(server, url)
            found = server.source.probe()
        except AicostError as error:
            kept = insist or url == self._in_use
            return SourceState("prometheus" if kept else "", f"{origin} at {url}", problem=str(error))
        if found is None and not insist:
            return SourceState(problem="it answers and has no series of GPUs")
        self._use(server, url)
        problem = "" if found else "it answers and has no series of GPUs"
        return SourceState("prometheus", f"{origin} at {url}", problem=problem)

    def _use(self, server: "_Prometheus", url: str) -> None:
        """Take samples, units and activity of hosts from one server."""
        app = self._app
        app.source.value, app.units.value, app.activities.value = server.source, server.units, server.activities
        app.usage.value, app.engines.value = server.usage, server.engines
        app.engines.since, app.successes.value = always, server.successes
        self._in_use = url

    def _use_none(self, source: TelemetrySource | None) -> None:
        """No Prometheus: units and activity of hosts are not known, and engines where we scrape them."""
        app = self._app
        app.source.value, app.units.value, app.activities.value = source, None, None
        app.usage.value, app.engines.value, app.successes.value = None, None, None
        kept = app.stores.engine_samples
        if source is not None and kept is not None and self._settings.scrape.engines.enabled:
            scraped = ScrapedEngines(kept, app.stores.samples)
            app.engines.since, app.engines.value = scraped.since_ms, scraped

    def _server(self, url: str) -> "_Prometheus":
        """The server at a URL, made once: its connections are kept."""
        if url not in self._known:
            settings = self._settings.prometheus
            config = prometheus_config(settings, url, self._settings.interval_seconds * SECOND_MS)
            self._known[url] = _Prometheus(
                PrometheusSource(config, remote=RemoteRead(config)),
                PrometheusUnits(config, frozenset(settings.unit_speakers)),
                PrometheusEngines(config, remote=RemoteRead(config)),
                PrometheusSuccesses(config),
                PrometheusActivity(config, settings.host_matchers),
                PrometheusUsage(config, settings.host_matchers),
                PrometheusNames(config),
            )
        return self._known[url]

    def strangers(self) -> Sequence[Stranger]:
        """What the Prometheus in use has of exporters by names that no dialect has; errors as of its samples."""
        server = self._known.get(self._in_use)
        in_use = server is not None and self._app.source.value is server.source
        return server.names.strangers() if server is not None and in_use else ()

    def targets(self) -> Sequence[ExporterTarget]:
        """Exporters that are there now, in the namespaces of the settings."""
        wanted = self._settings.scrape.namespaces
        found = exporter_targets(list(self._sighted.pods.values()), self._settings.scrape.port)
        return [target for target in found if not wanted or target.namespace in wanted]


def _instead_of(tried: Sequence[str]) -> str:
    """Why no Prometheus is used where some were found."""
    return f" (tried before: {'; '.join(tried)})" if tried else ""


class ScrapeLoop:
    """Scrapes the exporters directly into the journal, unless a Prometheus is the source.

    Args:
        heard: is told what all of them answered.
    """

    def __init__(
        self, app: Application, finder: SourceFinder, state: State, attempts: Attempts, *, heard: Heard
    ) -> None:
        self._app, self._finder, self._state, self._attempts = app, finder, state, attempts
        self._heard = heard
        config = ScrapeConfig(timeout_s=app.settings.telemetry.scrape.timeout_seconds)
        self._scraper = Scraper(now_ms, config)
        self._failing: dict[str, str] = {}

    async def run(self) -> None:
        """One scrape of all per interval, at even distances whatever one takes."""
        loop, interval = asyncio.get_running_loop(), self._app.settings.telemetry.scrape.interval_seconds
        due = loop.time()
        while True:
            if self._state.source.name == "prometheus":
                self._heard(())
            else:
                await self._attempts.attempt("scrape", self.scrape)
            due = max(due + interval, loop.time())
            await asyncio.sleep(due - loop.time())

    async def scrape(self) -> None:
        """Ask all exporters once and keep what they answer.

        Raises:
            AicostError: the samples cannot be kept.
        """
        targets = [ScrapeTarget(t.url, t.node or None, (t.namespace, t.pod)) for t in self._finder.targets()]
        scrapes = await asyncio.to_thread(self._scraper.scrape_all, targets)
        failed = {scrape.target.url: scrape.error for scrape in scrapes if scrape.error}
        counts = {"answered": len(scrapes) - len(failed), "failed": len(failed)}
        self._app.metrics.show_all("aicost_telemetry_targets", "outcome", counts)
        self._tell(failed)
        self._heard(scrapes)
        await asyncio.to_thread(self._keep, scrapes)

    def _tell(self, failed: Mapping[str, str]) -> None:
        """Each failure once while it lasts: an exporter may be down for days."""
        for url, error in failed.items():
            if self._failing.get(url) != error:
                line(_log, logging.WARNING, "exporter failed", url=url, error=error)
        self._failing = dict(failed)

    def _keep(self, scrapes: Sequence[Scrape]) -> None:
        """Hand the answers to the journal."""
        journal = self._app.stores.samples
        for scrape in scrapes:
            if not scrape.error:
                journal.append(scrape.target, scrape.at_ms, [(each.key, each.value) for each in scrape.readings])
        journal.flush()
