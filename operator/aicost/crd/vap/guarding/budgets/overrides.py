"""The guard of requests for more: who asks, who decides and who reviews is who they say they are, and may do so."""

from aicost.crd.vap.guarding.budgets.named import about_named
from aicost.crd.vap.guarding.budgets.verbs import APPROVE_MAJOR, APPROVE_MINOR, BREAKGLASS, NAME, lacks
from aicost.crd.vap.guarding.guard import Check, Guard
from aicost.crd.vap.judging.frame import Variables
from aicost.crd.vap.language.cel import first_or, found
from aicost.crd.vap.language.requests import USER, allowed, changed_fields
from aicost.crd.vap.language.sentences import sentence
from aicost.crd.vap.language.shapes import Rules
from aicost.domain.budgets.overrides.values import OverrideClass, Purpose

_ROLE = "ask somebody who has the verb"
_IS_BREAKGLASS = f"variables.purpose == '{Purpose.BREAK_GLASS}'"
_IS_MINOR = f"variables.class == '{OverrideClass.MINOR}'"


def override_guard() -> Guard:
    """A request is made in one's own name and stays what it is; a decision and a review are added once each.

    Anybody but the requester decides on a major overrun; on a minor one it may be the requester where the budget
    allows it, which another guard asks the budget.
    """
    checks = [*_asking(), *_staying(), *_deciding(), *_reviewing()]
    rules = Rules({"aicost.dev": ["budgetoverrides"]})
    return Guard("override", rules, _variables(), checks, children=True, remark=_remark())


def _variables() -> Variables:
    return {
        "update": "request.operation == 'UPDATE'",
        **about_named("object"),
        "requester": _text("/spec/requestedBy"),
        "purpose": f"string({first_or(found('object', '/spec/purpose'), repr(str(Purpose.RAISE_LIMIT)))})",
        "decision": found("object", "/spec/decision"),
        "decisionBefore": found("oldObject", "/spec/decision"),
        "review": found("object", "/spec/review"),
        "reviewBefore": found("oldObject", "/spec/review"),
        "decides": "variables.update && variables.decisionBefore.size() == 0 && variables.decision.size() > 0",
        "reviews": "variables.update && variables.reviewBefore.size() == 0 && variables.review.size() > 0",
        "class": _text("/spec/decision/class"),
        "state": _text("/spec/decision/state"),
        "decider": _text("/spec/decision/by"),
        "reviewer": _text("/spec/review/by"),
        "fields": f"variables.update ? {changed_fields(('decision', 'review'))} : []",
        "owners": " == ".join(found(root, "/metadata/ownerReferences") for root in ("object", "oldObject")),
    }


def _text(pointer: str) -> str:
    return f"string({first_or(found('object', pointer), repr(''))})"


def _said(words: str, **values: str) -> str:
    known = {"requester": "variables.requester", **values}
    return sentence(f'[budget] budgetoverride "<name>": {words}', name=NAME, **known)


def _asking() -> list[Check]:
    return [
        Check(
            f"variables.update || variables.requester == {USER}",
            _said('spec.requestedBy "<requester>" is not who asks. Fix: write requestedBy: "<user>"'),
        ),
        Check(
            "variables.update || (variables.decision.size() == 0 && variables.review.size() == 0)",
            _said("spec.decision and spec.review come later, from others. Fix: take them out and apply it without"),
        ),
        Check(
            f"variables.update || !({_IS_BREAKGLASS}) || {_may(BREAKGLASS)}",
            _said(f"purpose BreakGlass is not for everybody: <lacks>. Fix: {_ROLE}", lacks=_lacks(BREAKGLASS)),
        ),
    ]


def _staying() -> list[Check]:
    """What owns it could take it away, with the decision and before the review."""
    return [
        Check(
            "variables.fields.size() == 0",
            _said(
                "<fields> cannot change after it was asked for. Fix: make another request",
                fields="variables.fields.map(f, 'spec.' + f).join(', ')",
            ),
        ),
        Check(
            "variables.owners",
            _said("metadata.ownerReferences: nothing may own it, or it would go with that. Fix: take them out"),
        ),
    ]


def _deciding() -> list[Check]:
    return [
        Check(
            "variables.decisionBefore.size() == 0 || variables.decision == variables.decisionBefore",
            _said("spec.decision was taken and stays. Fix: make another request"),
        ),
        Check(
            f"!variables.decides || variables.decider == {USER}",
            _said('spec.decision.by "<by>" is not who decides. Fix: write by: "<user>"', by="variables.decider"),
        ),
        Check(
            f"!variables.decides || !({_IS_MINOR}) || variables.purpose == '{Purpose.RAISE_LIMIT}'",
            _said("purpose <purpose> is never a minor overrun. Fix: write class: Major", purpose="variables.purpose"),
        ),
        Check(
            f"!variables.decides || {_IS_MINOR} || variables.decider != variables.requester",
            _said("a major overrun needs other eyes than those of <requester>. Fix: ask somebody else to decide"),
        ),
        Check(
            f"!variables.decides || ({_IS_MINOR} ? {_may(APPROVE_MINOR)} : {_may(APPROVE_MAJOR)})",
            _said(
                f"a decision of class <class> is not for everybody: <lacks>. Fix: {_ROLE}",
                lacks=f"({_IS_MINOR} ? {_lacks(APPROVE_MINOR)} : {_lacks(APPROVE_MAJOR)})",
                **{"class": "variables.class"},
            ),
        ),
    ]


def _reviewing() -> list[Check]:
    return [
        Check(
            "variables.reviewBefore.size() == 0 || variables.review == variables.reviewBefore",
            _said("spec.review was written and stays. Fix: write further comments elsewhere"),
        ),
        Check(
            f"!variables.reviews || {_IS_BREAKGLASS}",
            _said("only a BreakGlass is reviewed. Fix: take spec.review out"),
        ),
        Check(
            f"!variables.reviews || variables.reviewer == {USER}",
            _said('spec.review.by "<by>" is not who reviews. Fix: write by: "<user>"', by="variables.reviewer"),
        ),
        Check(
            "!variables.reviews || variables.reviewer != variables.requester",
            _said("a review needs other eyes than those of <requester>. Fix: ask somebody else to review it"),
        ),
        Check(
            f"!variables.reviews || {_may(APPROVE_MAJOR)}",
            _said(f"a review is not for everybody: <lacks>. Fix: {_ROLE}", lacks=_lacks(APPROVE_MAJOR)),
        ),
    ]


def _may(verb: str) -> str:
    return allowed("variables.named", verb)


def _lacks(verb: str) -> str:
    return lacks(verb, "variables.budget")


def _remark() -> str:
    """Who asked, decided or reviewed what, for the audit log."""
    amount = f"{found('object', '/spec/amount')}.map(a, {sentence(' by <amount>', amount='string(a)')})"
    percent = f"{found('object', '/spec/percent')}.map(p, {sentence(' by <percent> percent', percent='string(p)')})"
    known = {
        "what": sentence(
            "<purpose><more> of <budget>",
            purpose="variables.purpose",
            more=f"({amount} + {percent}).join('')",
            budget="variables.budget",
        ),
        "class": "variables.class",
        "state": "variables.state",
        "requester": "variables.requester",
    }
    return (
        f"!variables.update ? {sentence('<user> asks for <what>', **known)} : variables.decides ? "
        f"{sentence('<user> decides as <class>: <state>, for <requester>: <what>', **known)} : variables.reviews ? "
        f"{sentence('<user> reviews <what>, asked for by <requester>', **known)} : ''"
    )
