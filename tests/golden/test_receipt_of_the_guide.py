"""The receipt in the guide is what the program prints."""

from pathlib import Path

import pytest

from aicost.__main__ import main

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "receipts.md"
BUNDLE = Path(__file__).parents[2] / "examples" / "bundles" / "training"
BOOK = """
apiVersion: aicost.dev/v1alpha1
kind: PriceBook
metadata: {name: invoice}
spec:
  currency: USD
  entries:
  - {name: node, match: {gpuModel: h100-80gb}, perGpuHour: "4.00"}
"""


def blocks() -> list[str]:
    return [part.split("```")[0] for part in GUIDE.read_text(encoding="utf-8").split("```text\n")[1:]]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    place = tmp_path_factory.mktemp("guide") / "ledger"
    assert main(["replay", str(BUNDLE), "--ledger", str(place)]) == 0
    return str(place)


def test_the_receipt_of_the_guide_is_printed_so(ledger, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "132")
    assert main(["explain", "vision/pretrain-x7k2p", "--window", "2026-03-02", "--ledger", ledger]) == 0
    assert capsys.readouterr().out == blocks()[0]


def test_the_rating_of_the_guide_is_printed_so(ledger, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "132")
    book = tmp_path / "invoice.yaml"
    book.write_text(BOOK)
    assert main(["rerate", "--window", "2026-03-02", "--ledger", ledger, "--prices", str(book)]) == 0
    assert capsys.readouterr().out.endswith(blocks()[1])
