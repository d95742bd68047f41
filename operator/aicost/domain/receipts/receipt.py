"""The receipt of a figure: what the ledger says of something, what it rests on, and whether both agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Row
from aicost.domain.receipts.comparing import Unequal
from aicost.domain.receipts.subjects import Subject
from aicost.domain.receipts.tracing import Trace


@dataclass(frozen=True, slots=True)
class Posted:
    """One revision of a window, as far as it is about the subject.

    Attributes:
        reason: why it was posted; empty for the first one.
        rows: rows about the subject.
        cost_nanos: by currency, what they sum to: a change, where it is not the first revision.
        with_inputs: inputs were kept for it.
    """

    revision: int
    reason: str
    rows: int
    cost_nanos: Mapping[str, int]
    with_inputs: bool


@dataclass(frozen=True, slots=True)
class Basis:
    """The inputs that a window was computed again from.

    Attributes:
        revisions: node -> the revision with whose posting its inputs were kept.
        software: versions of aicost that kept them.
        samples: samples of devices in them.
    """

    revisions: Mapping[str, int]
    software: tuple[str, ...]
    samples: int


@dataclass(frozen=True, slots=True)
class WindowReceipt:
    """What is known of the subject in one window.

    Attributes:
        revision: the highest one that was posted; None for the open window.
        posted: the revisions with rows about the subject or its nodes.
        rows: rows about the subject, all revisions added up.
        basis: what was computed again; None where it was not.
        not_replayed: why it was not, for people; empty where it was.
        altered: the kept inputs are not those that were posted, for people; empty where they are.
        unequal: what differs between the ledger and its inputs, over all that the subject's nodes cost.
        recomputed: rows about the subject as they were computed again.
        trace: how the amounts came about, for the window that is shown in detail.
    """

    window: Window
    revision: int | None
    posted: tuple[Posted, ...]
    rows: tuple[Row, ...]
    basis: Basis | None = None
    not_replayed: str = ""
    altered: str = ""
    unequal: tuple[Unequal, ...] = ()
    recomputed: tuple[Row, ...] = ()
    trace: Trace | None = None

    @property
    def differs(self) -> bool:
        """Whether the ledger says something else than its inputs."""
        return bool(self.unequal or self.altered)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The receipt of a subject over some windows.

    Attributes:
        span: what was asked for; windows that share time with it are told as a whole.
        windows: closed windows, oldest first.
        open: windows whose figures are provisional.
    """

    subject: Subject
    cluster: str
    span: Window
    windows: Sequence[WindowReceipt]
    open: Sequence[WindowReceipt] = ()

    @property
    def differs(self) -> bool:
        """Whether something differs."""
        return any(one.differs for one in self.windows)

    @property
    def not_replayed(self) -> Sequence[WindowReceipt]:
        """Closed windows that could not be computed again."""
        return [one for one in self.windows if one.not_replayed]

    @property
    def detail(self) -> WindowReceipt | None:
        """The window that is shown in detail."""
        return next((one for one in self.windows if one.trace is not None), None)
