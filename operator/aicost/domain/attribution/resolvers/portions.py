"""Parts of a GPU that HAMi and Volcano give: so much memory and so many cores of a card that an annotation names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.attribution.claims import Ask
from aicost.domain.attribution.resolvers.parts import NO_SHARE, WHOLE, Board, Scheduler
from aicost.domain.attribution.resolvers.reading import MOST_DEVICES, Part
from aicost.domain.attribution.resolvers.scene import IGNORED, MOVED, Scene, Taken
from aicost.domain.inventory.pods import PodRecord

_HUNDRED = 100


def portions(scheduler: Scheduler) -> Callable[[Scene, PodRecord, Mapping[str, int]], Taken | None]:
    """The resolver of a scheduler's parts."""

    def take(scene: Scene, record: PodRecord, left: Mapping[str, int]) -> Taken | None:
        board, count = scene.boards.get(scheduler.registered), left.get(scheduler.count, 0)
        if board is None or not board.cards or not count:
            return None
        return _taken(_Asking(scene, board, record, scheduler, left), count)

    return take


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is looked at for one pod."""

    scene: Scene
    board: Board
    record: PodRecord
    scheduler: Scheduler
    asked: Mapping[str, int]

    def requested(self, card: str = "", among: int = 1) -> Fraction:
        """The share that the pod's own request comes to, 0 where it says no more than how many parts.

        What containers ask for is known of all of them together, so it is at least so much divided among all parts.
        """
        total, asked, by = self.board.memory_mib(card), self.asked, self.scheduler
        memory = Fraction(asked.get(by.memory, 0), total) if total else NO_SHARE
        hundredths = max(asked.get(by.percentage, 0), asked.get(by.cores, 0))
        return min(WHOLE, max(memory, Fraction(hundredths, _HUNDRED)) / among)

    def ask(self, part: Part, count: int) -> Ask:
        """A part that is on the card that it names."""
        given = self.board.share_of(part, self.asked.get(self.scheduler.cores, 0))
        share = max(given, self.requested(part.device, count))
        return Ask(share or self.board.room_for(self.record, part.device), part.device)

    @property
    def unsized(self) -> Fraction:
        """A part of which only the request tells; where that tells no size either, the most that others leave."""
        return self.requested() or self.board.room_for(self.record)

    def is_here(self, card: str) -> bool:
        """Whether the node has a card, there was room on it, and samples do not show the pod on others instead."""
        facts = self.record.facts
        shown = self.scene.shown.get((facts.namespace, facts.name), frozenset())
        fits = card in self.board.fits.get(facts.uid, ()) and card in self.scene.devices
        return fits and (not shown or card in shown)


def _taken(one: _Asking, count: int) -> Taken:
    """One ask for each part that the pod asked for: no annotation makes more or less of them."""
    parts = one.board.given.get(one.record.facts.uid, ())
    flags = {IGNORED: None} if parts is None else {}
    asks = []
    for part in parts or ():
        if one.is_here(part.device):
            asks.append(one.ask(part, count))
        else:
            flags[MOVED] = None
    asks += [Ask(one.unsized)] * (min(count, MOST_DEVICES) - len(asks))
    by = one.scheduler
    resources = frozenset((by.count, by.memory, by.percentage, by.cores)) & one.asked.keys()
    return Taken(tuple(ask for ask in asks if ask.share), resources, tuple(flags))
