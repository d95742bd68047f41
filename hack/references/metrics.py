"""The reference of our own metrics."""

from aicost.telemetry.metrics import METRICS, MetricSpec
from references.tables import table

_INTRO = """# Metrics

<!-- Generated from operator/aicost/telemetry/metrics.py by hack/generate.py. Do not edit. -->

The controller serves them on `/metrics`, at the port of the chart value `metrics.port`, and nothing else beside them.
Labels such as the namespace and the pod are added by whoever scrapes. A gauge is not there until its value is known:
what is missing is never 0.

"""


def render() -> str:
    """The reference page."""
    return _INTRO + table(("Metric", "Type", "Labels", "Meaning"), [*map(_row, METRICS)])


def _row(spec: MetricSpec) -> tuple[str, ...]:
    return (f"`{spec.name}`", spec.kind.value, ", ".join(f"`{label}`" for label in spec.labels), spec.help)
