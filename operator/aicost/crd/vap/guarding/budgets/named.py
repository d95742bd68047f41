"""The budget that a request for more names."""

from aicost.crd.vap.guarding.budgets.verbs import IN_NAMESPACE
from aicost.crd.vap.judging.frame import Variables
from aicost.crd.vap.language.cel import first_or, found
from aicost.crd.vap.language.requests import NAMESPACE
from aicost.crd.vap.language.sentences import sentence


def about_named(root: str) -> Variables:
    """Variables: `ref`, its name; `named`, the check of the authorizer about it; `budget`, what people call it."""
    kind = f"{found(root, '/spec/budgetRef/kind')}.exists(v, v == 'ClusterBudget')"
    group = "authorizer.group('aicost.dev')"
    return {
        "cluster": kind,
        "ref": f"string({first_or(found(root, '/spec/budgetRef/name'), repr(''))})",
        "named": f"variables.cluster ? {group}.resource('clusterbudgets').name(variables.ref) "
        f": {group}.resource('budgets').namespace({NAMESPACE}).name(variables.ref)",
        "budget": sentence(
            '<plural>.aicost.dev "<name>"<place>',
            plural="(variables.cluster ? 'clusterbudgets' : 'budgets')",
            name="variables.ref",
            place=f"(variables.cluster ? '' : {IN_NAMESPACE})",
        ),
    }
