"""Where an AIWorkload says that the metrics of its engine are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aicost.crd.convert.parsing import Converted, parse
from aicost.crd.models.aiworkload import AIWorkloadSpec

USUAL_PATH = "/metrics"


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """The page of metrics of each pod of a workload.

    Attributes:
        workload: namespace and name.
        port: where it is served.
        path: its path.
    """

    workload: tuple[str, str]
    port: int
    path: str = USUAL_PATH


def metrics_page(body: Mapping[str, Any]) -> Converted[MetricsPage]:
    """Read where the metrics are; nothing for an AIWorkload that names no port."""
    read = parse(AIWorkloadSpec, body.get("spec") or {}, "spec")
    telemetry = None if read.value is None else read.value.telemetry
    if telemetry is None or telemetry.port is None:
        return Converted(None, read.problems)
    place = str(body["metadata"]["namespace"]), str(body["metadata"]["name"])
    return Converted(MetricsPage(place, telemetry.port, telemetry.path or USUAL_PATH))
