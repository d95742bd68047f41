"""Unit costs that are asked for again and again, remembered while neither money nor counts changed."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import TypeVar

from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.serving.pipelines.fronts import Fronts
from aicost.ports.ledger import LedgerReader
from aicost.ports.measured.counts import CountReader
from aicost.usecases.economics.cost_units import Counted, UnitQuestion, UnitReport, cost_of, read_counted

REMEMBERED = 256
_NAMESPACE = "namespace"
_USUAL = Dimension.TEAM
"""Who asked is read along where nobody asks for it, so that all questions about one time rest on one reading."""
T = TypeVar("T")


class UnitCostBook:
    """Unit costs by what was counted in closed windows. One thread at a time.

    Args:
        version: a number that changes whenever the ledger does.
        counts: what was counted.
        cluster: of which cluster.
    """

    def __init__(self, version: Callable[[], int | None], counts: CountReader, cluster: str) -> None:
        self._version, self._counts, self._cluster = version, counts, cluster
        self._versions: tuple[int | None, int | None] = (None, None)
        self._fronts: Fronts = {}
        self._known: OrderedDict[Hashable, object] = OrderedDict()

    def refresh(self, fronts: Fronts) -> None:
        """Forget what rests on a ledger or on counts of before; to be called before some are asked for together.

        Args:
            fronts: what AIWorkloads say now of gateways and aliases; what was said before counts no more.

        Raises:
            LedgerUnavailable: one of them cannot be read.
        """
        versions = self._version(), self._counts.version()
        if (versions, fronts) != (self._versions, self._fronts):
            self._known.clear()
            self._versions, self._fronts = versions, fronts

    def counted(self, reader: LedgerReader, span: Window, tenants: Dimension | None = None) -> Counted | None:
        """What was counted in the closed windows of a span; None where nothing ever was.

        Raises:
            LedgerUnavailable: it cannot be read.
        """
        last = reader.last_window(self._cluster)
        if self._versions[1] is None or last is None or last.end_ms <= span.start_ms:
            return None
        closed, who = Window(span.start_ms, min(span.end_ms, last.end_ms)), tenants or _USUAL
        return self._remembered(
            (closed, who),
            lambda: replace(
                read_counted(reader, self._counts, closed, who, cluster=self._cluster, rounds=True),
                fronts=self._fronts,
            ),
        )

    def report(self, reader: LedgerReader, span: Window, question: UnitQuestion) -> UnitReport | None:
        """Unit costs of a span; None where no engine was heard that the question is about. Errors as of `counted`."""
        counted = self.counted(reader, span, question.tenants)
        if counted is None or not counted.windows or not _heard(counted, question):
            return None
        rests_on = Window(counted.windows[0].start_ms, counted.windows[-1].end_ms)
        asked = (rests_on, question.keys, tuple(sorted(question.filters.items())), question.tenants)
        return self._remembered(asked, lambda: cost_of(reader, counted, span, question, cluster=self._cluster))

    def _remembered(self, key: Hashable, ask: Callable[[], T]) -> T:
        if key not in self._known:
            self._known[key] = ask()
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        found: T = self._known[key]  # type: ignore[assignment]  # what was asked for under this key
        return found


def _heard(counted: Counted, question: UnitQuestion) -> bool:
    wanted = question.filters.get(_NAMESPACE)
    return any(wanted is None or namespace in wanted for namespace, _ in counted.did)
