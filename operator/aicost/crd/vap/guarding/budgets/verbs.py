"""What RBAC is asked about budgets, and how those are told who lack a verb."""

from aicost.crd.vap.language.cel import texts
from aicost.crd.vap.language.requests import NAMESPACE, USER, allowed, may
from aicost.crd.vap.language.sentences import sentence

EDIT_LIMIT, APPROVE_MINOR, APPROVE_MAJOR = "edit-limit", "approve-minor", "approve-major"
BREAKGLASS = "breakglass"
"""Our own verbs on budgets and clusterbudgets, beside those that other kinds have too."""
DELETERS = (
    "system:serviceaccount:kube-system:namespace-controller",
    "system:serviceaccount:kube-system:generic-garbage-collector",
)
"""Who deletes what belongs to something that is gone."""
PLURAL = "request.resource.resource"
NAME = "request.?name.orValue('')"
IN_NAMESPACE = sentence(' in namespace "<namespace>"', namespace=NAMESPACE)
ITSELF = sentence(
    '<plural>.aicost.dev "<name>"<place>',
    plural=PLURAL,
    name=NAME,
    place=f"({NAMESPACE} == '' ? '' : {IN_NAMESPACE})",
)
"""What the request is about, for people."""
ALL_HERE = sentence("budgets.aicost.dev<place>", place=IN_NAMESPACE)
"""All budgets of the namespace, for people."""


def keepers(account: str) -> str:
    """True for the controller, and for those who delete what belongs to something that is gone."""
    return f"{USER} in {texts((account, *DELETERS))}"


def may_itself(verb: str) -> str:
    """True where the requester has a verb on the budget that the request is about; a ClusterBudget has no namespace."""
    return allowed(f"authorizer.group('aicost.dev').resource({PLURAL}).namespace({NAMESPACE}).name({NAME})", verb)


def may_here(verb: str) -> str:
    """True where the requester has a verb on all budgets of the namespace."""
    return may(verb, "budgets", NAMESPACE)


def lacks(verb: str, what: str = ITSELF) -> str:
    """Text about who lacks a verb.

    Args:
        verb: the verb.
        what: expression of the budget, for people.
    """
    return sentence(f'<user> lacks the verb "{verb}" on <what>', what=what)
