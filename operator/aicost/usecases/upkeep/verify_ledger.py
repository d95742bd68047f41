"""Verify a ledger: walk the checksums of all that was posted, and look for what should not be."""

from collections.abc import Callable
from dataclasses import dataclass

from aicost.domain.ledger.audit import (
    ClusterLog,
    Fault,
    Finding,
    PostedWindow,
    check_census,
    check_counts,
    check_rows,
    check_windows,
)
from aicost.domain.ledger.grounds import Ground
from aicost.ports.upkeep import LedgerRecord


@dataclass(frozen=True, slots=True)
class Verification:
    """What came out.

    Attributes:
        windows, postings, rows: how many were looked at.
        unsealed: postings of an older aicost, which have no checksum: of them only sums and windows were checked.
        findings: what is wrong, cluster by cluster, in the order of time.
        gaps: time for which nothing was posted since a backfill ended before it: known, and no fault.
    """

    schema_version: str
    logs: tuple[ClusterLog, ...]
    windows: int
    postings: int
    rows: int
    unsealed: int
    findings: tuple[Finding, ...]
    gaps: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyLedger:
    """Check a ledger window by window, so that it needs the memory of one window.

    Attributes:
        record: the ledger at one moment.
        progress: told after each window how many of how many are done.
    """

    record: LedgerRecord
    progress: Callable[[int, int], None] = lambda _done, _all: None

    def __call__(self, cluster: str | None = None) -> Verification:
        """Check all clusters, or one.

        Raises:
            LedgerUnavailable: it cannot be read.
        """
        census = self.record.census()
        logs = {log.cluster: log for log in self.record.logs()}
        for name in {name for name, _, _ in census} - set(logs):
            logs[name] = ClusterLog(name)
        chosen = tuple(logs[name] for name in sorted(logs) if cluster in {None, name})
        findings: list[Finding] = []
        counts = self.record.counts()
        for log in chosen:
            findings += [*check_windows(log), *check_census(log, census), *check_counts(log.cluster, counts)]
        gaps = tuple(one for one in findings if one.fault is Fault.GAP and self._after_a_backfill(one))
        findings = [one for one in findings if one not in gaps] + self._walk(chosen)
        names = {log.cluster for log in chosen}
        findings.sort(key=lambda one: (one.cluster, one.window, list(Fault).index(one.fault), one.revision or 0))
        postings = [posted.highest + 1 - len(posted.seals) for log in chosen for posted in _kept(log)]
        return Verification(
            schema_version=self.record.schema_version(),
            logs=chosen,
            windows=len(postings),
            postings=sum(posted.highest + 1 for log in chosen for posted in _kept(log)),
            rows=sum(rows for (name, _, _), rows in census.items() if name in names),
            unsealed=sum(postings),
            findings=tuple(findings),
            gaps=gaps,
        )

    def _after_a_backfill(self, gap: Finding) -> bool:
        """Whether the window before a gap was posted by a backfill, which ends where it was told to."""
        logs = (log for log in self.record.logs() if log.cluster == gap.cluster)
        (before,) = (one.window for log in logs for one in log.windows if one.window.end_ms == gap.window.start_ms)
        return any(Ground.BACKFILL.value in row.flags for row in self.record.rows(gap.cluster, before))

    def _walk(self, logs: tuple[ClusterLog, ...]) -> list[Finding]:
        """Each window that is kept."""
        todo = [(log.cluster, posted) for log in logs for posted in _kept(log)]
        found: list[Finding] = []
        for done, (cluster, posted) in enumerate(todo, 1):
            found += check_rows(cluster, posted, self.record.rows(cluster, posted.window))
            self.progress(done, len(todo))
        return found


def _kept(log: ClusterLog) -> list[PostedWindow]:
    return [posted for posted in log.windows if not log.is_dropped(posted.window)]
