"""The reference of the metrics of the node agent."""

from aicost.telemetry.agent import AGENT_METRICS, AgentMetric
from references.tables import table

_INTRO = """# Metrics of the node agent

<!-- Generated from operator/aicost/telemetry/agent.py by hack/generate.py. Do not edit. -->

[`aicost agent`](../guide/node-agent.md) serves them on `/metrics`, at the port of the chart value `agent.port`.
Counters never fall, also when the agent is restarted. A series is there once something was measured: what is missing is
never 0. `instance` is the id of a GPU instance of MIG, and empty for a whole GPU.

"""


def render() -> str:
    """The reference page."""
    return _INTRO + table(("Metric", "Type", "Labels", "Meaning"), [*map(_row, AGENT_METRICS)])


def _row(metric: AgentMetric) -> tuple[str, ...]:
    return (f"`{metric.name}`", metric.kind.value, ", ".join(f"`{label}`" for label in metric.labels), metric.help)
