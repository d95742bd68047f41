"""Generated files are what their sources say, and a drift is named with its fix."""

import re
from pathlib import Path

import pytest

import generate
from crdgen import files as definitions
from references import chart_values
from references.settings_fields import DERIVED, RENAMED, SAME, setting_fields


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(definitions, "ROOT", tmp_path)
    return tmp_path


def test_the_checked_in_files_are_up_to_date(capsys) -> None:
    assert generate.verify(generate.generated()) == 0, capsys.readouterr().err


def test_everything_that_the_make_target_promises_is_generated() -> None:
    names = {str(path.relative_to(generate.ROOT)) for path in generate.generated()}
    assert {
        "charts/aicost/values.schema.json",
        "charts/aicost/files/starter-prices.yaml",
        "docs/reference/chart.md",
        "docs/reference/settings.md",
        "docs/reference/metrics.md",
        "docs/reference/crds.md",
        "docs/reference/cli.md",
        "crds/aicost.dev_pricebooks.yaml",
        "charts/aicost/templates/crds/aicost.dev_pricebooks.yaml",
    } <= names


def test_a_file_that_was_edited_by_hand_is_named_with_the_difference_and_the_fix(elsewhere, capsys) -> None:
    page = elsewhere / "docs/page.md"
    page.parent.mkdir()
    page.write_text("as written by hand\n")
    assert generate.verify({page: "as generated\n"}) == 1
    told = capsys.readouterr()
    assert "-as written by hand" in told.out
    assert "+as generated" in told.out
    assert told.err.startswith("generated files are out of date: docs/page.md: run `make generate`")
    assert page.read_text() == "as written by hand\n"


def test_a_missing_file_and_one_that_nothing_stands_behind_are_named(elsewhere, capsys) -> None:
    stray = elsewhere / "crds/aicost.dev_gone.yaml"
    stray.parent.mkdir()
    stray.write_text("kind: Gone\n")
    assert generate.verify({elsewhere / "new.md": "new\n"}) == 1
    assert "new.md, crds/aicost.dev_gone.yaml: run `make generate`" in capsys.readouterr().err


def test_writing_mends_the_drift(elsewhere, capsys) -> None:
    stray = elsewhere / "crds/aicost.dev_gone.yaml"
    stray.parent.mkdir()
    stray.write_text("kind: Gone\n")
    files = {elsewhere / "docs/new.md": "new\n"}
    assert generate.write(files) == 0
    assert capsys.readouterr().out == "wrote docs/new.md\nremoved crds/aicost.dev_gone.yaml\n"
    assert generate.verify(files) == 0


def test_a_value_without_a_comment_is_refused_by_name(tmp_path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("# Known.\nimage:\n  # The tag.\n  tag: ''\n\n  undocumented: 1\n")
    with pytest.raises(chart_values.Undocumented, match=r"image\.undocumented has no comment"):
        chart_values.values(path)


def test_a_value_whose_shape_nothing_describes_is_refused_by_name(tmp_path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("# Some things.\nthings: []\n")
    with pytest.raises(chart_values.Undocumented, match="things is"):
        chart_values.values(path)


def test_each_setting_is_set_by_the_chart_or_known_to_be_left_alone() -> None:
    paths = [field.path for field in setting_fields()]
    assert len(paths) > 30
    assert {*SAME, *RENAMED, *DERIVED} <= set(paths)
    assert set(paths) - {*SAME, *RENAMED, *DERIVED} == {"server.host", "leader.enabled"}


def test_chart_and_settings_have_the_same_defaults() -> None:
    by_value = {field.value: field.default for field in setting_fields() if field.value}
    different = {
        value.path: (value.default, by_value[value.path])
        for value in chart_values.values(generate.CHART / "values.yaml")
        if value.path in by_value and value.default != by_value[value.path]
    }
    assert different == {"ledger.url": ("", "/var/lib/aicost/ledger")}


def test_one_command_alone_writes_generated_files() -> None:
    """What the headers of generated files and the messages name is the command that is there."""
    sources = {path: path.read_text(encoding="utf-8") for path in (generate.ROOT / "hack").rglob("*.py")}
    assert [path.name for path, text in sources.items() if "--verify" in text] == ["generate.py"]
    named = {
        re.search(r"[Gg]enerated (?:from \S+ )?by (\S+?)\.? ?[\" ]", text)
        for path, text in generate.generated().items()
        if path.name != "judged-kinds.json"  # JSON has no place for a remark
    }
    assert {found and found[1] for found in named} == {"hack/generate.py"}
