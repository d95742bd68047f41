"""The reference of levers: how budgets slow down and stop objects of each kind."""

from aicost.domain.enforcement.levers.lever import Lever
from aicost.domain.enforcement.levers.serving import ANY_SCALE
from aicost.domain.enforcement.levers.table import LEVERS, NOTED, gate_of
from references.tables import table

_INTRO = """# Levers

<!-- Generated from operator/aicost/domain/enforcement/levers by hack/generate.py. Do not edit. -->

A budget acts on an object by a lever: it writes one or two fields, remembers on the object what stood there before,
and puts exactly that back. Kinds of others are found, not required: a lever whose kind the cluster does not know is not
used. A lever is refused where it would do harm, or where somebody else would write the field back; the step says why.

The class says how much harm a lever does: D0 informs, D1 blocks new work, D2 freezes growth, D3 pauses between steps,
D4 stops pods and keeps the object, D5 deletes objects. Levers of D3 and above are announced before they are pulled.

"""
_HEAD = ("Lever", "Kind", "Group", "Class", "Gate", "Writes", "Traps")
_NOTE_TRAP = "Never on a pod template, which would restart the pods. The note of another budget stays."
_OUTRO = """
Each object that is held carries the label `aicost.dev/enforced: "true"`, and under the same name an annotation with
what was written, what stood there before, and for which step. `kubectl get KIND -A -l aicost.dev/enforced` shows them.
The fields are written by the field manager `aicost-enforcer`.
"""


def render() -> str:
    """The reference page."""
    kinds = ("Lever", "any that can be stopped", "", *_row(NOTED[0])[3:6], _NOTE_TRAP)
    rows = [("`Annotate`", *kinds[1:]), *(_row(one) for one in LEVERS if one not in NOTED), _row(ANY_SCALE)]
    return _INTRO + table(_HEAD, rows) + _OUTRO


def _row(one: Lever) -> tuple[str, ...]:
    kind, group = (f"`{one.kind}`", f"`{one.group}`") if one.kind else ("any other with `/scale`", "")
    return (f"`{one.name}`", kind, group, str(one.destruction), str(gate_of(one)), one.what, one.trap)
