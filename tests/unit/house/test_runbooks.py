"""Whatever a budget says leads to a page that is there, and the pages are of one kind."""

import re

import pytest
import yaml

from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.reasons import CONDITIONS, ConditionType
from aicost.domain.budgets.deciding.figures import Blindness
from aicost.domain.budgets.gates import Basis, Gate
from aicost.domain.budgets.messages.runbooks import BY_BASIS, BY_GATE, BY_REASON, BY_TOPIC, page_of
from aicost.domain.budgets.messages.values import Topic
from support.documents import ROOT, code_blocks

FOLDER = ROOT / "docs/runbooks"
PAGES = sorted(path.stem for path in FOLDER.glob("*.md"))
OF_OTHERS = {
    "admission-down", "ledger-damaged", "no-leader", "query-api-down", "price-source-stale", "telemetry-not-trusted",
}  # fmt: skip
OF_BUDGETS = [name for name in PAGES if name not in OF_OTHERS]
KINDS = ("Budget", "BudgetOverride", "BudgetAction")
GOOD_NEWS = {
    "Reported", "Within", "Fresh", "AllPriced", "ListPrices", "GateOpen", "NothingReached", "ObserveOnly",
    "AdviseOnly", "NotHeld", "NotContested", "NothingToRestore", "RoutesFound", "Reviewed", "Active", "Applied",
    "Applying", "Withdrawn",
}  # fmt: skip
"""Reasons that nobody has to do anything about."""
NOT_YET = {"Waiting", "NoWindowYet"}
"""Reasons of what is not known yet."""


def _reasons() -> set[str]:
    return {str(cause.reason) for kind in KINDS for causes in CONDITIONS[kind].values() for cause in causes}


def test_each_reason_of_a_condition_is_good_news_or_has_a_page() -> None:
    untold = _reasons() - set(BY_REASON) - GOOD_NEWS - NOT_YET
    assert untold == set(), "say in domain/budgets/messages/runbooks.py where to read on, or that it is good news here"
    assert GOOD_NEWS & set(BY_REASON) == set()


def test_what_is_good_news_is_stated_by_a_condition() -> None:
    assert (GOOD_NEWS | NOT_YET) - _reasons() == set()


def test_each_reason_with_a_page_is_one_that_somebody_gives() -> None:
    assert set(BY_REASON) - _reasons() - set(Blindness) == set()


def test_topics_gates_bases_and_doubts_all_have_a_page() -> None:
    assert set(BY_TOPIC) == set(Topic)
    assert set(BY_GATE) == set(Gate)
    assert set(BY_BASIS) == set(Basis)
    assert set(Blindness) <= set(BY_REASON)


def test_pages_that_are_named_are_there_and_pages_that_are_there_are_named() -> None:
    named = {*BY_TOPIC.values(), *BY_GATE.values(), *BY_BASIS.values(), *BY_REASON.values()}
    assert named == set(OF_BUDGETS)


def test_no_word_stands_for_two_things_with_different_pages() -> None:
    words: dict[str, str] = {}
    for pages in (BY_TOPIC, BY_BASIS, BY_GATE, BY_REASON):
        for word, page in pages.items():
            assert words.setdefault(str(word), page) == page, word


@pytest.mark.parametrize("about", [*Topic, *Gate, *Basis, *BY_REASON, "SomethingNew"])
def test_the_page_of_anything_is_a_path_in_the_project(about: str) -> None:
    assert (ROOT / page_of(about)).is_file()


def test_a_page_is_about_what_was_asked_for() -> None:
    assert page_of(Gate.DENY_NEW) == "docs/runbooks/budget-deny-new.md"
    assert page_of(Basis.FORECAST) == "docs/runbooks/budget-forecast.md"
    assert page_of(Blindness.PRICE_JUMP) == "docs/runbooks/price-quarantine.md"
    assert page_of("GlassBroken") == "docs/runbooks/break-glass.md"


@pytest.mark.parametrize("name", OF_BUDGETS)
def test_a_page_says_the_way_out_first_then_what_shows_it_its_cause_and_what_happens_else(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["The way out", "What shows it", "Find the cause", "If you do nothing"]
    assert text.count("\n") < 100, "one page"
    assert code_blocks(text)


@pytest.mark.parametrize("name", OF_BUDGETS)
def test_conditions_that_a_page_names_are_stated_by_budgets(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    named = {
        one
        for row in re.findall(r"^\| conditions? (.+?) \|", text, re.MULTILINE)
        for one in re.findall(r"`(\w+)`", row)
    }
    kinds = {kind for kind in CONDITIONS if kind.startswith(("Budget", "ClusterBudget"))}
    assert named <= {str(condition) for kind in kinds for condition in CONDITIONS[kind]}


def test_break_glass_stands_on_the_pages_of_the_gates_that_are_in_the_way() -> None:
    for name in ("budget-freeze-growth", "budget-deny-new"):
        text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
        assert "kubectl delete validatingadmissionpolicybinding aicost-budget-growth\n" in text
    assert "kubectl delete budgetgates --all -n research\n" in (FOLDER / "budget-deny-new.md").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("name", OF_BUDGETS)
def test_resources_that_kubectl_is_asked_for_exist(name: str) -> None:
    own = {
        yaml.safe_load(path.read_text(encoding="utf-8"))["spec"]["names"]["plural"]
        for path in (ROOT / "crds").glob("*.yaml")
    }
    own |= {one.removesuffix("s") for one in own}
    others = {"validatingadmissionpolicybinding", "deployment", "job", "apiservice"}
    text = code_blocks((FOLDER / f"{name}.md").read_text(encoding="utf-8"))
    asked = re.findall(r"^kubectl (?:get|delete|patch|edit|describe|annotate) ([\w.]+)", text, re.MULTILINE)
    assert set(asked) - own - others == set()


def test_the_status_of_a_condition_that_is_bad_news_when_true_is_known() -> None:
    """`EnforcementHeld` and its like are bad news when True: their reasons have pages."""
    for condition in (
        ConditionType.ENFORCEMENT_HELD,
        ConditionType.ACTUATOR_CONTESTED,
        ConditionType.RESTORE_PENDING,
        ConditionType.REVIEW_DUE,
    ):
        for cause in CONDITIONS["Budget"][condition]:
            assert (str(cause.reason) in BY_REASON) == (cause.status is ConditionStatus.TRUE)
