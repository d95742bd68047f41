"""What the API server's refusals mean, in our own words.

AicostError
├── NotPermitted          401, 403: the message names verb, resource and how to grant it
├── ClusterUnavailable    no answer
│   └── ServerFault       it answered that it cannot just now: 429, 5xx
├── InvalidAnswer         an answer that is not what the API server says
└── Refused               it understood and said no
    ├── NotFound          404
    ├── Conflict          409: the object changed meanwhile, or exists already, or another manager owns the field
    ├── Expired           410: too old a resource version or continue token
    └── Rejected          400, 405, 406, 413, 415, 422: it does not accept what we sent
"""

import msgspec

from aicost.adapters.kube.wire.calls import Call
from aicost.ports.errors import AicostError, ClusterUnavailable, NotPermitted

_TEXT_LIMIT = 1_000


class ServerFault(ClusterUnavailable):
    """The API server answered that it cannot serve just now."""


class Refused(AicostError):
    """The API server understood the call and said no."""


class NotFound(Refused):
    """There is no such object, or no such resource."""


class Conflict(Refused):
    """The object changed meanwhile, exists already, or another field manager owns the field."""


class Expired(Refused):
    """The resource version or continue token is older than what the server still knows."""


class Rejected(Refused):
    """The API server does not accept what was sent."""


class Status(msgspec.Struct):
    """The API server's `Status` object, as far as we read it."""

    code: int = 0
    message: str = ""
    reason: str = ""


_REFUSALS: dict[int, type[Refused]] = {404: NotFound, 409: Conflict, 410: Expired}


def read_status(code: int, body: bytes) -> Status:
    """The Status in a body; a text of our own where the body is none (a proxy's HTML page, nothing)."""
    try:
        status = msgspec.json.decode(body, type=Status)
    except msgspec.MsgspecError:
        text = " ".join(body[:_TEXT_LIMIT].decode("utf-8", "replace").split())
        return Status(code=code, message=text or "no reason given")
    status.code = status.code or code
    status.message = status.message[:_TEXT_LIMIT]
    return status


def translate(call: Call, status: Status) -> AicostError:
    """The error that a refusal of this call stands for."""
    if status.code in {401, 403}:
        return NotPermitted(_permission_text(call, status))
    if status.code == 429 or status.code >= 500:
        return ServerFault(f"the API server cannot {call} just now ({status.code}): {status.message}")
    kind = _REFUSALS.get(status.code, Rejected)
    return kind(f"the API server refused to {call} ({status.code} {status.reason}): {status.message}")


def _permission_text(call: Call, status: Status) -> str:
    if status.code == 401:
        return (
            f"the API server does not accept our credentials (401) to {call}: {status.message}. "
            "Renew the token or certificate that the kubeconfig or the ServiceAccount names"
        )
    if "denied request: " in status.message:  # a policy of the API server: no rule grants it
        return f"not permitted to {call} (403): {status.message}"
    return f"not permitted to {call} (403): {status.message}. {_how_to_grant(call)}"


def _how_to_grant(call: Call) -> str:
    if call.target.startswith("/"):
        return f'Grant it by a ClusterRole rule: nonResourceURLs ["{call.target}"], verbs ["{call.verb}"]'
    role = "Role in that namespace or ClusterRole" if "in namespace" in call.place else "ClusterRole"
    return (
        f'Grant it by a {role} rule: apiGroups ["{call.group}"], resources ["{call.target}"], '
        f'verbs ["{call.verb}"], bound to the user named here'
    )
