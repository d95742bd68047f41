"""A wrong name in a file is told: no API server is there to refuse it."""

import pytest

from aicost.crd.convert.unknown import unknown_fields
from aicost.crd.models.aiworkload import AIWorkloadSpec
from aicost.crd.models.pricebook import PriceBookSpec
from aicost.entrypoints.cli.sources.bodies import books_of

BOOK = {"currency": "USD", "entries": [{"name": "a", "match": {"gpuModel": "t4"}, "perGpuHour": "1"}]}


def told(spec, model=PriceBookSpec):
    return [str(problem) for problem in unknown_fields(model, spec)]


def test_a_wrong_name_is_told_with_what_it_may_mean():
    assert told(BOOK | {"referenceRate": {}}) == [
        "spec.referenceRate: no such field, so it says nothing: did you mean referenceRates?"
    ]


def test_a_wrong_name_is_found_at_any_depth():
    entry = {"name": "a", "match": {"gpumodel": "t4"}, "perGpuHour": "1"}
    (problem,) = told({"currency": "USD", "entries": [BOOK["entries"][0], entry]})
    assert problem.startswith("spec.entries[1].match.gpumodel: no such field")
    assert problem.endswith("did you mean gpuModel?")


def test_keys_of_a_map_are_no_fields():
    assert told({"selector": {"matchLabels": {"anything": "goes"}}, "dimensions": {"team": "a"}}, AIWorkloadSpec) == []


@pytest.mark.parametrize("spec", [None, [], "text", 3, {"entries": 7}, {"entries": [None, "x"]}, {"entries": {"a": 1}}])
def test_what_is_no_spec_at_all_is_left_to_those_who_read_it(spec):
    assert told(spec) == []


def test_a_book_with_a_wrong_name_is_read_and_told():
    problems = []
    body = {"kind": "PriceBook", "metadata": {"name": "b"}, "spec": BOOK | {"reference": {}}}
    (book,) = books_of([body], problems)
    assert book.name == "b"
    assert problems == ["PriceBook/b: spec.reference: no such field, so it says nothing: did you mean referenceRates?"]
