"""Unit costs as a resource: its names, its fields, and the parameters that a request understands."""

from aicost.crd.allocations.listing import Field
from aicost.crd.allocations.parameters import FORMAT
from aicost.crd.coverage.resources import Served

_ALL_ALONE = "of the whole cluster alone: gateways do not say whose models they count"
UNIT_COSTS = Served(
    plural="unitcosts",
    kind="UnitCost",
    short_name="units",
    about="What a token, a request and a success of some engines cost, computed when it is asked for.",
    fields=(
        Field("keys", "keys", "object", "The values of the group, by key."),
        Field("models", "models", "string", "Models, as their engines call them."),
        Field("cost", "cost", "string", "What the pods cost in the windows that were counted."),
        Field("costNanos", "cost_nanos", "integer", "The same in nano-units (10^-9) of the currency."),
        Field("inPerMillion", "input", "string", "A million computed tokens of prompts, idle included."),
        Field("cachedPerMillion", "cached", "string", "A million tokens that a cache held."),
        Field("outPerMillion", "output", "string", "A million tokens of answers, idle included."),
        Field("activeOutPerMillion", "active", "string", "A million tokens of answers, if nothing idled."),
        Field("usefulOutPerMillion", "useful", "string", "A million tokens of successful answers."),
        Field("perRequest", "per_request", "string", "One request."),
        Field("perSuccess", "per_success", "string", "One success."),
        Field("successBy", "success_by", "string", "Who says what a success is: engine, gateway, query or outcomes."),
        Field("waste", "waste", "string", "Part of the generated tokens that was of no use."),
        Field("idleShare", "idle", "string", "Part of the cost that idled."),
        Field("method", "method", "string", "What the division into prompts and answers rests on."),
        Field("confidence", "confidence", "string", "How far that can be trusted."),
        Field("discovered", "discovered", "boolean", "True where no AIWorkload speaks of these engines."),
    ),
    parameters={
        "window": "The time to look at: yesterday, 7d, 2026-10, FROM/TO; its closed windows count. Default: today.",
        "by": "Group keys, as a list with commas or repeated. Default: namespace,controller.",
        "filter": "KEY=VALUE[,VALUE]; repeated, all must match.",
        "tenants": f"team, feature, customer, project or product: divide among those who asked; {_ALL_ALONE}.",
        "rounds": f"true: what the requests of callers became; {_ALL_ALONE}.",
        "timeZone": "Zone in which days and months begin.",
        FORMAT: "report: the document that `aicost units` reads.",
    },
)
