"""What problems lead to, in CEL: who is excused, how strict a policy is here, and what is said."""

from collections.abc import Iterator, Sequence

from aicost.crd.vap.judging.frame import BEFORE, Variables
from aicost.crd.vap.judging.keys import KeyText
from aicost.crd.vap.language.cel import all_of, any_of, first_or, stands, text
from aicost.crd.vap.language.scopes import in_scope, mode_in, selects
from aicost.crd.vap.language.times import MADE, NEVER, RFC3339
from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.policy.judging.exemptions import EXEMPT_REASON, EXEMPT_UNTIL
from aicost.domain.policy.policies import Exemption, LabelPolicy
from aicost.domain.policy.texts import one_line

_WRITTEN = f"{stands('object', '/metadata/managedFields/*')}.filter(m, has(m.time)).map(m, timestamp(m.time))"


def clock() -> Variables:
    """The time of the request, which CEL itself does not tell: when the object is made, or when it was last written."""
    return {"times": _WRITTEN, "now": f"!variables.update ? {MADE} : variables.times.size() > 0 ? "
            f"variables.times.max() : {NEVER}"}  # fmt: skip


def strictness(policy: LabelPolicy) -> Variables:
    """Whether the policy holds here, how strictly, and whether the object itself is excused."""
    scope = policy.namespaces
    note = first_or(f"{stands('object', _annotation(EXEMPT_UNTIL))}.filter(v, v.matches({RFC3339}))", "''")
    reason = f"{stands('object', _annotation(EXEMPT_REASON))}.exists(v, v.trim() != '')"
    return {
        "holds": "true" if scope is None else in_scope(scope, "variables.ns", "variables.nsl"),
        "mode": mode_in(policy, "variables.ns", "variables.nsl"),
        "until": note,
        "excused": f"variables.until != '' && {reason} && variables.now < timestamp(variables.until)",
    }


def _annotation(name: str) -> str:
    return f"/metadata/annotations/{name.replace('/', '~1')}"


def verdicts(policy: LabelPolicy, keys: Sequence[KeyText], *, history: bool) -> Variables:
    """`deny` and `told`: texts of what is refused, and of all that is said."""
    each: Variables = {}
    for one in keys:
        each |= _of_key(policy, one, history=history)
    quiet = "!variables.holds || variables.excused || variables.mode == 'Audit'"
    return {
        **each,
        "told": f"{quiet} ? [] : {_sum(keys, 'told')}",
        "deny": f"{quiet} || variables.same ? [] : {_sum(keys, 'deny')}",
    }


def _sum(keys: Sequence[KeyText], part: str) -> str:
    return " + ".join(["[]", *(f"variables.{one.name}{part}" for one in keys)])


def _of_key(policy: LabelPolicy, one: KeyText, *, history: bool) -> Variables:
    """As in `domain.policy.judging.effects`.

    What was wrong before only gets a warning where only new trouble is refused; a value that makes others pay is
    refused wherever anything is said.
    """
    name, key = f"variables.{one.name}", one.key.key
    hold = [each for each in policy.exemptions if not each.keys or key in each.keys]
    excused = any_of(map(excuse, hold))
    strict, newly_foreign = "variables.mode == 'Deny'", "[]"
    if history:
        strict += f" || (variables.mode == 'DenyNew' && (!variables.update || {name}bad{BEFORE}.size() == 0))"
        newly_foreign = (
            f"{name}for.filter(v, variables.mode == 'Deny' || !variables.update || !(v in {name}for{BEFORE}))"
        )
    refused = [
        f"({strict} ? {name}bad : [])",
        f"(variables.mode in ['Deny', 'DenyNew'] ? {name}imm : [])",
        _foreign(key, newly_foreign),
    ]
    return {
        f"{one.name}told": f"({excused}) ? [] : {name}bad + {name}imm + {_foreign(key, f'{name}for')}",
        f"{one.name}deny": f"({excused}) ? [] : {' + '.join(refused)}",
    }


def _foreign(key: str, values: str) -> str:
    """Texts about values that say who pays."""
    begin, end = text(f'{key}="'), text('" may not be charged from namespace ')
    return f"{values}.map(v, {begin} + v + {end} + variables.ns)"


def excuse(exemption: Exemption) -> str:
    """True while an exemption excuses the object."""
    terms = [f"variables.now < timestamp({text(to_rfc3339(exemption.until_ms))})"]
    if exemption.namespaces is not None:
        terms.append(in_scope(exemption.namespaces, "variables.ns", "variables.nsl"))
    if exemption.selector is not None:
        terms.append(selects(exemption.selector, "variables.own"))
    return all_of(terms)


def message(policy: LabelPolicy, keys: Sequence[KeyText], part: str) -> str:
    """One line with all problems, the labels to set, and whom to ask."""
    return " + ".join(
        [
            text(f"[{policy.name}] "),
            f"variables.{part}.join('; ')",
            text(". Fix: set metadata.labels {"),
            f"({' + '.join(_labels(keys))}).join(', ')",
            text("}" + "".join(f" · {one_line(link)}" for link in _links(policy))),
        ]
    )


def _labels(keys: Sequence[KeyText]) -> Iterator[str]:
    yield "[]"
    for one in keys:
        label = text(f"{one.key.label}: <{one.key.key}>")
        yield f"(variables.{one.name}told.size() > 0 ? [{label}] : [])"


def _links(policy: LabelPolicy) -> Iterator[str]:
    if policy.help_url:
        yield policy.help_url
    if policy.contact:
        yield f"ask {policy.contact}"
