"""Which statement it is: a number that the same figures get again, and no others."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from aicost.domain.exact.windows import DAY_MS, Grid, Window
from aicost.domain.statements.adjusting import Postings, windows_of
from aicost.domain.statements.values import Posted

_DIGITS = 12
_ODD = re.compile(r"[^0-9a-z]+")
_LONGEST = 40


def checksum(content: Mapping[str, Any]) -> str:
    """SHA-256 over the content as canonical JSON: keys in order, no blanks, other characters than ASCII escaped."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def number(period: str, payers: Sequence[str], digest: str) -> str:
    """What people call a statement: `2026-10-vision-1f0c55aa9b3e`. The digits alone make it unique."""
    words = (_ODD.sub("-", word.lower()).strip("-")[:_LONGEST] for word in (period, *payers))
    return "-".join([*(word for word in words if word), digest[:_DIGITS]])


def posted(found: Postings, bounds: Mapping[str, Window]) -> tuple[Posted, ...]:
    """Which windows and revisions of each cluster the rows are of.

    Args:
        found: the postings.
        bounds: cluster -> the part of the time between its first window and its last one.
    """
    clusters = sorted({name for name, _ in found.highest})
    return tuple(_posted(cluster, windows_of(found, cluster), bounds.get(cluster)) for cluster in clusters)


def _posted(cluster: str, windows: Sequence[tuple[Window, int]], bounds: Window | None) -> Posted:
    listed = "\n".join(f"{window.start_ms}/{window.end_ms}/{revision}" for window, revision in windows)
    revisions = [revision for _, revision in windows]
    return Posted(
        cluster=cluster,
        windows=len(windows),
        expected=_expected([window for window, _ in windows], bounds),
        revised=sum(revision > 0 for revision in revisions),
        highest=max(revisions),
        first=windows[0][0],
        last=windows[-1][0],
        digest=hashlib.sha256(listed.encode("ascii")).hexdigest(),
    )


def _expected(windows: Sequence[Window], bounds: Window | None) -> int | None:
    lengths = {window.length_ms for window in windows}
    if bounds is None or len(lengths) != 1 or DAY_MS % (length := lengths.pop()):
        return None
    return sum(1 for _ in Grid(length).covering(bounds))
