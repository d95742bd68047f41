"""What real exporters printed is understood: real captures, where they are at hand."""

from pathlib import Path

import numpy as np
import pytest

from aicost.adapters.dcgm.exposition import parse
from aicost.domain.sampling.series import RawSeries
from aicost.domain.trust.reasons import TrustReason
from support.expositions import EXPORTER, NODE, NOW, gpu_node, judged

CAPTURES = sorted((Path(__file__).parents[4] / "shared/data/cncf-k8s-ai-conformance/extracted").glob("*dcgm*.prom"))
pytestmark = pytest.mark.skipif(
    not CAPTURES, reason="the real captures (../shared/data/cncf-k8s-ai-conformance) are absent"
)
NO_PROFILING = {"rafay-T4-dcgm-1.prom"}
"""An excerpt of memory alone."""


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_a_capture_is_trusted_but_for_what_it_lacks(path: Path) -> None:
    readings = parse(path.read_bytes()).readings
    raw = [
        RawSeries(one.name, one.labels, np.array([NOW - 1]), np.array([one.value]), NODE, EXPORTER.pod, one.help)
        for one in readings
    ]
    gpus = len({series.labels["UUID"] for series in raw})
    found = [one.reason for one in judged(raw, node=gpu_node(gpus)).findings]
    assert found == ([TrustReason.PROFILING_ABSENT] if path.name in NO_PROFILING else [])
