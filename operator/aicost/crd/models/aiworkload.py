"""AIWorkload: who and what some pods are."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from aicost.crd.fields.amounts import Currency, Price
from aicost.crd.fields.conditions import Reported
from aicost.crd.fields.selection import LabelSelector, TargetRef
from aicost.crd.fields.text import ModelName, NormalForm, Timestamp
from aicost.crd.models.counter import Counter
from aicost.crd.models.figures import CurrencyTotal, Span, Summary
from aicost.crd.models.serving.fronted import FrontGateway, ModelAliases
from aicost.crd.models.success import Success
from aicost.crd.models.trained import TrainingCosts
from aicost.crd.models.training import Training
from aicost.crd.models.units import UnitCosts
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import Rule, map_list, matches
from aicost.domain.attribution.sharing.rules import SplitRule
from aicost.domain.identity.stages import Stage


class WorkloadType(StrEnum):
    """What the GPUs are used for."""

    TRAINING = "training"
    INFERENCE = "inference"
    FINE_TUNING = "fine-tuning"
    EMBEDDING = "embedding"
    DATA_PREP = "data-prep"
    EVALUATION = "evaluation"


class Dimensions(ApiModel):
    """What the cost is charged to, in lower case with dashes."""

    team: NormalForm | None = None
    """Team that answers for the cost."""
    product: NormalForm | None = None
    """Product that the work belongs to."""
    project: NormalForm | None = None
    """Project that the work belongs to."""
    feature: NormalForm | None = None
    """Feature of the product."""
    step: NormalForm | None = None
    """Step of a pipeline: preprocess, embed, retrieve, infer, post-process or evaluate."""
    cost_center: NormalForm | None = None
    """Cost centre that finance books on; the label is aicost.dev/cost-center."""
    customer: NormalForm | None = None
    """Customer that the work is done for."""
    customer_segment: NormalForm | None = None
    """Segment of customers; the label is aicost.dev/customer-segment."""
    environment: NormalForm | None = None
    """Environment, for example dev, staging or prod."""
    experiment: NormalForm | None = None
    """Experiment or run family."""


class Engine(StrEnum):
    """What serves the model, or keeps the vectors."""

    AUTO = "auto"
    VLLM = "vllm"
    SGLANG = "sglang"
    TGI = "tgi"
    TRITON = "triton"
    NIM = "nim"
    RAY_SERVE = "ray-serve"
    LLAMA_CPP = "llama-cpp"
    TEI = "tei"
    QDRANT = "qdrant"
    MILVUS = "milvus"
    WEAVIATE = "weaviate"
    POSTGRES = "postgres"


class Telemetry(ApiModel):
    """Where the engine's own metrics are, and which gateway fronts it."""

    engine: Engine = Engine.AUTO
    """Engine that serves the model: only its counters are read of these pods. auto recognises engines by the names of
    their counters; those of NIM could be anybody's, so name it."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port of the engine's metrics. Where engines are scraped directly, these pods are asked there. Of what a
    Prometheus has of them, only series are read that were scraped there, where their label instance says it; without
    it, every port counts."""
    path: (
        Annotated[
            str,
            Field(max_length=253),
            matches(r"/[-A-Za-z0-9._~/]*", "write a path that starts with a slash, for example /metrics"),
        ]
        | None
    ) = None
    """HTTP path of the engine's metrics, /metrics unless given, where engines are scraped directly. For a Prometheus it
    is a note for those who configure the scrape: it does not tell by which path it scraped."""
    gateway: FrontGateway = FrontGateway.AUTO
    """Gateway that fronts it: only its counts say who asked, what became of requests and how they were answered. auto
    reads each gateway that counts the model, the first in the table of gateways where several do."""
    model_aliases: ModelAliases | None = None
    """Names by which the gateway or clients call this model, beside that of the engine, in any case of letters. Each
    stands for all models of this workload; of several workloads that claim one, each has the part that it served."""


class UnitMetric(ApiModel):
    """The one unit that this workload is judged by."""

    rules = (
        Rule(
            "!has(self.successes) || has(self.units)",
            "successes are a part of units: give units too",
            lambda metric: metric.successes is None or metric.units is not None,
        ),
        Rule(
            "has(self.targetPrice) == has(self.currency)",
            "a target price needs its currency: give targetPrice and currency together",
            lambda metric: (metric.target_price is None) == (metric.currency is None),
        ),
    )

    name: NormalForm
    """The unit: inference, token, run, user, interaction, or one of your own."""
    per: Literal[1, 1000, 1000000] = 1
    """How many units the target price is for: 1, 1000 or 1000000."""
    target_price: Price | None = None
    """Price to stay below, as a decimal string in the currency given here, for `per` units."""
    currency: Currency | None = None
    """ISO 4217 code of the target price."""
    margin_percent: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How far above the target still counts as within it, in percent of the target."""
    units: Counter | None = None
    """Counts the units; it needs a Prometheus. Without it, the engine counts `inference` by its requests and `token` by
    its tokens of all kinds; other units are counted by nobody."""
    successes: Counter | None = None
    """Counts those among them that were a success."""


class AIWorkloadSpec(ApiModel):
    """Which pods, and what is to be said of them."""

    rules = (
        Rule(
            "has(self.targetRef) != has(self.selector)",
            "give exactly one of targetRef and selector: targetRef for one owner such as a Deployment, "
            "selector for pods by label",
            lambda spec: (spec.target_ref is None) != (spec.selector is None),
        ),
    )

    target_ref: TargetRef | None = None
    """The owner of the pods. All pods count that have it in their chain of owners."""
    selector: LabelSelector | None = None
    """Labels of the pods in this namespace."""
    model: ModelName | None = None
    """Model that is trained or served, as its makers write it."""
    workload_type: WorkloadType | None = None
    """What the GPUs are used for."""
    stage: Stage | None = None
    """How far the work has come."""
    dimensions: Dimensions | None = None
    """What the cost is charged to where the pods and their owners carry no label of that name."""
    gpu_split: SplitRule | None = None
    """How a GPU is split that its pods share with others: two-part (busy time by use, idle time by what is reserved),
    by-reservation or by-usage. It counts where all pods on the GPU ask for the same; else the rule of its node does."""
    telemetry: Telemetry | None = None
    """Where the engine's own metrics are, and which gateway fronts it. Unit costs are computed by it."""
    training: Training | None = None
    """How far its runs of training are, by metrics in Prometheus. The status and aicost training read it."""
    unit_metric: UnitMetric | None = None
    """The unit that this workload is judged by, with its target. Budgets judge by it; no unit cost is shown here
    yet."""
    success: Success | None = None
    """Who says which answers were a success. Without it, posted outcomes do where there are any, else the engine."""


class AIWorkloadStatus(Reported):
    """What the pods have cost this month."""

    window: Span | None = None
    """The time that the figures are about: the month to date."""
    summary: Summary | None = None
    """The figures as the columns of kubectl get show them."""
    totals: Annotated[list[CurrencyTotal], Field(max_length=16), map_list("currency")] | None = None
    """The figures, one item per currency: amounts of different currencies are never added."""
    unit_costs: Annotated[list[UnitCosts], Field(max_length=4), map_list("currency")] | None = None
    """What a token, a request and a success cost, one item per currency, of the windows that were counted. Absent where
    no engine was heard and no counter of its own was read."""
    training: Annotated[list[TrainingCosts], Field(max_length=4), map_list("currency")] | None = None
    """What its runs of training cost, one item per currency. Absent where its pods are of no such run."""
    claimed_pods: Annotated[int, Field(ge=0)] | None = None
    """Pods alive that this object claims now."""
    contested_pods: Annotated[int, Field(ge=0)] | None = None
    """Pods alive that it names and another AIWorkload holds; the condition PodsClaimed says which."""
    data_through: Timestamp | None = None
    """End of the last closed window that the figures hold."""
    updated_at: Timestamp | None = None
    """When the figures were last computed."""


class AIWorkload(ApiModel):
    """Says who and what some pods are, and shows what they cost."""

    spec: AIWorkloadSpec
    """Which pods, and what is to be said of them."""
    status: AIWorkloadStatus | None = None
    """What they have cost. Written by the controller alone."""
