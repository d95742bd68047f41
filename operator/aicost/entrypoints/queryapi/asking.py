"""What each request is checked for, whatever it asks: its path, the names of its parameters, and the form it wants."""

from collections.abc import Collection, Sequence
from enum import Enum, auto
from http import HTTPStatus

from aiohttp import web

from aicost.crd.allocations.parameters import FORMAT, REPORT_FORMAT
from aicost.entrypoints.queryapi.statuses import Refusal

Pairs = Sequence[tuple[str, str]]
_IGNORED = frozenset(
    {"timeout", "timeoutSeconds", "pretty", "includeObject", "resourceVersion", "resourceVersionMatch", "continue"}
    | {"allowWatchBookmarks", "sendInitialEvents"}
)
"""What Kubernetes clients send and what means nothing here."""
_SELECTOR = "labelSelector"
_FIELDS = "fieldSelector"


class Form(Enum):
    """What an answer is written as."""

    LIST = auto()
    TABLE = auto()
    REPORT = auto()


def pairs_of(request: web.Request, known: Collection[str]) -> Pairs:
    """Names and values of the parameters, those of a field selector among them.

    So kubectl can ask, which sends no parameters of ours: `kubectl get alloc --field-selector window=7d,by=model`.

    Raises:
        Refusal: the selector is none, or selects by what is no parameter.
    """
    found: list[tuple[str, str]] = []
    for name, value in request.query.items():
        if name == _FIELDS:
            found += [_chosen(text, known) for text in value.split(",") if text]
        else:
            found.append((name, value))
    return found


def _chosen(text: str, known: Collection[str]) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    value = value.removeprefix("=")
    if not equals or not value or key not in known or key == FORMAT:
        names = ", ".join(name for name in known if name != FORMAT)
        raise Refusal(HTTPStatus.BAD_REQUEST, f"{_FIELDS}: {text[:80]!r}: write KEY=VALUE with a key of {names}")
    return key, value


def check_path(request: web.Request, path: str) -> None:
    """The path that was authorised is the path that is served, letter by letter."""
    if request.raw_path.partition("?")[0] != path:
        raise Refusal(HTTPStatus.NOT_FOUND, f"there is nothing at {request.raw_path[:200]}")


def check_names(pairs: Pairs, known: Collection[str], plural: str, instead: str) -> None:
    """Refuse what would change the answer if it were understood.

    Args:
        pairs: names and values of the parameters.
        known: names that the resource understands.
        plural: the resource.
        instead: what to use in place of a selector.
    """
    for name, value in pairs:
        if name == "watch" and value not in {"0", "false"}:
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"{plural} cannot be watched: list them again")
        if name == _SELECTOR and value:
            message = f"{name}: {value[:80]!r} selects objects, and {plural} are none: use {instead}"
            raise Refusal(HTTPStatus.BAD_REQUEST, message)
        if name not in known and name not in _IGNORED | {_SELECTOR, "watch"}:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"{name[:80]!r} is no parameter: use {', '.join(known)}")


def form_of(pairs: Pairs, accept: str) -> Form:
    """The form of the answer: by parameter, else by the first media type that we can give."""
    named = [value for name, value in pairs if name == FORMAT]
    if named:
        if named != [REPORT_FORMAT]:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"format: {named[0][:40]!r} is no format: use {REPORT_FORMAT}")
        return Form.REPORT
    for media in accept.split(",") if accept else ["*/*"]:
        kind, *parameters = (part.strip() for part in media.split(";"))
        form = _by_media(kind, dict(part.partition("=")[::2] for part in parameters))
        if form is not None:
            return form
    raise Refusal(HTTPStatus.NOT_ACCEPTABLE, f"Accept: {accept[:120]!r}: answers are application/json")


def _by_media(kind: str, parameters: dict[str, str]) -> Form | None:
    if kind not in {"application/json", "application/*", "*/*"}:
        return None
    shape = parameters.get("as")
    if shape is None:
        return Form.LIST
    is_table = (shape, parameters.get("g"), parameters.get("v")) == ("Table", "meta.k8s.io", "v1")
    return Form.TABLE if is_table else None
