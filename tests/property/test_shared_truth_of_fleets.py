"""Random fleets of shared GPUs through the whole pipeline: every mix on every node, and each bucket is the truth."""

import pytest

from support.pipeline import Way
from support.scripted import BEGIN, END, bill_of
from support.shared_bills import check_truth
from support.shared_fleets import KINDS, random_shared_fleet

ROUNDS = 3


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_every_kind_of_sharing_on_one_cluster_is_billed_as_it_was(seed, tmp_path):
    fleet = random_shared_fleet(seed, BEGIN, END, *sorted(KINDS))
    check_truth(bill_of(fleet, tmp_path, Way.PROMETHEUS, kept=False), fleet)


@pytest.mark.parametrize("kind", ["time-slicing", "mig"])
def test_several_nodes_of_one_kind_are_billed_as_they_were_from_scrapes_too(kind, tmp_path):
    fleet = random_shared_fleet(11, BEGIN, END, kind, kind)
    check_truth(bill_of(fleet, tmp_path, Way.SCRAPE), fleet)
