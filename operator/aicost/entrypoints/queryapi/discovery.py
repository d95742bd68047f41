"""What clients read before they ask: which group, version and resource there is. None of it needs the ledger."""

import hashlib
import json
from typing import Any

from aicost.crd.allocations.listing import FIELDS, LIST_KIND, Field
from aicost.crd.allocations.parameters import GROUP, KIND, PARAMETERS, PLURAL, VERSION

GROUP_VERSION = f"{GROUP}/{VERSION}"
ROOT = f"/apis/{GROUP_VERSION}"
EVERYWHERE = f"{ROOT}/{PLURAL}"
IN_A_NAMESPACE = f"{ROOT}/namespaces/{{namespace}}/{PLURAL}"
_VERSION = {"groupVersion": GROUP_VERSION, "version": VERSION}
_SCHEMA = f"dev.aicost.query.{VERSION}.{KIND}"
_ABOUT = "What a group of pods cost in a window, computed from the ledger when it is asked for."


def group() -> dict[str, Any]:
    """Our API group."""
    return {"kind": "APIGroup", "apiVersion": "v1", "name": GROUP, "versions": [_VERSION], "preferredVersion": _VERSION}


def groups() -> dict[str, Any]:
    """All API groups that we serve."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group()]}


def resources() -> dict[str, Any]:
    """The resources of our version. `list` is the only verb: allocations are computed and cannot be named."""
    allocations = {
        "name": PLURAL,
        "singularName": KIND.lower(),
        "namespaced": True,
        "kind": KIND,
        "verbs": ["list"],
        "shortNames": ["alloc"],
    }
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP_VERSION, "resources": [allocations]}


def openapi_v2() -> dict[str, Any]:
    """Our part of the API server's Swagger document."""
    definition = {**_schema(), "x-kubernetes-group-version-kind": [_kind(KIND)]}
    return {"swagger": "2.0", "info": _info(), "paths": {}, "definitions": {_SCHEMA: definition}}


def openapi_v3_index() -> dict[str, Any]:
    """Where the document of our version is; its hash lets clients keep what they have."""
    digest = hashlib.sha256(json.dumps(openapi_v3(), sort_keys=True).encode()).hexdigest()[:32]
    path = f"apis/{GROUP_VERSION}"
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}}}


def openapi_v3() -> dict[str, Any]:
    """The document of our version: what `kubectl explain allocations` reads."""
    definition = {**_schema(), "x-kubernetes-group-version-kind": [_kind(KIND)]}
    return {
        "openapi": "3.0.0",
        "info": _info(),
        "paths": {EVERYWHERE: _path(namespaced=False), IN_A_NAMESPACE: _path(namespaced=True)},
        "components": {"schemas": {_SCHEMA: definition}},
    }


def _info() -> dict[str, str]:
    return {"title": "aicost query API", "version": VERSION}


def _kind(kind: str) -> dict[str, str]:
    return {"group": GROUP, "version": VERSION, "kind": kind}


def _schema() -> dict[str, Any]:
    texts = {"type": "string"}
    meta = {"type": "object", "description": "Name and namespace of the group.", "additionalProperties": texts}
    return {"type": "object", "description": _ABOUT, "properties": {"metadata": meta, **dict(map(_property, FIELDS))}}


def _property(field: Field) -> tuple[str, dict[str, Any]]:
    found: dict[str, Any] = {"type": field.type, "description": field.description}
    if field.type == "integer":
        found["format"] = "int64"
    if field.type == "object":
        found["additionalProperties"] = {"type": "string"} if field.name == "keys" else {"type": "object"}
    return field.name, found


def _path(*, namespaced: bool) -> dict[str, Any]:
    texts = {"type": "string"}
    asked = [
        {"name": name, "in": "query", "description": meaning, "schema": texts} for name, meaning in PARAMETERS.items()
    ]
    place = [{"name": "namespace", "in": "path", "required": True, "schema": texts}] if namespaced else []
    return {
        "get": {
            "description": _ABOUT,
            "operationId": f"list{'Namespaced' if namespaced else ''}{KIND}",
            "parameters": [*place, *asked],
            "responses": {"200": {"description": f"{LIST_KIND}, Table or report document"}},
            "x-kubernetes-action": "list",
            "x-kubernetes-group-version-kind": _kind(KIND),
        }
    }
