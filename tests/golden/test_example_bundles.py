"""The bundles under examples come to the reports that lie beside them."""

from pathlib import Path

import pytest

import example_bundles

PLACE = Path(__file__).parents[2] / "examples/bundles"


def test_each_bundle_has_its_report():
    assert sorted(path.name for path in PLACE.iterdir() if path.is_dir()) == sorted(example_bundles.NAMES)
    assert sorted(PLACE.glob("*.report.txt")) == sorted(PLACE / f"{name}.report.txt" for name in example_bundles.NAMES)


@pytest.mark.parametrize("name", example_bundles.NAMES)
def test_a_bundle_comes_to_its_report(name, tmp_path):
    expected = (PLACE / f"{name}.report.txt").read_text(encoding="utf-8")
    assert example_bundles.report(name, tmp_path / "ledger") == expected, (
        "if the rules changed: PYTHONPATH=hack .venv/bin/python hack/example_bundles.py --reports"
    )


def test_the_bundles_are_what_their_scripts_say(tmp_path, monkeypatch):
    monkeypatch.setattr(example_bundles, "PLACE", tmp_path)
    example_bundles.write(
        "training", *example_bundles.training(), "One hour of a training node: a Job, a pod that failed, an idle GPU."
    )
    for path in sorted((tmp_path / "training").rglob("*.*")):
        same = PLACE / path.relative_to(tmp_path)
        assert path.read_bytes() == same.read_bytes(), (
            f"{same} was changed by hand: write it by hack/example_bundles.py"
        )
