"""Where it is known what pods do on their hosts."""

from collections.abc import Collection, Mapping
from typing import Protocol

from aicost.domain.enforcement.victims.idleness import HostActivity
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.placement import PodName


class HostActivities(Protocol):
    """Activity of pods beside their GPUs."""

    def activity(self, pods: Collection[PodName], span: Window) -> Mapping[PodName, HostActivity]:
        """What each pod did on its host, as means over the span: some minutes that end now.

        Returns:
            One entry for each pod that was asked for; what is not known of it, or not of enough of the span, is None.

        Raises:
            SourceUnavailable: no answer, or half an answer.
            InvalidAnswer: not what the source should say.
            NotPermitted: it refuses our credentials.
            InvalidRequest: a file of a secret cannot be read.
        """
