"""Where it is known how much CPU and memory pods use."""

from typing import Protocol

from aicost.domain.attribution.resources.observed import Observations
from aicost.domain.exact.windows import Window


class UsageSource(Protocol):
    """Use of CPU and memory by pods over time."""

    def observed(self, span: Window) -> Observations:
        """What pods used in a span, in pieces that may begin before it and end after it.

        Returns:
            What is known. A pod of which nothing is known is left out: it pays for what it asked for.

        Raises:
            SourceUnavailable: no answer, or half an answer.
            InvalidAnswer: not what the source should say.
            NotPermitted: it refuses our credentials.
            InvalidRequest: a file of a secret cannot be read.
        """
