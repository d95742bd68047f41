"""Why the query API did not answer, in words that say who can do what about it."""

import json

from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.wire.calls import Call
from aicost.adapters.kube.wire.errors import NotFound, Rejected, ServerFault
from aicost.adapters.kube.wire.transport import Transport
from aicost.crd.allocations.parameters import GROUP, VERSION
from aicost.entrypoints.cli.sources.query.route import PORT_FORWARD, SERVER
from aicost.ports.errors import AicostError, ClusterUnavailable, InvalidAnswer, InvalidRequest, NotPermitted

_ROOT = f"/apis/{GROUP}/{VERSION}"
_APISERVICE = f"{VERSION}.{GROUP}"
_DIRECT = "or read the ledger directly by --ledger"
_AUTHENTICATION = "(401)"


def not_permitted(refused: NotPermitted, call: Call, namespace: str | None, team: str | None) -> NotPermitted:
    """Which permission is missing, and who can give it."""
    text = str(refused)
    if _AUTHENTICATION in text:
        return NotPermitted(text)
    if team is not None:
        grant = (
            f"A cluster administrator can grant it: a ClusterRole with resources [teams/{call.target.split('/')[-1]}] "
            f"and resourceNames [{team}] of {GROUP}, as in examples/rbac/team.yaml"
        )
    elif namespace is not None:
        grant = (
            f"Who administers namespace {namespace} can grant it: kubectl create rolebinding NAME -n {namespace} "
            "--clusterrole=view --user=USER"
        )
    else:
        grant = (
            "All namespaces together are for those to whom a cluster administrator gave a ClusterRoleBinding to view. "
            "For one namespace: -n NAMESPACE"
        )
    return NotPermitted(f"{text}. {grant}")


def unavailable(problem: ServerFault, config: ClusterConfig) -> AicostError:
    """The API server answers, and what stands behind it does not."""
    return ClusterUnavailable(
        f"{problem}. {config.server} knows {GROUP}, but aicost behind it does not answer: kubectl get apiservice "
        f"{_APISERVICE} says why; the runbook query-api-down has the steps; {_DIRECT}"
    )


async def not_found(transport: Transport, missing: NotFound, plural: str) -> AicostError:
    """Nothing is served at all, not this resource, or there is no such thing."""
    server = transport.config.server
    try:
        listed = json.loads(await transport.send(Call.raw(_ROOT)))
        names = {one["name"] for one in listed["resources"]}
    except NotFound:
        return InvalidAnswer(
            f"{server} does not serve {GROUP}/{VERSION}: install the chart with queryApi.enabled=true; where its "
            f"APIService is turned off, set {SERVER}={PORT_FORWARD}; {_DIRECT}"
        )
    except (AicostError, ValueError, KeyError, TypeError):
        return InvalidAnswer(str(missing))
    if plural not in names:
        return InvalidAnswer(
            f"{server} serves no {plural} of {GROUP}/{VERSION}: the aicost there is older than this one; upgrade the "
            f"chart, {_DIRECT}"
        )
    return InvalidRequest(_own_words(missing))


def rejected(problem: Rejected) -> AicostError:
    """The query API did not understand: its own message names the parameter and the fix."""
    return InvalidRequest(_own_words(problem))


def _own_words(problem: AicostError) -> str:
    """The server's message, without how the call was refused."""
    return str(problem).partition("): ")[2] or str(problem)
