"""Which routes a budget may name, and whom it tells where it names none."""

import pytest

from aicost.adapters.notify.routes import finops, offered, takes, usual
from aicost.domain.budgets.messages.values import Urgency
from support.notify import route


def test_without_patterns_a_route_is_for_everybody():
    assert offered([route("a")], "anything") == ("a",)


def test_patterns_keep_a_route_for_some_namespaces_and_for_cluster_budgets():
    kept = [route("a", namespaces=("ml-*", "search"))]
    assert offered(kept, "ml-dev") == offered(kept, "search") == offered(kept, "") == ("a",)
    assert offered(kept, "research") == offered(kept, "ml") == ()


def test_a_budget_that_says_it_is_of_a_team_is_not_let_into_a_route_of_other_namespaces():
    kept = [route("vision", namespaces=("vision",), teams=("vision",)), route("finops", finops=True)]
    assert usual(kept, "stranger", "vision") == ("finops",)


def test_a_team_without_patterns_is_told_wherever_its_budgets_are():
    assert usual([route("vision", teams=("vision",))], "anywhere", "vision") == ("vision",)


def test_a_route_of_a_team_is_not_the_usual_one_of_another_team_in_the_same_namespace():
    both = [route("vision", namespaces=("ml",), teams=("vision",)), route("ml", namespaces=("ml",))]
    assert usual(both, "ml", "search") == ("ml",)
    assert usual(both, "ml", "vision") == ("vision",)


def test_a_route_for_everybody_is_nobodys_usual_one():
    assert usual([route("everybody")], "ml", "vision") == ()


def test_several_routes_of_a_team_are_all_told_in_the_order_of_the_settings():
    two = [route("chat", teams=("vision",)), route("mail", teams=("search", "vision"))]
    assert usual(two, "ml", "vision") == ("chat", "mail")


def test_finops_are_those_that_say_so():
    assert finops([route("a"), route("b", finops=True), route("c", finops=True)]) == ("b", "c")


@pytest.mark.parametrize(("least", "taken"), [("info", 3), ("warning", 2), ("critical", 1)])
def test_a_route_takes_what_is_as_urgent_as_it_asks_for(least, taken):
    assert sum(takes(route("a", least=Urgency(least)), urgency) for urgency in Urgency) == taken
