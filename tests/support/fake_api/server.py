"""An API server in this process: enough of one for a client, and as much trouble as is asked for."""

import asyncio
import json
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from support.fake_api import watching
from support.fake_api.faults import Faults
from support.fake_api.store import Collection, Object, Store

PODS = Collection("", "v1", "pods", "Pod")
NAMESPACES = Collection("", "v1", "namespaces", "Namespace", namespaced=False)
NODES = Collection("", "v1", "nodes", "Node", namespaced=False)
LEASES = Collection("coordination.k8s.io", "v1", "leases", "Lease")
EVENTS = Collection("events.k8s.io", "v1", "events", "Event")
DEPLOYMENTS = Collection("apps", "v1", "deployments", "Deployment")
REPLICASETS = Collection("apps", "v1", "replicasets", "ReplicaSet")
REPORTS = Collection("aicost.dev", "v1alpha1", "aicostreports", "AICostReport")
CLUSTER_REPORTS = Collection("aicost.dev", "v1alpha1", "clusteraicostreports", "ClusterAICostReport", namespaced=False)
WORKLOADS = Collection("aicost.dev", "v1alpha1", "aiworkloads", "AIWorkload")
BOOKS = Collection("aicost.dev", "v1alpha1", "pricebooks", "PriceBook", namespaced=False)
POLICIES = Collection("aicost.dev", "v1alpha1", "costlabelpolicies", "CostLabelPolicy", namespaced=False)
BUDGETS = Collection("aicost.dev", "v1alpha1", "budgets", "Budget")
CLUSTER_BUDGETS = Collection("aicost.dev", "v1alpha1", "clusterbudgets", "ClusterBudget", namespaced=False)
OVERRIDES = Collection("aicost.dev", "v1alpha1", "budgetoverrides", "BudgetOverride")
ACTIONS = Collection("aicost.dev", "v1alpha1", "budgetactions", "BudgetAction")
GATES = Collection("aicost.dev", "v1alpha1", "budgetgates", "BudgetGate")
PROVIDERS = Collection("aicost.dev", "v1alpha1", "provideraccounts", "ProviderAccount", namespaced=False)
SERVICES = Collection("", "v1", "services", "Service")
ACCOUNTS = Collection("", "v1", "serviceaccounts", "ServiceAccount")
CONFIG_MAPS = Collection("", "v1", "configmaps", "ConfigMap")
SECRETS = Collection("", "v1", "secrets", "Secret")
CLAIMS = Collection("resource.k8s.io", "v1", "resourceclaims", "ResourceClaim")
SLICES = Collection("resource.k8s.io", "v1", "resourceslices", "ResourceSlice", namespaced=False)
TRAIN_JOBS = Collection("trainer.kubeflow.org", "v1alpha1", "trainjobs", "TrainJob")
_REGISTRATION = ("admissionregistration.k8s.io", "v1")
VALIDATING = Collection(
    *_REGISTRATION, "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", namespaced=False
)
MUTATING = Collection(*_REGISTRATION, "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", namespaced=False)
WEBHOOKS = (SECRETS, VALIDATING, MUTATING)
_BUDGETING = (BUDGETS, CLUSTER_BUDGETS, OVERRIDES, ACTIONS, GATES)
OURS = (REPORTS, CLUSTER_REPORTS, WORKLOADS, BOOKS, POLICIES, *_BUDGETING, PROVIDERS)
ALL = (
    PODS,
    NAMESPACES,
    NODES,
    SERVICES,
    ACCOUNTS,
    CONFIG_MAPS,
    LEASES,
    EVENTS,
    DEPLOYMENTS,
    REPLICASETS,
    CLAIMS,
    SLICES,
    TRAIN_JOBS,
    *WEBHOOKS,
    *OURS,
)
_VERBS = ["list", "watch", "get", "create", "update", "patch", "delete"]
VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Seen:
    """A request that came in."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeApi:
    """Use it as an async context manager; `url` is where it listens."""

    store: Store = field(default_factory=Store)
    faults: Faults = field(default_factory=Faults)
    requests: list[Seen] = field(default_factory=list)
    token: str | None = None
    url: str = ""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    bookmark: int = 0
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.faults.hole.set()
        if self._runner is not None:
            await self._runner.cleanup()

    def put(self, collection: Collection, name: str, namespace: str = "", **content: Any) -> Object:
        """Create or change an object, as somebody else would."""
        metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **content.pop("metadata", {})}
        stored = self.store.put(collection, {"metadata": metadata, **content})
        self.wake()
        return stored

    def remove(self, collection: Collection, name: str, namespace: str = "") -> None:
        self.store.remove(collection, name, namespace)
        self.wake()

    def send_bookmarks(self) -> None:
        """Each open watch tells its version. Other collections may have moved it on."""
        self.store.version += 1
        self.bookmark = self.store.version
        self.wake()

    def wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def asked(self, method: str, part: str = "") -> list[Seen]:
        """Requests of a method whose path holds a text."""
        return [seen for seen in self.requests if seen.method == method and part in seen.path]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append(Seen(request.method, request.path, dict(request.query), dict(request.headers), body))
        await self.faults.hole.wait()
        if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
            return status(401, "Unauthorized", "Unauthorized")
        if self.faults.refuse:
            return self._refuse(self.faults.refuse.pop(0))
        if self.faults.garbage:
            return web.Response(body=self.faults.garbage.pop(0), content_type="application/json")
        return await self._route(request, body)

    def _refuse(self, code: int) -> web.Response:
        headers = {"Retry-After": self.faults.retry_after} if code == 429 else {}
        return status(code, "TooManyRequests" if code == 429 else "Trouble", "told to refuse", headers)

    async def _route(self, request: web.Request, body: bytes) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        if request.path == "/version":
            return web.json_response({"major": "1", "minor": "36+", "gitVersion": "v1.36.3-fake"})
        if request.path == "/api":
            return web.json_response({"kind": "APIVersions", "versions": ["v1"]})
        if parts[0] == "apis" and len(parts) < 3:
            return _group(parts[1]) if parts[1:] else web.json_response(_groups())
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
        if not rest:
            return _resources(group, version)
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2 and rest[2] != "status":
            namespace, rest = rest[1], rest[2:]
        collection = next((c for c in ALL if (c.group, c.version, c.plural) == (group, version, rest[0])), None)
        if collection is None:
            return status(404, "NotFound", "the server could not find the requested resource")
        return await self._dispatch(request, body, collection, namespace, rest[1:])

    async def _dispatch(
        self, request: web.Request, body: bytes, collection: Collection, namespace: str, rest: list[str]
    ) -> web.StreamResponse:
        name, subresource = (*rest, "", "")[:2]
        verb = VERBS[request.method] if name or request.method != "GET" else "list"
        verb = "watch" if request.query.get("watch") else verb
        target = f"{collection.plural}/{subresource}" if subresource else collection.plural
        if (verb, target) in self.faults.forbid:
            return status(403, "Forbidden", f'User "somebody" cannot {verb} resource "{target}"')
        if verb == "watch":
            return await watching.serve(self, request, collection, namespace)
        if verb == "list":
            return self._list(request, collection, namespace)
        if verb == "create":
            return self._create(collection, namespace, json.loads(body))
        return self._one(request, body, collection, (namespace, name, subresource))

    def _list(self, request: web.Request, collection: Collection, namespace: str) -> web.Response:
        token, limit = request.query.get("continue", ""), int(request.query.get("limit", "0"))
        if token and self.faults.expire_pages:
            self.faults.expire_pages -= 1
            return status(410, "Expired", "The provided continue parameter is too old")
        items = self.store.all(collection, namespace)
        version, start = (int(part) for part in token.split(":")) if token else (self.store.version, 0)
        end = start + limit if limit else len(items)
        more = f"{version}:{end}" if end < len(items) else ""
        meta = {"resourceVersion": str(version), **({"continue": more} if more else {})}
        empty = [] if collection in OURS else None  # as real servers do: null for kinds of their own
        return web.json_response(
            {"kind": f"{collection.kind}List", "metadata": meta, "items": items[start:end] or empty}
        )

    def _create(self, collection: Collection, namespace: str, obj: Object) -> web.Response:
        if namespace:
            obj["metadata"]["namespace"] = namespace
        if (collection.plural, namespace, obj["metadata"]["name"]) in self.store.objects:
            return status(409, "AlreadyExists", f"{obj['metadata']['name']} already exists")
        return self._stored(collection, obj, 201)

    def _one(
        self, request: web.Request, body: bytes, collection: Collection, where: tuple[str, str, str]
    ) -> web.Response:
        namespace, name, subresource = where
        old = self.store.objects.get((collection.plural, namespace, name))
        if old is None and not subresource and "apply-patch" in request.headers.get("Content-Type", ""):
            return self._create(collection, namespace, json.loads(body))
        if old is None:
            return status(404, "NotFound", f'{collection.plural} "{name}" not found')
        if request.method == "GET":
            partial = "PartialObjectMetadata" in request.headers.get("Accept", "")
            return web.json_response({"metadata": old["metadata"]} if partial else old)
        if request.method == "DELETE":
            return self._delete(collection, old, json.loads(body or b"{}"))
        return self._write(request, json.loads(body), collection, old, subresource)

    def _delete(self, collection: Collection, old: Object, options: Object) -> web.Response:
        wanted = options.get("preconditions", {}).get("uid")
        if wanted not in {None, old["metadata"]["uid"]}:
            return status(409, "Conflict", "the UID in the precondition does not match")
        self.remove(collection, old["metadata"]["name"], old["metadata"].get("namespace", ""))
        return status(200, "", "deleted")

    def _write(
        self, request: web.Request, new: Object, collection: Collection, old: Object, subresource: str
    ) -> web.Response:
        wanted = new.get("metadata", {}).get("resourceVersion")
        if wanted not in {None, old["metadata"]["resourceVersion"]}:
            return status(409, "Conflict", "the object has been modified")
        if new.get("metadata", {}).get("uid") not in {None, old["metadata"]["uid"]}:
            return status(422, "Invalid", "metadata.uid: Invalid value: field is immutable")
        if subresource == "status":
            return self._stored(collection, {**old, "status": new.get("status", {})}, 200)
        merged = new if request.method == "PUT" else {**old, **{k: v for k, v in new.items() if k != "metadata"}}
        return self._stored(collection, {**merged, "metadata": {**old["metadata"], **new.get("metadata", {})}}, 200)

    def _stored(self, collection: Collection, obj: Object, code: int) -> web.Response:
        stored = self.store.put(collection, obj)
        self.wake()
        return web.json_response(stored, status=code)


def status(code: int, reason: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """An answer with a Status object."""
    body = {"kind": "Status", "apiVersion": "v1", "code": code, "reason": reason, "message": message}
    return web.json_response(body, status=code, headers=headers)


def _group(name: str) -> web.Response:
    """The versions of one group."""
    versions = dict.fromkeys(one.version for one in ALL if one.group == name)
    if not versions:
        return status(404, "NotFound", "the server could not find the requested resource")
    found = [{"groupVersion": f"{name}/{one}", "version": one} for one in versions]
    return web.json_response({"name": name, "versions": found})


def _groups() -> Object:
    names = sorted({(c.group, c.version) for c in ALL if c.group})
    versions = [(g, {"groupVersion": f"{g}/{v}", "version": v}) for g, v in names]
    groups = [{"name": group, "versions": [version], "preferredVersion": version} for group, version in versions]
    return {"kind": "APIGroupList", "groups": groups}


def _resources(group: str, version: str) -> web.Response:
    found = [c for c in ALL if (c.group, c.version) == (group, version)]
    if not found:
        return status(404, "NotFound", "the server could not find the requested resource")
    listed = [
        {"name": c.plural, "singularName": c.kind.lower(), "kind": c.kind, "namespaced": c.namespaced, "verbs": _VERBS}
        for c in found
    ]
    subresources = [{"name": f"{c.plural}/status", "kind": c.kind, "namespaced": c.namespaced} for c in found]
    return web.json_response({"kind": "APIResourceList", "resources": listed + subresources})
