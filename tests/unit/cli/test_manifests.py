"""Manifests as people have them: several documents, lists, folders, standard input, and what is none."""

import io

import pytest

from aicost.entrypoints.cli.manifests.documents import child, parse_documents, read_documents
from aicost.ports.errors import InvalidRequest

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"


def names(documents):
    return [document.body["metadata"]["name"] for document in documents]


def test_several_documents_and_lists_are_taken_apart_and_each_knows_its_line():
    listed = """\
kind: List
items:
- kind: Pod
  metadata: {name: b}
- kind: PodList
  items:
  - kind: Pod
    metadata: {name: c}
"""
    text = f"{POD}---\n# nothing\n---\n{listed}"
    found = list(parse_documents("f.yaml", text))
    assert names(found) == ["a", "b", "c"]
    assert [document.line for document in found] == [1, 9, 13]


def test_json_is_read_as_well():
    (found,) = parse_documents("f.json", '{"kind": "Pod",\n\t"metadata": {"name": "a"}}')
    assert found.kind == "Pod"


def test_a_date_stays_the_text_that_the_api_server_sees():
    (found,) = parse_documents("f", "kind: Pod\nmetadata: {annotations: {until: 2026-01-01}}")
    assert found.body["metadata"]["annotations"] == {"until": "2026-01-01"}


@pytest.mark.parametrize(
    "text", ["", "# only words", "- kind: Pod", "name: values of a chart", "kind: 5", "kind: List\nitems: 5"]
)
def test_what_names_no_kind_is_no_object(text):
    assert [found for found in parse_documents("f", text) if found.kind != "List"] == []


def test_what_helm_renders_names_its_template():
    text = f"---\n# Source: chart/templates/a.yaml\n{POD}---\n# Source: chart/templates/b.yaml\n# more\n{POD}---\n{POD}"
    assert [found.origin for found in parse_documents("f", text)] == [
        "chart/templates/a.yaml",
        "chart/templates/b.yaml",
        "",
    ]


def test_folders_are_read_with_all_that_is_in_them_and_other_files_are_left_alone(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "x.yml").write_text(POD.replace("a}", "deep}"))
    (tmp_path / "a.yaml").write_text(POD)
    (tmp_path / "README.md").write_text("kind: Pod")
    assert names(read_documents([str(tmp_path)])) == ["a", "deep"]


def test_a_dash_is_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(POD))
    (found,) = read_documents(["-"])
    assert (found.source, found.line) == ("<stdin>", 1)


def test_a_step_into_what_is_not_there_finds_nothing():
    (found,) = parse_documents("f", "kind: Pod\nitems: [a]")
    assert child(found.node, "nothing") is None
    assert child(child(found.node, "items"), "1") is None
    assert child(child(found.node, "items"), "-") is None
    assert child(child(found.node, "items"), "0").value == "a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1,", "is no YAML: did not find expected node content"),
        ("a: *nobody", "found undefined alias"),
        ("kind: {{ .Values.kind }}", "It looks like a template: render it first"),
        ("kind: Pod\n? [a]\n: b", "unhashable"),
        ("kind: Pod\nspec: " + "[" * 100_000, "f line 2: is nested more than 200 deep"),
        ("kind: Pod\nspec: " + '{"a":' * 100_000, "is nested more than 200 deep"),
        ("a: !!python/object/apply:os.system [true]", "could not determine a constructor"),
    ],
)
def test_what_is_no_yaml_is_said_with_its_line(text, said):
    with pytest.raises(InvalidRequest, match=r"^f") as raised:
        list(parse_documents("f", text))
    assert said in str(raised.value)


def test_files_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9")
    for place, said in ((tmp_path / "gone.yaml", "cannot be read"), (tmp_path / "latin.yaml", "cannot be read")):
        with pytest.raises(InvalidRequest, match=said):
            read_documents([str(place)])
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InvalidRequest, match=r"no \.yaml, \.yml or \.json file"):
        read_documents([str(empty)])
