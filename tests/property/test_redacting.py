"""A receipt without others names nobody who may not be seen, and still adds up."""

import json
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from aicost.crd.receipts.redacting import OTHERS, without_others

MINE, FOREIGN = ("a/one", "a/two"), ("secret-ns/x", "secret-b/y")
names = st.sampled_from([*MINE, *FOREIGN])
holders = st.one_of(st.none(), names)


@st.composite
def divisions(draw):
    cost = draw(st.integers(0, 10**12))
    return {
        "holder": draw(holders), "bucket": draw(st.sampled_from(["used", "allocated-idle", "unallocated"])),
        "method": "two-part", "quality": "measured-gauge", "signal": "engine-active",
        "weight": draw(st.integers(0, 10**9)), "time_ms": draw(st.integers(0, 3_600_000)),
        "exact_nanos": str(Fraction(cost * 3 + draw(st.integers(0, 2)), 3)), "cost_nanos": cost,
        "rounded_up": draw(st.booleans()), "seen": draw(st.booleans()),
    }  # fmt: skip


@st.composite
def stretches(draw):
    held = draw(st.lists(names, unique=True, max_size=4))
    return {
        "holders": [{"holder": name, "share": "1/3"} for name in held], "busy_ppb_ms": draw(st.integers(1, 10**9)),
        "covered_ms": 7, "error_ppb_ms": 1, "signal": "engine-active", "gaps": [], "parts_ppb_ms": {"used": "5"},
    }  # fmt: skip


@st.composite
def documents(draw):
    def row():
        namespace, pod = draw(names).split("/")
        return {"namespace": namespace, "pod": pod, "cost_nanos": draw(st.integers(0, 99))}

    devices = draw(st.lists(st.builds(
        lambda parts, spans: {"divisions": parts, "stretches": spans}, st.lists(divisions(), max_size=6),
        st.lists(stretches(), max_size=3)), max_size=2))  # fmt: skip
    samples = [{"pods": draw(st.lists(names, unique=True, max_size=3)), "count": 1} for _ in range(2)]
    detail = {"samples": samples, "devices": devices, "prices": []}
    window = {"rows": [row(), row()], "differences": [row()], "detail": draw(st.sampled_from([None, detail]))}
    return {"holders": [row()], "windows": [window]}


def sees(name: str) -> bool:
    return name.startswith("a/")


@given(documents())
def test_nobody_who_may_not_be_seen_is_named(document):
    assert "secret" not in json.dumps(without_others(document, sees))


@given(documents())
def test_each_device_adds_up_as_before(document):
    told = without_others(document, sees)
    for before, after in zip(document["windows"], told["windows"], strict=True):
        for whole, mine in zip(*((one["detail"] or {}).get("devices", []) for one in (before, after)), strict=True):
            for figure in ("weight", "time_ms", "cost_nanos"):
                assert sum(one[figure] for one in mine["divisions"]) == sum(one[figure] for one in whole["divisions"])
            exact = [sum(Fraction(one["exact_nanos"]) for one in each["divisions"]) for each in (whole, mine)]
            assert exact[0] == exact[1]


@given(documents())
def test_what_is_ones_own_stays_as_it_was(document):
    told = without_others(document, sees)
    for before, after in zip(document["windows"], told["windows"], strict=True):
        assert after["rows"] == [row for row in before["rows"] if row["namespace"] == "a"]
        for whole, mine in zip(*((one["detail"] or {}).get("devices", []) for one in (before, after)), strict=True):
            own = [one for one in whole["divisions"] if one["holder"] in MINE]
            assert [one for one in mine["divisions"] if one["holder"] in MINE] == own
            assert sum(one["holder"] == OTHERS for one in mine["divisions"]) <= 1


@given(documents())
def test_who_sees_all_sees_all(document):
    assert without_others(document, lambda _: True)["windows"] == document["windows"]
