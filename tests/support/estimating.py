"""Short ways to write workloads and markets in tests of estimates."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from aicost.crd.convert.books import price_book
from aicost.domain.pricing.books import PriceBook
from aicost.domain.workloads.shapes import GpuHints, PodTemplate, Scaling, Workload

STARTER = Path(__file__).parents[2] / "charts/aicost/files/starter-prices.yaml"


def list_prices() -> PriceBook:
    """The book that the chart brings."""
    book = price_book(yaml.safe_load(STARTER.read_text())).value
    assert book is not None
    return book


def template(
    gpus: float | None = 1,
    *models: str,
    pods: int = 1,
    at_most: int | None = None,
    role: str = "",
    demand: Mapping[str, int] | None = None,
    claims: tuple[str, ...] = (),
    **node_labels: str,
) -> PodTemplate:
    """A template; underscores in the names of node labels stand for `/`, two for a dot."""
    labels = {key.replace("__", ".").replace("_", "/"): value for key, value in node_labels.items()}
    asked = {"nvidia.com/gpu": int(gpus)} if gpus and demand is None and gpus == int(gpus) else demand or {}
    milli = None if gpus is None else round(gpus * 1000)
    hints = GpuHints(models, labels)
    return PodTemplate("", role, pods, at_most or pods, {}, {}, (), asked, milli, hints, claims)


def workload(*templates: PodTemplate, scaling: Scaling = Scaling.FIXED, hours: float | None = None) -> Workload:
    duration = None if hours is None else round(hours * 3_600_000)
    return Workload(
        "v1", "Thing", "ns", "thing", {}, {}, (), templates, scaling, duration_ms=duration, duration_source="test"
    )
