"""The audit of labels: every ten minutes, and soon after a policy changed, all objects that run pods are judged."""

import asyncio
from collections.abc import Callable, Mapping

from aicost.adapters.audits import AuditFile
from aicost.adapters.clock import now_ms
from aicost.bootstrap import Application
from aicost.crd.status.policies import PolicyAudit
from aicost.domain.coverage.objects import Audit, LastAudit
from aicost.domain.coverage.report import CoverageReport
from aicost.domain.exact.windows import SECOND_MS
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.labels.listing import ObjectLists, kind_names
from aicost.entrypoints.controller.labels.snapshot import label_snapshot
from aicost.entrypoints.controller.labels.standings import coverage_gauges, policy_audit
from aicost.entrypoints.controller.registry import Registry
from aicost.entrypoints.controller.state import State
from aicost.ports.errors import AicostError
from aicost.usecases.audit_labels import LabelAudit
from aicost.usecases.measure_coverage import SINCE, measure_coverage, measure_policies

AUDIT_SECONDS = 600.0
LOOK_SECONDS = 5.0
"""Between looks whether a policy, or a list that one names, changed."""
Lists = Callable[[], ObjectLists]


class LabelAuditor:
    """Judges what is there, measures coverage, and tells the statuses of the policies and the query API.

    Args:
        app: the use cases.
        registry: our objects.
        state: gets what was found, by policy.
        attempts: does the step.
        audits: keeps the audit for the query API.
        lists: makes the lists of one audit.
    """

    def __init__(
        self, app: Application, registry: Registry, state: State, attempts: Attempts, audits: AuditFile, lists: Lists
    ) -> None:
        self._app, self._registry, self._state, self._attempts = app, registry, state, attempts
        self._audits, self._lists = audits, lists

    async def run(self) -> None:
        """Audit again and again until cancelled."""
        while True:
            before = self._mark()
            await self._attempts.attempt("audit-labels", self.once)
            await self._wait(before)

    async def once(self) -> None:
        """One audit, from the first page to the statuses.

        Raises:
            AicostError: it failed; what was known before stays, and the policies say so.
        """
        labels = self._state.labels
        try:
            audit = await self._look()
            overall, audits = await asyncio.to_thread(self._measure, audit)
        except AicostError as problem:
            labels.audit_problem = str(problem)
            raise
        labels.audits, labels.audit_problem = audits, ""
        self._show(audit, overall, audits)
        self._registry.changed.set()

    async def _wait(self, before: object) -> None:
        """Until it is time again, or a policy or a list changed."""
        loop = asyncio.get_running_loop()
        until = loop.time() + AUDIT_SECONDS
        while loop.time() < until and self._mark() == before:  # noqa: ASYNC110 -- nobody tells of lists
            await asyncio.sleep(LOOK_SECONDS)

    def _mark(self) -> object:
        """What an audit rests on, as far as it is ours."""
        bodies = self._registry.of_kind("CostLabelPolicy")
        policies = [(body["metadata"].get("uid"), body["metadata"].get("generation")) for body in bodies]
        return policies, self._state.labels.maps

    async def _look(self) -> Audit:
        """List and judge; a page is judged in a thread while the loop goes on."""
        lists, snapshot = self._lists(), await asyncio.to_thread(label_snapshot, self._app, self._registry, self._state)
        served, beside = await lists.served(), await lists.beside()
        lists.unread.clear()  # claims that may not be read leave sizes unknown, and no object out
        audit = LabelAudit(snapshot, beside, now_ms(), kind_names(served))
        for resource in served:
            async for page in lists.pages(resource):
                await asyncio.to_thread(audit.look_at_all, page)
        return audit.end(now_ms(), lists.unread)

    def _measure(self, audit: Audit) -> tuple[CoverageReport, dict[str, PolicyAudit]]:
        """Keep the audit, and measure coverage as a whole and by policy."""
        self._audits.put(audit, self._app.cluster)
        reader, now = self._app.stores.ledger.snapshot(), now_ms()
        overall = measure_coverage(reader, SINCE, LastAudit(audit), now, cluster=self._app.cluster)[0]
        by_policy = measure_policies(reader, audit, now, cluster=self._app.cluster)
        return overall, {name: policy_audit(report, audit.at_ms) for name, report in by_policy.items()}

    def _show(self, audit: Audit, overall: CoverageReport, audits: Mapping[str, PolicyAudit]) -> None:
        metrics = self._app.metrics
        metrics.show_each("aicost_label_coverage_ratio", coverage_gauges(overall))
        metrics.show_all("aicost_label_would_deny_objects", "policy", {n: one.would_deny for n, one in audits.items()})
        metrics.show("aicost_label_unlabelled_objects", len(overall.bare))
        metrics.show("aicost_label_audited_objects", len(audit.objects))
        metrics.show("aicost_label_audit_timestamp_seconds", audit.at_ms / SECOND_MS)
