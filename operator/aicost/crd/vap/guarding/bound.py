"""Guards that a policy asks for, whatever judges by it: nobody charges what they do to another team."""

from collections.abc import Iterator

from aicost.crd.vap.guarding.guard import Check, Guard
from aicost.crd.vap.guarding.guards import stage_guard
from aicost.crd.vap.judging.effects import clock, excuse, strictness
from aicost.crd.vap.judging.frame import Variables
from aicost.crd.vap.language.cel import any_of, labels_of, stands, text, text_map
from aicost.crd.vap.language.requests import NAMESPACE
from aicost.crd.vap.language.scopes import NAMESPACE_LABELS, in_scope, modes
from aicost.crd.vap.language.shapes import Rules
from aicost.crd.vap.language.templates import POD_LABELS, SPEAKING, with_wrapped
from aicost.crd.vap.language.values import aliases, counted, is_foreign, spec_field, spelled
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.stages import Stage
from aicost.domain.policy.policies import LabelKey, LabelPolicy, Mode


def guards_of(policy: LabelPolicy) -> Iterator[Guard]:
    """The guards of a policy; none where it only counts.

    Admission judges what runs pods. A guard also hears of what pods inherit from: namespaces, ServiceAccounts, queues.
    """
    for key in policy.keys if modes(policy) != {Mode.AUDIT} else ():
        if key.allowed.bound:
            yield _payer_guard(policy, key)
        if key.dimension is Dimension.STAGE and (production := _spellings_of_production(key)):
            yield stage_guard((key.label, *key.aliases), production, "stage")


def _spellings_of_production(key: LabelKey) -> list[str]:
    """Values that mean production; none where the chart's own guard knows them all."""
    values = [value for value, meant in aliases(key).items() if meant == Stage.PRODUCTION]
    return [Stage.PRODUCTION, *values] if values or key.aliases else []


def _payer_guard(policy: LabelPolicy, key: LabelKey) -> Guard:
    excused = any_of(map(excuse, (each for each in policy.exemptions if not each.keys or key.key in each.keys)))
    quiet = f"!variables.holds || variables.mode == 'Audit' || variables.excused || ({excused})"
    begin, end = text(f'[{policy.name}] {key.key}="'), text('" may not be charged from namespace "')
    contact = f" · ask {policy.contact}" if policy.contact else ""
    fix = text(f'". Fix: set {key.label} to a value of your own{contact}')
    message = f"{begin} + variables.foreign[0] + {end} + variables.ns + {fix}"
    allowed = f"{quiet} || variables.foreign.size() == 0"
    name = f"payer-{key.key.replace('/', '-').lower()}"
    return Guard(name, Rules(SPEAKING), _variables(policy, key), [Check(allowed, message)])


def _variables(policy: LabelPolicy, key: LabelKey) -> Variables:
    """What an object says of who pays, anywhere; what it said before is not asked about again."""
    inside = {value: in_scope(scope, "variables.ns", "variables.nsl") for value, scope in key.allowed.bound.items()}
    foreign = f"s.filter(v, !(v in variables.before) && ({is_foreign(key, 'v', inside)}))"
    return {
        "ns": f"request.kind.kind == 'Namespace' ? object.metadata.name : {NAMESPACE}",
        "nsl": NAMESPACE_LABELS,
        "update": "request.operation == 'UPDATE'",
        "own": labels_of("object"),
        **clock(),
        **strictness(policy),
        "alias": text_map(aliases(key)),
        "before": f"!variables.update ? [] : {_first(_said(key, 'oldObject'))}",
        "foreign": f"{_said(key, 'object')}.map(s, {foreign}).filter(s, s.size() > 0).map(s, s[0])",
    }


def _said(key: LabelKey, root: str) -> str:
    """Lists of values, one for each place that says something."""
    maps = f"[{labels_of('w')}] + {stands('w', *POD_LABELS)}"
    values = f"({maps}).filter(l, type(l) == map).map(l, {spelled(key, 'l', 'variables.alias')})"
    flat = f"({with_wrapped(root)}).map(w, ({values}).filter(s, s.size() > 0).map(s, s[0]))"
    stated = spec_field(key)
    spec = f"{stands(root, stated)}.map(v, {counted(key, 'v', 'variables.alias')})" if stated else "[]"
    return f"({flat} + [{spec}])"


def _first(listed: str) -> str:
    return f"{listed}.filter(s, s.size() > 0).map(s, s[0])"
