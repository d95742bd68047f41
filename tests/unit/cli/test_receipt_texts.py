"""Quantities of a receipt as people read them: rounded half up, never to nothing."""

import pytest

from aicost.crd.status.texts import counted
from aicost.entrypoints.cli.output.receipt.texts import quantity

HOUR = 3_600


@pytest.mark.parametrize(
    ("component", "amount", "shown"),
    [
        ("cpu", 5_000 * HOUR // 3, "1.67 core-h"),
        ("cpu", 1_664 * HOUR, "1.66 core-h"),
        ("cpu", 1_665 * HOUR, "1.67 core-h"),
        ("cpu", 1, "<0.01 core-h"),
        ("cpu", -1_665 * HOUR, "-1.67 core-h"),
        ("cpu", 0, "0.00 core-h"),
        ("memory", 1_024 * HOUR * 2 // 3, "0.67 GiB-h"),
        ("storage", 1_024 * HOUR * 1_234, "1,234.00 GiB-h"),
    ],
)
def test_a_quantity_is_rounded_half_up(component, amount, shown):
    assert quantity({"component": component, "quantity": amount, "gpu_milliseconds": 0}) == shown


@pytest.mark.parametrize(
    ("number", "words", "shown"),
    [
        (1, ("node",), "1 node"),
        (0, ("node",), "0 nodes"),
        (1_234, ("pod",), "1,234 pods"),
        (1, ("entry", "entries"), "1 entry"),
        (2, ("entry", "entries"), "2 entries"),
    ],
)
def test_one_is_one_and_more_are_many(number, words, shown):
    assert counted(number, *words) == shown
