"""Manifests that were written to break the reader or to deceive the person who reads the answer."""

import json

import pytest

from aicost.__main__ import main
from support.documents import ROOT

POLICY = str(ROOT / "examples/policies/3-run.yaml")
FORGED = """\
apiVersion: v1
kind: Pod
metadata:
  name: "a\\e[31m\\nerror: nothing wrong"
  labels: {squad: "x\\e[2J\\n0 would be denied"}
spec:
  nodeSelector: {nvidia.com/gpu.product: "NVIDIA-\\e[31mH100"}
  containers:
  - {name: main, image: x, resources: {limits: {nvidia.com/gpu: 1, "nvidia.com/mig-\\e[31m": 2}}}
"""
BOMB = "\n".join(
    ["apiVersion: v1", "kind: Pod", "metadata: {name: bomb}", f"a0: &a0 [{'x,' * 9}x]"]
    + [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    + ["spec: {containers: *a11, nodeSelector: *a11}"]
)
ODD = [
    "kind: Pod\nmetadata: {labels: [a]}\nspec: {containers: {a: 1}}",
    "kind: Pod\nspec: null",
    "kind: List\nitems: 5",
    "kind: DeploymentList\nitems: [5, {kind: Pod}, null]",
    "kind: Pod\nmetadata: &m {name: x, labels: *m}",
    "kind: Pod\napiVersion: v1\nspec: &s {containers: [*s], n: *s}",
    "kind: Pod\napiVersion: v1\nspec: {containers: [{resources: {limits: {nvidia.com/gpu: .nan}}}]}",
    "kind: Pod\napiVersion: v1\nspec: {containers: [{resources: {limits: {nvidia.com/gpu: 99999999999999999999}}}]}",
    "kind: Deployment\napiVersion: apps/v1\nspec: {replicas: 1e999, template: {spec: {containers: [{}]}}}",
    "? kind\n: Pod\n? 1\n: 2\n? null\n: 3",
    f"kind: Pod\nmetadata: {{name: {'x' * 1_000_000}}}",
]


@pytest.fixture
def answers(capsys, tmp_path):
    """Both commands on a text, in each form of output."""

    def call(text):
        file = tmp_path / "hostile.yaml"
        file.write_text(text)
        found = []
        for arguments in (
            ("estimate", "--offline", "-o", "wide"),
            ("estimate", "--offline", "-o", "json"),
            ("check", "--policy", POLICY),
            ("check", "--policy", POLICY, "-o", "json"),
            ("check", "--policy", POLICY, "-o", "sarif"),
        ):
            code = main([*arguments, "-f", str(file)])
            found.append((code, capsys.readouterr().out))
        return found

    return call


def test_names_cannot_write_over_the_screen_or_forge_a_line(answers):
    estimated, document, checked, *_ = answers(FORGED)
    for _, shown in (estimated, checked):
        assert "\x1b" not in shown
        assert not any(line.startswith(("error:", "0 would")) for line in shown.splitlines())
    assert json.loads(document[1])["objects"][0]["name"].startswith("a\x1b")
    assert checked[0] == 1


def test_references_that_multiply_do_not_fill_the_memory(answers):
    assert [code for code, _ in answers(BOMB)] == [0, 0, 1, 1, 1]


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_objects_that_no_api_server_would_take_are_answered_all_the_same(answers, text):
    for code, _ in answers(text):
        assert code in {0, 1, 2}
