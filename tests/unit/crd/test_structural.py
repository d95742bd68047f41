"""From pydantic's JSON schema to a structural one."""

from typing import Annotated, Literal

import pytest
from pydantic import Field

from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, SET_LIST, Rule, map_list, matches, unit
from aicost.crd.schema.structural import SchemaError, publish, resolve


class _Part(ApiModel):
    """A part."""

    rules = (Rule("has(self.a)", "give a", lambda part: part.some_name != 13),)

    some_name: Annotated[int, Field(gt=0, le=10), unit("ms")] = 3
    """How long
    it takes."""


def _published(model):
    return publish(resolve(model.model_json_schema(by_alias=True)))


def test_a_reference_is_inlined_with_the_text_of_the_field():
    class Whole(ApiModel):
        part: _Part | None = None
        """The part of the whole."""

    part = _published(Whole)["properties"]["part"]
    assert part["description"] == "The part of the whole."
    assert part["x-kubernetes-validations"] == [{"rule": "has(self.a)", "message": "give a"}]
    assert list(part["properties"]) == ["someName"]


def test_an_integer_gets_its_format_boolean_bounds_and_its_unit_in_words():
    assert _published(_Part)["properties"]["someName"] == {
        "type": "integer",
        "format": "int64",
        "description": "How long it takes. Unit: ms.",
        "default": 3,
        "minimum": 0,
        "exclusiveMinimum": True,
        "maximum": 10,
    }


def test_an_optional_field_may_be_absent_and_not_null():
    class Whole(ApiModel):
        text: str | None = None

    assert _published(Whole) == {"type": "object", "properties": {"text": {"type": "string"}}}


def test_a_single_literal_is_an_enum_of_one():
    class Whole(ApiModel):
        only: Literal["a"]

    assert _published(Whole)["properties"]["only"]["enum"] == ["a"]


def test_rules_of_a_type_and_of_a_field_stand_together():
    class Whole(ApiModel):
        part: Annotated[_Part, Rule("self.b", "give b", bool)]

    rules = _published(Whole)["properties"]["part"]["x-kubernetes-validations"]
    assert [rule["message"] for rule in rules] == ["give a", "give b"]


def test_a_pattern_is_published_as_a_rule_that_says_how_to_write_it():
    class Whole(ApiModel):
        code: Annotated[str, matches("[A-Z]{3}", "write three capitals")]

    code = _published(Whole)["properties"]["code"]
    assert "pattern" not in code
    assert code["x-kubernetes-validations"] == [
        {"rule": "self.matches(r'^([A-Z]{3})$')", "message": "write three capitals"}
    ]
    with pytest.raises(ValueError, match="write three capitals"):
        Whole(code="USD\n")


def test_lists_say_how_they_merge():
    class Item(ApiModel):
        name: str

    class Whole(ApiModel):
        items: Annotated[list[Item], map_list("name")]
        words: Annotated[list[str], SET_LIST]
        steps: Annotated[list[str], ATOMIC_LIST]

    fields = _published(Whole)["properties"]
    assert fields["items"]["x-kubernetes-list-type"] == "map"
    assert fields["items"]["x-kubernetes-list-map-keys"] == ["name"]
    assert fields["words"]["x-kubernetes-list-type"] == "set"
    assert fields["steps"]["x-kubernetes-list-type"] == "atomic"


def test_a_list_that_does_not_say_how_it_merges_is_an_error():
    class Whole(ApiModel):
        words: list[str]

    with pytest.raises(SchemaError, match=r"\.words: say how the list merges"):
        _published(Whole)


def test_a_default_inside_a_list_item_is_told_in_words_only():
    class Whole(ApiModel):
        parts: Annotated[list[_Part], ATOMIC_LIST]

    field = _published(Whole)["properties"]["parts"]["items"]["properties"]["someName"]
    assert "default" not in field
    assert field["description"] == "How long it takes. Default: 3. Unit: ms."


def test_what_a_structural_schema_cannot_say_is_an_error():
    class Either(ApiModel):
        value: int | str

    with pytest.raises(SchemaError, match="may be of 2 types"):
        _published(Either)

    class Fixed(ApiModel):
        pair: Annotated[tuple[int, int], ATOMIC_LIST]

    with pytest.raises(SchemaError, match="prefixItems cannot be said"):
        _published(Fixed)


class _Tree(ApiModel):
    child: "_Tree | None" = None


def test_a_model_that_contains_itself_is_an_error():
    with pytest.raises(SchemaError, match="contains itself"):
        resolve(_Tree.model_json_schema(by_alias=True))
