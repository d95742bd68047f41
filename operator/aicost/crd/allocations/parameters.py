"""A question as the parameters of a URL, and back."""

from collections.abc import Iterable, Mapping, Sequence

from aicost.domain.reporting.query import IdlePolicy
from aicost.domain.reporting.question import Question, read_filters, read_keys, write_filters
from aicost.ports.errors import InvalidRequest

GROUP, VERSION, PLURAL, KIND = "query.aicost.dev", "v1alpha1", "allocations", "Allocation"
FORMAT, REPORT_FORMAT = "format", "report"
"""The parameter, and its value, that ask for the report document in place of a list of Kubernetes objects."""
LIMIT, TOP, CHUNK, CONTINUE = "limit", "top", "chunk", "continue"
"""Rows of a page of a list; rows before one sums the rest; rows of a page of a report document; where it goes on."""
_SINGLE = ("window", "idle", "compare", "timeZone", "sort", "reverse", "limit", "adjusted")
_TRUTH = {"true": True, "1": True, "": True, "false": False, "0": False}
_MOST_PARAMETERS, _LONGEST = 64, 2_000

PARAMETERS: Mapping[str, str] = {
    "window": "The time to report: today, 7d, month-to-date, 2026-10, FROM/TO. Default: month-to-date.",
    "by": "Group keys, as a list with commas or repeated.",
    "filter": "KEY=VALUE[,VALUE]; repeated, all must match.",
    "idle": f"Who carries what nobody used: {', '.join(IdlePolicy)}. Default: {IdlePolicy.TO_HOLDER}.",
    "compare": "true: the span before as well.",
    "adjusted": "true: what was posted as corrections of closed windows as well.",
    "timeZone": "Time zone in which days and months begin. Default: UTC.",
    "sort": "Order of the rows: cost, gpu-hours, utilisation, idle-share, change, moved, name. Default: cost.",
    "reverse": "true: the smallest first.",
    TOP: "Rows before the rest is summed in one row `other`.",
    LIMIT: "Rows of one page of a list or Table; metadata.continue asks for the next. In a report document as `top`.",
    CHUNK: "Rows of one page of a report document; its field `continue` asks for the next.",
    CONTINUE: "What the page before gave: the rows that follow, of the same answer. 410 where it has expired.",
    FORMAT: f"{REPORT_FORMAT}: the report document of `aicost report -o json`.",
}
"""Every parameter that an allocations request understands."""


def write_parameters(question: Question) -> list[tuple[str, str]]:
    """The parameters of a question. The namespace is none: it stands in the path."""
    pairs = [
        ("window", question.window),
        ("by", ",".join(question.group_by)),
        *(("filter", text) for text in write_filters(question.filters)),
        ("idle", question.idle),
        ("compare", str(question.compare).lower()),
        ("timeZone", question.time_zone),
        ("sort", question.sort),
        ("reverse", str(question.reverse).lower()),
    ]
    pairs += [("adjusted", "true")] if question.adjusted else []
    return pairs if question.limit is None else [*pairs, ("limit", str(question.limit))]


def read_parameters(
    pairs: Sequence[tuple[str, str]],
    *,
    namespace: str | None,
    group_by: tuple[str, ...],
    most_rows: int,
    team: str | None = None,
) -> Question:
    """The question that parameters ask; those that are not ours are for the caller to judge.

    Args:
        pairs: names and values in their order.
        namespace: the namespace of the path, None for all.
        team: the team of the path, None for all.
        group_by: the keys where `by` is absent.
        most_rows: rows where `limit` is absent, and the most that it may ask for.

    Raises:
        InvalidRequest: naming the parameter, its value and the fix.
    """
    _check_size(pairs)
    single = {name: _once(name, _values(pairs, name)) for name in _SINGLE}
    plain = Question()
    try:
        filters = read_filters(_values(pairs, "filter"))
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem
    return Question(
        window=single["window"] or plain.window,
        group_by=read_keys(_values(pairs, "by")) or group_by,
        filters=filters,
        namespace=namespace,
        team=team,
        idle=single["idle"] or plain.idle,
        compare=_truth("compare", single["compare"]),
        adjusted=_truth("adjusted", single["adjusted"]),
        time_zone=single["timeZone"] or plain.time_zone,
        sort=single["sort"] or plain.sort,
        reverse=_truth("reverse", single["reverse"]),
        limit=_limit(single["limit"], most_rows),
    )


def paged(pairs: Sequence[tuple[str, str]], *, report: bool) -> list[tuple[str, str]]:
    """The parameters of the whole answer that a page is asked of: `limit` is what `top` says.

    Args:
        pairs: names and values.
        report: a report document is asked for, in which `limit` has always been what `top` is.
    """
    left_out = {CHUNK, CONTINUE} if report else {CHUNK, CONTINUE, LIMIT}
    return [(LIMIT if name == TOP else name, value) for name, value in pairs if name not in left_out]


def read_single(pairs: Sequence[tuple[str, str]], name: str) -> str | None:
    """The value of a parameter that may be named once; None where it is absent.

    Raises:
        InvalidRequest: there are too many parameters, one is too long, or it is named twice.
    """
    _check_size(pairs)
    return _once(name, _values(pairs, name))


def read_limit(pairs: Sequence[tuple[str, str]], most_rows: int) -> int:
    """The rows to show; errors as of `read_single`."""
    return _limit(read_single(pairs, "limit"), most_rows)


def _check_size(pairs: Iterable[tuple[str, str]]) -> None:
    listed = list(pairs)
    if len(listed) > _MOST_PARAMETERS:
        raise InvalidRequest(f"{len(listed)} parameters are too many: ask with at most {_MOST_PARAMETERS}")
    for name, value in listed:
        if len(value) > _LONGEST:
            raise InvalidRequest(f"{name}: {len(value)} characters are too many: at most {_LONGEST}")


def _values(pairs: Iterable[tuple[str, str]], name: str) -> list[str]:
    return [value for key, value in pairs if key == name]


def _once(name: str, values: Sequence[str]) -> str | None:
    if len(values) > 1:
        raise InvalidRequest(f"{name}: it is named {len(values)} times: name it once")
    return values[0] if values else None


def _truth(name: str, value: str | None) -> bool:
    if value is None:
        return False
    if value not in _TRUTH:
        raise InvalidRequest(f"{name}: {value[:40]!r} is neither true nor false: use one of them")
    return _TRUTH[value]


def _limit(value: str | None, most_rows: int) -> int:
    """The rows to show. Zero is what Kubernetes clients send to mean no limit of their own."""
    if value in {None, "0"}:
        return most_rows
    if value is None or not (value.isascii() and value.isdecimal()):
        raise InvalidRequest(f"limit: {value and value[:40]!r} is no number of rows: write one such as 20")
    return min(int(value), most_rows)
