"""A bundle: a window of a cluster as files, see docs/reference/bundle.md."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from aicost.adapters.bundle.columns import Columns
from aicost.adapters.bundle.head import BundleHead, read_head
from aicost.adapters.bundle.layout import Layout, open_layout
from aicost.adapters.bundle.objects import ObjectEvent, read_events
from aicost.adapters.bundle.openmetrics import SampleReader
from aicost.adapters.bundle.samples import UP, BundleSamples, interval_of
from aicost.domain.attribution.resources.kubelet import CPU, MEMORY
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.sampling.dialects import PROMQL_NAMES
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.wanted import WANTED as COUNTED

WANTED = frozenset((*PROMQL_NAMES, UP, CPU, MEMORY))
"""Metrics that a bundle is read for."""
_OF_ENGINES = frozenset(COUNTED)
"""Metrics that unit costs rest on, and that are read apart."""
PADDING_MS = HOUR_MS
"""Samples further from the window than this are of no use to it."""
Tell = Callable[[str], None]
"""Is told what is being done, again and again."""


@dataclass(slots=True)
class Bundle:
    """An open bundle.

    Attributes:
        remarks: what is odd and no error, for people.
    """

    head: BundleHead
    _layout: Layout
    remarks: list[str] = field(default_factory=list)

    def events(self) -> Iterator[ObjectEvent]:
        """What the watch showed, in the order of the file.

        Raises:
            InvalidRequest: a line is no event.
        """
        if self._layout.objects is None:
            self.remarks.append("it holds no objects.jsonl: nothing is known of nodes, and nothing is billed")
            return
        yield from read_events(self._layout.objects)

    def samples(self, tell: Tell) -> BundleSamples:
        """All samples, each file read once.

        Raises:
            InvalidRequest: a line is no sample.
        """
        window = self.head.window
        reader = SampleReader(WANTED, Window(window.start_ms - PADDING_MS, window.end_ms + PADDING_MS))
        for file in self._layout.samples:
            for count in reader.read(file):
                tell(f"{file.name}, {count:,} samples")
        columns = reader.columns()
        self._remark(reader, columns)
        return BundleSamples(columns, self.head.interval_ms or interval_of(columns), self.head.dialect)

    def series(self, names: Collection[str], span: Window) -> Sequence[RawSeries]:
        """The samples of some metrics in a span, whatever they measure.

        Raises:
            InvalidRequest: a line is no sample.
        """
        reader = SampleReader(frozenset(names), span)
        for file in self._layout.samples:
            for _ in reader.read(file):
                pass
        return [
            RawSeries(one.name, one.labels, at_ms, value) for one, at_ms, value in reader.columns().within(span, names)
        ]

    def _remark(self, reader: SampleReader, columns: Columns) -> None:
        if not self._layout.samples:
            self.remarks.append("it holds no samples/*.om: nothing is measured")
        elif not len(columns):
            self.remarks.append("no sample of a GPU lies in its window: nothing is measured")
        if names := sorted(reader.unwanted - _OF_ENGINES):
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            self.remarks.append(f"metrics that are not needed were left out: {', '.join(names[:5])}{more}")


@contextmanager
def open_bundle(place: str, *, cluster: str | None = None) -> Iterator[Bundle]:
    """Open a bundle.

    Args:
        place: a directory or a tar file.
        cluster: takes the place of the cluster that it names.

    Raises:
        InvalidRequest: it is none; the message names file, field, value and fix.
    """
    with open_layout(place) as layout:
        head = read_head(layout.head, cluster=cluster)
        yield Bundle(head, layout, [*head.remarks, *(f"{name} is no part of a bundle" for name in layout.ignored)])
