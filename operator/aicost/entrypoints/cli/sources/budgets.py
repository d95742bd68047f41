"""Budgets and requests for more in a cluster, read and written with the user's own rights. The API server decides."""

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.wire.errors import Conflict, NotFound, Rejected
from aicost.adapters.kube.wire.resources import Resource
from aicost.domain.budgets.plans import BudgetRef
from aicost.domain.exact.windows import from_rfc3339
from aicost.entrypoints.cli.sources.bodies import Body
from aicost.entrypoints.cli.sources.objects import own_resource
from aicost.ports.errors import AicostError, InvalidAnswer, InvalidRequest, NotPermitted

FIELD_MANAGER = "aicost-cli"
OVERRIDES = own_resource("BudgetOverride")
_SELVES = Resource("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False)
_RIGHTS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)
_ATTEMPTS = 12
"""How often a change is tried on an object that others change at the same time."""
_PAUSE_MS = 30
"""Two who met once wait for so long times the attempt, at most, each by chance, so that they do not meet again."""
_GUARD = re.compile(r"ValidatingAdmissionPolicy|admission webhook")
_LACKS = re.compile(r'lacks the verb "([a-z-]+)"')
_GRANT = re.compile(r"\. Grant it by .*$", re.DOTALL)
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as the API server sees it, and when, by its clock."""

    name: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class Right:
    """A right that something takes: a verb on one object."""

    verb: str
    resource: Resource
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        place = f" in namespace {self.namespace}" if self.namespace else ""
        return f"the verb {self.verb} on {self._object}{place}"

    @property
    def check(self) -> str:
        """How to ask for it with kubectl."""
        place = f" -n {self.namespace}" if self.namespace else ""
        return f"kubectl auth can-i {self.verb} {self._object}{place}"

    @property
    def _object(self) -> str:
        return f"{self.resource.plural}/{self.name}" if self.name else self.resource.plural


def right_on(verb: str, budget: BudgetRef) -> Right:
    """A right on a budget."""
    return Right(verb, own_resource(budget.kind), budget.name, budget.namespace)


class Desk:
    """What people do with budgets, in the name of one of them."""

    def __init__(self, client: KubeClient, asker: Asker) -> None:
        self.asker = asker
        self._client = client

    async def budget(self, ref: BudgetRef) -> Body:
        """A budget.

        Raises:
            InvalidRequest: there is none.
        """
        try:
            return _object(await self._client.get(own_resource(ref.kind), ref.name, ref.namespace or None))
        except NotFound as missing:
            raise _absent(own_resource(ref.kind), missing, _no_budget(ref)) from missing

    async def readable(self, ref: BudgetRef) -> tuple[Body | None, str]:
        """A budget where it may be read, else why not: who may ask need not be allowed to look."""
        try:
            return await self.budget(ref), ""
        except NotPermitted as refused:
            return None, str(refused)

    async def override(self, namespace: str, name: str) -> Body:
        """A request for more.

        Raises:
            InvalidRequest: there is none.
        """
        try:
            return _object(await self._client.get(OVERRIDES, name, namespace))
        except NotFound as missing:
            told = f"name: no BudgetOverride {name!r} in namespace {namespace}: `requests` lists those that are there"
            raise _absent(OVERRIDES, missing, told) from missing

    async def listed(self, kind: str, namespace: str | None) -> list[Body]:
        """All objects of one of our kinds, in a namespace or in all.

        Raises:
            NotPermitted: they may not be listed.
            InvalidAnswer: the cluster does not know the kind.
        """
        resource, found = own_resource(kind), list[Body]()
        try:
            async for page in self._client.pages(resource, namespace if resource.namespaced else None):
                found += [{"kind": kind, **_object(bytes(raw))} for raw in page.items or ()]
        except NotFound as missing:
            raise InvalidAnswer(f"the cluster does not know {resource}: install the chart") from missing
        return found

    async def beside(self, kind: str, namespace: str | None, gaps: list[str]) -> list[Body]:
        """The same, where it is of use and not needed: what may not be listed is a gap."""
        try:
            return await self.listed(kind, namespace)
        except NotPermitted as refused:
            gaps.append(f"no {kind} is taken into account: {refused}")
            return []

    async def file(self, body: Body, right: Right | None, *, dry_run: bool) -> Body:
        """Create a request for more; a dry run asks the API server and keeps nothing."""
        namespace = str(body["metadata"]["namespace"])
        try:
            return _object(await self._client.create(OVERRIDES, body, namespace, dry_run=dry_run))
        except (NotPermitted, Rejected) as refused:
            raise await self._explained(refused, Right("create", OVERRIDES, "", namespace), right) from refused

    async def change(
        self, resource: Resource, read: Callable[[], Awaitable[Body]], patch: Callable[[Body], Body], right: Right
    ) -> Body:
        """Change what was just read, again where somebody else was faster, so that nothing of theirs is lost.

        Args:
            resource: what it is.
            read: reads it.
            patch: the merge patch for what was read.
            right: what the change takes, beside the right to patch.

        Raises:
            NotPermitted: refused; the message is the API server's, with the right that is missing.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            seen = await read()
            try:
                return await self._patch(resource, seen, patch(seen))
            except Conflict:
                await asyncio.sleep(secrets.randbelow(_PAUSE_MS * attempt) / 1000)
            except (NotPermitted, Rejected) as refused:
                name, namespace = _place(seen)
                raise await self._explained(refused, Right("patch", resource, name, namespace), right) from refused
        raise InvalidAnswer(f"{resource} was changed by somebody else {_ATTEMPTS} times meanwhile: try again")

    async def may(self, right: Right) -> bool:
        """Whether who asks has a right."""
        asked = {
            "verb": right.verb,
            "group": right.resource.group,
            "resource": right.resource.plural,
            **({"name": right.name} if right.name else {}),
            **({"namespace": right.namespace} if right.namespace else {}),
        }
        answer = _object(await self._client.create(_RIGHTS, _review(_RIGHTS, {"resourceAttributes": asked})))
        return bool((answer.get("status") or {}).get("allowed"))

    async def _patch(self, resource: Resource, seen: Body, patch: Body) -> Body:
        name, namespace = _place(seen)
        version = {"resourceVersion": seen["metadata"]["resourceVersion"]}
        body = {**patch, "metadata": {**(patch.get("metadata") or {}), **version}}
        return _object(
            await self._client.merge_patch(resource, name, body, namespace or None, field_manager=FIELD_MANAGER)
        )

    async def _explained(self, refused: NotPermitted | Rejected, write: Right, right: Right | None) -> AicostError:
        """A refusal as it is, and whether a missing right is the reason."""
        text = str(refused)
        if not _GUARD.search(text):
            return Rejected(text) if isinstance(refused, Rejected) else NotPermitted(f"{text}. Ask: {write.check}")
        said = _GRANT.sub("", text)  # a guard refuses what was written; the right to write was there
        if right is None:
            return NotPermitted(said)
        named = _LACKS.search(said)
        needed = replace(right, verb=named[1]) if named else right
        if await self.may(needed):
            return NotPermitted(said)
        return NotPermitted(f"{said}. {self.asker.name} lacks {needed}. Ask: {needed.check}")


def at_desk(config: ClusterConfig, work: Callable[[Desk], Awaitable[Answer]]) -> Answer:
    """Do something with budgets.

    Raises:
        NotPermitted, InvalidRequest, ClusterUnavailable, InvalidAnswer: as the work does.
    """
    return asyncio.run(_at_desk(config, work))


async def _at_desk(config: ClusterConfig, work: Callable[[Desk], Awaitable[Answer]]) -> Answer:
    async with KubeClient(config) as client:
        return await work(Desk(client, await _who(client, config)))


async def _who(client: KubeClient, config: ClusterConfig) -> Asker:
    """Who we are is what the API server says, not what a file says."""
    try:
        review = _object(await client.create(_SELVES, _review(_SELVES, {})))
    except NotFound as missing:
        raise InvalidAnswer(f"{config.server} does not tell who asks: it takes Kubernetes 1.28 or later") from missing
    name = ((review.get("status") or {}).get("userInfo") or {}).get("username")
    if not isinstance(name, str) or not name:
        raise InvalidAnswer(f"{config.server} does not tell who asks: its SelfSubjectReview names nobody")
    stamp = (review.get("metadata") or {}).get("creationTimestamp")
    return Asker(name, from_rfc3339(stamp) if isinstance(stamp, str) else now_ms())


def _review(resource: Resource, spec: Mapping[str, Any]) -> Body:
    head = {"apiVersion": resource.api_version, "kind": resource.kind}
    return {**head, "spec": spec} if spec else head


def _object(raw: bytes) -> Body:
    try:
        body = json.loads(raw)
    except ValueError as problem:
        raise InvalidAnswer(f"the API server's answer is not JSON: {problem}") from problem
    if not isinstance(body, dict):
        raise InvalidAnswer(f"the API server's answer is no object: {str(body)[:80]!r}")
    return body


def _place(body: Body) -> tuple[str, str]:
    metadata = body["metadata"]
    return str(metadata["name"]), str(metadata.get("namespace") or "")


def _absent(resource: Resource, missing: NotFound, told: str) -> AicostError:
    """What a 404 means: the object is not there, or the cluster does not know its kind at all."""
    if "could not find the requested resource" in str(missing):
        return InvalidAnswer(f"the cluster does not know {resource}: install the chart")
    return InvalidRequest(told)


def _no_budget(ref: BudgetRef) -> str:
    if ref.namespace:
        return f"budget: no Budget {ref.name!r} in namespace {ref.namespace}: name another one, or add --cluster"
    return f"budget: no ClusterBudget {ref.name!r}: name another one, or leave --cluster out"
