"""A receipt for somebody who may not see who else held a device: others have no name and no figure of their own.

What others on a device owe is told as one sum, which the reader could work out from the device's price and their own
part; how that sum came about, and who they are, is not told.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

OTHERS = "others"
"""Stands for all who may not be seen, and for what nobody held beside them."""
Document = Mapping[str, Any]
Sees = Callable[[str], bool]


def without_others(document: Document, sees: Sees) -> dict[str, Any]:
    """The document of a receipt with all others taken out of it.

    Args:
        document: as of `receipt_document`.
        sees: whether a pod, as `NAMESPACE/POD`, may be seen.
    """
    return {
        **document,
        "holders": [one for one in document["holders"] if sees(_name(one))],
        "windows": [_window(one, sees) for one in document["windows"]],
    }


def _name(row: Document) -> str:
    return f"{row['namespace']}/{row['pod']}"


def _window(window: Document, sees: Sees) -> dict[str, Any]:
    detail = window["detail"]
    return {
        **window,
        "rows": [row for row in window["rows"] if sees(_name(row))],
        "differences": [one for one in window["differences"] if sees(_name(one))],
        "detail": None if detail is None else _detail(detail, sees),
    }


def _detail(detail: Document, sees: Sees) -> dict[str, Any]:
    samples = [one for one in detail["samples"] if not one["pods"] or any(map(sees, one["pods"]))]
    return {
        **detail,
        "samples": [{**one, "pods": [pod for pod in one["pods"] if sees(pod)]} for one in samples],
        "devices": [_device(one, sees) for one in detail["devices"]],
    }


def _device(device: Document, sees: Sees) -> dict[str, Any]:
    stretches = [_stretch(one, sees) for one in device["stretches"]]
    mine, others = _parted(device["divisions"], sees)
    shared = any(one["holder"] is not None for one in others)
    divisions = [*mine, _sum(others)] if shared else list(device["divisions"])
    return {**device, "stretches": stretches, "divisions": divisions}


def _parted(divisions: Sequence[Document], sees: Sees) -> tuple[list[Document], list[Document]]:
    mine = [one["holder"] is not None and sees(one["holder"]) for one in divisions]
    parted: tuple[list[Document], list[Document]] = ([], [])
    for one, own in zip(divisions, mine, strict=True):
        parted[0 if own else 1].append(one)
    return parted


def _sum(others: Sequence[Document]) -> dict[str, Any]:
    """One part for all of them. What nobody used of the device is in it: apart from it, it would tell of the others."""
    costs = [one["cost_nanos"] for one in others]
    exact = [one["exact_nanos"] for one in others]
    return {
        "holder": OTHERS,
        "bucket": OTHERS,
        "method": "",
        "quality": "",
        "signal": "",
        "weight": sum(one["weight"] for one in others),
        "time_ms": sum(one["time_ms"] for one in others),
        "exact_nanos": None if None in exact else str(sum(map(Fraction, exact), Fraction(0))),
        "cost_nanos": None if None in costs else sum(costs),
        "rounded_up": any(one["rounded_up"] for one in others),
        "seen": True,
    }


def _stretch(stretch: Document, sees: Sees) -> dict[str, Any]:
    """A stretch that others held too tells nothing of how busy the device was: that is theirs."""
    held = stretch["holders"]
    mine = [one for one in held if sees(one["holder"] or "")]
    if len(mine) == len(held):
        return dict(stretch)
    others = {"holder": OTHERS, "share": _shares(one["share"] for one in held if one not in mine)}
    hidden = {"busy_ppb_ms": 0, "covered_ms": 0, "error_ppb_ms": 0, "signal": OTHERS, "parts_ppb_ms": {}, "gaps": []}
    return {**stretch, **hidden, "holders": [*mine, others], "hidden": True}


def _shares(shares: Iterable[str]) -> str:
    return str(sum(map(Fraction, shares), Fraction(0)))
