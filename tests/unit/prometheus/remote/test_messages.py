"""Frames and series of remote reads, in any pieces; what is none is refused."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.prometheus.remote.messages import EQUAL, REGEX, KnownLabels, Matcher, frames, request, series
from aicost.domain.exact.windows import Window
from support.history.remote_write import field
from support.remote_read import chunk, frame, varint

T0 = 1_700_000_000_000
CHUNK = chunk([(T0, 0), (T0 + 15_000, 5)])
NAMES = st.text("abc_é", min_size=1, max_size=200)
LABELS = st.dictionaries(NAMES, NAMES, max_size=5)


def read(data, *cuts):
    edges = [0, *sorted(cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    known = KnownLabels()
    return [series(one, known) for one in frames(pieces)]


@given(st.lists(st.tuples(LABELS, st.lists(st.binary(max_size=300), max_size=3)), max_size=4), st.data())
def test_an_answer_is_read_however_it_is_cut(every, data):
    body = b"".join(frame(labels, chunks) for labels, chunks in every)
    found = read(body, *data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    assert [(one.labels, list(one.chunks)) for one in found] == every


def test_parts_of_one_series_have_one_key():
    one, other, third = read(frame({"a": "1"}, [CHUNK]) + frame({"a": "1"}, []) + frame({"a": "2"}, []))
    assert one.key == other.key != third.key


def content(labels: dict[str, str], *chunks: bytes, **more: int) -> bytes:
    return frame(labels, chunks, **more)[5:]


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (b"", "cut off"),
        (content({"a": "b"}, CHUNK) + b"\x10\x01", "more than one series"),
        (content({"a": "b"}, CHUNK) * 2, "more than one series"),
        (content({"a": "b"}, CHUNK, encoding=2), "another kind than plain samples"),
        (content({"a": "b"}, CHUNK, encoding=4), "another kind than plain samples"),
        (content({"a": "b"}, CHUNK)[:-1], "no whole field 1"),
        (field(1, field(1, field(1, b"a"))), "cut off"),
        (field(1, field(1, field(1, b"a") + field(2, b"b") + field(3, b"c"))), "more than a name and a value"),
        (field(1, field(1, field(2, b"b") + field(1, b"a"))), "no whole field 1"),
        (field(1, field(1, field(1, b"a") + field(2, b"\xff"))), "utf-8"),
        (field(1, field(3, b"c")), "no whole field 2"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\x7f", "a length that is none"),
    ],
    ids=["empty", "more", "two", "histogram", "xor2", "short", "name", "third", "order", "text", "field", "length"],
)
def test_what_is_no_series_is_refused(odd, said):
    with pytest.raises(ValueError, match=said):
        series(odd, KnownLabels())


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data):
    try:
        found = read(data)
    except ValueError:
        return
    assert sum(len(one.key) + sum(map(len, one.chunks)) for one in found) <= len(data)


@pytest.mark.parametrize("tail", [b"\x05", b"\x05abcd", b"\x05abcdefgh", b"internal error"])
def test_an_answer_that_ends_within_a_frame_is_refused(tail):
    with pytest.raises(ValueError, match="ends within a frame"):
        read(frame({"a": "b"}, [CHUNK]) + tail)


def test_a_question_names_the_span_and_all_matchers():
    asked = request([Matcher(REGEX, "__name__", "a|b"), Matcher(EQUAL, "cluster", "é")], Window(T0, T0 + 1_000))
    name = field(3, b"\x08\x02" + field(2, b"__name__") + field(3, b"a|b"))
    cluster = field(3, b"\x08\x00" + field(2, b"cluster") + field(3, "é".encode()))
    query = b"\x08" + varint(T0) + b"\x10" + varint(T0 + 999) + name + cluster
    plain = field(1, query) + b"\x10\x01"
    assert asked == varint(len(plain)) + b"\xfc" + (len(plain) - 1).to_bytes(4, "little") + plain
