"""Writes a bundle, so that what is read from it is what was written."""

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np
import yaml

from aicost.adapters.bundle.head import FORMAT_VERSION, BundleHead
from aicost.adapters.bundle.layout import GZIPPED, HEAD, OBJECTS, SAMPLES
from aicost.adapters.bundle.objects import Change
from aicost.domain.exact.windows import SECOND_MS, Window, to_rfc3339
from aicost.domain.sampling.series import RawSeries
from aicost.ports.errors import InvalidRequest

_LEVEL = 6


class BundleWriter:
    """A bundle that is being written into a new directory; use it as a context manager.

    Raises:
        InvalidRequest: the directory cannot be made, or holds something already.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        try:
            (out / SAMPLES).mkdir(parents=True, exist_ok=True)
            if [path for path in out.iterdir() if path.name != SAMPLES] or any((out / SAMPLES).iterdir()):
                raise InvalidRequest(f"--out {str(out)!r}: holds something already: name a new directory")
            self._objects = gzip.GzipFile(out / f"{OBJECTS}{GZIPPED}", "wb", _LEVEL)
        except OSError as problem:
            raise InvalidRequest(f"--out {str(out)!r}: cannot be written: {problem}") from problem
        self._files = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._objects.close()

    def event(self, at_ms: int, change: Change, body: Mapping[str, Any], gap: Window | None = None) -> None:
        """Write one event; `gap` is the span in which an object went, where nobody was looking then."""
        unseen = {} if gap is None else {"unseenSince": to_rfc3339(gap.start_ms)}
        line = {"at": to_rfc3339(at_ms), "type": change.value, **unseen, "object": body}
        self._objects.write(msgspec.json.encode(line) + b"\n")

    def samples(self, series: Iterable[RawSeries]) -> int:
        """Write one more file of samples; gives their number."""
        found = sorted(series, key=lambda one: (one.name, sorted(one.labels.items())))
        if not found:
            return 0
        self._files += 1
        with gzip.open(self._out / SAMPLES / f"{self._files:04d}.om{GZIPPED}", "wb", _LEVEL) as file:
            name = ""
            for one in found:
                if one.name != name:
                    name = one.name
                    file.write(_family(one).encode())
                file.write(_lines(one).encode())
            file.write(b"# EOF\n")
        return sum(len(one.at_ms) for one in found)

    def head(self, head: BundleHead, **more: object) -> None:
        """Write what the bundle is about; without it there is no bundle, so it comes last."""
        fields = {
            "formatVersion": FORMAT_VERSION,
            "cluster": head.cluster,
            "window": {"from": to_rfc3339(head.window.start_ms), "to": to_rfc3339(head.window.end_ms)},
            **({} if head.interval_ms is None else {"scrapeInterval": _length(head.interval_ms)}),
            "source": head.source,
            **more,
        }
        (self._out / HEAD).write_text(yaml.safe_dump(fields, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _family(one: RawSeries) -> str:
    """What stands before the samples of a metric: its HELP text tells dialects apart."""
    text = one.help.replace("\\", "\\\\").replace("\n", "\\n")
    return (f"# HELP {one.name} {text}\n" if text else "") + f"# TYPE {one.name} unknown\n"


def _lines(one: RawSeries) -> str:
    key = f"{one.name}{{{','.join(f'{name}={_quoted(value)}' for name, value in sorted(one.labels.items()))}}}"
    pairs = zip(one.at_ms.tolist(), one.value.tolist(), strict=True)
    return "".join(f"{key} {_number(value)} {at // SECOND_MS}.{at % SECOND_MS:03d}\n" for at, value in pairs)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _number(value: float) -> str:
    """A number that reads as itself."""
    if np.isfinite(value):
        return repr(value)
    return "NaN" if np.isnan(value) else "+Inf" if value > 0 else "-Inf"


def _length(millis: int) -> str:
    return f"{millis}ms" if millis % SECOND_MS else f"{millis // SECOND_MS}s"
