"""Patterns mean what they mean everywhere else, and never take long."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.policy.expressions.automaton import PatternError
from aicost.domain.policy.expressions.patterns import check_pattern, full_match


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("cc-[0-9]{3,5}", "cc-100", True),
        ("cc-[0-9]{3,5}", "cc-10", False),
        ("cc-[0-9]{3,5}", "cc-100000", False),
        ("^cc-\\d+$", "cc-1", True),
        ("a|bc", "bc", True),
        ("a|bc", "abc", False),
        ("(?:ab)?c", "c", True),
        ("", "", True),
        ("", "a", False),
        ("[^a-c]+", "xyz", True),
        ("[^a-c]+", "xbz", False),
        ("[]a-]+", "]-a", True),
        ("\\.", "x", False),
        (".", "\n", False),
        ("\\w+", "a_1", True),
        ("\\w+", "\u00e4", False),
        ("\\d", "\u0663", False),
        ("(a{2}){2,}", "aaaaaa", True),
        ("(a{2}){2,}", "aaaaa", False),
        ("a{0}b", "b", True),
        ("x+?", "xx", True),
    ],
)
def test_a_pattern_matches_a_whole_text_or_not(pattern, text, matches):
    assert check_pattern(pattern) is None
    assert full_match(pattern, text) is matches


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("a(?=b)", "plain group"),
        ("(?i)team", "plain group"),
        ("(?P<name>a)", "plain group"),
        ("(a)\\1", "not known to all engines"),
        ("\\bteam", "not known to all engines"),
        ("\\p{L}", "not known to all engines"),
        ("[[:alpha:]]", "write a-z"),
        ("[z-a]", "smaller end first"),
        ("a**", "repeats a repetition"),
        ("a++", "repeats a repetition"),
        ("*a", "repeats nothing"),
        ("a{,3}", "write a repetition as"),
        ("a{5,3}", "from the smaller number"),
        ("a{2000}", "1000 at most"),
        ("(a", "close it"),
        ("[a", "close what is open"),
        ("a)", "closes nothing"),
        ("a\\", "close what is open"),
        ("a^b", "edge only"),
        ("a" * 1001, "shorter"),
        ("((a{10}){10}){11}", "smaller repetitions"),
        ("((){1000}){1000}", "take them out"),
        ("(" * 100 + ")" * 100, "flatter"),
    ],
)
def test_what_not_every_engine_can_run_is_told_with_what_to_write(pattern, says):
    assert says in check_pattern(pattern)
    with pytest.raises(PatternError, match=re.escape(says)):
        full_match(pattern, "a")


@pytest.mark.parametrize("pattern", ["(a+)+", "(a|aa)+", "(a|a?)+", "(.*a){20}", "([a-z]+)*x", "(a?){200}a{200}"])
def test_no_text_makes_a_pattern_go_back(pattern):
    """Each of these keeps Python's own engine busy for years."""
    assert full_match(pattern, "a" * 252 + "!") is False


ATOMS = st.sampled_from(["a", "b", "-", "[ab]", "[^a]", "\\d", "\\w", ".", "\\."])


def _longer(inner):
    repeated = st.builds(
        lambda one, sign: f"(?:{one}){sign}", inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{2,}", "+?"])
    )
    return st.one_of(
        repeated,
        st.builds(lambda one, other: one + other, inner, inner),
        st.builds(lambda one, other: f"({one}|{other})", inner, inner),
    )


@given(st.recursive(ATOMS, _longer, max_leaves=5), st.text("ab-1.", max_size=6))
def test_a_pattern_means_what_python_says_it_means(pattern, text):
    assert full_match(pattern, text) == (re.fullmatch(pattern, text, re.ASCII) is not None)


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")  # Python may read such sets otherwise one day
@given(st.text("ab()[]{}|*+?^$\\-,1:=!d", max_size=12))
def test_any_text_is_a_pattern_or_is_told_what_is_wrong(pattern):
    problem = check_pattern(pattern)
    if problem is None:
        re.compile(pattern)
        full_match(pattern, "ab-1")
    else:
        assert problem
