"""Estimate and check real manifests: each is answered, and what is not known is said."""

import json
from pathlib import Path

import pytest

from aicost.__main__ import main

ROOT = Path(__file__).parents[2]
FOLDER = ROOT.parent / "shared" / "data" / "manifests"
FILES = sorted(FOLDER.glob("*.yaml"))
POLICIES = sorted((ROOT / "examples/policies").glob("*.yaml"))

pytestmark = pytest.mark.skipif(not FILES, reason=f"{FOLDER} is absent: real manifests are not part of the project")


@pytest.fixture
def answer(capsys):
    def call(*arguments):
        code = main(list(arguments))
        return code, capsys.readouterr().out

    return call


def test_each_object_that_asks_for_gpus_has_a_price_or_says_what_is_missing(answer):
    code, out = answer("estimate", "--offline", "-f", str(FOLDER), "-o", "json")
    objects = json.loads(out)["objects"]
    assert code == 0
    assert len(objects) >= 40
    for one in objects:
        wants = one["gpu_milli"] != 0 or one["parts"]
        assert bool(one["text"]) == bool(wants)
        assert bool(one["per_hour"]) != bool(one["unpriced"]) or not wants
        assert len(one["text"]) <= 250
    assert sum(bool(one["per_hour"]) for one in objects) >= 10


def test_with_a_model_named_all_that_have_a_size_and_a_list_price_are_priced(answer):
    _, out = answer("estimate", "--offline", "--gpu-model", "h100-80gb", "-f", str(FOLDER), "-o", "json")
    unpriced = {f"{one['kind']}/{one['name']}" for one in json.loads(out)["objects"] if one["unpriced"]}
    assert unpriced == {
        "Deployment/llm",  # wants spot, which has no list price
        "TrainJob/multi-node-example",  # its runtime is not in the folder
        "JobSet/v6e-multislice",  # TPUs have no list price
        "JobSet/training-job",  # a device class that nobody knows
    }


def test_the_lines_of_the_table_line_up(answer):
    _, out = answer("estimate", "--offline", "-f", str(FOLDER))
    head, *lines = out.split("\n\n")[1].splitlines()
    place = head.index("GPUS")
    assert all(line[place - 1] == " " and line[place] != " " for line in lines if "/" in line.split()[0])


@pytest.mark.parametrize("policy", POLICIES, ids=lambda path: path.stem)
def test_each_object_is_judged_by_each_of_the_example_policies(answer, policy):
    code, out = answer("check", "-f", str(FOLDER), "--policy", str(policy), "-o", "json")
    objects = json.loads(out)["objects"]
    denied = [one for one in objects if one["verdict"] == "deny"]
    assert code == int(bool(denied))
    assert all(one["problems"] for one in denied)
    assert all(problem["line"] >= one["line"] for one in objects for problem in one["problems"])
