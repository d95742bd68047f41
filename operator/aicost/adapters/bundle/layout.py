"""The files of a bundle: a directory or a tar file. Nothing is ever unpacked, so no name can lead anywhere."""

import gzip
import io
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from aicost.ports.errors import InvalidRequest

HEAD = "bundle.yaml"
HEADS = (HEAD, "bundle.yml")
OBJECTS = "objects.jsonl"
OBJECT_FILES = (OBJECTS, "objects.ndjson")
SAMPLES = "samples"
SAMPLE_SUFFIXES = (".om", ".prom", ".txt", ".openmetrics")
GZIPPED = ".gz"

BLOCK = 1 << 18
"""Small enough that what is cut from a block stays in the processor's cache: twice as fast as megabytes."""
_SLACK = 8 << 20
_LARGEST_RATIO = 400
"""Text of metrics shrinks to a fortieth; what shrinks ten times more is made to fill memory and disks."""
_MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class BundleFile:
    """One file of a bundle.

    Attributes:
        name: its path inside the bundle, for messages.
        size: bytes as it lies there.
    """

    name: str
    size: int
    _open: Callable[[], BinaryIO]

    @contextmanager
    def open(self) -> "Iterator[BinaryIO]":
        """Its content, unpacked where its name ends in `.gz`.

        Raises:
            InvalidRequest: it cannot be read, or swells beyond all measure.
        """
        try:
            with self._open() as raw:
                if not self.name.endswith(GZIPPED):
                    yield raw
                    return
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield cast("BinaryIO", _Bounded(unpacked, self.name, self.size))
        except (OSError, EOFError, gzip.zlib.error, tarfile.TarError) as problem:  # type: ignore[attr-defined]
            raise InvalidRequest(f"{self.name}: cannot be read: {problem}: write the file again") from problem


@dataclass(frozen=True, slots=True)
class Layout:
    """What lies in a bundle.

    Attributes:
        place: the directory or the tar file.
        objects: None where there is none.
        ignored: files that are no part of a bundle.
    """

    place: str
    head: BundleFile
    objects: BundleFile | None
    samples: tuple[BundleFile, ...]
    ignored: tuple[str, ...] = ()


@contextmanager
def open_layout(place: str) -> Iterator[Layout]:
    """Look at a bundle; its files can be read as long as it is open.

    Raises:
        InvalidRequest: there is no bundle; the message says what is missing.
    """
    path = Path(place)
    if path.is_dir():
        yield _sorted(place, _in_directory(path))
        return
    if not path.is_file():
        raise InvalidRequest(f"bundle: {place!r} is not there: name a directory or a tar file that holds {HEAD}")
    try:
        archive = tarfile.open(path)  # noqa: SIM115 -- closed below, errors apart
    except (tarfile.TarError, OSError, EOFError) as problem:
        raise InvalidRequest(
            f"bundle: {place!r} is neither a directory nor a tar file ({problem}): name one that holds {HEAD}"
        ) from problem
    with archive:
        yield _sorted(place, _in_archive(place, archive))


def _in_directory(root: Path) -> list[BundleFile]:
    found = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if not path.is_file():
            continue
        if not path.resolve().is_relative_to(root.resolve()):
            raise InvalidRequest(f"{name}: is a link that leads out of the bundle: put the file itself there")
        found.append(BundleFile(name, path.stat().st_size, lambda path=path: path.open("rb")))  # type: ignore[misc]
    return found


def _in_archive(place: str, archive: tarfile.TarFile) -> list[BundleFile]:
    """Regular files alone; a folder around all of them is looked into."""
    found: dict[str, tarfile.TarInfo] = {}
    try:
        for member in archive:
            if len(found) > _MOST_FILES:
                raise InvalidRequest(f"bundle: {place!r} holds more than {_MOST_FILES} files: a bundle has a few")
            if member.isfile():
                found[_name_in(place, member.name)] = member
            elif not member.isdir():
                raise InvalidRequest(
                    f"bundle: {place!r} holds {member.name[:200]!r}, a link or a device: put the file itself there"
                )
    except (tarfile.TarError, OSError, EOFError, gzip.zlib.error) as problem:  # type: ignore[attr-defined]
        raise InvalidRequest(f"bundle: {place!r} cannot be read: {problem}: write it again") from problem
    around = _around(found)
    return [
        BundleFile(name.removeprefix(around), member.size, lambda member=member: _member(archive, member))  # type: ignore[misc]
        for name, member in sorted(found.items())
    ]


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    return cast("BinaryIO", archive.extractfile(member) or io.BytesIO())


def _name_in(place: str, name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise InvalidRequest(f"bundle: {place!r} holds {name[:200]!r}, which leads out of it: write names within it")
    return path.as_posix()


def _around(names: object) -> str:
    """The folder that the head lies in."""
    heads = [name for name in names if PurePosixPath(name).name in HEADS]  # type: ignore[attr-defined]
    shortest = min(heads, key=lambda name: name.count("/"), default="")
    return shortest[: shortest.rfind("/") + 1]


def _sorted(place: str, files: list[BundleFile]) -> Layout:
    head, objects, samples, ignored = None, None, [], []
    for one in files:
        plain = one.name.removesuffix(GZIPPED)
        if one.name in HEADS:
            head = head or one
        elif plain in OBJECT_FILES:
            if objects is not None:
                raise InvalidRequest(f"bundle: it holds {objects.name} and {one.name}: keep one of them")
            objects = one
        elif plain.startswith(f"{SAMPLES}/") and plain.endswith(SAMPLE_SUFFIXES):
            samples.append(one)
        else:
            ignored.append(one.name)
    if head is None:
        raise InvalidRequest(f"bundle: {place!r} holds no {HEAD}: see docs/reference/bundle.md for what it says")
    return Layout(place, head, objects, tuple(samples), tuple(ignored))


class _Bounded(io.RawIOBase):
    """A packed file that may not swell beyond all measure."""

    def __init__(self, inner: gzip.GzipFile, name: str, packed: int) -> None:
        self._inner, self._name, self._seen = inner, name, 0
        self._most = _SLACK + packed * _LARGEST_RATIO

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        got = self._inner.read(BLOCK if size < 0 else size)
        self._seen += len(got)
        if self._seen > self._most:
            raise InvalidRequest(
                f"{self._name}: unpacks to more than {_LARGEST_RATIO} times its size: that is no text of a bundle; "
                "unpack it yourself if it is"
            )
        return got
