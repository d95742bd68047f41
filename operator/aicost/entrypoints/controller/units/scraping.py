"""Scrapes engines directly into the journal where no Prometheus does it: what unit costs need, and nothing else."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from aicost.adapters.clock import now_ms
from aicost.adapters.dcgm.engines import EngineScraper
from aicost.adapters.journal.engines import keep_answer
from aicost.adapters.journal.samples import SampleJournal
from aicost.adapters.kube.seen.engines import EngineTarget, Page, engine_targets
from aicost.adapters.kube.seen.values import SeenPod
from aicost.bootstrap import Application
from aicost.crd.convert.claims import workload_claim
from aicost.crd.convert.pages import metrics_page
from aicost.domain.budgets.units.targets import WorkloadName
from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.identity.matching import match_claims
from aicost.domain.sampling.scrapes import Scrape, ScrapeTarget
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.registry import Body, Registry, read_each
from aicost.entrypoints.controller.state import EngineScrapes, State
from aicost.entrypoints.controller.watching import Sighted
from aicost.telemetry.logs import line

STEP = "scrape-engines"
STARTING_MS = 10 * MINUTE_MS
"""A pod that is younger and does not answer is starting."""
_log = logging.getLogger("aicost.units")


class EngineLoop:
    """Scrapes the engines beside the exporters: pods that hang hold up no sample of a GPU.

    Args:
        app: the use cases.
        sighted: the pods that are there.
        registry: our objects: AIWorkloads say where the metrics are.
        state: is told how it went.
        attempts: does the steps.
        clock: the present moment.
    """

    def __init__(
        self,
        app: Application,
        sighted: Sighted,
        registry: Registry,
        state: State,
        attempts: Attempts,
        *,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._app, self._sighted, self._registry = app, sighted, registry
        self._state, self._attempts, self._clock = state, attempts, clock
        self._settings = app.settings.telemetry.scrape.engines
        self._scraper = EngineScraper(clock, self._settings.timeout_seconds)
        self._failing: Mapping[tuple[str, str], str] = {}

    async def run(self) -> None:
        """One scrape of all per interval, at even distances as long as one takes no longer."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self.once()
            due = max(due + self._settings.interval_seconds, loop.time())
            await asyncio.sleep(due - loop.time())

    async def once(self) -> None:
        """One scrape of all; nothing where exporters are not scraped either."""
        journal = self._app.stores.engine_samples
        if self._state.source.name != "scrape" or not self._settings.enabled or journal is None:
            self._state.engines = None
            return
        await self._attempts.attempt(STEP, lambda: self._scrape(journal))

    async def _scrape(self, journal: SampleJournal) -> None:
        """Ask all engines once and keep what they answer.

        Raises:
            AicostError: the answers cannot be kept.
        """
        pods, workloads = list(self._sighted.pods.values()), self._registry.of_kind("AIWorkload")
        targets = await asyncio.to_thread(self._targets, pods, workloads)
        scrapes = await asyncio.to_thread(self._ask_and_keep, journal, [one for one in targets if not one.refused])
        self._show(targets, scrapes)

    def _targets(self, pods: Sequence[SeenPod], workloads: Sequence[Body]) -> Sequence[EngineTarget]:
        """Who is asked: pods that an AIWorkload claims, by their owners too, and pods that say so themselves."""
        said = {one.workload: one for one in read_each(workloads, metrics_page)}
        claims = read_each(workloads, workload_claim)
        reached, there = {claim.namespace for claim in claims}, {pod.facts.uid for pod in pods}
        known = self._app.stores.inventory.known_pods()
        facts = [known[uid].facts for uid in there & known.keys() if known[uid].facts.namespace in reached]
        pages: dict[str, Page] = {}
        for uid, claim in match_claims(facts, claims).by_pod.items():
            page = said.get((claim.namespace, claim.name))
            pages[uid] = Page(claim.name, page.port, page.path) if page else Page(claim.name)
        return engine_targets(pods, pages, self._settings.most, annotated=self._settings.annotated)

    def _ask_and_keep(
        self, journal: SampleJournal, targets: Sequence[EngineTarget]
    ) -> Sequence[tuple[EngineTarget, Scrape]]:
        """Ask, and hand the answers to the journal, from where they are on the volume at once."""
        asked = [ScrapeTarget(one.url, one.node or None, (one.namespace, one.pod)) for one in targets]
        answers = list(zip(targets, self._scraper.scrape_all(asked), strict=True))
        for target, scrape in answers:
            if not scrape.error:
                keep_answer(journal, scrape, target.born_ms)
        journal.flush()
        return answers

    def _show(self, targets: Sequence[EngineTarget], scrapes: Sequence[tuple[EngineTarget, Scrape]]) -> None:
        """Say how it went: in the state, as a metric, and each failure once while it lasts."""
        failed = {(one.namespace, one.pod): scrape.error for one, scrape in scrapes if scrape.error}
        refused = {(one.namespace, one.pod): one.refused for one in targets if one.refused}
        counts = {"answered": len(scrapes) - len(failed), "failed": len(failed), "refused": len(refused)}
        self._app.metrics.show_all("aicost_engine_targets", "outcome", counts)
        wrong = {**failed, **refused}
        for (namespace, pod), error in wrong.items():
            if self._failing.get((namespace, pod)) != error:
                line(_log, logging.WARNING, "engine not scraped", namespace=namespace, pod=pod, error=error)
        self._failing = wrong
        self._state.engines = _summary(targets, scrapes, wrong, self._clock())


def _summary(
    targets: Sequence[EngineTarget],
    scrapes: Sequence[tuple[EngineTarget, Scrape]],
    wrong: Mapping[tuple[str, str], str],
    at_ms: int,
) -> EngineScrapes:
    """By AIWorkload, for their conditions. A pod that has just begun may still load its model: that is no failure."""
    failures: defaultdict[WorkloadName, dict[str, str]] = defaultdict(dict)
    for one in targets:
        pod = one.namespace, one.pod
        if one.workload and pod in wrong and at_ms - one.born_ms >= STARTING_MS:
            failures[one.namespace, one.workload][one.pod] = wrong[pod]
    answered = [(one.namespace, one.workload) for one, scrape in scrapes if not scrape.error]
    telling = {(one.namespace, one.workload) for one, scrape in scrapes if scrape.readings}
    asked = Counter((one.namespace, one.workload) for one in targets if one.workload)
    return EngineScrapes(asked, dict(failures), frozenset(answered) - telling)
