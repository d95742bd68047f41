"""Sums of closed windows, remembered until the ledger changes: reports ask for the same ones minute after minute."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

from aicost.domain.reporting.sums import GroupSum

REMEMBERED = 512
LASTING = 64
"""Answers that outlive a version."""


class SumMemory:
    """The latest answers for one version of the table. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = -1
        self._answers: OrderedDict[Hashable, Sequence[GroupSum]] = OrderedDict()
        self._lasting: OrderedDict[Hashable, Sequence[GroupSum]] = OrderedDict()

    def recall(self, version: int, question: Hashable, ask: Callable[[], Sequence[GroupSum]]) -> Sequence[GroupSum]:
        """The answer to a question about a version of the table; asked only if it is not known."""
        with self._lock:
            if version > self._version:
                self._version = version
                self._answers.clear()
            known = self._answers.get(question) if version == self._version else None
        if known is not None:
            return known
        answer = ask()
        with self._lock:
            if version == self._version:
                self._answers[question] = answer
                while len(self._answers) > REMEMBERED:
                    self._answers.popitem(last=False)
        return answer

    def lasting(self, question: Hashable, ask: Callable[[], Sequence[GroupSum]]) -> Sequence[GroupSum]:
        """The answer to a question that names all that its answer rests on; asked only if it is not known."""
        with self._lock:
            known = self._lasting.get(question)
            if known is not None:
                self._lasting.move_to_end(question)
                return known
        answer = ask()
        with self._lock:
            self._lasting[question] = answer
            while len(self._lasting) > LASTING:
                self._lasting.popitem(last=False)
        return answer
