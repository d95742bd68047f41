"""The quick way to read samples gives what the plain one gives, and refuses what that refuses."""

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.prometheus.replies import samples_of, samples_within
from aicost.domain.exact.windows import Window
from aicost.ports.errors import InvalidAnswer

URL = "http://prometheus"
ALWAYS = Window(0, 1 << 60)
TIMES = st.integers(0, 4_000_000_000_000).map(lambda at_ms: at_ms / 1_000)
VALUES = st.one_of(
    st.floats().map(repr), st.integers(-(2**70), 2**70).map(str), st.sampled_from(["NaN", "+Inf", "1e-7"])
)
SERIES = st.lists(st.tuples(TIMES, VALUES), max_size=6)
ODD = [
    b'[[1,2,"3"],["4"]]',
    b'[[1,2,"3"],[4,5,"6"]]',
    b'[["1","2"]]',
    b'[[1,"2,3"],[4,"5"]]',
    b'[[1,"2"],"3"]',
    b'[[1,"2"],[["3"]]]',
    b"[[1,2]]",
    b'[[1,"2"],[3,null]]',
    b'[[1,"x"]]',
]
"""What is no list of pairs of a number and a text that is a number."""


def body(pairs, spaces=False):
    return json.dumps([list(pair) for pair in pairs], separators=None if spaces else (",", ":")).encode()


@given(st.lists(SERIES, max_size=5), st.booleans(), st.integers(0, 4_000_000_000), st.integers(0, 4_000_000_000))
def test_many_series_are_read_as_one_by_one(every, spaces, one, other):
    part = Window(1_000 * min(one, other), 1_000 * max(one, other))
    raws = [msgspec.Raw(body(pairs, spaces)) for pairs in every]
    found = list(samples_within(URL, raws, part))
    assert len(found) == len(raws)
    for raw, (at_ms, value) in zip(raws, found, strict=True):
        times, values = samples_of(URL, raw)
        inside = (times >= part.start_ms) & (times < part.end_ms)
        np.testing.assert_array_equal(at_ms, times[inside])
        np.testing.assert_array_equal(value, values[inside])


def test_plain_values_are_read_without_a_text_for_each(monkeypatch):
    monkeypatch.setattr("aicost.adapters.prometheus.replies.samples_of", None)  # the slow way is closed
    ((at_ms, value), (later, _)) = samples_within(URL, [body([(1.5, "0.25"), (2, "3")]), body([(4, "1e9")])], ALWAYS)
    assert (at_ms.tolist(), value.tolist(), later.tolist()) == ([1_500, 2_000], [0.25, 3.0], [4_000])


@pytest.mark.parametrize("odd", ODD, ids=bytes.decode)
@pytest.mark.parametrize("beside", [[], [b'[[1,"2"]]'], [b'[[1,2,"3"]]']])
def test_what_is_no_list_of_samples_is_refused(odd, beside):
    with pytest.raises(InvalidAnswer, match="samples that are none"):
        list(samples_within(URL, [*beside, odd], ALWAYS))
