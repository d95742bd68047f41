"""Inputs that are read many times at one moment: the same as read one by one, and still checked."""

import pytest

from aicost.adapters.ledger.inputs.parts import split
from aicost.ports.errors import InputsDamaged
from support.receipts import CLUSTER, Kept, hours, inputs


@pytest.fixture
def kept(tmp_path):
    made = Kept(tmp_path / "ledger")
    for hour in range(3):
        made.post(inputs(window=hours(hour)))
    return made


def anchor(kept, hour):
    return kept.ledger.inputs_of(CLUSTER, hours(hour), 0)


def test_what_is_read_is_the_same_though_shared_parts_are_read_once(kept, monkeypatch):
    pinned, asked = kept.inputs.pinned(), []
    ask = type(pinned)._ask
    monkeypatch.setattr(type(pinned), "_ask", lambda self, table, query: asked.append(query) or ask(self, table, query))
    for hour in range(3):
        mine = pinned.read(CLUSTER, hours(hour), 0, anchor=anchor(kept, hour))
        theirs = kept.inputs.read(CLUSTER, hours(hour), 0, anchor=anchor(kept, hour))
        assert split(mine.given) == split(theirs.given)
        assert mine.anchor == theirs.anchor == anchor(kept, hour)
    by_pinned = [query for query in asked if "part IN" in query and "policies" in query]
    assert len(asked) == 2 + 3 + 2
    assert len(by_pinned) == 2


def test_what_is_kept_later_is_not_in_it(kept):
    pinned = kept.inputs.pinned()
    assert pinned.read(CLUSTER, hours(0), 0, anchor=0) is not None
    kept.post(inputs(window=hours(3)))
    assert pinned.read(CLUSTER, hours(3), 0, anchor=0) is None
    assert kept.inputs.pinned().read(CLUSTER, hours(3), 0, anchor=0) is not None


def test_nothing_kept_is_nothing_read(tmp_path):
    assert Kept(tmp_path / "none").inputs.pinned().read(CLUSTER, hours(0), 0, anchor=0) is None


def test_a_part_that_is_not_what_was_kept_is_told(kept, monkeypatch):
    monkeypatch.setattr("aicost.adapters.ledger.inputs.store.digest_of", lambda _: "0" * 64)
    with pytest.raises(InputsDamaged, match="its checksum differs"):
        kept.inputs.pinned().read(CLUSTER, hours(1), 0, anchor=0)
