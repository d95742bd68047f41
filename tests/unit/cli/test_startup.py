"""The command line starts fast: what is not needed is not imported. Modules are counted, not seconds."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("kopf", "deltalake", "pyarrow", "numpy", "pydantic", "aiohttp", "cryptography", "prometheus_client", "yaml")


def loaded(*arguments: str) -> list[str]:
    code = (
        "import sys, contextlib, io\n"
        "from aicost.__main__ import main\n"
        "with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())): main(sys.argv[1:])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return eval(done.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("report", "--help"),
        ("version",),
        ("report", "--by", "nonsense", "-n", "a", "-A"),
        ("estimate", "--help"),
        ("estimate",),
        ("check", "--help"),
        ("check", "x.yaml", "--namespace-labels", "nonsense"),
    ],
)
def test_help_version_and_bad_options_import_nothing_heavy(arguments):
    assert loaded(*arguments) == []


def test_asking_a_cluster_needs_no_ledger_and_no_operator():
    assert set(loaded("report", "--kubeconfig", "/nowhere")).isdisjoint({"kopf", "deltalake", "pyarrow", "numpy"})


def test_an_estimate_without_a_cluster_needs_no_ledger_and_no_operator():
    manifest = str(Path(__file__).parents[3] / "examples/manifests/train.yaml")
    used = loaded("estimate", "--offline", "-f", manifest)
    assert set(used).isdisjoint({"kopf", "deltalake", "pyarrow", "numpy"})
