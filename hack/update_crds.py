"""Write what is generated from the models of our resources, or verify that it is up to date.

Without arguments it writes crds/, charts/aicost/templates/crds/ and docs/reference/crds.md. With --verify it changes
nothing, names each file that differs and exits with 1.
"""

import argparse
import difflib
import sys
from pathlib import Path
from typing import Any

import yaml

from aicost.crd.kinds import KINDS
from crdgen.chart import template
from crdgen.reference import reference

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Generated from operator/aicost/crd by hack/update_crds.py. Do not edit.\n"


class _Dumper(yaml.SafeDumper):
    """Lists indented below their key, as people write them; nothing shared by reference."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        return super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def as_yaml(document: dict[str, Any]) -> str:
    """The document as YAML, in the order of its keys."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)


def generated() -> dict[Path, str]:
    """Each generated file with its text."""
    files = {ROOT / "docs/reference/crds.md": reference(KINDS)}
    for kind in KINDS:
        text = as_yaml(kind.definition())
        files[ROOT / "crds" / kind.file_name] = HEADER + text
        files[ROOT / "charts/aicost/templates/crds" / kind.file_name] = template(HEADER, text)
    return files


def stray(files: dict[Path, str]) -> list[Path]:
    """Files in the generated folders that no kind stands behind."""
    folders = (ROOT / "crds", ROOT / "charts/aicost/templates/crds")
    return [path for folder in folders for path in sorted(folder.glob("*.yaml")) if path not in files]


def write(files: dict[Path, str]) -> int:
    """Write each file and remove strays."""
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in stray(files):
        path.unlink()
    print(f"wrote {len(files)} files for {len(KINDS)} kinds")
    return 0


def verify(files: dict[Path, str]) -> int:
    """Name each file that is not what the models say."""
    wrong = {path: text for path, text in files.items() if not path.is_file() or path.read_text("utf-8") != text}
    for path, text in wrong.items():
        old = path.read_text("utf-8").splitlines() if path.is_file() else []
        name = str(path.relative_to(ROOT))
        print("\n".join(list(difflib.unified_diff(old, text.splitlines(), name, "generated", lineterm=""))[:20]))
    for path in stray(files):
        print(f"{path.relative_to(ROOT)} belongs to no kind")
    if wrong or stray(files):
        print("generated files differ from the models: run python hack/update_crds.py", file=sys.stderr)
        return 1
    print(f"{len(files)} generated files are up to date")
    return 0


def main() -> int:
    """Write or verify."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--verify", action="store_true", help="change nothing; exit with 1 where something differs")
    return (verify if parser.parse_args().verify else write)(generated())


if __name__ == "__main__":
    sys.exit(main())
