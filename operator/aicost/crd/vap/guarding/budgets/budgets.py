"""The guard of budgets themselves: who changes what may be spent may do so."""

from aicost.crd.vap.guarding.budgets.verbs import EDIT_LIMIT, ITSELF, lacks, may_itself
from aicost.crd.vap.guarding.guard import Check, Guard
from aicost.crd.vap.guarding.guards import GROW
from aicost.crd.vap.language.cel import found, texts
from aicost.crd.vap.language.requests import USER, changed_fields
from aicost.crd.vap.language.sentences import sentence
from aicost.crd.vap.language.shapes import Rules
from aicost.domain.enforcement.names import ACCEPTED_PRICES, ACKNOWLEDGED, RESTORE
from aicost.domain.enforcement.writing.pointers import annotation
from aicost.domain.identity.stages import Stage

BUDGETS = ("budgets", "clusterbudgets")
FREE = ("owners", "routes", "runbookUrl")
"""Fields that move no money and stop nothing."""
_FIELDS = "variables.fields.map(f, 'spec.' + f)"
_CHANGED = f"{_FIELDS} + variables.touched"
_ROLE = "ask for the ClusterRole that grants the verb"
_MORE = "ask for more with kubectl aicost budget request"


def budget_guard() -> Guard:
    """A limit, a ladder or a mode is changed by those who may; a stage is raised by those who may let it grow.

    Whoever may write the object may acknowledge messages, in their own name. Owners count like the spec: a budget goes
    with what it belongs to.
    """
    notes = {name: annotation(name) for name in (RESTORE, ACCEPTED_PRICES)}
    owners = "/metadata/ownerReferences"
    touched = [
        f"({found('object', at)} == {found('oldObject', at)} ? [] : ['annotation {name}'])"
        for name, at in notes.items()
    ]
    touched.append(f"({found('object', owners)} == {found('oldObject', owners)} ? [] : ['metadata.ownerReferences'])")
    variables = {
        "update": "request.operation == 'UPDATE'",
        "fields": f"variables.update ? {changed_fields(FREE)} : []",
        "touched": _if_update(touched),
        "said": _entries("object"),
        "saidBefore": _entries("oldObject"),
        "foreign": f"variables.said.filter(e, !(e in variables.saidBefore) && !({_own('e')}))",
    }
    checks = [_spec(), _stage(), _notes(), _acknowledging()]
    changes = sentence("<user> changes <changed> of <what>", changed=f"({_CHANGED}).join(', ')", what=ITSELF)
    seen = sentence("<user> acknowledges messages of <what>", what=ITSELF)
    remark = (
        f"({_CHANGED}).size() > 0 ? {changes} : variables.said.exists(e, !(e in variables.saidBefore)) ? {seen} : ''"
    )
    rules = Rules({"aicost.dev": BUDGETS})
    return Guard("budget", rules, variables, checks, children=True, remark=remark)


def _if_update(touched: list[str]) -> str:
    """Owners that a budget is made with are its maker's matter; all else counts at once."""
    *notes, owners = touched
    return f"{' + '.join(notes)} + (variables.update ? {owners} : [])"


def _spec() -> Check:
    message = sentence(
        f"[budget] <fields> cannot be changed by everybody: <lacks>. Fix: {_MORE}, or {_ROLE}",
        fields=f"{_FIELDS}.join(', ')",
        lacks=lacks(EDIT_LIMIT),
    )
    return Check(f"variables.fields.size() == 0 || {may_itself(EDIT_LIMIT)}", message)


def _stage() -> Check:
    """A budget without a stage counts as one of the first: it may become one without a question."""
    message = sentence(
        f'[budget] spec.stage "<stage>" is higher than it was: <lacks>. Fix: leave it for now, or {_ROLE}',
        stage=f"string(({found('object', '/spec/stage')} + [''])[0])",
        lacks=lacks(GROW),
    )
    raised = f"{_rank('object')} > {_rank('oldObject')}"
    return Check(f"!variables.update || !({raised}) || {may_itself(GROW)}", message)


def _rank(root: str) -> str:
    return f"{found(root, '/spec/stage')}.map(v, {texts(Stage)}.indexOf(v)).filter(i, i > 0).sum()"


def _notes() -> Check:
    message = sentence(
        f"[budget] <touched> cannot be set by everybody: <lacks>. Fix: leave it as it is, or {_ROLE}",
        touched="variables.touched.join(', ')",
        lacks=lacks(EDIT_LIMIT),
    )
    return Check(f"variables.touched.size() == 0 || {may_itself(EDIT_LIMIT)}", message)


def _entries(root: str) -> str:
    """What an object says of who acknowledged which message."""
    texts_of = f"{found(root, annotation(ACKNOWLEDGED))}.filter(v, type(v) == string)"
    return f"({texts_of}.map(v, v.split(',').map(e, e.trim()).filter(e, e != '')) + [[]])[0]"


_SELF = f"{USER}.replace(',', ';')"
"""The requester as an entry names them: a comma ends an entry."""


def _own(entry: str) -> str:
    """True for an entry in the requester's own name, which may hold an equals sign; an id may not."""
    return f"{entry}.endsWith('=' + {_SELF}) && {entry}.indexOf('=') == {entry}.size() - {_SELF}.size() - 1"


def _acknowledging() -> Check:
    message = sentence(
        f'[budget] annotation {ACKNOWLEDGED}: "<entry>" is in the name of somebody else. Fix: write ID=<self>',
        entry="variables.foreign[0]",
        self=_SELF,
    )
    return Check("variables.foreign.size() == 0", message)
