"""The webhook answers the table of cases over HTTPS as `admit()` does."""

from pathlib import Path
from typing import Any

import pytest

from aicost.domain.policy.admit import admit
from aicost.domain.policy.as_patch import json_patch
from aicost.domain.policy.decisions import Verdict
from aicost.domain.policy.requests import Operation
from support.admission.case import Case
from support.admission_cases import CASES
from support.served_webhook import ServedWebhook, patch_of, review

ASKED = [one for one in CASES if one.operation is not Operation.AUDIT and not one.beside and not one.unreachable]
"""An audit asks nobody, the API server sends one object at a time, and no objects that it would not take itself."""


async def _ask(webhook: ServedWebhook, case: Case, path: str) -> dict[str, Any]:
    user = {"username": case.requester.name, "groups": list(case.requester.groups)}
    return await webhook.ask(path, case.manifest, str(case.operation), oldObject=case.before, userInfo=user)


async def test_the_table_of_cases_is_answered(tmp_path: Path) -> None:
    assert len(ASKED) >= 60
    wrong: list[str] = []
    async with ServedWebhook(tmp_path) as webhook:
        for case in ASKED:
            webhook.know(case.snapshot)
            webhook.now_ms = case.now_ms
            said, written = await _ask(webhook, case, "/validate"), await _ask(webhook, case, "/mutate")
            wrong += _differences(case, said, written)
    assert wrong == []


def _differences(case: Case, said: dict[str, Any], written: dict[str, Any]) -> list[str]:
    decision = admit(case.snapshot, case.request(), case.now_ms)
    patch = json_patch(case.request().workload, decision.changes) if case.operation is Operation.CREATE else []
    codes = [str(one.code) for one in decision.problems if not one.excused_by]
    told = [one["reason"] for one in said.get("status", {}).get("details", {}).get("causes", [])]
    agreements = {
        "allowed": said["allowed"] == (case.verdict is not Verdict.DENY),
        "verdict": said["auditAnnotations"]["verdict"] == str(case.verdict),
        "codes": told == (codes if case.verdict is Verdict.DENY else []),
        "warnings": case.verdict is not Verdict.WARN or any(one.startswith("[") for one in said["warnings"]),
        "patch": patch_of(written) == patch,
        "written": len(patch) == 0 or written["patchType"] == "JSONPatch",
        "not refused while written": written["allowed"],
    }
    return [f"{case.name}: {what}" for what, agrees in agreements.items() if not agrees]


@pytest.mark.parametrize(
    "case", [one for one in ASKED if one.changes and one.operation is Operation.CREATE][:5], ids=lambda one: one.name
)
async def test_what_was_written_is_not_written_again(webhook: ServedWebhook, case: Case) -> None:
    webhook.know(case.snapshot)
    webhook.now_ms = case.now_ms
    patched = _patched(case.manifest, patch_of(await _ask(webhook, case, "/mutate")))
    again = await webhook.ask(
        "/mutate", patched, userInfo={"username": case.requester.name, "groups": list(case.requester.groups)}
    )
    assert "patch" not in again


def _patched(body: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Apply a patch that only adds."""
    made = _copy(body)
    for operation in operations:
        assert operation["op"] == "add"
        *path, last = [one.replace("~1", "/").replace("~0", "~") for one in operation["path"].split("/")[1:]]
        holder: Any = made
        for step in path:
            holder = holder[int(step) if isinstance(holder, list) else step]
        holder[last] = operation["value"]
    return made


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


async def test_what_no_api_server_would_send_gets_an_answer_too(tmp_path: Path) -> None:
    hostile = [one for one in CASES if one.unreachable and one.operation is not Operation.AUDIT]
    assert len(hostile) >= 8
    async with ServedWebhook(tmp_path) as webhook:
        for case in hostile:
            webhook.know(case.snapshot)
            for path in ("/validate", "/mutate"):
                status, _ = await webhook.post(path, review(case.manifest, oldObject=case.before))
                assert status in {200, 400, 413}, case.name
