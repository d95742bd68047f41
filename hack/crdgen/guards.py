"""The guards as a template of the chart: generated, because they look into the same objects as everything else."""

from collections.abc import Sequence
from typing import Any

from aicost.crd.vap.guarding.budgets.static import budget_guards
from aicost.crd.vap.guarding.guards import EXEMPT, GROW, static_guards
from crdgen.blocks import ACCOUNT, CHILDREN_OF, HEADER, NAME, documents

_FRAME = """\
{{{{- if .Values.guards.enabled }}}}
{{{{- $name := include "aicost.name" . }}}}
{header}\
# What people could gain by a lie is asked of RBAC, in the API server itself. The roles below grant it, and those of
# roles-budgets.yaml.
{documents}{{{{- end }}}}
"""
_GROWN = ("aiworkloads", "budgets", "clusterbudgets")


def template() -> str:
    """The template."""
    return _FRAME.format(header=HEADER, documents=documents(_objects()))


def _objects() -> list[dict[str, Any]]:
    guards = [
        document
        for guard in (*static_guards(), *budget_guards(ACCOUNT))
        for document in guard.objects(f"{NAME}-guard-{guard.name}", {}, CHILDREN_OF)
    ]
    return [*guards, _role("grow", _GROWN, GROW), _role("exempt", ["costlabelpolicies"], EXEMPT)]


def _role(name: str, plurals: Sequence[str], verb: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"{NAME}-{name}"},
        "rules": [{"apiGroups": ["aicost.dev"], "resources": list(plurals), "verbs": [verb]}],
    }
