"""The telemetry of nodes as a resource: its names, its fields, and the parameters that a request understands."""

from aicost.crd.allocations.listing import Field
from aicost.crd.allocations.parameters import FORMAT
from aicost.crd.coverage.resources import Served

NODE_TELEMETRIES = Served(
    plural="nodetelemetries",
    kind="NodeTelemetry",
    short_name="ntel",
    about="Whether the samples of a node's GPUs can be trusted, why not, and what to do: as of the last look.",
    fields=(
        Field("trusted", "trusted", "string", "True, False or Unknown, as of the condition TelemetryTrusted."),
        Field("reason", "reason", "string", "The gravest reason in one word; Trusted where there is none."),
        Field("message", "message", "string", "What was seen."),
        Field("fix", "fix", "string", "What to do."),
        Field("since", "since", "string", "Since when it is trusted, or not."),
        Field("newestSample", "newest_sample", "string", "Moment of the newest sample; absent where there is none."),
        Field("gpus", "gpus", "string", "GPUs that samples show, of those that the node should have."),
        Field("checked", "checked_at", "string", "Moment of the last look."),
        Field("conditions", "conditions", "array", "The condition TelemetryTrusted, as of other resources."),
        Field(
            "reasons", "reasons", "array", "All reasons, the gravest first: what was seen, what it does, what to do."
        ),
    ),
    parameters={
        "node": "One node.",
        "limit": "Understood and ignored: all nodes are told.",
        FORMAT: "report: the document of `aicost telemetry -o json`.",
    },
    namespaced=False,
)
