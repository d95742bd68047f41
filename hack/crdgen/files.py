"""The files that say what our resources are: definitions, the chart's copies of them, and their reference."""

from pathlib import Path
from typing import Any

import yaml

from aicost.crd.kinds import KINDS
from crdgen.chart import template
from crdgen.reference import reference

ROOT = Path(__file__).resolve().parents[2]
HEADER = "# Generated from operator/aicost/crd by hack/generate.py. Do not edit.\n"


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
