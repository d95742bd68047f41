"""One call to the API server, described before it is made, so that failures can name it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from aicost.adapters.kube.wire.resources import Resource

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True)
class Call:
    """A request and what it means in words of RBAC.

    Attributes:
        verb: RBAC verb that it needs: get, list, watch, create, update, patch, delete.
        target: resource as RBAC rules name it, with its subresource: `pods`, `budgets/status`; a path for raw reads.
        group: API group of the target.
        place: `in namespace x`, `in all namespaces`, or empty.
    """

    verb: str
    method: str
    path: str
    target: str
    group: str = ""
    place: str = ""
    name: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    content_type: str = JSON
    accept: str = JSON

    def __str__(self) -> str:
        named = f"{self.target} {self.name!r}" if self.name else self.target
        return " ".join(part for part in (self.verb, named, self.place) if part)

    @classmethod
    def on(  # noqa: PLR0913 -- what a call on an object consists of
        cls,
        resource: Resource,
        verb: str,
        method: str,
        *,
        namespace: str | None = None,
        name: str | None = None,
        subresource: str | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> Self:
        """A call on a collection, or on one object of it."""
        return cls(
            verb=verb,
            method=method,
            path=resource.path(namespace, name, subresource),
            target=f"{resource.plural}/{subresource}" if subresource else resource.plural,
            group=resource.group,
            place=_place(resource, namespace),
            name=name or "",
            params=params or {},
            body=body,
            content_type=content_type,
            accept=accept,
        )

    @classmethod
    def raw(cls, path: str, params: Mapping[str, str] | None = None) -> Self:
        """A read of any path, such as `/version`."""
        return cls(verb="get", method="GET", path=path, target=path, params=params or {})


def _place(resource: Resource, namespace: str | None) -> str:
    if not resource.namespaced:
        return ""
    return f"in namespace {namespace!r}" if namespace else "in all namespaces"
