"""What the webhook says to what is no question, to what it cannot judge, and to dry runs."""

import json
from dataclasses import replace
from typing import Any

import pytest

from aicost.domain.policy.policies import Exemption
from aicost.domain.policy.requests import PolicySnapshot
from aicost.entrypoints.admission.answering import judge as judging
from aicost.entrypoints.admission.answering.app import MAX_BODY
from aicost.entrypoints.admission.answering.review import Answer, write_review
from support.admission.case import COST_LABELS
from support.admission.manifests import deployment, pod
from support.admission.policies import WORLD
from support.builders import T0
from support.controller import shown
from support.served_webhook import ServedWebhook, review

STRICT = PolicySnapshot(revision="abc123", policies=(COST_LABELS,), namespaces=WORLD.namespaces)


def _asked(**changed: Any) -> bytes:
    """A question of which something was changed."""
    return json.dumps({**review({}), **changed}).encode()


@pytest.mark.parametrize("path", ["/validate", "/mutate", "/probe"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no AdmissionReview"),
        (b"{", "is no AdmissionReview"),
        (b"[]", "is no AdmissionReview"),
        (_asked(request=None), "is no AdmissionReview"),
        (_asked(apiVersion="admission.k8s.io/v1beta1"), "send admission.k8s.io/v1"),
        (_asked(apiVersion="v1", kind="Pod"), "the body is 'v1 Pod'"),
        (_asked(request={"uid": 7, "operation": "CREATE"}), "Expected `str`"),
        (_asked(request={"uid": "u", "operation": "CREATE", "object": []}), "is no AdmissionReview"),
        (b'{"a":' * 100_000, "is no AdmissionReview"),
        (b"\xff\xfe", "is no AdmissionReview"),
    ],
    ids=range(10),
)
async def test_what_is_no_question_is_a_400_that_says_why(
    webhook: ServedWebhook, path: str, content: bytes, told: str
) -> None:
    webhook.know(STRICT)
    status, text = await webhook.post(path, content)
    assert status == 400
    assert told in text
    assert shown(webhook.metrics)["aicost_admission_errors_total", "bad-request"] == 1


async def test_a_body_that_no_api_server_would_send_is_not_read(webhook: ServedWebhook) -> None:
    status, _ = await webhook.post("/validate", b" " * (MAX_BODY + 1))
    assert status == 413


async def test_the_largest_objects_that_an_api_server_takes_are_judged(webhook: ServedWebhook) -> None:
    """Somebody who pads an object is refused like everybody else."""
    webhook.know(STRICT)
    padded = deployment(annotations={"note": "x" * (3 * 1024 * 1024)})
    said = await webhook.ask(
        "/validate",
        padded,
        "UPDATE",
        oldObject=deployment({"aicost.dev/team": "vision"}, annotations={"note": "y" * (3 * 1024 * 1024)}),
    )
    assert "verdict" in said["auditAnnotations"]


@pytest.mark.parametrize("operation", ["DELETE", "CONNECT"])
async def test_what_is_not_judged_is_let_in_without_a_word(webhook: ServedWebhook, operation: str) -> None:
    webhook.know(STRICT)
    for path in ("/validate", "/mutate"):
        assert await webhook.ask(path, None, operation, oldObject=deployment()) == {"uid": "u-1", "allowed": True}


@pytest.mark.parametrize("kind", ["ConfigMap", "Service", "Unheard"])
async def test_what_runs_nothing_is_let_in_without_a_word(webhook: ServedWebhook, kind: str) -> None:
    webhook.know(STRICT)
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}}
    assert await webhook.ask("/validate", body) == {"uid": "u-1", "allowed": True}


async def test_before_anything_is_known_objects_are_let_in_with_a_warning(webhook: ServedWebhook) -> None:
    said = await webhook.ask("/validate", deployment())
    assert (said["allowed"], said["warnings"]) == (True, [judging.NOT_JUDGED])
    assert shown(webhook.metrics)["aicost_admission_errors_total", "not-ready"] == 1


@pytest.mark.parametrize("path", ["/validate", "/mutate"])
async def test_a_bug_lets_in_with_a_warning_and_counts(
    webhook: ServedWebhook, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError

    webhook.know(STRICT)
    monkeypatch.setattr("aicost.entrypoints.admission.answering.hearing.admit", stumble)
    said = await webhook.ask(path, deployment())
    assert (said["allowed"], said["warnings"]) == (True, [judging.NOT_JUDGED])
    assert said["auditAnnotations"] == {"error": "bug"}
    assert shown(webhook.metrics)["aicost_admission_errors_total", "bug"] == 1


async def test_a_bug_in_the_estimate_is_no_reason_not_to_judge(
    webhook: ServedWebhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError

    webhook.know(PolicySnapshot(revision="abc123"))
    monkeypatch.setattr(judging, "estimate", stumble)
    said = await webhook.ask("/validate", deployment())
    assert said["auditAnnotations"]["verdict"] == "allow"
    assert "warnings" not in said
    assert shown(webhook.metrics)["aicost_admission_errors_total", "estimate"] == 1


async def test_what_was_decided_is_decided_anew_by_other_policies_for_other_people_and_objects(
    webhook: ServedWebhook,
) -> None:
    webhook.know(STRICT)
    assert (await webhook.ask("/validate", deployment()))["allowed"] is False
    assert (await webhook.ask("/validate", deployment({"aicost.dev/team": "vision"})))["allowed"] is False
    kubelet = {"username": "system:node:n", "groups": ["system:nodes"]}
    mirrored = pod(annotations={"kubernetes.io/config.mirror": "x"})
    assert (await webhook.ask("/validate", mirrored))["allowed"] is False
    assert (await webhook.ask("/validate", mirrored, userInfo=kubelet))["allowed"] is True
    webhook.know(PolicySnapshot(revision="none"))
    assert (await webhook.ask("/validate", deployment()))["allowed"] is True
    webhook.know(STRICT)
    assert (await webhook.ask("/validate", deployment()))["allowed"] is False


async def test_an_exemption_ends_between_two_questions_about_one_object(webhook: ServedWebhook) -> None:
    moving = Exemption("moving", until_ms=T0 + 1, approved_by="frida")
    webhook.know(replace(STRICT, policies=(replace(COST_LABELS, exemptions=(moving,)),)))
    assert (await webhook.ask("/validate", deployment()))["allowed"] is True
    webhook.now_ms += 1
    assert (await webhook.ask("/validate", deployment()))["allowed"] is False


async def test_the_revision_is_stamped_into_each_answer(webhook: ServedWebhook) -> None:
    webhook.know(STRICT)
    for path in ("/validate", "/mutate"):
        assert (await webhook.ask(path, deployment()))["auditAnnotations"]["revision"] == "abc123"


async def test_decisions_are_counted_by_verdict_mode_and_engine_and_dry_runs_leave_no_trace(
    webhook: ServedWebhook,
) -> None:
    webhook.know(STRICT)
    counted = ("aicost_admission_decisions_total", "deny", "Deny", "webhook")
    told = await webhook.ask("/validate", deployment(), dryRun=True)
    assert told["allowed"] is False
    assert (counted in shown(webhook.metrics), webhook.told) == (False, [])
    await webhook.ask("/validate", deployment())
    assert shown(webhook.metrics)[counted] == 1
    assert webhook.told == [told["status"]["message"]]


async def test_a_denial_is_a_403_with_its_causes(webhook: ServedWebhook) -> None:
    webhook.know(STRICT)
    status = (await webhook.ask("/validate", pod()))["status"]
    assert (status["code"], status["reason"]) == (403, "Forbidden")
    assert {one["reason"] for one in status["details"]["causes"]} == {"missing-label"}
    assert {one["field"] for one in status["details"]["causes"]} == {"team", "cost-center"}
    assert "\n" not in status["message"]


async def test_the_namespace_of_the_request_counts_where_the_object_names_none(webhook: ServedWebhook) -> None:
    webhook.know(STRICT)
    body = deployment()
    del body["metadata"]["namespace"]
    said = await webhook.ask("/validate", body, namespace="kube-system")
    assert said["auditAnnotations"]["reason"] == "out of scope: namespace kube-system belongs to the system"
    assert (await webhook.ask("/validate", body, namespace="plain"))["allowed"] is False, "each place has its verdict"


async def test_the_probe_refuses_the_object_that_exists_for_it_and_no_other(webhook: ServedWebhook) -> None:
    webhook.know(STRICT)
    named = {"metadata": {"name": "aicost-enforcement-probe"}}
    said = await webhook.ask("/probe", named)
    assert (said["allowed"], said["status"]["message"]) == (False, "aicost is asked, with policies of revision abc123")
    assert (await webhook.ask("/probe", {"metadata": {"name": "other"}}))["allowed"] is True


async def test_readiness_follows_knowledge(webhook: ServedWebhook) -> None:
    async def ready() -> int:
        async with webhook.session() as session, session.get("/readyz") as answer:
            return answer.status

    assert await ready() == 503
    webhook.know(STRICT)
    assert await ready() == 200


def test_warnings_are_as_many_and_as_long_as_people_see() -> None:
    text = write_review("u", Answer(warnings=("w" * 999,) * 99)).decode()
    assert text.count("w" * 256) == 20
    assert "w" * 257 not in text


def test_a_question_of_a_test_is_one_that_an_api_server_would_ask() -> None:
    assert set(review({})["request"]) == {
        "uid", "operation", "namespace", "name", "userInfo", "object", "oldObject", "dryRun",
    }  # fmt: skip
