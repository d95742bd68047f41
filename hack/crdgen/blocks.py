"""Policies of the API server as templates of the chart: expressions as blocks, and gaps that Helm fills in."""

from collections.abc import Iterable
from typing import Any

import yaml

from aicost.domain.policy.controllers import CONTROLLERS

HEADER = "# Generated from operator/aicost/crd/vap by hack/generate.py. Do not edit.\n"
NAME = "@name"
"""Stands for the start of the names of the release's objects."""
ACCOUNT = "@account"
"""User name of the controller."""
SYSTEM = "@system"
"""List of the namespaces whose objects are never judged."""
_LABELS, _MORE = "@labels", "@controllers"
CHILDREN_OF = f"({list(CONTROLLERS)} + {_MORE})".replace("'", '"')
"""List of the controllers whose objects were judged as their owners were."""
_HELM = {
    f"labels: '{_LABELS}'": 'labels:\n    {{- include "aicost.labels" . | nindent 4 }}',
    NAME: "{{ $name }}",
    _MORE: "{{ toJson (concat .Values.admission.controllers .Values.guards.controllers | uniq) }}",
    SYSTEM: '{{ include "aicost.systemNamespaces" . | fromYamlArray | toJson }}',
    ACCOUNT: 'system:serviceaccount:{{ .Release.Namespace }}:{{ include "aicost.serviceAccount" . }}',
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


def documents(objects: Iterable[dict[str, Any]]) -> str:
    """Objects as documents of a template, with the labels of the release."""
    texts = (_escaped({**one, "metadata": {**one["metadata"], "labels": _LABELS}}) for one in objects)
    return _filled("---\n".join(texts))


def _escaped(document: dict[str, Any]) -> str:
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)
    return text.replace("{{", '{{ "{{" }}')


def _filled(text: str) -> str:
    for placeholder, helm in _HELM.items():
        text = text.replace(placeholder, helm)
    return text
