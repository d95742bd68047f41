"""What clients read before they ask: which group, version and resource there is. None of it needs the ledger."""

import hashlib
import json
from typing import Any

from aicost.crd.allocations.listing import FIELDS, Field
from aicost.crd.allocations.parameters import GROUP, KIND, PARAMETERS, PLURAL, VERSION
from aicost.crd.coverage.resources import COVERAGES, INVENTORIES, Served
from aicost.crd.idle.resource import IDLES
from aicost.crd.outcomes.resource import OUTCOMES, POSTED_KIND, STATEMENT_FIELDS, STATEMENTS_ABOUT
from aicost.crd.trust.resource import NODE_TELEMETRIES
from aicost.crd.unitcosts.resource import UNIT_COSTS
from aicost.entrypoints.queryapi.offers.resource import OFFERS
from aicost.entrypoints.queryapi.receipts.resource import RECEIPTS
from aicost.entrypoints.queryapi.series.resource import SERIES
from aicost.entrypoints.queryapi.statements.resource import STATEMENTS

GROUP_VERSION = f"{GROUP}/{VERSION}"
ROOT = f"/apis/{GROUP_VERSION}"
ALLOCATIONS = Served(
    plural=PLURAL,
    kind=KIND,
    short_name="alloc",
    about="What a group of pods cost in a window, computed from the ledger when it is asked for.",
    fields=FIELDS,
    parameters=PARAMETERS,
)
LABELS = (COVERAGES, INVENTORIES)
SERVED = (ALLOCATIONS, *LABELS, SERIES, STATEMENTS, RECEIPTS, OFFERS, IDLES, UNIT_COSTS, OUTCOMES, NODE_TELEMETRIES)
"""All resources, as they are listed."""
OF_TEAMS = (ALLOCATIONS, SERIES, STATEMENTS, RECEIPTS)
"""Those that are there for a team as well, across all namespaces."""
TEAMS, _TEAM = "teams", "Team"
_VERSION = {"groupVersion": GROUP_VERSION, "version": VERSION}
_AMOUNT = {"type": "integer", "format": "int64"}
_VALUES = {"keys": {"type": "string"}, "costByWindow": _AMOUNT, "gpuMillisecondsByWindow": _AMOUNT}
"""Fields that are maps of something other than objects, and what their values are."""


def everywhere(plural: str) -> str:
    """Path of a resource across all namespaces."""
    return f"{ROOT}/{plural}"


def in_a_namespace(plural: str) -> str:
    """Path of a resource in one namespace, with a place for its name."""
    return f"{ROOT}/namespaces/{{namespace}}/{plural}"


def of_a_team(plural: str) -> str:
    """Path of a resource of one team, with a place for its name: to RBAC a subresource of `teams`."""
    return f"{ROOT}/{TEAMS}/{{team}}/{plural}"


def group() -> dict[str, Any]:
    """Our API group."""
    return {"kind": "APIGroup", "apiVersion": "v1", "name": GROUP, "versions": [_VERSION], "preferredVersion": _VERSION}


def groups() -> dict[str, Any]:
    """All API groups that we serve."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group()]}


def resources() -> dict[str, Any]:
    """The resources of our version. What is computed cannot be named, so it can only be listed; outcomes are posted.

    A team is read by its name alone: a list of teams would tell names to people who may see one.
    """
    found = [*map(_resource, SERVED), *_teams()]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP_VERSION, "resources": found}


def _resource(served: Served) -> dict[str, Any]:
    return {
        "name": served.plural,
        "singularName": served.kind.lower(),
        "namespaced": served.namespaced,
        "kind": served.kind,
        "verbs": list(served.verbs),
        "shortNames": [served.short_name],
    }


def _teams() -> list[dict[str, Any]]:
    team = {"name": TEAMS, "singularName": _TEAM.lower(), "namespaced": False, "kind": _TEAM, "verbs": ["get"]}
    below = [
        {"name": f"{TEAMS}/{one.plural}", "singularName": "", "namespaced": False, "kind": one.kind, "verbs": ["get"]}
        for one in OF_TEAMS
    ]
    return [team, *below]


def openapi_v2() -> dict[str, Any]:
    """Our part of the API server's Swagger document."""
    return {"swagger": "2.0", "info": _info(), "paths": {}, "definitions": _schemas()}


def openapi_v3_index() -> dict[str, Any]:
    """Where the document of our version is; its hash lets clients keep what they have."""
    digest = hashlib.sha256(json.dumps(openapi_v3(), sort_keys=True).encode()).hexdigest()[:32]
    path = f"apis/{GROUP_VERSION}"
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}}}


def openapi_v3() -> dict[str, Any]:
    """The document of our version: what `kubectl explain allocations` reads."""
    return {
        "openapi": "3.0.0",
        "info": _info(),
        "paths": {
            **{everywhere(one.plural): _path(one, "") for one in SERVED},
            **{in_a_namespace(one.plural): _path(one, "namespace") for one in SERVED if one.namespaced},
            **{of_a_team(one.plural): _path(one, "team") for one in OF_TEAMS},
        },
        "components": {"schemas": _schemas()},
    }


def _info() -> dict[str, str]:
    return {"title": "aicost query API", "version": VERSION}


def _kind(kind: str) -> dict[str, str]:
    return {"group": GROUP, "version": VERSION, "kind": kind}


def _schemas() -> dict[str, Any]:
    return {f"dev.aicost.query.{VERSION}.{served.kind}": _schema(served) for served in SERVED}


def _schema(served: Served) -> dict[str, Any]:
    texts = {"type": "string"}
    meta = {"type": "object", "description": "Name and namespace of the group.", "additionalProperties": texts}
    return {
        "type": "object",
        "description": served.about,
        "properties": {"metadata": meta, **dict(map(_property, served.fields))},
        "x-kubernetes-group-version-kind": [_kind(served.kind)],
    }


def _property(field: Field) -> tuple[str, dict[str, Any]]:
    found: dict[str, Any] = {"type": field.type, "description": field.description}
    if field.type == "integer":
        found["format"] = "int64"
    if field.type == "array":
        found["items"] = {"type": "object"}
    if field.type == "object":
        found["additionalProperties"] = _VALUES.get(field.name, {"type": "object"})
    return field.name, found


def _path(served: Served, place: str) -> dict[str, Any]:
    """The operation of a path; `place` is what the path names: nothing, a namespace or a team."""
    texts = {"type": "string"}
    asked = [
        {"name": name, "in": "query", "description": meaning, "schema": texts}
        for name, meaning in served.parameters.items()
    ]
    named = [{"name": place, "in": "path", "required": True, "schema": texts}] if place else []
    prefix = {"": "", "namespace": "Namespaced", "team": "Team"}[place]
    posted = {"post": _posting(served, named)} if "create" in served.verbs and place == "namespace" else {}
    return {
        **posted,
        "get": {
            "description": served.about,
            "operationId": f"list{prefix}{served.kind}",
            "parameters": [*named, *asked],
            "responses": {"200": {"description": f"{served.list_kind}, Table or report document"}},
            "x-kubernetes-action": "list",
            "x-kubernetes-group-version-kind": _kind(served.kind),
        },
    }


def _posting(served: Served, named: list[dict[str, Any]]) -> dict[str, Any]:
    """The operation that takes statements."""
    fields = {name: {"type": kind, "description": about} for name, (kind, about) in STATEMENT_FIELDS.items()}
    items = {"type": "array", "items": {"type": "object", "properties": fields}}
    return {
        "description": STATEMENTS_ABOUT,
        "operationId": f"createNamespaced{served.kind}",
        "parameters": named,
        "requestBody": {"content": {"application/json": {"schema": items}}, "required": True},
        "responses": {"201": {"description": f"{POSTED_KIND}: all are kept"}},
        "x-kubernetes-action": "post",
        "x-kubernetes-group-version-kind": _kind(served.kind),
    }
