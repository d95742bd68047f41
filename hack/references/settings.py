"""The reference of the settings file."""

from references.settings_fields import DERIVED, SettingField, setting_fields
from references.tables import kind_of, shown, table

_INTRO = """# Settings

<!-- Generated from operator/aicost/settings by hack/generate.py. Do not edit. -->

`aicost controller --config FILE` and `aicost query --config FILE` read one YAML file. Each key is optional, an unknown
key is refused, and a wrong value is refused with its name and what would be right. The chart writes the file from its
values ([chart.md](chart.md)); the last column says which. Secrets never stand in it: it names files that hold them.

"""


def render() -> str:
    """The reference page."""
    return _INTRO + table(("Key", "Type", "Default", "Meaning", "Set by the chart"), [*map(_row, setting_fields())])


def _row(field: SettingField) -> tuple[str, ...]:
    return (f"`{field.path}`", kind_of(field.schema), shown(field.default), field.description, _set_by(field))


def _set_by(field: SettingField) -> str:
    if field.value:
        return f"`{field.value}`"
    return DERIVED.get(field.path, "left at its default")
