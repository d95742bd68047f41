"""The rules hold in Python as they do in the API server."""

import json

import pytest
from pydantic import ValidationError

from aicost.crd.kinds import KINDS
from aicost.crd.schema.markers import RULES
from support.crd_samples import BASE, FULL, resource
from support.refused_specs import REFUSED

MODELS = {kind.kind: kind.model for kind in KINDS}


def _messages(schema):
    found = {rule["message"] for rule in schema.get(RULES, ())}
    parts = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return found.union(*(_messages(part) for part in parts if isinstance(part, dict)))


@pytest.mark.parametrize("kind", MODELS)
def test_the_least_and_the_fullest_object_of_a_kind_are_accepted(kind):
    for spec in (BASE[kind], FULL[kind]):
        assert MODELS[kind].model_validate(resource(kind, "x", spec)).spec is not None


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.kind} {json.dumps(case.change)}")
def test_what_breaks_a_rule_is_refused_with_its_message(case):
    with pytest.raises(ValidationError) as caught:
        MODELS[case.kind].model_validate(resource(case.kind, "x", case.spec))
    assert case.message in str(caught.value)


def test_each_rule_has_a_case():
    every = set().union(*(_messages(kind.described()["properties"]["spec"]) for kind in KINDS))
    shown = {message for message in every for case in REFUSED if case.message in message}
    assert every - shown == set()


def test_each_message_names_a_fix_and_not_a_pattern():
    for message in set().union(*(_messages(kind.described()) for kind in KINDS)):
        assert len(message) > 15
        assert "^" not in message, message


@pytest.mark.parametrize("kind", MODELS)
def test_parsing_and_printing_a_spec_gives_it_back(kind):
    parsed = MODELS[kind].model_validate(resource(kind, "x", FULL[kind]))
    printed = json.loads(parsed.model_dump_json(by_alias=True, exclude_unset=True))
    assert printed["spec"] == FULL[kind]
    assert MODELS[kind].model_validate(printed) == parsed
