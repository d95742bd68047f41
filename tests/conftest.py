"""What all tests share."""

import logging
import os

import pytest
from hypothesis import settings

pytest_plugins = ["support.cluster", "support.kueue", "support.object_store"]

# A slow machine is no failed property. The build looks at the same examples each time, so that a failure can be
# repeated; by hand each run looks at new ones.
settings.register_profile("by-hand", deadline=None)
settings.register_profile("build", deadline=None, derandomize=True)
settings.load_profile("build" if {"CI", "AICOST_WHEEL"} & set(os.environ) else "by-hand")


def pytest_make_parametrize_id(val):
    """Bytes that are no text are named by their length: packed ones hold the time, and workers need the same names."""
    if isinstance(val, bytes) and not (val.isascii() and val.decode("ascii").isprintable()):
        return f"{len(val)} bytes"
    return None


@pytest.fixture(autouse=True)
def _as_quiet_as_before():
    """A program that is run inside a test sets how much is logged; the next test must not inherit that."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
