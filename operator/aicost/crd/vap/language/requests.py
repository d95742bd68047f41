"""What an expression knows of the request itself: who sends it, and whether it is a controller's own child."""

from collections.abc import Sequence

from aicost.crd.vap.language.cel import all_of, first_or, found, text, texts
from aicost.crd.vap.language.templates import OWNERS
from aicost.domain.policy.judging.scopes import MIRROR

NAMESPACE = "(request.?namespace.orValue(''))"
"""Namespace of the object; of a Namespace its own name."""
USER = "request.userInfo.username"
SUBRESOURCE = "(request.?subResource.orValue('') == '' ? '' : '/' + request.subResource)"
"""What of the object is written, with a slash before it; empty for the object itself."""

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


def changed_fields(but: Sequence[str] = ()) -> str:
    """Names of the fields of `spec` that an update changes, as a list.

    Args:
        but: fields that do not count.
    """
    now, before = first_or(found("object", "/spec"), "dyn({})"), first_or(found("oldObject", "/spec"), "dyn({})")
    sides = f"[{now}, {before}]"
    counts = f"!(k in {texts(but)}) && " if but else ""
    return (
        f"[{sides}].map(s, s[0].map(k, k).filter(k, {counts}s[0][?k] != s[1][?k]) "
        f"+ s[1].map(k, k).filter(k, {counts}!(k in s[0])))[0]"
    )


def is_mirror() -> str:
    """True for the mirror of a static pod, which only a kubelet makes: the annotation alone proves nothing."""
    annotated = f"has(object.metadata.annotations) && {text(MIRROR)} in object.metadata.annotations"
    return all_of([f"{USER}.startsWith('system:node:')", "request.kind.kind == 'Pod'", annotated])


def may(verb: str, plural: str, namespace: str | None = None) -> str:
    """True where the requester may do something with our resource.

    Args:
        verb: a verb of RBAC, one of our own too.
        plural: the resource.
        namespace: expression of the namespace; None: in all of them.
    """
    place = f".namespace({namespace})" if namespace else ""
    return allowed(f"authorizer.group('aicost.dev').resource('{plural}'){place}", verb)


def allowed(what: str, verb: str) -> str:
    """True where the requester may do something with what a check of the authorizer is about."""
    return f"{what}.check('{verb}').allowed()"
