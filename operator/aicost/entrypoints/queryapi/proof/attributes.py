"""What a path means in words of RBAC, as the API server reads paths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aicost.crd.allocations.parameters import GROUP, VERSION
from aicost.entrypoints.queryapi.discovery import ROOT, TEAMS

_NAMESPACES = "namespaces"


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is asked of the authoriser.

    Attributes:
        namespace: empty for all namespaces.
        name: name of the team, empty for lists.
    """

    verb: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def document(self) -> Mapping[str, str]:
        """As `resourceAttributes` of a SubjectAccessReview."""
        given = {
            "group": GROUP,
            "version": VERSION,
            "verb": self.verb,
            "resource": self.resource,
            "subresource": self.subresource,
            "namespace": self.namespace,
            "name": self.name,
        }
        return {key: value for key, value in given.items() if value}

    def refused(self, user: str) -> str:
        """The refusal in the API server's own words: they are the same whether or not there is such a thing."""
        target = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        named = f'"{self.name}" ' if self.name else ""
        where = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        return (
            f'{target}.{GROUP} {named}is forbidden: User "{user}" cannot {self.verb} resource "{target}" '
            f'in API group "{GROUP}" {where}'
        )


def attributes_of(path: str, method: str = "GET") -> Attributes | None:
    """What a decoded path asks; None for one that we serve in no way.

    A path that could be read in two ways (`..`, an encoded slash, an empty part) is read in none: the routes compare it
    letter by letter as well.
    """
    parts = path.removeprefix(f"{ROOT}/").split("/")
    if not path.startswith(f"{ROOT}/") or not all(parts) or {".", ".."} & set(parts):
        return None
    return _READ_AS[method](parts) if method in _READ_AS else None


def _reading(parts: Sequence[str]) -> Attributes | None:
    """What a GET asks."""
    match parts:
        case [resource] if resource not in {TEAMS, _NAMESPACES}:
            return Attributes("list", resource)
        case ["namespaces", namespace, resource]:
            return Attributes("list", resource, namespace=namespace)
        case ["teams", team]:
            return Attributes("get", TEAMS, name=team)
        case ["teams", team, resource]:
            return Attributes("get", TEAMS, resource, name=team)
        case _:
            return None


def _writing(parts: Sequence[str]) -> Attributes | None:
    """What a POST asks: something is made in a namespace, and nowhere else."""
    match parts:
        case ["namespaces", namespace, resource]:
            return Attributes("create", resource, namespace=namespace)
        case _:
            return None


_READ_AS = {"GET": _reading, "HEAD": _reading, "POST": _writing}
"""No other method changes anything here."""
