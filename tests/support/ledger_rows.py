"""Ledger rows for tests: `make_row(cost=5, team="vision")` says what matters, the rest is ordinary."""

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.rows import HELD, Bucket, Component, Holder, Method, Place, Quality, Row
from aicost.ports.ledger import Posting

HOUR_0 = Window(1_795_600_800_000, 1_795_604_400_000)
"""2026-11-25T10:00:00Z, one hour."""
CLUSTER = "cluster-1"


def hour(offset: int) -> Window:
    """The billing window so many hours after `HOUR_0`."""
    return Window(HOUR_0.start_ms + offset * HOUR_MS, HOUR_0.end_ms + offset * HOUR_MS)


def make_holder(
    namespace: str = "team-a", pod: str = "train-0", labels: dict[str, str] | None = None, **dimensions: str
):
    """A pod of a Deployment; dimensions by name, `cost_center` for `cost-center`."""
    named = {name.replace("_", "-"): value for name, value in dimensions.items()}
    told = dict.fromkeys(named, "pod-label")
    return Holder(namespace, pod, f"uid-{pod}", "Deployment", pod.rsplit("-", 1)[0], "", named, told, labels or {})


def make_row(
    cost: int | None = 1_000,
    *,
    gpu_ms: int = 600_000,
    bucket: Bucket = Bucket.USED,
    window: Window = HOUR_0,
    revision: int = 0,
    cluster: str = CLUSTER,
    node: str = "node-1",
    device: str = "GPU-1",
    holder: Holder | None = None,
    measured_ms: int | None = None,
    error: int | None = 10,
    currency: str = "USD",
    component: Component = Component.GPU,
    **rest,
) -> Row:
    """One row; held buckets belong to `make_holder()` unless another holder is given."""
    owner = holder if holder is not None else (make_holder() if bucket in HELD else Holder())
    return Row(
        window=window,
        revision=revision,
        component=component,
        place=Place(cluster, node, device, "nvidia-h100", "aws", "us-east-1", "us-east-1a", "p5.48xlarge", "on-demand"),
        holder=owner,
        bucket=bucket,
        method=Method.EXCLUSIVE,
        quality=Quality.MEASURED_GAUGE,
        signal="sm-active",
        currency=currency,
        cost_nanos=cost,
        gpu_milliseconds=gpu_ms,
        measured_milliseconds=gpu_ms if measured_ms is None else measured_ms,
        error_nanos=error,
        **rest,
    )


def make_posting(*rows: Row, window: Window = HOUR_0, revision: int = 0, cluster: str = CLUSTER) -> Posting:
    """A posting of these rows."""
    return Posting(cluster, window, revision, rows)
