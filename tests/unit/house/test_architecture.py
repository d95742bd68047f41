"""The architecture document is true of the tree: each folder, each contract and each decision stands in it."""

import re
import tomllib

from support.documents import ROOT, row_names, section

SOURCE = ROOT / "operator/aicost"
TEXT = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
DECISIONS = ROOT / "docs/adr"
_NUMBERED = re.compile(r"\d{4}-[a-z0-9-]+\.md")


def _folders() -> set[str]:
    """Each layer, and what stands in the domain and among the adapters: where a newcomer looks for something."""
    layers = {path for path in SOURCE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    inner = {path for name in ("domain", "adapters") for path in (SOURCE / name).iterdir() if path.is_dir()}
    packages = {path for path in inner if (path / "__init__.py").exists()}
    return {f"{path.relative_to(SOURCE)}/" for path in layers | packages}


def test_the_house_has_a_line_for_each_folder_and_none_too_many() -> None:
    told = {name for name in row_names(section(TEXT, "## The house")) if name.endswith("/")}
    assert told == _folders()


def test_each_entrypoint_is_named() -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith("| `entrypoints/`"))
    entrypoints = {path.name for path in (SOURCE / "entrypoints").iterdir() if (path / "__init__.py").exists()}
    assert entrypoints <= set(re.findall(r"`(\w+)`", row))


def test_the_order_of_the_layers_is_the_one_that_the_build_holds() -> None:
    contracts = _contracts()
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    assert " > ".join(layers) in TEXT


def test_each_contract_is_named() -> None:
    for contract in _contracts():
        assert contract["name"].removesuffix(" do not know each other") in TEXT, contract["name"]


def test_the_index_of_decisions_is_whole_and_each_fits_on_a_page() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    files = sorted(path.name for path in DECISIONS.iterdir() if _NUMBERED.fullmatch(path.name))
    assert re.findall(r"\]\((\S+\.md)\)", index) == files
    for number, name in enumerate(files, start=1):
        text = (DECISIONS / name).read_text(encoding="utf-8")
        assert text.startswith(f"# {number:04d}. ")
        assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
        assert text.count("\n") < 60
        assert f"| {text.splitlines()[0][8:]} |" in index


def _contracts() -> list[dict[str, object]]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["tool"]["importlinter"]["contracts"]
