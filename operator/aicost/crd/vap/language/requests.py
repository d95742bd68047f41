"""What an expression knows of the request itself: who sends it, and whether it is a controller's own child."""

from collections.abc import Sequence

from aicost.crd.vap.language.cel import texts
from aicost.crd.vap.language.templates import OWNERS

NAMESPACE = "(request.?namespace.orValue(''))"
"""Namespace of the object; of a Namespace its own name."""
USER = "request.userInfo.username"

HAS_CONTROLLER = (
    "has(object.metadata) && has(object.metadata.ownerReferences) "
    "&& object.metadata.ownerReferences.exists(o, has(o.controller) && o.controller)"
)
_OPERATOR = (
    f"{USER}.startsWith('system:serviceaccount:') "
    f"&& object.metadata.ownerReferences.exists(o, has(o.controller) && o.controller && o.kind in {texts(OWNERS)}) "
    "&& authorizer.group(request.resource.group).resource(request.resource.resource).check('create').allowed()"
)


def is_child(controllers: Sequence[str] | str) -> str:
    """True for an object that a controller makes for its owner, which was judged itself.

    The reference alone proves nothing: anybody can write one. It counts from the controllers that are named, and, for
    owners of kinds that are judged, from ServiceAccounts that may create such objects in all namespaces: those are
    operators, and could do worse.

    Args:
        controllers: user names, or the text of a list of them.
    """
    named = controllers if isinstance(controllers, str) else texts(controllers)
    return f"({HAS_CONTROLLER}) && ({USER} in {named} || ({_OPERATOR}))"


def may(verb: str, plural: str, namespace: str | None = None) -> str:
    """True where the requester may do something with our resource.

    Args:
        verb: a verb of RBAC, one of our own too.
        plural: the resource.
        namespace: expression of the namespace; None: in all of them.
    """
    place = f".namespace({namespace})" if namespace else ""
    return f"authorizer.group('aicost.dev').resource('{plural}'){place}.check('{verb}').allowed()"
