"""The API server's word on who somebody is and what they may, kept for a few seconds."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from aicost.adapters.kube.client import KubeClient, decode
from aicost.adapters.kube.wire.resources import Resource
from aicost.entrypoints.queryapi.proof.attributes import Attributes
from aicost.entrypoints.queryapi.proof.gate import Caller

TOKEN_REVIEWS = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
ACCESS_REVIEWS = Resource("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False)
KEPT_MS = 10_000
"""How long an answer holds: a right that is taken away ends this much later at the latest."""
_MOST_KEPT = 1_000
_AT_ONCE = 8
"""Reviews that are asked for at once: strangers with many tokens must not flood the API server."""
Value = TypeVar("Value")


class _User(msgspec.Struct):
    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] | None = None
    extra: dict[str, tuple[str, ...]] | None = None


class _TokenStatus(msgspec.Struct):
    authenticated: bool = False
    user: _User = field(default_factory=_User)


class _TokenReview(msgspec.Struct):
    status: _TokenStatus


class _AccessStatus(msgspec.Struct):
    allowed: bool = False
    denied: bool = False


class _AccessReview(msgspec.Struct):
    status: _AccessStatus


@dataclass(slots=True)
class _Memory(Generic[Value]):
    """Answers that still hold; the oldest goes where there are too many."""

    now_ms: Callable[[], int]
    _kept: dict[object, tuple[int, Value]] = field(default_factory=dict)

    def recall(self, key: object) -> tuple[Value] | None:
        """The answer in a tuple of one, None where there is none that holds."""
        at_ms, value = self._kept.get(key, (0, None))
        age_ms = self.now_ms() - at_ms
        return (value,) if key in self._kept and 0 <= age_ms < KEPT_MS else None  # type: ignore[return-value]

    def keep(self, key: object, value: Value) -> None:
        """Remember an answer from now on."""
        self._kept.pop(key, None)
        self._kept[key] = (self.now_ms(), value)
        while len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]


class Reviews:
    """Asks TokenReview and SubjectAccessReview; both raise the errors of `KubeClient`. Tokens are kept as digests."""

    def __init__(self, client: KubeClient, now_ms: Callable[[], int]) -> None:
        self._client = client
        self._callers: _Memory[Caller | None] = _Memory(now_ms)
        self._answers: _Memory[bool] = _Memory(now_ms)
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def caller(self, token: str) -> Caller | None:
        """Whose token it is; None for nobody's."""
        key = hashlib.sha256(token.encode()).digest()
        known = self._callers.recall(key)
        if known is None:
            found = (await self._review(TOKEN_REVIEWS, {"token": token}, _TokenReview)).status
            known = (_caller(found.user) if found.authenticated else None,)
            self._callers.keep(key, known[0])
        return known[0]

    async def allowed(self, caller: Caller, asked: Attributes) -> bool:
        """Whether RBAC, or whatever authorises in the cluster, lets them."""
        known = self._answers.recall((caller, asked))
        if known is None:
            spec = {
                "user": caller.user,
                "uid": caller.uid,
                "groups": caller.groups,
                "extra": dict(caller.extra),
                "resourceAttributes": asked.document,
            }
            status = (await self._review(ACCESS_REVIEWS, spec, _AccessReview)).status
            known = (status.allowed and not status.denied,)
            self._answers.keep((caller, asked), known[0])
        return known[0]

    async def _review(self, resource: Resource, spec: Mapping[str, Any], shape: type[Value]) -> Value:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
        async with self._room:
            return decode(await self._client.create(resource, body), shape, f"a {resource.kind}")


def _caller(user: _User) -> Caller | None:
    extra = tuple(sorted((key, tuple(values)) for key, values in (user.extra or {}).items()))
    return Caller(user.username, user.uid, tuple(user.groups or ()), extra) if user.username else None
