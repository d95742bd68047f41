"""The guards as a template of the chart: generated, because they look into the same objects as everything else."""

from typing import Any

import yaml

from aicost.crd.vap.guarding.guards import EXEMPT, GROW, static_guards
from aicost.domain.policy.controllers import CONTROLLERS

_NAME, _LABELS, _MORE = "@name", "@labels", "@controllers"
_HEADER = "# Generated from operator/aicost/crd/vap by hack/generate.py. Do not edit.\n"
_FRAME = """{{{{- if .Values.guards.enabled }}}}
{{{{- $name := include "aicost.name" . }}}}
{header}# What people could gain by a lie is asked of RBAC, in the API server itself. The two roles grant it.
{documents}{{{{- end }}}}
"""
_HELM = {
    f"labels: '{_LABELS}'": 'labels:\n    {{- include "aicost.labels" . | nindent 4 }}',
    _NAME: "{{ $name }}",
    _MORE: "{{ toJson (concat .Values.admission.controllers .Values.guards.controllers | uniq) }}",
}


class _Dumper(yaml.SafeDumper):
    """Expressions as blocks, so that quotes stay what they are."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        return super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _as_block(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if len(value) > 60 else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _as_block)


def template() -> str:
    """The template."""
    documents = "---\n".join(_escaped(document) for document in _documents())
    return _FRAME.format(header=_HEADER, documents=_filled(documents))


def _documents() -> list[dict[str, Any]]:
    listed = f"({list(CONTROLLERS)} + {_MORE})".replace("'", '"')
    guards = [
        document for guard in static_guards() for document in guard.objects(f"{_NAME}-guard-{guard.name}", {}, listed)
    ]
    roles = [_role("grow", "aiworkloads", GROW), _role("exempt", "costlabelpolicies", EXEMPT)]
    for document in (*guards, *roles):
        document["metadata"]["labels"] = _LABELS
    return [*guards, *roles]


def _role(name: str, plural: str, verb: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"{_NAME}-{name}"},
        "rules": [{"apiGroups": ["aicost.dev"], "resources": [plural], "verbs": [verb]}],
    }


def _escaped(document: dict[str, Any]) -> str:
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)
    return text.replace("{{", '{{ "{{" }}')


def _filled(text: str) -> str:
    for placeholder, helm in _HELM.items():
        text = text.replace(placeholder, helm)
    return text
