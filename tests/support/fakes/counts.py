"""Counts of closed windows in memory, held to the same contract as those beside a ledger."""

from collections import defaultdict
from dataclasses import replace

from aicost.domain.serving.counted import CountRow


class MemoryCounts:
    """`CountStore`."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, object], tuple[int, tuple[CountRow, ...]]] = {}
        self.changes = -1

    def version(self):
        return self.changes if self.changes >= 0 else None

    def revision(self, cluster, window):
        return self.kept[cluster, window][0] if (cluster, window) in self.kept else None

    def windows(self, span, *, cluster):
        return sorted(window for name, window in self.kept if name == cluster and span.overlap(window) == window)

    def rows(self, cluster, window):
        return list(self.kept[cluster, window][1]) if (cluster, window) in self.kept else []

    def summed(self, runs, kind, by, *, cluster):
        found = defaultdict(list)
        for window in {one for run in runs for one in self.windows(run, cluster=cluster)}:
            for row in self.rows(cluster, window):
                if row.kind is kind:
                    kept = {name: getattr(row, name) for name in by}
                    found[CountRow(kind, row.count, 0, row.part, **kept)].append(row)
        return [
            replace(key, value=sum(row.value for row in mine), at_least=any(row.at_least for row in mine))
            for key, mine in found.items()
        ]

    def keep(self, cluster, window, revision, rows):
        before = self.revision(cluster, window)
        if before is not None and revision <= before:
            return False
        readable = (replace(row, model=row.model.encode("utf-8", "backslashreplace").decode()) for row in rows)
        self.kept[cluster, window] = (revision, tuple(readable))
        self.changes += 1
        return True
