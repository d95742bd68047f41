"""A query of people in PromQL, held to their namespace: each selector in it gets matchers that it cannot take away.

Whoever may write an AIWorkload must not read series of other namespaces with our rights. So the query is read token by
token, in the order of PromQL's grammar: where a value may stand, a name is a selector, whatever word it is. What is not
known here is refused and never passed on.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

LONGEST = 2_000
WINDOW = "$window"
_TOKENS = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<text>"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'|`[^`]*`)
    |(?P<span>\$window\b|(?:[0-9]+(?:ms|[smhdwy]))+(?![0-9a-zA-Z_]))
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![0-9a-zA-Z_]))
    |(?P<name>[a-zA-Z_][a-zA-Z0-9_:]*)
    |(?P<sign>=~|!~|!=|==|>=|<=|[-=><+*/%^(){}\[\],:@])""",
    re.VERBOSE,
)
_AGGREGATIONS = frozenset(
    {"avg", "bottomk", "count", "count_values", "group", "max", "min", "quantile", "stddev", "stdvar", "sum", "topk"}
)
_FUNCTIONS = frozenset(
    {
        *("abs", "ceil", "changes", "clamp", "clamp_max", "clamp_min", "delta", "deriv", "exp", "floor", "idelta"),
        *("histogram_avg", "histogram_count", "histogram_fraction", "histogram_quantile", "histogram_sum", "increase"),
        *("irate", "label_join", "label_replace", "ln", "log10", "log2", "rate", "resets", "round", "scalar", "sgn"),
        *("sort", "sort_desc", "sqrt", "vector", "avg_over_time", "count_over_time", "last_over_time"),
        *("max_over_time", "min_over_time", "quantile_over_time", "sum_over_time"),
    }
)
_SETS = frozenset({"and", "or", "unless", "atan2"})
_BINARY = frozenset({"+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<="})
_NAMED = ("__name__='", '__name__="', "__name__=`")
_GROUPING, _JOINING, _SIDES = ("by", "without"), ("on", "ignoring"), ("group_left", "group_right")


class BadQuery(ValueError):
    """A query that makes no sense, or that is not understood here; the message says where and what to write."""


class Bound(NamedTuple):
    """A query that reads one namespace alone.

    Attributes:
        text: the query.
        is_selector: it is one selector and nothing else: a counter whose increase is meant.
    """

    text: str
    is_selector: bool


class _Token(NamedTuple):
    kind: str
    text: str


def bind(query: str, matchers: str, window: str) -> Bound:
    """Hold a query to matchers.

    Args:
        query: PromQL, with `$window` for the length of the window.
        matchers: what each selector must match, as PromQL without braces.
        window: what stands for `$window`.

    Raises:
        BadQuery: it is not understood.
    """
    if len(query) > LONGEST:
        raise BadQuery(f"it has {len(query):,} characters: write at most {LONGEST:,}")
    reader = _Reader(list(_split(query)), matchers, window)
    reader.expression()
    if reader.rest():
        raise reader.unexpected()
    if not reader.selectors:
        raise BadQuery("it reads no series: name a metric, such as answers_total")
    return Bound(" ".join(reader.written), reader.is_selector)


def _split(query: str) -> list[_Token]:
    found, place = [], 0
    while place < len(query):
        match = _TOKENS.match(query, place)
        if match is None or match.lastgroup is None:
            raise BadQuery(f"{query[place : place + 20]!r} is not understood: write PromQL, without comments")
        if match.lastgroup != "space":
            found.append(_Token(match.lastgroup, match[0]))
        place = match.end()
    return found


@dataclass(slots=True)
class _Reader:
    """Goes through the tokens once, and writes them down with the matchers."""

    tokens: Sequence[_Token]
    matchers: str
    window: str
    place: int = 0
    written: list[str] = field(default_factory=list)
    selectors: int = 0
    steps: int = 0
    depth: int = 0

    @property
    def is_selector(self) -> bool:
        return self.selectors == 1 and self.steps == 1

    def expression(self) -> None:
        """Operands with operators between them."""
        self.depth += 1
        if self.depth > 50:
            raise BadQuery("it is too deep: write it shorter")
        self._operand()
        while self._operator():
            self._operand()
        self.depth -= 1

    def rest(self) -> bool:
        return self.place < len(self.tokens)

    def unexpected(self) -> BadQuery:
        after = " ".join(token.text for token in self.tokens[max(0, self.place - 3) : self.place])
        here = self.tokens[self.place].text if self.rest() else "the end"
        return BadQuery(f"{here[:40]!r} after {after[-60:]!r} is not understood: write PromQL")

    def _operand(self) -> None:
        while self._is("+", "-"):
            self._take()
        self.steps += 1
        token = self._peek()
        if token.kind in {"number", "text", "span"}:
            self._take()
        elif token.text == "(":
            self._list()
        elif token.text == "{":
            self._selector("")
        elif token.kind == "name" and self._next() == "(":
            self._call()
        elif token.kind == "name" and token.text in _AGGREGATIONS and self._next() in _GROUPING:
            self._take()
            self._labels()
            self._list()
        elif token.kind == "name":
            self.place += 1
            self._selector(token.text)
        else:
            raise self.unexpected()
        self._modifiers()

    def _call(self) -> None:
        name = self._peek().text
        if name not in _AGGREGATIONS | _FUNCTIONS:
            raise BadQuery(
                f"{name[:40]}(): it is no function that may be used here: use rate, increase, sum and the like"
            )
        self._take()
        self._list()
        if name in _AGGREGATIONS and self._is(*_GROUPING):
            self._labels()

    def _list(self) -> None:
        """Expressions in parentheses, with commas between them."""
        self._expect("(")
        if not self._is(")"):
            self.expression()
            while self._is(","):
                self._take()
                self.expression()
        self._expect(")")

    def _labels(self) -> None:
        """A word and a list of names of labels."""
        self._take()
        self._expect("(")
        while not self._is(")"):
            if self._peek().kind != "name":
                raise self.unexpected()
            self._take()
            if not self._is(")"):
                self._expect(",")
        self._expect(")")

    def _selector(self, name: str) -> None:
        """A name, matchers, or both; ours stand last, and all of them must match."""
        own: list[str] = []
        if self._is("{"):
            self.place += 1
            while not self._is("}"):
                label, sign, text = (self._pass(kind) for kind in ("name", "sign", "text"))
                if sign not in {"=", "!=", "=~", "!~"}:
                    raise self.unexpected()
                own.append(f"{label}{sign}{text}")
                if not self._is("}"):
                    self._skip(",")
            self._skip("}")
        if not name and not any(one.startswith(_NAMED) for one in own):
            raise BadQuery("a selector names its metric: write it before the braces, such as answers_total{...}")
        self.selectors += 1
        self.written.append(name + "{" + ",".join((*own, self.matchers)) + "}")

    def _modifiers(self) -> None:
        """Ranges, offsets and moments after an operand."""
        while True:
            if self._is("["):
                self._take()
                self._span()
                if self._is(":"):
                    self._take()
                    if not self._is("]"):
                        self._span()
                self._expect("]")
            elif self._is("offset"):
                self._take()
                if self._is("-"):
                    self._take()
                self._span()
            else:
                return
            self.steps += 1

    def _span(self) -> None:
        token = self._peek()
        if token.kind != "span":
            raise self.unexpected()
        self.place += 1
        self.written.append(self.window if token.text == WINDOW else token.text)

    def _operator(self) -> bool:
        """An operator with what belongs to it; False where there is none."""
        if not self._is(*_BINARY, *_SETS):
            return False
        self._take()
        self.steps += 1
        if self._is("bool"):
            self._take()
        if self._is(*_JOINING) and self._next() == "(":
            self._labels()
            if self._is(*_SIDES):
                if self._next() == "(":
                    self._labels()
                else:
                    self._take()
        return True

    def _peek(self) -> _Token:
        return self.tokens[self.place] if self.rest() else _Token("end", "")

    def _next(self) -> str:
        return self.tokens[self.place + 1].text if self.place + 1 < len(self.tokens) else ""

    def _is(self, *texts: str) -> bool:
        token = self._peek()
        return token.kind in {"sign", "name"} and token.text in texts

    def _take(self) -> None:
        token = self._peek()
        if token.kind == "span":
            self._span()
            return
        self.place += 1
        self.written.append(token.text)

    def _expect(self, text: str) -> None:
        if not self._is(text):
            raise self.unexpected()
        self._take()

    def _skip(self, text: str) -> None:
        """As `_expect`, but it is written elsewhere."""
        if not self._is(text):
            raise self.unexpected()
        self.place += 1

    def _pass(self, kind: str) -> str:
        token = self._peek()
        if token.kind != kind:
            raise self.unexpected()
        self.place += 1
        return token.text
