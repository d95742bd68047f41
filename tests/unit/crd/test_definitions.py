"""What holds for the definitions of all kinds."""

import os
import subprocess
import sys

import pytest
import yaml

from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.kinds import KINDS
from aicost.crd.reasons import CONDITIONS
from crdgen import files
from crdgen.chart import template

_YAML_BOOLEANS = {"y", "n", "yes", "no", "on", "off", "true", "false"}
_CEL_WORDS = {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "in", "let", "loop"}
_CEL_WORDS |= {"package", "return", "var", "void", "while"}  # `namespace` is what Kubernetes calls it everywhere
definitions = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)


def _schema(kind):
    return kind.definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def _fields(schema, path):
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from _fields(field, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from _fields(schema[key], f"{path}[]")


@definitions
def test_each_field_is_described(kind):
    for part in ("spec", "status"):
        for path, field in _fields(_schema(kind)["properties"][part], part):
            assert field.get("description") or path.endswith("[]"), path


@definitions
def test_no_field_has_a_name_that_yaml_reads_as_true_or_false_or_cel_reserves(kind):
    for path, _ in _fields(_schema(kind), ""):
        assert path.rsplit(".", 1)[-1].lower() not in _YAML_BOOLEANS | _CEL_WORDS, path


@definitions
def test_everything_that_people_write_has_an_upper_bound(kind):
    bound = {"string": "maxLength", "array": "maxItems"}
    for path, field in _fields(_schema(kind)["properties"]["spec"], "spec"):
        limit = "maxProperties" if "additionalProperties" in field else bound.get(field.get("type"))
        assert limit is None or limit in field or "enum" in field, path


@definitions
def test_no_amount_is_a_float(kind):
    for path, field in _fields(_schema(kind), ""):
        assert field.get("type") != "number", path
        assert field.get("format") != "quantity", path


@definitions
def test_conditions_merge_by_type_and_status_is_a_subresource(kind):
    version = kind.definition()["spec"]["versions"][0]
    conditions = _schema(kind)["properties"]["status"]["properties"]["conditions"]
    assert (conditions["x-kubernetes-list-type"], conditions["x-kubernetes-list-map-keys"]) == ("map", ["type"])
    assert version["subresources"] == {"status": {}}


@definitions
def test_columns_read_fields_that_exist(kind):
    names = {path.removeprefix(".") for path, _ in _fields(_schema(kind), "")}
    for column in kind.columns:
        path = column.path.removeprefix(".").split("[?")[0].replace("[0]", "[]")
        assert path in names or path == "metadata.creationTimestamp", column


@definitions
def test_each_kind_states_conditions_with_both_outcomes_told_apart(kind):
    for causes in CONDITIONS[kind.kind].values():
        assert len({(cause.status, cause.reason) for cause in causes}) == len(causes)
        assert all(isinstance(cause.status, ConditionStatus) and cause.meaning.endswith(".") for cause in causes)


def test_the_checked_in_files_are_what_the_models_say():
    for path, text in files.generated().items():
        assert path.read_text("utf-8") == text, f"{path}: run `make generate`"
    assert files.stray(files.generated()) == []


def test_generation_is_the_same_in_another_process():
    code = "from crdgen import files; print(sorted(map(repr, files.generated().items())))"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "7"}
    said = [
        subprocess.run([sys.executable, "-c", code], env=environment | seed, capture_output=True, text=True, check=True)
        for seed in ({}, {"PYTHONHASHSEED": "8"})
    ]
    assert said[0].stdout == said[1].stdout


def test_a_chart_template_guards_keeps_and_escapes():
    text = template("# head\n", "kind: X\nmetadata:\n  name: x\ndescription: use {{ this }}\n")
    assert text.splitlines() == [
        "{{- if .Values.crds.install }}",
        "# head",
        "kind: X",
        "metadata:",
        "  annotations:",
        "    helm.sh/resource-policy: keep",
        "  name: x",
        'description: use {{ "{{" }} this }}',
        "{{- end }}",
    ]


def test_the_yaml_says_what_the_definition_says():
    for kind in KINDS:
        assert yaml.safe_load(files.as_yaml(kind.definition())) == kind.definition()
