"""A real server that speaks S3, for ledgers on an object store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster import binaries
from devcluster.object_store import ObjectStore
from support.cluster import _BUILDS, _refuse_without

_BUILDS["object_store_program"] = binaries.find_object_store


@pytest.fixture(scope="session")
def object_store_program() -> Path:
    """The server, to be started with :class:`devcluster.object_store.ObjectStore`."""
    _refuse_without("object_store_program")
    return binaries.find_object_store()


@pytest.fixture
def store(object_store_program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """A running server with an empty bucket; its keys are in the environment, as a Secret puts them there."""
    with ObjectStore(object_store_program, tmp_path / "store") as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


def options(store: ObjectStore) -> dict[str, str]:
    """The storage options that name the server."""
    return {"AWS_ENDPOINT_URL": store.url, "AWS_ALLOW_HTTP": "true"}


def place(store: ObjectStore, name: str = "aicost") -> str:
    """URL of a ledger on it."""
    return f"s3://{store.bucket}/{name}"
