"""Statements that are asked for again and again, remembered while none was added."""

from collections.abc import Sequence
from typing import Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.ports.measured.outcomes import OutcomeReader, OutcomeSum


class Versioned(OutcomeReader, Protocol):
    """Statements with a number that grows when some are added."""

    def version(self) -> int | None:
        """The number; None where nothing was ever stated."""


class RememberedOutcomes:
    """Port `OutcomeReader` that remembers its last answer. One thread at a time."""

    def __init__(self, store: Versioned) -> None:
        self._store = store
        self._last: tuple[object, Sequence[OutcomeSum]] = (None, ())

    def sums(
        self, cluster: str, spans: Sequence[Window], *, namespace: str | None = None, who: Dimension | None = None
    ) -> Sequence[OutcomeSum]:
        """Requests by how they ended; see the port."""
        key = (self._store.version(), cluster, tuple(spans), namespace, who)
        if self._last[0] != key:
            self._last = (key, self._store.sums(cluster, spans, namespace=namespace, who=who))
        return self._last[1]

    def reasons(self, cluster: str, namespace: str, since_ms: int) -> frozenset[str]:
        """The reasons of a namespace; see the port."""
        return self._store.reasons(cluster, namespace, since_ms)
