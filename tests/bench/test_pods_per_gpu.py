"""The statement of a window costs the same per pod, however many pods follow each other on one GPU, and per GPU."""

import cProfile
import pstats

import pytest

from aicost.domain.attribution.window import state_window
from support.large import large_input


def calls(gpus: int, pods_per_gpu: int) -> int:
    """Function calls that a statement takes: a count that does not depend on the machine."""
    given = large_input(gpus, pods_per_gpu)
    profile = cProfile.Profile()
    statement = profile.runcall(state_window, given)
    assert statement.unbalanced_nanos == 0
    assert sum(bool(row.holder.pod) for row in statement.rows) >= gpus * pods_per_gpu
    return pstats.Stats(profile).total_calls


@pytest.mark.parametrize(("few", "many"), [(10, 40)])
def test_four_times_the_pods_on_a_gpu_take_four_times_the_work(few, many):
    assert calls(8, many) < 1.25 * many / few * calls(8, few)


def test_four_times_the_gpus_take_four_times_the_work():
    assert calls(800, 2) < 1.15 * 4 * calls(200, 2)
