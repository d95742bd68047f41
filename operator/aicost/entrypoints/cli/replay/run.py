"""Replay a bundle into a ledger: the controller's own use cases over files, without a cluster."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aicost.adapters.bundle.bundle import Bundle, open_bundle
from aicost.adapters.bundle.engines import BundleEngines
from aicost.adapters.bundle.usage import BundleUsage
from aicost.adapters.journal.memory import MemoryInventory
from aicost.bootstrap import Measured, build_replay, open_counts, open_ledger
from aicost.domain.exact.windows import Grid, to_rfc3339
from aicost.domain.pricing.books import PriceBook
from aicost.entrypoints.cli.replay.summary import ReplaySummary
from aicost.entrypoints.cli.replay.world import ReplayedCluster
from aicost.ports.errors import InvalidRequest, LedgerConflict
from aicost.usecases.economics.keep_counts import KeepCounts

NO_PRICES = "no price is known: name PriceBooks by --prices FILE, or take public list prices by --list-prices"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to replay, and where to.

    Attributes:
        place: the bundle.
        ledger: directory or URL of the ledger.
        cluster: takes the place of the cluster that the bundle names.
        books: price books that take the place of the bundle's; None uses those.
        fallback: price books for a bundle that has none.
    """

    place: str
    ledger: str
    cluster: str | None = None
    books: tuple[PriceBook, ...] | None = None
    fallback: tuple[PriceBook, ...] = ()


def replay(wanted: Wanted, tell: Tell) -> ReplaySummary:
    """Replay a bundle, window by window; what is in the ledger already is compared and left as it is.

    Raises:
        InvalidRequest: the bundle makes no sense, or the ledger holds something else for its time.
        LedgerUnavailable: the ledger cannot be written; windows before were posted, and the next try goes on.
    """
    with open_bundle(wanted.place, cluster=wanted.cluster) as bundle:
        summary = ReplaySummary(bundle.head.cluster, bundle.head.window)
        inventory = MemoryInventory(bundle.head.window.start_ms)
        tell("reading objects")
        world = ReplayedCluster(inventory, wanted.books)
        summary.events = world.load(bundle.events())
        if wanted.books is None and not world.priced:
            world = _at_prices(wanted.fallback, world, summary)
        tell("reading samples")
        _close_all(bundle, inventory, world, wanted.ledger, summary, tell)
        summary.problems, summary.ignored = world.problems, world.unknown_kinds
        summary.remarks += bundle.remarks
    return summary


def _at_prices(books: Sequence[PriceBook], world: ReplayedCluster, summary: ReplaySummary) -> ReplayedCluster:
    """A bundle without prices gets the ones that were asked for."""
    world.books.value = tuple(books)
    if not books:
        summary.remarks.append(NO_PRICES)
    return world


def _close_all(
    bundle: Bundle, inventory: MemoryInventory, world: ReplayedCluster, place: str, summary: ReplaySummary, tell: Tell
) -> None:
    """Close every window of the bundle."""
    head = bundle.head
    source = bundle.samples(tell)
    summary.samples = len(source.columns)
    measured = Measured(source, BundleUsage(source.columns), head.collection_ms)
    ledger, engines = open_ledger(place), BundleEngines(bundle)
    counting = KeepCounts(head.cluster, open_counts(ledger), ledger, engines) if engines.known else None
    replaying = build_replay(head.cluster, Grid(head.window_ms), inventory, measured, world, ledger)
    windows = replaying.windows(head.window)
    try:
        for number, one in enumerate(replaying(head.window), 1):
            summary.add(one)
            if counting is not None:
                counting.count(one.window, world.said)
            tell(f"window {number} of {len(windows)}, {to_rfc3339(one.window.start_ms)}")
    except LedgerConflict as problem:
        raise InvalidRequest(
            f"--ledger {place}: it holds something else for this time of cluster {head.cluster!r}: another bundle, or "
            f"the same one at other prices. Use a new directory ({problem})"
        ) from problem
