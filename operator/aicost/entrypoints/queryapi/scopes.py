"""Whose cost a path is about. The API server authorised the path, so the path alone says it: no parameter widens it."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web

from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.normalise import normalise
from aicost.domain.reporting.question import NAMESPACE, TEAM
from aicost.entrypoints.queryapi.discovery import everywhere, in_a_namespace, of_a_team
from aicost.entrypoints.queryapi.statuses import Refusal

_UNQUOTED = "!$&'()*+,;=:@~"
"""What Go leaves as it is in a segment of a path, beside letters, digits, dots, dashes and underscores."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows that a path may show.

    Attributes:
        path: the one spelling in which the path is served.
        namespace: the one namespace; None for all.
        team: the one team, in whatever namespace; None for all.
    """

    path: str
    namespace: str | None = None
    team: str | None = None

    @property
    def filters(self) -> dict[str, tuple[str, ...]]:
        """The same as filters of rows."""
        named = {NAMESPACE: self.namespace, TEAM: self.team}
        return {key: (value,) for key, value in named.items() if value is not None}


def whole_cluster(plural: str) -> Scope:
    """All there is, unheld devices included. The API server let in only who may list in all namespaces."""
    return Scope(everywhere(plural))


def namespace_of(request: web.Request, plural: str) -> Scope:
    """The namespace in the path."""
    namespace = request.match_info["namespace"]
    return Scope(in_a_namespace(plural).format(namespace=namespace), namespace=namespace)


def team_of(request: web.Request, plural: str) -> Scope:
    """The team in the path, letter by letter: RBAC compared the very same name.

    Raises:
        Refusal: 404 for what no row can carry as a team. `untagged` is such a name: what no team owns is everybody's.
            404 as well for a name with a slash: the API server decodes a path before it reads it, and would have
            authorised another name.
    """
    team = request.match_info["team"]
    if "/" in team:
        message = f"{team[:63]!r}: a team with a slash in its name cannot be granted by name: give it a name without"
        raise Refusal(HTTPStatus.NOT_FOUND, message)
    if normalise(Dimension.TEAM, team) != team:
        message = f"{team[:63]!r} is no name of a team: write it as in reports, in lower case"
        raise Refusal(HTTPStatus.NOT_FOUND, message)
    return Scope(of_a_team(plural).format(team=quote(team, safe=_UNQUOTED)).rstrip("/"), team=team)
