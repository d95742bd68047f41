"""What the API answers, as types; whole answers only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import Millis, Values
from aicost.ports.errors import InvalidAnswer, SourceUnavailable

T = TypeVar("T")
Counts = NDArray[np.int64]
_SHOWN = 80


class Envelope(msgspec.Struct, rename="camel"):
    """The frame of every answer."""

    status: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""
    error_type: str = ""
    warnings: list[str] = []
    infos: list[str] = []
    is_partial: bool = False


class MatrixSeries(msgspec.Struct):
    """One series with its samples, both still as they came."""

    metric: msgspec.Raw
    values: msgspec.Raw = msgspec.Raw(b"[]")


class Matrix(msgspec.Struct, tag_field="resultType", tag="matrix"):
    """Series over time."""

    result: list[MatrixSeries]


class VectorSeries(msgspec.Struct):
    """One series at one moment."""

    metric: dict[str, str]
    value: tuple[float, str] = (0.0, "NaN")


class Vector(msgspec.Struct, tag_field="resultType", tag="vector"):
    """Series at one moment."""

    result: list[VectorSeries]


class Configuration(msgspec.Struct):
    """What a server was told."""

    yaml: str


class MetricHelp(msgspec.Struct):
    """What an exporter says of a metric."""

    help: str = ""


@dataclass(slots=True)
class Gathered:
    """One series, from as many answers as it took."""

    labels: dict[str, str]
    at_ms: list[Millis] = field(default_factory=list)
    value: list[Values] = field(default_factory=list)


_ENVELOPE = msgspec.json.Decoder(Envelope)
_LABELS = msgspec.json.Decoder(dict[str, str])
_HELPS = msgspec.json.Decoder(dict[str, list[MetricHelp]])
_NUMBERS = msgspec.json.Decoder(list[float])
_BLOCK = 1_000
"""Series that are read at once: one odd value makes a block slower, not the whole answer."""
_FIRST, _BETWEEN, _LAST = b"[[", b'"],[', b'"]]'
_SAMPLES = msgspec.json.Decoder(list[tuple[float, str]])


def envelope(url: str, body: bytes) -> Envelope:
    """Read the frame of an answer.

    Raises:
        InvalidAnswer: it is no such answer.
    """
    try:
        return _ENVELOPE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        start = body.lstrip()[:_SHOWN].decode("utf-8", errors="replace")
        raise InvalidAnswer(
            f"{url} did not answer as a Prometheus API does ({error}): it starts with {start!r}; "
            "check prometheus.url and its path prefix"
        ) from error


def whole(url: str, found: Envelope, kind: type[T]) -> T:
    """The data of an answer that holds all that was asked for.

    Raises:
        SourceUnavailable: the answer says that it is partial: a warning stands on it.
        InvalidAnswer: it failed, or its data are of another kind.
    """
    if found.status != "success":
        raise InvalidAnswer(" ".join(filter(None, (f"{url} failed:", found.error_type, found.error))))
    remarks = [*found.warnings, *found.infos, *(["isPartial"] if found.is_partial else [])]
    if remarks:
        raise SourceUnavailable(f"{url} may have answered with less than was asked: {'; '.join(remarks)}")
    try:
        return msgspec.json.decode(found.data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidAnswer(f"{url} answered with data of another kind: {error}") from error


def labels_of(url: str, raw: msgspec.Raw | bytes) -> dict[str, str]:
    """Labels of a series.

    Raises:
        InvalidAnswer: these are none.
    """
    try:
        return _LABELS.decode(raw)
    except msgspec.DecodeError as error:
        raise InvalidAnswer(f"{url} answered with labels that are none: {error}") from error


def samples_within(url: str, found: Sequence[msgspec.Raw], part: Window) -> Iterator[tuple[Millis, Values]]:
    """Times in milliseconds and values of each series, as far as they lie in a part of time.

    Raises:
        InvalidAnswer: these are none.
    """
    for at_ms, value, many in columns_within(url, found, part):
        ends = np.cumsum(many).tolist()
        yield from ((at_ms[start:end], value[start:end]) for start, end in pairwise([0, *ends]))


def columns_within(url: str, found: Sequence[msgspec.Raw], part: Window) -> Iterator[tuple[Millis, Values, Counts]]:
    """The same of some series at once, one after another, and how many samples each has; errors as above."""
    for first in range(0, len(found), _BLOCK):
        block = [bytes(raw) for raw in found[first : first + _BLOCK]]
        pairs = [raw.count(_BETWEEN) + 1 for raw in block]
        numbers = _plain_numbers(block)
        if numbers is None or len(numbers) != 2 * sum(pairs):
            each = [samples_of(url, raw) for raw in block]
            at_ms, value = (np.concatenate(columns) for columns in zip(*each, strict=True))
            pairs = [len(one) for one, _ in each]
        else:
            at_ms, value = np.rint(numbers[::2] * 1_000).astype(np.int64), numbers[1::2]
        inside = (at_ms >= part.start_ms) & (at_ms < part.end_ms)
        many = np.diff(np.append(0, np.cumsum(inside))[np.append(0, np.cumsum(pairs))])
        yield at_ms[inside], value[inside], many


def _plain_numbers(block: Sequence[bytes]) -> Values | None:
    """Times and values of many series in turn; None where something is no plain number.

    Quotes and brackets are taken out, and one list of numbers is read: a text for each value costs most of the time.
    A text must stand at the end of a list and right after a comma, else something is left that is no number. So each
    list has two numbers or more, and exactly two where there are twice as many numbers as lists.
    """
    if not all(raw.startswith(_FIRST) and raw.endswith(_LAST) for raw in block):
        return None
    inner = _BETWEEN.join(raw[len(_FIRST) : -len(_LAST)] for raw in block)
    try:
        numbers = _NUMBERS.decode(b"[%b]" % inner.replace(_BETWEEN, b", ").replace(b',"', b","))
    except msgspec.DecodeError:  # NaN and Inf are no numbers in JSON
        return None
    return np.array(numbers, np.float64)


def samples_of(url: str, raw: msgspec.Raw | bytes) -> tuple[Millis, Values]:
    """Times in milliseconds and values of a series.

    Raises:
        InvalidAnswer: these are none.
    """
    try:
        pairs = _SAMPLES.decode(raw)
        value = np.fromiter((float(text) for _, text in pairs), np.float64, len(pairs))
    except (msgspec.DecodeError, ValueError) as error:
        raise InvalidAnswer(f"{url} answered with samples that are none: {error}") from error
    seconds = np.fromiter((at for at, _ in pairs), np.float64, len(pairs))
    return np.rint(seconds * 1_000).astype(np.int64), value


def helps_of(url: str, raw: bytes, metric: str) -> frozenset[str]:
    """The HELP texts of a metric; more than one where exporters contradict each other.

    Raises:
        InvalidAnswer: these are none.
    """
    try:
        return frozenset(entry.help for entry in _HELPS.decode(raw).get(metric, ()))
    except msgspec.DecodeError as error:
        raise InvalidAnswer(f"{url} answered with metadata that are none: {error}") from error
