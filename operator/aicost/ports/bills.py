"""Who can be asked what they billed."""

from collections.abc import Sequence
from typing import Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.thirdparty.lines import SpendLine


class BillSource(Protocol):
    """The bills of one account."""

    @property
    def notes(self) -> Sequence[str]:
        """What people should know of the lines that were read last: what was left out, and why."""

    def lines(self, days: Window) -> Sequence[SpendLine]:
        """All lines of whole days in UTC.

        Raises:
            SourceUnavailable: no answer after several tries.
            NotPermitted: the key may not read costs.
            InvalidAnswer: what answers is no such source.
            InvalidRequest: there is no key.
        """
