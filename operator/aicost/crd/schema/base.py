"""The model that all parts of our resources share."""

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from aicost.crd.schema.markers import RULES, Rule


class ApiModel(BaseModel):
    """A part of a resource: camelCase outside, frozen, described by the text under each field.

    Unknown fields are ignored, so that an older controller reads objects of a newer schema.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )
    rules: ClassVar[tuple[Rule, ...]] = ()
    """Rules on the object as a whole."""

    @model_validator(mode="after")
    def _obey_rules(self) -> Self:
        for rule in self.rules:
            rule.check(self)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler(schema)
        target = handler.resolve_ref_schema(described)
        if cls.rules:
            target[RULES] = [rule.published() for rule in cls.rules]
        return described
