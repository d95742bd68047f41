"""Samples of direct scrapes on the volume: the source of a cluster without Prometheus."""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from aicost.adapters.journal.blobs import columns, pack_values
from aicost.adapters.journal.database import Database
from aicost.adapters.journal.dictionary import SCHEMA as DICTIONARY_SCHEMA
from aicost.adapters.journal.dictionary import Dictionary, Shape
from aicost.adapters.journal.errors import JournalUnavailable, damaged
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.sampling.scrapes import ScrapeTarget, SeriesKey
from aicost.domain.sampling.series import Millis, RawSeries, Values

_SCHEMA = (
    *DICTIONARY_SCHEMA,
    """CREATE TABLE scrapes (
        at_ms INTEGER NOT NULL, shape INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (at_ms, shape)
    ) WITHOUT ROWID""",
)
_VERSION = 1

MAX_PENDING = 50_000
"""Scrapes that are held in memory while the volume refuses them; then new ones are refused with an error."""

_Scrape = tuple[int, int, bytes]
_Scrapes = tuple[list[int], list[bytes]]
_SeriesOf = tuple[int, int]
_Piece = tuple[Millis, Values]


class SampleJournal:
    """What exporters answered (port `TelemetrySource`).

    All methods may be called from any thread. A scrape is in memory at once and on the volume after `flush()`, which
    is to be called each second or so. A process that is killed loses at most what came after the last flush; a scrape
    is kept whole or not at all.

    Args:
        path: the journal's file.
        interval_ms: time between scrapes that is aimed at.

    Raises:
        JournalUnavailable, JournalDamaged: it cannot be opened; the message names the fix.
    """

    def __init__(self, path: Path, interval_ms: int) -> None:
        self._interval_ms = interval_ms
        self._lock = threading.Lock()  # guards dictionary and pending
        self._flushing = threading.Lock()  # one flush or sweep at a time
        self._pending: list[_Scrape] = []
        self._dictionary = Dictionary()
        self._database = Database(path, _SCHEMA, _VERSION, synchronous="NORMAL")
        try:
            self._load_dictionary()
        except BaseException:
            self._database.close()
            raise

    @property
    def interval_ms(self) -> int:
        """Time between scrapes that is aimed at."""
        return self._interval_ms

    def append(self, target: ScrapeTarget, at_ms: int, samples: Sequence[tuple[SeriesKey, float]]) -> None:
        """Take one scrape. The same target at the same time with the same series replaces what was there.

        Raises:
            JournalUnavailable: the volume has refused scrapes for so long that no more are held in memory.
        """
        if not samples:
            return
        with self._lock:
            if len(self._pending) >= MAX_PENDING:
                raise JournalUnavailable(
                    f"the journal {self._database.path} holds {MAX_PENDING} scrapes that it cannot write: this one is "
                    "not kept; see the errors of its flushes"
                )
            shape, order = self._dictionary.use(target, (key for key, _ in samples), at_ms)
            self._pending.append((at_ms, shape, pack_values(samples[index][1] for index in order)))

    def flush(self) -> int:
        """Put all scrapes on the volume, in one transaction; gives their number.

        Raises:
            JournalUnavailable: nothing was written; the scrapes are kept for the next call.
        """
        with self._flushing:
            return self._flush()

    def samples(self, span: Window) -> Sequence[RawSeries]:
        """All samples with a time in the half-open span, those included that came a moment ago.

        Raises:
            JournalUnavailable: the volume does not answer.
            JournalDamaged: the file is damaged; no part of the samples is given then.
        """
        with self._flushing:  # no sweep may take a shape away between its scrapes and its series
            self._flush()
            return self._given(self._read(span))

    def last(self, span: Window, pods: Collection[tuple[str, str]]) -> Sequence[RawSeries]:
        """The last sample of each series of some pods in the half-open span; errors as of `samples`.

        A series that was seen in several shapes has one for each of them.
        """
        query = "SELECT max(at_ms), shape, body FROM scrapes WHERE at_ms >= ? AND at_ms < ? GROUP BY shape"
        with self._flushing:
            self._flush()
            with self._database.read() as connection, self._whole():
                rows = connection.execute(query, (span.start_ms, span.end_ms))
                found = {shape: ([at_ms], [body]) for at_ms, shape, body in rows if self._target(shape).pod in pods}
            return self._given(found)

    def heard(self, span: Window) -> Mapping[ScrapeTarget, int]:
        """When each target was first heard in the half-open span; errors as of `samples`."""
        query = "SELECT min(at_ms), shape FROM scrapes WHERE at_ms >= ? AND at_ms < ? GROUP BY shape"
        first: dict[ScrapeTarget, int] = {}
        with self._flushing:
            self._flush()
            with self._database.read() as connection, self._whole():
                for at_ms, shape in connection.execute(query, (span.start_ms, span.end_ms)):
                    target = self._target(shape)
                    first[target] = min(at_ms, first.get(target, at_ms))
        return first

    def since_ms(self) -> int | None:
        """The time of the first scrape that is kept, None where there is none; errors as of `samples`."""
        with self._flushing:
            self._flush()
            with self._database.read() as connection:
                (first_ms,) = connection.execute("SELECT min(at_ms) FROM scrapes").fetchone()
        return None if first_ms is None else int(first_ms)

    def prune(self, before_ms: int) -> int:
        """Drop scrapes from before a moment and what only they needed; gives the number of scrapes dropped.

        The space is used again for what comes next; the file does not shrink.

        Raises:
            JournalUnavailable: what was dropped until then stays dropped.
        """
        dropped = 0
        with self._flushing:
            self._flush()
            for bound_ms in self._steps(before_ms):
                with self._database.write() as connection:
                    dropped += connection.execute("DELETE FROM scrapes WHERE at_ms < ?", (bound_ms,)).rowcount
            with self._lock:
                with self._database.write() as connection:
                    pending = {shape for _, shape, _ in self._pending}
                    confirm = self._dictionary.sweep(connection, before_ms, pending)
                confirm()
        return dropped

    def close(self) -> None:
        """Put all scrapes on the volume and close the file."""
        try:
            self.flush()
        finally:
            self._database.close()

    def _flush(self) -> int:
        if not self._pending:
            return 0
        with self._database.write() as connection:
            with self._lock:
                scrapes = tuple(self._pending)
                confirm = self._dictionary.store(connection)
            connection.executemany("INSERT OR REPLACE INTO scrapes VALUES (?, ?, ?)", scrapes)
        with self._lock:
            del self._pending[: len(scrapes)]
            confirm()
        return len(scrapes)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Say of a file that names what it does not have that it is damaged."""
        try:
            yield
        except (KeyError, ValueError) as error:
            raise damaged(self._database.path, f"scrapes: {error}") from error

    def _target(self, shape: int) -> ScrapeTarget:
        return self._dictionary.target(self._dictionary.shape(shape).target)

    def _given(self, scrapes: Mapping[int, _Scrapes]) -> Sequence[RawSeries]:
        """Scrapes by their shape as series."""
        with self._whole():
            shapes = {number: self._dictionary.shape(number) for number in scrapes}
            return tuple(self._series(key, pieces) for key, pieces in _parts(scrapes, shapes).items())

    def _read(self, span: Window) -> Mapping[int, _Scrapes]:
        """Scrapes of a span by their shape."""
        found: dict[int, _Scrapes] = {}
        query = "SELECT at_ms, shape, body FROM scrapes WHERE at_ms >= ? AND at_ms < ?"
        with self._database.read() as connection:
            for at_ms, shape, body in connection.execute(query, (span.start_ms, span.end_ms)):
                times, bodies = found.setdefault(shape, ([], []))
                times.append(at_ms)
                bodies.append(body)
        return found

    def _series(self, key: _SeriesOf, pieces: Sequence[_Piece]) -> RawSeries:
        target, series = self._dictionary.target(key[0]), self._dictionary.series(key[1])
        at_ms, value = pieces[0]
        if len(pieces) > 1:
            at_ms = np.concatenate([times for times, _ in pieces])
            value = np.concatenate([values for _, values in pieces])
        return RawSeries(
            name=series.name,
            labels=dict(series.labels),
            at_ms=at_ms,
            value=value,
            target_node=target.node,
            target_pod=target.pod,
            target_url=target.url,
            help=series.help,
        )

    def _steps(self, before_ms: int) -> Iterator[int]:
        """Bounds an hour apart, so that no single delete holds up the scrapes for long."""
        with self._database.read() as connection:
            (first_ms,) = connection.execute("SELECT min(at_ms) FROM scrapes").fetchone()
        if first_ms is not None and first_ms < before_ms:
            yield from range(first_ms + HOUR_MS, before_ms, HOUR_MS)
            yield before_ms

    def _load_dictionary(self) -> None:
        with self._database.read() as connection:
            try:
                self._dictionary.load(connection)
            except ValueError as error:
                raise damaged(self._database.path, str(error)) from error


def _parts(scrapes: Mapping[int, _Scrapes], shapes: Mapping[int, Shape]) -> Mapping[_SeriesOf, list[_Piece]]:
    """Columns by target and series; a series has one piece for each shape that it was seen in.

    All series of a shape share one column of times.
    """
    parts: dict[_SeriesOf, list[_Piece]] = {}
    for number, (times, bodies) in scrapes.items():
        shape = shapes[number]
        at_ms = np.array(times, dtype=np.int64)
        at_ms.flags.writeable = False
        for series, value in zip(shape.series, columns(bodies, len(shape.series)), strict=True):
            parts.setdefault((shape.target, series), []).append((at_ms, value))
    return parts
