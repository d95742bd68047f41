"""Whoever opens a ledger takes Arrow's memory from the system."""

import pyarrow as pa
import pytest

from aicost.bootstrap import open_ledger


@pytest.fixture(autouse=True)
def _pool():
    before = pa.default_memory_pool()
    yield
    pa.set_memory_pool(before)


def test_an_open_ledger_gives_memory_back_to_the_system(tmp_path):
    kept = [pool for pool in pa.supported_memory_backends() if pool != "system"]
    if not kept:
        pytest.skip("this Arrow has no pool of its own")
    pa.set_memory_pool(getattr(pa, f"{kept[0]}_memory_pool")())
    open_ledger(str(tmp_path))
    assert pa.default_memory_pool().backend_name == "system"
