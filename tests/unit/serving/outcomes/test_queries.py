"""Queries of people are held to their namespace: each selector gets the matchers, or the query is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.serving.outcomes.queries import LONGEST, BadQuery, bind

MINE = 'namespace="mine"'


@pytest.mark.parametrize(
    ("query", "bound"),
    [
        ("a", f"a{{{MINE}}}"),
        ('a{b="c"}', f'a{{b="c",{MINE}}}'),
        ('{__name__="a",b=~"x|y"}', f'{{__name__="a",b=~"x|y",{MINE}}}'),
        ('a{namespace="other"}', f'a{{namespace="other",{MINE}}}'),
        ('a{b="}",c="\\"{"}', f'a{{b="}}",c="\\"{{",{MINE}}}'),
        ("a{b=`}`}", f"a{{b=`}}`,{MINE}}}"),
        ("a{}", f"a{{{MINE}}}"),
        ("a{b='c',}", f"a{{b='c',{MINE}}}"),
    ],
)
def test_a_selector_alone_is_a_counter(query, bound):
    assert bind(query, MINE, "3600000ms") == (bound, True)


@pytest.mark.parametrize(
    ("query", "selectors"),
    [
        ("sum by (reason) (increase(answers_total[$window]))", 1),
        ("sum(increase(a[$window])) by (reason)", 1),
        ("sum(rate(a[5m])) by (x) / on(x) group_left(y) sum(b offset 5m)", 2),
        ("a and b or c unless d", 4),
        ("-a + 2 * (b - c[5m:1m])", 3),
        ('label_replace(a, "reason", "$1", "code", "(.*)")', 1),
        ("a == bool b", 2),
        ("topk(3, a) * on () group_right b", 2),
        ("quantile_over_time(0.9, a[1h30m])", 1),
        # Words of PromQL are names of metrics where a value may stand.
        ("sum(and)", 1),
        ("offset offset 5m", 1),
        ("by + without", 2),
    ],
)
def test_each_selector_of_an_expression_is_bound(query, selectors):
    found = bind(query, MINE, "3600000ms")
    assert found.text.count(MINE) == selectors
    assert not found.is_selector or selectors == 1
    assert "$window" not in found.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "'the end'"),
        ("1", "it reads no series"),
        ('{b="c"}', "a selector names its metric"),
        ('{__name__=~".+"}', "a selector names its metric"),
        ("info(a)", "info(): it is no function"),
        ("label_values(a)", "it is no function"),
        ("a{", "'the end'"),
        ('a{"x"="y"}', "is not understood"),
        ("a b", "'b' after 'a'"),
        ("a on b", "'on' after 'a'"),
        ("a # namespace", "without comments"),
        ("a @ 123", "'@' after 'a'"),
        ("sum(a", "'the end'"),
        ("sum(a))", "')' after"),
        ('a{b="c', "is not understood"),
        ('a{b="\n"}', "is not understood"),
        ("a[5m", "'the end'"),
        ("a offset b", "'b' after"),
        ("5m5", "is not understood"),
        ("\u00e4", "is not understood"),
        ("a\u00a0", "is not understood"),
        ("a;b", "is not understood"),
        ("(" * 200 + "a" + ")" * 200, "too deep"),
        ("a" * (LONGEST + 1), "write at most 2,000"),
    ],
)
def test_what_is_not_known_is_refused_and_never_passed_on(query, said):
    with pytest.raises(BadQuery) as refused:
        bind(query, MINE, "1h")
    assert said in str(refused.value)


words = st.sampled_from(
    ["a", "b_total", "sum", "by", "and", "or", "on", "offset", "rate", "group_left", "bool", "(", ")", "{", "}", ",",
     '"x"', '"}"', "'{'", "`a{`", "=", "=~", "!=", "+", "-", "[", "]", "5m", "$window", "1", ":", "@", "namespace",
     "__name__", "\n", "\\", "#"]
)  # fmt: skip
_STRINGS = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"|\'(?:[^\'\\\n]|\\[^\n])*\'|`[^`]*`')


@given(st.lists(words, max_size=14).map(" ".join))
def test_whatever_is_put_together_no_name_is_read_without_the_matchers(query):
    """Read again by another rule: outside of texts, each pair of braces ends in the matchers."""
    try:
        text = bind(query, MINE, "1h").text
    except BadQuery:
        return
    bare = _STRINGS.sub('""', text)
    braces = re.findall(r"\{[^{}]*\}", bare)
    assert bare.count("{") == bare.count("}") == len(braces)
    assert braces
    assert all(one.endswith('namespace=""}') for one in braces)
    outside = re.sub(r"\{[^{}]*\}", "{}", bare)
    names = re.findall(
        r"[a-zA-Z_][a-zA-Z0-9_:]*(?!\w)(?!\s*[({])",
        re.sub(r"\b(by|without|on|ignoring|group_left|group_right) \( [^()]*\)", "", outside),
    )
    assert set(names) <= {"and", "or", "bool", "offset", "group_left", "m"}


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(query):
    try:
        found = bind(query, MINE, "1h").text
    except BadQuery as refused:
        found = f"{MINE} {refused}"
    assert MINE in found
    assert len(found) < 300 + len(query)
