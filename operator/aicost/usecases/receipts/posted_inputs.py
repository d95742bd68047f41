"""Which inputs the rows of a window rest on: those of its last posting, and of earlier ones where it names them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from aicost.domain.attribution.window import WindowInput
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.retagging import REASON as RETAG
from aicost.domain.ledger.rows import Row
from aicost.domain.pricing.books import PriceBook
from aicost.ports.inputs import InputStore, KeptInputs, PostedInputs
from aicost.ports.ledger import LedgerReader, RowPicker

_NEVER_KEPT = (
    "no inputs were kept for revision {revision}: ledger.inputs.keep was off, or an aicost that kept none posted it"
)
_GONE = (
    "the inputs of revision {revision} are gone: they are kept for ledger.inputs.retentionDays; make that longer to "
    "explain windows for longer"
)


class ExplainedLedger(LedgerReader, RowPicker, PostedInputs, Protocol):
    """What is needed of a ledger."""


class InputsMissing(Exception):
    """Inputs are not there; the message is for people."""


@dataclass(frozen=True, slots=True)
class Needed:
    """Inputs of one posting that some nodes of a window rest on.

    Attributes:
        revision: the revision that was posted with them.
        nodes: the nodes that rest on them; inputs of others may have been read along.
        given: the inputs, with the prices that the rows rest on.
        altered: they are not those that were posted.
    """

    revision: int
    nodes: frozenset[str]
    given: WindowInput
    software: str
    altered: bool

    @property
    def own(self) -> WindowInput:
        """The inputs without the nodes that rest on others."""
        nodes = tuple(record for record in self.given.facts.nodes if record.facts.name in self.nodes)
        return replace(self.given, facts=replace(self.given.facts, nodes=nodes))

    def of_these(self, rows: Iterable[Row]) -> list[Row]:
        """The rows of the nodes that rest on these inputs."""
        return [row for row in rows if row.place.node in self.nodes]


@dataclass(slots=True)
class _Search:
    """Nodes whose inputs are still to be found, by the revision to look at, with prices that a later one gave them."""

    waiting: dict[int, set[str]] = field(default_factory=dict)
    books: dict[str, Sequence[PriceBook]] = field(default_factory=dict)

    def put(self, revision: int, nodes: Collection[str]) -> None:
        """Look for nodes at a revision."""
        if nodes:
            self.waiting.setdefault(revision, set()).update(nodes)


@dataclass(frozen=True, slots=True)
class FindInputs:
    """Find inputs of one cluster."""

    cluster: str
    ledger: ExplainedLedger
    inputs: InputStore

    def __call__(self, window: Window, revision: int, rows: Sequence[Row]) -> list[Needed]:
        """The inputs that the nodes of some rows rest on.

        Args:
            window: the window.
            revision: its highest revision.
            rows: all rows of the nodes in question.

        Raises:
            InputsMissing: some were never kept, or are gone.
            InputsDamaged, LedgerUnavailable: they cannot be read.
        """
        reasons = {(row.revision, row.place.node): row.reason for row in rows}
        search = _Search({revision: {row.place.node for row in rows}})
        found: list[Needed] = []
        while search.waiting:
            at = max(search.waiting)
            asked = search.waiting.pop(at)
            anchor = self.ledger.inputs_of(self.cluster, window, at)
            if anchor is None:
                _check_only_tags(at, asked, reasons)
                search.put(at - 1, asked)
                continue
            kept = self.inputs.read(self.cluster, window, at, anchor=anchor, nodes=asked)
            if kept is None:
                raise InputsMissing(_GONE.format(revision=at))
            found += _taken(search, kept, at, asked, altered=kept.anchor != anchor)
        return found


def _taken(search: _Search, kept: KeptInputs, revision: int, asked: set[str], *, altered: bool) -> list[Needed]:
    """What nodes rest on these inputs; those that rest on earlier ones are looked for there."""
    for node in asked & kept.before.keys():
        if kept.repriced:
            search.books.setdefault(node, kept.given.books)
        search.put(kept.before[node], [node])
    priced: dict[int, list[str]] = {}
    for node in sorted(asked - kept.before.keys()):
        priced.setdefault(id(search.books.get(node)), []).append(node)
    return [_needed(search, kept, revision, nodes, altered=altered) for nodes in priced.values()]


def _needed(search: _Search, kept: KeptInputs, revision: int, nodes: list[str], *, altered: bool) -> Needed:
    """Inputs of nodes that share their prices."""
    books = search.books.get(nodes[0])
    given = kept.given if books is None else replace(kept.given, books=books)
    return Needed(revision, frozenset(nodes), given, kept.software, altered)


def _check_only_tags(revision: int, nodes: Collection[str], reasons: Mapping[tuple[int, str], str]) -> None:
    """Go on where a posting without inputs changed nothing of these nodes, or nothing but tags.

    Raises:
        InputsMissing: it changed amounts.
    """
    told = [reasons[revision, node] for node in nodes if (revision, node) in reasons]
    if revision <= 0 or any(reason.split(" ")[0] != RETAG for reason in told):
        raise InputsMissing(_NEVER_KEPT.format(revision=revision))
