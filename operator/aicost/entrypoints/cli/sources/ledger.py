"""Answers of a ledger that is read directly: no cluster, no server."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.reading import DeltaSnapshot
from aicost.bootstrap import open_ledger
from aicost.domain.budgets.simulation.record import Record
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.grounds import Ground
from aicost.domain.reporting.query import Report
from aicost.domain.reporting.question import Question
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader
from aicost.usecases.answer_question import answer, check_question
from aicost.usecases.budgets.simulate import SeriesQuestion, read_record
from aicost.usecases.join_ledgers import join


@dataclass(frozen=True, slots=True)
class Opened:
    """One ledger, or several as one, as they are at one moment.

    Attributes:
        marks: place and version of each.
    """

    reader: LedgerReader
    marks: tuple[Mapping[str, Any], ...]


def ask_ledger(
    places: Sequence[str], question: Question, now_ms: int, *, version: int | None = None, cluster: str | None = None
) -> tuple[Report, ...]:
    """Answer from the ledgers at directories or URLs.

    Args:
        places: the directories or URLs.
        question: what is asked.
        now_ms: the present moment.
        version: answer from what was posted up to this version; None for all there is, the open window included.
        cluster: the cluster to report on, None for all that they know.

    Raises:
        InvalidRequest: the question makes no sense, there is no such directory, version or cluster, or two ledgers have
            the same cluster.
        LedgerUnavailable: a ledger cannot be read.
    """
    check_question(question, now_ms)
    opened = open_ledgers(places, version=version, cluster=cluster)
    return answer(opened.reader, question, now_ms, cluster=cluster)


def grounds_of(
    places: Sequence[str], report: Report, *, version: int | None = None, cluster: str | None = None
) -> Mapping[str, int]:
    """Device time of what was reported, by the flags of its rows; "" is all of it.

    Only ledgers that begin with a backfill are asked: no other has such flags, and a large one is not read twice.
    Arguments as of `ask_ledger`.
    """
    found: Counter[str] = Counter()
    for place in places:
        ledger = open_place(place)
        snapshot = ledger.snapshot() if version is None else ledger.as_of(version)
        if any(_begins_with_a_backfill(snapshot, one) for one in snapshot.clusters() if cluster in {None, one}):
            found.update(snapshot.flagged(report.query.span, report.query.filters, cluster=cluster))
    return found


def _begins_with_a_backfill(snapshot: DeltaSnapshot, cluster: str) -> bool:
    first = snapshot.first_window(cluster)
    return first is not None and Ground.BACKFILL.value in snapshot.flagged(first, {}, cluster=cluster)


def extent_of(places: Sequence[str], *, version: int | None = None, cluster: str | None = None) -> Window | None:
    """From the first to the last window that is posted, None where none is. Arguments and errors as of `ask_ledger`."""
    reader = open_ledgers(places, version=version, cluster=cluster).reader
    known = [cluster] if cluster is not None else reader.clusters()
    firsts = [first for one in known if (first := reader.first_window(one))]
    lasts = [last for one in known if (last := reader.last_window(one))]
    if not firsts or not lasts:
        return None
    return Window(min(first.start_ms for first in firsts), max(last.end_ms for last in lasts))


def open_ledgers(places: Sequence[str], *, version: int | None = None, cluster: str | None = None) -> Opened:
    """The ledgers at directories or URLs as one. Arguments and errors as of `ask_ledger`."""
    ledgers = {place: open_place(place) for place in places}
    snapshots = {place: _snapshot(ledger, version) for place, ledger in ledgers.items()}
    reader = join({place: snapshot for place, (snapshot, _) in snapshots.items()})
    if cluster is not None and cluster not in (known := reader.clusters()):
        held = ", ".join(known) or "none: nothing was posted yet"
        raise InvalidRequest(f"cluster: {cluster[:63]!r} has no rows in {' and '.join(places)}, which holds {held}")
    return Opened(reader, tuple({"place": place, "version": mark} for place, (_, mark) in snapshots.items()))


def _snapshot(ledger: DeltaLedger, version: int | None) -> tuple[LedgerReader, int | None]:
    """A ledger at one moment, and its version then."""
    if version is not None:
        return ledger.as_of(version), version
    before = ledger.version()
    while True:
        snapshot, after = ledger.snapshot(), ledger.version()
        if after == before:
            return snapshot, after
        before = after


def record_of_ledger(place: str, asked: SeriesQuestion, cluster: str | None) -> Record:
    """What a ledger at a directory or URL recorded.

    Args:
        place: the directory or URL.
        asked: what to read.
        cluster: which cluster of those that it knows; None where it knows one.

    Raises:
        InvalidRequest: there is no such ledger or cluster, or it is too much.
        LedgerUnavailable: it cannot be read.
    """
    reader = open_place(place).snapshot()
    return read_record(reader, asked, cluster=_cluster(reader, asked, cluster))


def open_place(place: str) -> DeltaLedger:
    """The ledger at a directory or URL.

    Raises:
        InvalidRequest: there is no such directory.
    """
    if "://" not in place and not Path(place).is_dir():
        raise InvalidRequest(f"ledger: {place!r} is no directory: name the directory or the URL that holds the ledger")
    return open_ledger(place)


def _cluster(reader: LedgerReader, asked: SeriesQuestion, named: str | None) -> str:
    """The cluster to look at: the one that is named, that the budget names, or the only one."""
    known = reader.clusters()
    wanted = [named] if named else [one for one in known if one in asked.filters.get("cluster", known)]
    if len(wanted) == 1 and wanted[0] in known:
        return wanted[0]
    listed = ", ".join(known) or "none"
    if named:
        raise InvalidRequest(f"--ledger-cluster {named!r}: the ledger holds {listed}")
    if not known:
        raise InvalidRequest("--ledger: it holds nothing yet")
    raise InvalidRequest(f"--ledger: it holds several clusters, a budget is about one: --ledger-cluster of {listed}")


def the_cluster(reader: LedgerReader, named: str | None) -> str:
    """The cluster that is named, or the only one of a ledger.

    Raises:
        InvalidRequest: there is no such cluster, or none was named and there are several.
    """
    known = reader.clusters()
    if named is None and len(known) == 1:
        return known[0]
    if named is None or named not in known:
        asked = "" if named is None else f"{named[:63]!r} has no rows in this ledger: "
        raise InvalidRequest(f"cluster: {asked}name one by --cluster; it holds {', '.join(known) or 'none'}")
    return named
