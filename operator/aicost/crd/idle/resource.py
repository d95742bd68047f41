"""Idle money as a resource: its names, its fields, and the parameters that a request understands."""

from aicost.crd.allocations.listing import Field
from aicost.crd.allocations.parameters import FORMAT
from aicost.crd.coverage.resources import Served

IDLES = Served(
    plural="idles",
    kind="Idle",
    short_name="idle",
    about="Why GPUs cost money and computed nothing, with an owner for each line, computed when it is asked for.",
    fields=(
        Field("reason", "kind", "string", "idle-resident, scale-waste, allocated-idle, unallocated, stranded ..."),
        Field("phase", "phase", "string", "Of scale waste: before a spike, after a spike ..."),
        Field("owner", "owner", "string", "Who can act: a team, a namespace, or the platform."),
        Field("workload", "workload", "string", "Kind and name of the controller."),
        Field("pod", "pod", "string", "Pod, where the line is about one."),
        Field("model", "model", "string", "AI model."),
        Field("gpuModel", "gpu_model", "string", "GPU model."),
        Field("memory", "memory", "string", "Most memory that was held while nothing computed."),
        Field("gpuHours", "gpu_hours", "string", "GPU-hours, priced or not."),
        Field("replicaHours", "replica_hours", "string", "Hours of replicas that the load did not need."),
        Field("cost", "cost", "string", "Cost with its currency; absent where it is not known."),
        Field("costNanos", "cost_nanos", "integer", "The same in nano-units (10^-9) of the currency."),
        Field("perDay", "per_day", "string", "The cost of a day at that pace."),
        Field("perDayNanos", "per_day_nanos", "integer", "The same in nano-units."),
        Field("fix", "fix", "string", "What to do."),
    ),
    parameters={
        "window": "The time to look at: 24h, 7d, yesterday, 2026-11-20, FROM/TO. Default: 24h.",
        "timeZone": "Zone in which days and months begin.",
        "limit": "Lines that the answer names.",
        FORMAT: "report: the document of `aicost idle -o json`.",
    },
)
