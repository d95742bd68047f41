"""Which objects a gate is about, in CEL: labels of the pods, else of the object, else of the namespace."""

from aicost.crd.vap.judging.frame import Variables
from aicost.crd.vap.language.cel import below, found, text, texts
from aicost.crd.vap.language.scopes import NAMESPACE_LABELS
from aicost.crd.vap.language.templates import INNER_LABELS, WRAPPED
from aicost.crd.vap.language.values import model, plain
from aicost.domain.identity.dimensions import LABEL_PREFIX, UNTAGGED, Dimension

_MODEL = LABEL_PREFIX + Dimension.MODEL
_PLAIN = texts(LABEL_PREFIX + one for one in Dimension if one is not Dimension.MODEL)
_BETWEEN = (*INNER_LABELS, *(f"{at}/metadata/labels" for at in WRAPPED))
"""Labels of what makes the pods and is made by the object itself."""


def scope() -> Variables:
    """Variables: `levels`, maps of labels, the surest first; `selected`, true where all selectors of a gate hold.

    The variable `groups` must be there. Of a `/scale` only the namespace is known.
    """
    between = " + ".join(found("object", pointer) for pointer in _BETWEEN)
    rest = f"[{between}, {found('object', '/metadata/labels')}, [dyn({NAMESPACE_LABELS})]]"
    return {
        "levels": f"variables.groups.map(g, {below('g', '/metadata/labels')}) + {rest}",
        "selected": f"params.?status.?selectors.orValue([]).all(s, {_says('s.key')}.exists(v, v in s.values))",
    }


def _says(key: str) -> str:
    """Values of a key on the first level that has any; an empty one where none has."""
    there = f"l.filter(m, type(m) == map && {key} in m && type(m[{key}]) == string)"
    values = f"{there}.map(m, {_normal(key, f'm[{key}]')}).filter(v, v != '' && v != {text(UNTAGGED)})"
    return f"(variables.levels.map(l, {values}).filter(v, v.size() > 0) + [['']])[0]"


def _normal(key: str, value: str) -> str:
    """Dimensions have a normal form; what other labels mean is known to those alone who set them."""
    return f"({key} in {_PLAIN} ? {plain(value)} : {key} == {text(_MODEL)} ? {model(value)} : {value})"
