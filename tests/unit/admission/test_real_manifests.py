"""All manifests that others wrote, through the webhook in warn mode."""

from dataclasses import replace
from pathlib import Path

import pytest

from aicost.domain.policy.policies import Mode
from aicost.domain.workloads.reading import read_workload
from support.admission.policies import COST_CENTER, TEAM, WORLD, policy
from support.controller import shown
from support.manifests import REAL, documents
from support.served_webhook import ServedWebhook

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the real manifests (../shared/data/manifests) are absent")


async def test_each_is_let_in_with_a_warning_and_its_gpus_are_counted(tmp_path: Path) -> None:
    files = sorted([*REAL.rglob("*.yaml"), *REAL.rglob("*.yml")])
    assert len(files) >= 49
    judged, wrong = 0, []
    async with ServedWebhook(tmp_path) as webhook:
        webhook.know(replace(WORLD, policies=(policy(TEAM, COST_CENTER, mode=Mode.WARN),)))
        for path in files:
            for body in documents(path):
                said = await webhook.ask("/validate", body)
                written = await webhook.ask("/mutate", body)
                assert said["allowed"], path
                assert written["allowed"], path
                workload = read_workload(body)
                notes = said.get("auditAnnotations", {})
                if workload is None:
                    assert not notes
                    continue
                judged += 1
                size = "unknown" if workload.gpu_milli is None else str(workload.gpu_milli)
                if notes["verdict"] != "warn" and "out of scope" not in notes["reason"]:
                    wrong.append((path.name, notes))
                assert notes["gpuMilli"] == size, path
    assert wrong == []
    assert judged >= 40
    assert not [name for name in shown(webhook.metrics) if name[0] == "aicost_admission_errors_total"]
