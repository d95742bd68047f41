"""The money gate as a template of the chart: generated from the table of kinds."""

from aicost.crd.vap.gating.policies import GROWTH, Cluster, gate_policies
from crdgen.blocks import ACCOUNT, CHILDREN_OF, HEADER, NAME, SYSTEM, documents

_FRAME = """\
{{{{- if .Values.budgets.enforcement }}}}
{{{{- $name := include "aicost.name" . }}}}
{header}\
# What a budget refuses, by its BudgetGate in each namespace. Nothing of ours has to run for it, and what it cannot
# judge it lets in. New workloads are let in by themselves once the controller is gone for longer than `until`. Updates
# know no time: this one line lifts what freezes growth, in all namespaces, until the next upgrade of the release.
#   kubectl delete validatingadmissionpolicybinding {{{{ $name }}}}-{growth}
{documents}{{{{- end }}}}
"""


def template() -> str:
    """The template."""
    cluster = Cluster(CHILDREN_OF, SYSTEM, ACCOUNT)
    return _FRAME.format(header=HEADER, growth=GROWTH, documents=documents(gate_policies(cluster, NAME, {})))
