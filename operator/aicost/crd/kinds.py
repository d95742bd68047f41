"""All our kinds: what is applied, listed and explained."""

from aicost.crd.models.account import ProviderAccount
from aicost.crd.models.aiworkload import AIWorkload
from aicost.crd.models.budget.action import BudgetAction
from aicost.crd.models.budget.gate import BudgetGate
from aicost.crd.models.budget.override import BudgetOverride
from aicost.crd.models.budget.resource import Budget, ClusterBudget
from aicost.crd.models.policy.resource import CostLabelPolicy
from aicost.crd.models.pricebook import PriceBook
from aicost.crd.models.report import AICostReport, ClusterAICostReport
from aicost.crd.schema.definition import Column, Kind

NAMESPACED = "Namespaced"
CLUSTER = "Cluster"

_FIGURES = (
    Column("Cost", ".status.summary.cost", "Cost with its currency"),
    Column("Change", ".status.summary.change", "Change of the cost against the span before"),
    Column("GPU-Hours", ".status.summary.gpuHours", "GPU-hours, priced or not"),
    Column("Util", ".status.summary.utilisation", "GPU time in use over GPU time held and measured"),
    Column("Idle", ".status.summary.idleShare", "Device time that was idle, held or not, over all device time"),
    Column("Coverage", ".status.summary.telemetryCoverage", "Share of device time with samples behind it"),
    Column("Data-Age", ".status.dataThrough", "Time since the end of the last closed window", "date"),
)
_READY = (
    Column("Ready", ".status.conditions[?(@.type=='Ready')].status", "Whether the figures can be read", wide=True),
    Column("Reason", ".status.conditions[?(@.type=='Ready')].reason", "Why or why not", wide=True),
    Column("Age", ".metadata.creationTimestamp", "Time since the object was made", "date", wide=True),
)
_RUN = ".status.training[0].rows[0]"
_TRAINING = (
    Column("Run-Done", f"{_RUN}.progress", "How much of the dearest run of training is done", wide=True),
    Column("Per-Step", f"{_RUN}.perStep", "What a step of it costs", wide=True),
    Column("To-Complete", f"{_RUN}.toComplete", "What the rest of it will cost if it goes on so", wide=True),
    Column("Lost", ".status.training[0].lost", "What restarts and failures of training cost", wide=True),
)
_FIRST = ".status.unitCosts[0]"
_UNITS = (
    Column("In/M", f"{_FIRST}.full.input.amount", "A million computed tokens of prompts, idle included", wide=True),
    Column("Cached/M", f"{_FIRST}.full.cached.amount", "A million tokens that a cache held", wide=True),
    Column("Out/M", f"{_FIRST}.full.output.amount", "A million tokens of answers, idle included", wide=True),
    Column("Useful/M", f"{_FIRST}.usefulOutput.amount", "A million tokens of successful answers", wide=True),
    Column("Per-Request", f"{_FIRST}.perRequest.amount", "One request", wide=True),
    Column("Per-Success", f"{_FIRST}.perSuccess.amount", "One success", wide=True),
    Column("Waste", f"{_FIRST}.waste", "Part of the generated tokens that was of no use", wide=True),
    Column("Amplified", f"{_FIRST}.amplification.factor", "Attempts for one request of a caller", wide=True),
    Column("Latency", f"{_FIRST}.load.latency", "Mean time of a request", wide=True),
    Column("Per-Unit", f"{_FIRST}.unit.cost.amount", "What the units of spec.unitMetric cost", wide=True),
    Column(
        "Within-Target", ".status.conditions[?(@.type=='WithinTarget')].status", "Whether they cost what they may",
        wide=True,
    ),
    Column("Confidence", f"{_FIRST}.confidence", "How far the division into prompts and answers holds", wide=True),
)  # fmt: skip
_WORKLOAD = (
    *_FIGURES,
    Column("Model", ".spec.model", "Model that is trained or served", wide=True),
    Column("Type", ".spec.workloadType", "What the GPUs are used for", wide=True),
    Column("Stage", ".spec.stage", "How far the work has come", wide=True),
    Column("Team", ".spec.dimensions.team", "Team that answers for the cost", wide=True),
    Column("Pods", ".status.claimedPods", "Pods alive that it claims", "integer", wide=True),
    Column("Unpriced", ".status.summary.unpricedGpuHours", "GPU-hours without a price", wide=True),
    *_UNITS,
    *_TRAINING,
    *_READY,
)
_REPORT = (
    Column("Window", ".status.summary.window", "The span that is reported"),
    *_FIGURES,
    Column("By", ".status.summary.groupBy", "What the rows are grouped by", wide=True),
    Column("Provisional", ".status.summary.provisional", "The part that may still change", wide=True),
    Column("Unpriced", ".status.summary.unpricedGpuHours", "GPU-hours without a price", wide=True),
    Column("Priced", ".status.summary.priceCoverage", "Share of device time with a price", wide=True),
    Column("Labelled", ".status.summary.labelCoverage", "Share of the held cost that names a team", wide=True),
    Column("List-Prices", ".status.listPrices", "Whether it rests on public list prices", "boolean", wide=True),
    *_READY,
)
_BOOK = (
    Column("Currency", ".spec.currency", "Currency of all prices"),
    Column("Entries", ".status.entries", "Entries in force now", "integer"),
    Column("Nodes", ".status.nodesPriced", "GPU nodes that it prices now", "integer"),
    Column("List-Prices", ".spec.listPrices", "Whether these are public list prices", "boolean"),
    Column("As-Of", ".spec.asOf", "When the prices were read"),
    Column("Accepted", ".status.conditions[?(@.type=='Accepted')].status", "Whether all entries are usable"),
    Column("Source", ".spec.source", "Where the prices were read", wide=True),
    Column("Age", ".metadata.creationTimestamp", "Time since the object was made", "date", wide=True),
)
_POLICY = (
    Column("Mode", ".spec.mode", "What happens to an object that breaks a rule: Audit, Warn, DenyNew or Deny"),
    Column("Engine", ".status.engineInUse", "Who judges at admission now: webhook or vap"),
    Column("Coverage", ".status.summary.coverage", "Label coverage of the required keys, weighted by GPU cost"),
    Column("Objects", ".status.summary.objects", "Label coverage of the required keys, by count of objects"),
    Column("Would-Deny", ".status.wouldDeny", "Objects of today that Deny would refuse", "integer"),
    Column("Level", ".status.summary.level", "Maturity level, with the stage that the policy is in"),
    Column("Keys", ".status.keys", "Usable keys", "integer"),
    Column("Accepted", ".status.conditions[?(@.type=='Accepted')].status", "Whether all of it is usable"),
    Column("Next-Step", ".status.maturity.nextStep", "What brings it to the next level", wide=True),
    Column("Audited", ".status.auditedAt", "Time since the objects were last looked at", "date", wide=True),
    Column("Age", ".metadata.creationTimestamp", "Time since the object was made", "date", wide=True),
)
_BUDGET = (
    Column("Limit", ".status.limit", "Limit of the period"),
    Column("Spent", ".status.spent.total", "Spend in the period"),
    Column("%Used", ".status.percentUsed", "Spend over limit"),
    Column("Forecast", ".status.forecast.total", "Spend at the end of the period"),
    Column("TTE", ".status.timeToExhaustion", "Time until the limit is reached at this rate"),
    Column("Gate", ".status.gate", "Gate that is open, or would be"),
    Column("Next-Action", ".status.nextAction", "What comes next"),
    Column("Data-Age", ".status.data.asOf", "Time since the moment that the newest figures are of", "date"),
    Column("Mode", ".spec.mode", "Observe, Advise or Enforce", wide=True),
    Column("Period-End", ".status.period.end", "End of the period", wide=True),
    Column("Rate/h", ".status.ratePerHour", "Mean spend per hour of the last day", wide=True),
    Column("Committed/h", ".status.committedPerHour", "Cost per hour of what runs now", wide=True),
    Column("Stopped", ".status.enforcement.active", "Steps that are in force", "integer", wide=True),
    Column("Why", ".status.reason", "Why the gate is where it is", wide=True),
    *_READY,
)
_AGE = Column("Age", ".metadata.creationTimestamp", "Time since the object was made", "date")
_OVERRIDE = (
    Column("Budget", ".spec.budgetRef.name", "The budget that more is asked of"),
    Column("Purpose", ".spec.purpose", "What it is for"),
    Column("Amount", ".spec.amount", "How much more"),
    Column("Percent", ".spec.percent", "How much more, in percent of the limit", "integer"),
    Column("Phase", ".status.phase", "What became of it"),
    Column("Class", ".status.class", "Minor or Major"),
    Column("Requested-By", ".spec.requestedBy", "Who asks"),
    Column("Decided-By", ".spec.decision.by", "Who decided"),
    Column("Expires", ".status.expiresAt", "When it ends, or when nobody will decide any more"),
    _AGE,
    Column("Message", ".status.message", "What happens next", wide=True),
    Column("Reason", ".spec.reason", "Why it is needed", wide=True),
)
_ACTION = (
    Column("Budget", ".spec.budgetRef.name", "The budget that acts"),
    Column("Gate", ".spec.gate", "The gate that asks for it"),
    Column("Target", ".spec.targetRef.name", "The object that is changed"),
    Column("Kind", ".spec.targetRef.kind", "Its kind"),
    Column("Lever", ".spec.lever", "How it is done"),
    Column("Phase", ".status.phase", "How far it has come"),
    Column("Saves/h", ".spec.estimate.savePerHour", "What it saves per hour"),
    Column("At", ".spec.actionAt", "When it is done, if it is still needed then"),
    _AGE,
    Column("Message", ".status.message", "What happened and what happens next", wide=True),
    Column("Why", ".spec.reason", "Why it is done", wide=True),
)
_GATE = (
    Column("Budget", ".spec.budgetRef.name", "Whose gate it is"),
    Column("Gate", ".status.gate", "The gate of the budget"),
    Column("Deny-New", ".status.denyNew", "Whether new workloads are refused", "boolean"),
    Column("Freeze", ".status.freezeGrowth", "Whether what is there may not grow", "boolean"),
    Column("Until", ".status.until", "Until when new workloads are refused, unless it is renewed"),
    Column("Message", ".status.message", "What people are told who are refused"),
    _AGE,
)
_ACCOUNT = (
    Column("Provider", ".spec.provider", "Who is asked"),
    Column("Account", ".status.account", "Key in the ledger that it posts under"),
    Column("MTD-Cost", ".status.monthToDate.cost", "Cost of this month until now"),
    Column("Captured", ".status.capture.percent", "Part of what was billed that gateways saw"),
    Column("Data-Through", ".status.dataThrough", "Time since the end of the last day in the ledger", "date"),
    Column("Ready", ".status.conditions[?(@.type=='Ready')].status", "Whether the last fetch succeeded"),
    _AGE,
    Column("Reason", ".status.conditions[?(@.type=='Ready')].reason", "Why or why not", wide=True),
    Column("Last-Fetch", ".status.lastFetch", "Time since the provider last answered", "date", wide=True),
    Column("Billed", ".status.capture.billed", "What was billed on days that a gateway saw", wide=True),
    Column("Shadow", ".status.capture.shadow", "What was billed of it and no gateway saw", wide=True),
    Column("Restated", ".status.daysRestated", "Days that the last fetch changed", "integer", wide=True),
)

KINDS: tuple[Kind, ...] = (
    Kind(
        "AIWorkload",
        "aiworkloads",
        "aiw",
        NAMESPACED,
        AIWorkload,
        _WORKLOAD,
        (".spec.model", ".spec.workloadType", ".spec.stage", ".spec.dimensions.team"),
    ),
    Kind("PriceBook", "pricebooks", "", CLUSTER, PriceBook, _BOOK, (".spec.currency",)),
    Kind("AICostReport", "aicostreports", "acr", NAMESPACED, AICostReport, _REPORT, (".spec.window",)),
    Kind(
        "ClusterAICostReport",
        "clusteraicostreports",
        "cacr",
        CLUSTER,
        ClusterAICostReport,
        _REPORT,
        (".spec.window",),
    ),
    Kind("CostLabelPolicy", "costlabelpolicies", "clp", CLUSTER, CostLabelPolicy, _POLICY, (".spec.mode",)),
    Kind("Budget", "budgets", "bgt", NAMESPACED, Budget, _BUDGET, (".spec.mode", ".spec.currency")),
    Kind("ClusterBudget", "clusterbudgets", "cbgt", CLUSTER, ClusterBudget, _BUDGET, (".spec.mode", ".spec.currency")),
    Kind(
        "BudgetOverride",
        "budgetoverrides",
        "bgo",
        NAMESPACED,
        BudgetOverride,
        _OVERRIDE,
        (".spec.budgetRef.name", ".spec.purpose"),
    ),
    Kind(
        "BudgetAction",
        "budgetactions",
        "bga",
        NAMESPACED,
        BudgetAction,
        _ACTION,
        (".spec.budgetRef.name", ".spec.gate", ".spec.lever"),
    ),
    Kind("BudgetGate", "budgetgates", "bgg", NAMESPACED, BudgetGate, _GATE, (".spec.budgetRef.name",)),
    Kind("ProviderAccount", "provideraccounts", "pacc", CLUSTER, ProviderAccount, _ACCOUNT, (".spec.provider",)),
)
"""Every kind that the chart installs."""
