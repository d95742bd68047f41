"""What is shipped: the tests of the build run on the wheel, and its bill of materials names all that it runs with."""

import json
import os
import re
from pathlib import Path

import pytest

import aicost

ROOT = Path(__file__).parents[3]
BILL = ROOT / "dist/aicost.cdx.json"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def locked(name: str) -> dict[str, str]:
    """Package -> version of a lock."""
    return dict(_PINNED.findall((ROOT / "requirements" / name).read_text(encoding="utf-8")))


@pytest.mark.skipif(
    not os.environ.get("AICOST_WHEEL"), reason="by hand the source tree is tested; `make test` takes the wheel"
)
def test_the_package_under_test_is_the_wheel() -> None:
    assert "site-packages" in Path(aicost.__file__).parts
    assert not Path(aicost.__file__).is_relative_to(ROOT / "operator")


@pytest.mark.skipif(not BILL.exists(), reason="no bill of materials: `make wheel` makes it")
def test_the_bill_of_materials_names_each_locked_package_with_its_hashes() -> None:
    bill = json.loads(BILL.read_text(encoding="utf-8"))
    assert bill["metadata"]["component"]["name"] == "aicost"
    found = {one["name"]: one["version"] for one in bill["components"]}
    assert found == locked("runtime.lock")
    for one in bill["components"]:
        assert [each for where in one["externalReferences"] for each in where["hashes"]], one["name"]


@pytest.mark.parametrize("name", ["runtime.lock", "dev.lock", "build.lock"])
def test_nothing_is_installed_without_a_hash(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
