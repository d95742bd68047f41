"""What the controller knows beyond the ledger: how the source is doing, and what the last computation found."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aicost.adapters.kube.probe import Probed
from aicost.crd.status.policies import Enforcement, PolicyAudit
from aicost.domain.attribution.window import WindowStatement
from aicost.domain.budgets.units.targets import WorkloadName
from aicost.domain.exact.windows import Window
from aicost.domain.policy.snapshots import MapName
from aicost.domain.sampling.series import SampleDefects
from aicost.usecases.budgets.spending import OpenSpend
from aicost.usecases.economics.training.questions import TrainingReport


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


@dataclass(frozen=True, slots=True)
class PriceSourceState:
    """How the URL that publishes prices is doing.

    Attributes:
        place: the URL for people; empty where the settings name none.
        read_ms: when it was last read, or said that nothing changed; None: never.
        problem: what is wrong with it, empty where it answers as it should.
    """

    place: str = ""
    read_ms: int | None = None
    problem: str = ""


@dataclass(slots=True)
class LabelState:
    """What is known of label policies, by their names. Each field is replaced as a whole.

    Attributes:
        audits: what the last look at the objects of the cluster said.
        audit_problem: why the last look failed, empty where it did not.
        enforcement: who judges at admission.
        webhook: whether the API server asks the webhook; None where there is none, or nobody tried yet.
        maps: content of the ConfigMaps that policies name, as far as it could be read; None where nobody looked yet.
        map_problems: why one could not be read.
    """

    audits: Mapping[str, PolicyAudit] = field(default_factory=dict)
    audit_problem: str = ""
    enforcement: Mapping[str, Enforcement] = field(default_factory=dict)
    webhook: Probed | None = None
    maps: Mapping[MapName, Mapping[str, str]] | None = None
    map_problems: Mapping[MapName, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineScrapes:
    """How the last direct scrapes of engines went. Replaced as a whole.

    Attributes:
        asked: AIWorkload -> how many of its pods were to be asked.
        failures: AIWorkload -> pod -> why it could not be read.
        silent: AIWorkloads of whose pods one answered, and none showed a counter that is known.
    """

    asked: Mapping[WorkloadName, int] = field(default_factory=dict)
    failures: Mapping[WorkloadName, Mapping[str, str]] = field(default_factory=dict)
    silent: frozenset[WorkloadName] = frozenset()


@dataclass(slots=True)
class State:
    """Written by the rounds alone; read by whoever publishes, answers probes or dumps.

    Attributes:
        cluster: key of the cluster in the ledger.
        statement: the last computation of the open window.
        computed_ms: when that was.
        open: the rows of all windows that are not closed, as they were computed then.
        measured_ms: the moment up to which all that ran is known by samples, or nothing ran; None: never yet.
        last_closed: the last window in the ledger.
        problems: step -> what failed in it last, while it fails.
        labels: what is known of label policies.
        prices: how the URL that publishes prices is doing.
        training: what runs of training cost this month; None: nobody looked yet.
        engines: how direct scrapes of engines went; None where they are not scraped.
    """

    cluster: str
    source: SourceState = field(default_factory=SourceState)
    statement: WindowStatement | None = None
    defects: SampleDefects = field(default_factory=SampleDefects)
    computed_ms: int | None = None
    open: OpenSpend = field(default_factory=OpenSpend)
    measured_ms: int | None = None
    last_closed: Window | None = None
    problems: dict[str, str] = field(default_factory=dict)
    labels: LabelState = field(default_factory=LabelState)
    prices: PriceSourceState = field(default_factory=PriceSourceState)
    training: TrainingReport | None = None
    engines: EngineScrapes | None = None
