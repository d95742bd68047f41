"""AdmissionReview v1: what the API server asks, and what it is answered."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec

from aicost.domain.policy.requests import Operation, Requester
from aicost.ports.errors import InvalidRequest

API_VERSION, KIND = "admission.k8s.io/v1", "AdmissionReview"
MOST_WARNINGS, LONGEST_WARNING = 20, 256
"""kubectl shows more than that to nobody: the API server cuts them off."""
_SHOWN = 200
T = TypeVar("T")


class _User(msgspec.Struct):
    username: str = ""
    groups: tuple[str, ...] | None = None


class _Request(msgspec.Struct, rename="camel"):
    uid: str
    operation: str
    namespace: str = ""
    user_info: _User = msgspec.field(default_factory=_User)
    object: msgspec.Raw = msgspec.Raw(b"null")
    old_object: msgspec.Raw = msgspec.Raw(b"null")
    dry_run: bool | None = None


class _Review(msgspec.Struct, rename="camel"):
    api_version: str
    kind: str
    request: _Request


_reviews = msgspec.json.Decoder(_Review)
_objects = msgspec.json.Decoder(dict[str, Any] | None)


@dataclass(frozen=True, slots=True)
class Question:
    """What the API server asks.

    Attributes:
        operation: None for one that is not judged (DELETE, CONNECT).
        content, content_before: the object as it would be and as it is, as JSON; `null` where there is none.
        namespace: of the request, empty for what lives in none.
    """

    uid: str
    operation: Operation | None
    content: bytes
    content_before: bytes
    namespace: str
    requester: Requester
    dry_run: bool

    def body(self) -> Mapping[str, Any]:
        """The object as it would be, empty where there is none.

        Raises:
            InvalidRequest: it is no object.
        """
        return _placed(_object(self.content), self.namespace)

    def before(self) -> Mapping[str, Any]:
        """The object as it is, empty where there is none.

        Raises:
            InvalidRequest: it is no object.
        """
        return _placed(_object(self.content_before), self.namespace)


@dataclass(frozen=True, slots=True)
class Answer:
    """What it is told.

    Attributes:
        message: why it is refused; empty where it is not.
        causes: (reason, field, message) of each problem, for programs.
        notes: annotations of the audit event, without a prefix: the API server puts the webhook's name before them.
        patch: JSON patch.
    """

    allowed: bool = True
    message: str = ""
    causes: tuple[tuple[str, str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    patch: Sequence[Mapping[str, Any]] = ()


def read_review(content: bytes) -> Question:
    """Read what the API server sent.

    Raises:
        InvalidRequest: it is no AdmissionReview of version v1.
    """
    review = _decoded(_reviews, content)
    if (review.api_version, review.kind) != (API_VERSION, KIND):
        told = f"{review.api_version[:_SHOWN]} {review.kind[:_SHOWN]}"
        raise InvalidRequest(f"the body is {told!r}: send {API_VERSION} {KIND}")
    return _question(review.request)


def _question(asked: _Request) -> Question:
    return Question(
        uid=asked.uid,
        operation=Operation(asked.operation) if asked.operation in {"CREATE", "UPDATE"} else None,
        content=bytes(asked.object),
        content_before=bytes(asked.old_object),
        namespace=asked.namespace,
        requester=Requester(asked.user_info.username, asked.user_info.groups or ()),
        dry_run=bool(asked.dry_run),
    )


def _object(content: bytes) -> dict[str, Any] | None:
    found: dict[str, Any] | None = _decoded(_objects, content)
    return found


def _decoded(decoder: "msgspec.json.Decoder[T]", content: bytes) -> T:
    try:
        return decoder.decode(content)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
        raise InvalidRequest(f"the body is no {KIND}: {str(problem)[:_SHOWN]}: send {API_VERSION} as JSON") from problem


def _placed(body: dict[str, Any] | None, namespace: str) -> Mapping[str, Any]:
    """The object with its namespace, which a request may name in its path alone."""
    if not body or not namespace:
        return body or {}
    metadata = body.get("metadata")
    if isinstance(metadata, dict) and not metadata.get("namespace"):
        return {**body, "metadata": {**metadata, "namespace": namespace}}
    return body


def write_review(uid: str, answer: Answer) -> bytes:
    """The AdmissionReview that answers a question."""
    response: dict[str, Any] = {"uid": uid, "allowed": answer.allowed}
    if not answer.allowed:
        response["status"] = _status(answer)
    if answer.warnings:
        response["warnings"] = [text[:LONGEST_WARNING] for text in answer.warnings[:MOST_WARNINGS]]
    if answer.notes:
        response["auditAnnotations"] = dict(answer.notes)
    if answer.patch:
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(msgspec.json.encode(answer.patch)).decode()
    return msgspec.json.encode({"apiVersion": API_VERSION, "kind": KIND, "response": response})


def _status(answer: Answer) -> dict[str, Any]:
    causes = [{"reason": reason, "field": where, "message": text} for reason, where, text in answer.causes]
    return {
        "status": "Failure",
        "code": int(HTTPStatus.FORBIDDEN),
        "reason": "Forbidden",
        "message": answer.message,
        **({"details": {"causes": causes}} if causes else {}),
    }
