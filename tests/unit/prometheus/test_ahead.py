"""Answers are asked for one ahead."""

from itertools import count
from threading import Event

import pytest

from aicost.adapters.prometheus.client import ahead

SECONDS = 30.0
"""A wait that never ends fails."""


def test_answers_come_in_their_order():
    assert list(ahead(iter("abc"))) == ["a", "b", "c"]
    assert list(ahead(iter(()))) == []


def test_the_next_one_is_asked_for_while_the_last_one_is_read():
    asked = [Event(), Event()]

    def answers():
        for one in asked:
            one.set()
            yield one

    assert next(ahead(answers())) is asked[0]
    assert asked[1].wait(SECONDS)


def test_no_more_than_one_is_held():
    asked = count()
    read = ahead(asked)
    assert [next(read), next(read)] == [0, 1]
    read.close()
    assert next(asked) <= 3


def test_a_failure_stands_where_it_happened():
    def answers():
        yield "a"
        raise ValueError("half")

    read = ahead(answers())
    assert next(read) == "a"
    with pytest.raises(ValueError, match="half"):
        next(read)
