"""Write every generated file, or verify that each is what its source says.

Without arguments it writes: CRDs, the chart's copies of them, its schema, guards, policies of budgets, judged kinds and
starter prices, and docs/reference. With --verify it changes nothing, names each file that differs with the first lines
of the difference, and exits with 1.
"""

import argparse
import difflib
import sys
from pathlib import Path

import starter_prices
from crdgen import budget_policies, guards
from crdgen import files as definitions
from references import agent_metrics, chart, cli, judged, levers, metrics, reasons, settings
from references.chart_values import Undocumented, values

ROOT = Path(__file__).resolve().parent.parent
CHART, REFERENCE = ROOT / "charts/aicost", ROOT / "docs/reference"
FIX = "run `make generate` and commit what it writes; a generated file is never edited by hand"
_SHOWN_LINES = 20


def generated() -> dict[Path, str]:
    """Each generated file with its text."""
    found = values(CHART / "values.yaml")
    files = definitions.generated()
    files[starter_prices.OUTPUT] = files[starter_prices.COPY] = starter_prices.book()
    files[CHART / "templates/guards.yaml"] = guards.template()
    files[CHART / "templates/budget-policies.yaml"] = budget_policies.template()
    files[CHART / "files/judged-kinds.json"] = judged.render()
    files[CHART / "values.schema.json"] = chart.schema(found)
    files[REFERENCE / "chart.md"] = chart.render(found)
    files[REFERENCE / "levers.md"] = levers.render()
    files[REFERENCE / "settings.md"] = settings.render()
    files[REFERENCE / "metrics.md"] = metrics.render()
    files[REFERENCE / "telemetry-reasons.md"] = reasons.render()
    files[REFERENCE / "agent-metrics.md"] = agent_metrics.render()
    files[REFERENCE / "cli.md"] = cli.render()
    return files


def write(files: dict[Path, str]) -> int:
    """Write what differs and remove what nothing stands behind."""
    changed = [path for path, text in files.items() if _read(path) != text]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    strays = definitions.stray(files)
    for path in strays:
        path.unlink()
    names = [f"wrote {_name(path)}" for path in changed] + [f"removed {_name(path)}" for path in strays]
    print("\n".join(names or [f"{len(files)} generated files were up to date"]))
    return 0


def verify(files: dict[Path, str]) -> int:
    """Name each file that is not what its source says."""
    wrong = [path for path, text in files.items() if _read(path) != text]
    strays = definitions.stray(files)
    for path in wrong:
        print(_difference(path, files[path]))
    for path in strays:
        print(f"{_name(path)}: nothing stands behind this file any more")
    if wrong or strays:
        names = ", ".join(_name(path) for path in (*wrong, *strays))
        print(f"generated files are out of date: {names}: {FIX}", file=sys.stderr)
        return 1
    print(f"{len(files)} generated files are up to date")
    return 0


def _difference(path: Path, text: str) -> str:
    old, new = (_read(path) or "").splitlines(), text.splitlines()
    lines = difflib.unified_diff(old, new, _name(path), "as generated", lineterm="")
    return "\n".join(list(lines)[:_SHOWN_LINES])


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def main() -> int:
    """Write or verify."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--verify", action="store_true", help="change nothing; exit with 1 where something differs")
    arguments = parser.parse_args()
    try:
        return (verify if arguments.verify else write)(generated())
    except Undocumented as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
