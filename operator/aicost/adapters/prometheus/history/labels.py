"""Labels of objects, of which series may show several sets within a span: each change of a label is a new series."""

from collections.abc import Callable, Hashable
from typing import TypeVar

from aicost.adapters.prometheus.history.asking import Asker, Row
from aicost.domain.exact.windows import Window

Key = TypeVar("Key", bound=Hashable)
Labels = dict[str, str]


def labels_by(
    ask: Asker, metric: str, span: Window, latest_ms: int, key_of: Callable[[Row], Key], read: Callable[[Row], Labels]
) -> dict[Key, Labels]:
    """The labels of each object as they were last.

    Args:
        ask: the server.
        metric: whose series carry the labels.
        span: half-open.
        latest_ms: the last moment at which the exporter was scraped.
        key_of: which object a row is about.
        read: the labels of a row.
    """
    found: dict[Key, Labels] = {}
    several: set[Key] = set()
    for row in ask.last(metric, span):
        labels, key = read(row), key_of(row)
        if not labels:
            continue
        if found.setdefault(key, labels) != labels:
            several.add(key)
            found[key] = max(found[key], labels, key=lambda one: (len(one), sorted(one.items())))
    for row in ask.there_at(metric, latest_ms) if several else ():
        if key_of(row) in several and read(row):
            found[key_of(row)] = read(row)
    return found
