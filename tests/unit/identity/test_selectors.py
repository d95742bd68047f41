import pytest

from aicost.domain.identity.claims import LabelExpression, LabelSelector
from aicost.domain.identity.selectors import describe_selector, expression_holds, selects, unknown_operators


@pytest.mark.parametrize(
    ("operator", "values", "labels", "holds"),
    [
        ("In", ("a", "b"), {"app": "b"}, True),
        ("In", ("a", "b"), {"app": "c"}, False),
        ("In", ("a",), {}, False),
        ("NotIn", ("a",), {"app": "b"}, True),
        ("NotIn", ("a",), {"app": "a"}, False),
        ("NotIn", ("a",), {}, True),
        ("Exists", (), {"app": ""}, True),
        ("Exists", (), {}, False),
        ("DoesNotExist", (), {}, True),
        ("DoesNotExist", (), {"app": ""}, False),
    ],
)
def test_terms_hold_as_kubernetes_reads_them(operator, values, labels, holds):
    assert expression_holds(LabelExpression("app", operator, values), labels) is holds


def test_all_terms_must_hold():
    selector = LabelSelector({"app": "chat"}, (LabelExpression("tier", "Exists"),))
    assert selects(selector, {"app": "chat", "tier": "gpu"})
    assert not selects(selector, {"app": "chat"})
    assert not selects(selector, {"app": "recs", "tier": "gpu"})


def test_no_terms_select_everything():
    assert selects(LabelSelector(), {})


def test_an_unknown_operator_is_named_with_those_that_exist():
    with pytest.raises(ValueError, match=r"'Near' of key 'app': use In, NotIn, Exists, DoesNotExist"):
        expression_holds(LabelExpression("app", "Near"), {})
    assert unknown_operators(LabelSelector(expressions=(LabelExpression("app", "Near"),))) == ("Near",)


def test_a_selector_is_printed_as_kubectl_takes_it():
    expressions = (
        LabelExpression("tier", "In", ("a", "b")),
        LabelExpression("gpu", "Exists"),
        LabelExpression("old", "DoesNotExist"),
    )
    assert describe_selector(LabelSelector({"app": "chat"}, expressions)) == "app=chat,tier in (a,b),gpu,!old"
