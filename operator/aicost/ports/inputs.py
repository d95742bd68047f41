"""Where the inputs of posted statements are kept, so that each figure can be computed again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aicost.domain.attribution.window import WindowInput
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Row


@dataclass(frozen=True, slots=True)
class KeptInputs:
    """What one posting rests on, as it was kept.

    Attributes:
        given: inputs that give the posting's rows again, of all nodes or of those that were asked for.
        before: node -> an earlier revision whose inputs its rows rest on: less was known of it when this one was
            posted, so its rows were kept as they were.
        repriced: the prices of these inputs hold for the nodes of `before`, too: all were rated again by them.
        software: version of aicost that kept them.
        anchor: what the ledger must say of them; see `InputStore.keep`.
    """

    given: WindowInput
    before: Mapping[str, int] = field(default_factory=dict)
    repriced: bool = False
    software: str = ""
    anchor: int = 0


class InputStore(Protocol):
    """Inputs of posted windows, by cluster, window and revision. No amount is ever in it."""

    def keep(
        self, given: WindowInput, revision: int, before: Mapping[str, int] | None = None, *, repriced: bool = False
    ) -> int | None:
        """Keep what a posting will rest on; to be called before it is posted.

        Kept again, the same is there once. What was kept for a posting that never came is not in the way.

        Args:
            given: the inputs; they say which cluster and window they are of.
            revision: the revision that will be posted.
            before: see `KeptInputs`.
            repriced: see `KeptInputs`.

        Returns:
            The anchor, a number of the content, which the posting carries into the ledger; None where inputs are not
            kept.

        Raises:
            LedgerUnavailable: they could not be kept: post nothing.
        """

    def read(
        self, cluster: str, window: Window, revision: int, *, anchor: int, nodes: Collection[str] | None = None
    ) -> KeptInputs | None:
        """What was kept for a posting; None where it is gone.

        Where several were kept for the revision, the one that the anchor names; where it names none of them, the one
        that was kept last: its own anchor is in the answer.

        Args:
            cluster: the key of the cluster in the ledger.
            window: the billing window.
            revision: the revision of the posting.
            anchor: what the ledger says of the inputs.
            nodes: only what concerns these nodes; None for all.

        Raises:
            InputsDamaged: a part is missing or is not what it was, or a newer aicost wrote it.
            LedgerUnavailable: the store cannot be read.
        """

    def prune(self, before_ms: int) -> int:
        """Forget the inputs of days that ended before a moment; gives the number of days that went.

        Raises:
            LedgerUnavailable: the store cannot be written.
        """


class PostedInputs(Protocol):
    """What the ledger says of the inputs of its postings."""

    def inputs_of(self, cluster: str, window: Window, revision: int) -> int | None:
        """The anchor of the inputs of a posting, None where none were kept for it."""


class Replayer(Protocol):
    """Computes statements again from nothing but inputs."""

    def __call__(self, inputs: Sequence[WindowInput]) -> Sequence[Sequence[Row]]:
        """The rows of each of the inputs.

        Raises:
            ReplayFailed: the computation did not come to an end.
        """
