"""What the controller knows beyond the ledger: how the source is doing, and what the last computation found."""

from dataclasses import dataclass, field

from aicost.domain.attribution.window import WindowStatement
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import SampleDefects


@dataclass(frozen=True, slots=True)
class SourceState:
    """Where samples come from now.

    Attributes:
        name: `prometheus`, `scrape`, or empty for none.
        origin: which one, for people.
        problem: what is wrong with it, empty where it answers.
        looked_for: where nothing was found: what was looked for and how to point to it.
    """

    name: str = ""
    origin: str = ""
    problem: str = ""
    looked_for: str = ""


@dataclass(slots=True)
class State:
    """Written by the rounds alone; read by whoever publishes, answers probes or dumps.

    Attributes:
        cluster: key of the cluster in the ledger.
        statement: the last computation of the open window.
        computed_ms: when that was.
        last_closed: the last window in the ledger.
        problems: step -> what failed in it last, while it fails.
    """

    cluster: str
    source: SourceState = field(default_factory=SourceState)
    statement: WindowStatement | None = None
    defects: SampleDefects = field(default_factory=SampleDefects)
    computed_ms: int | None = None
    last_closed: Window | None = None
    problems: dict[str, str] = field(default_factory=dict)
