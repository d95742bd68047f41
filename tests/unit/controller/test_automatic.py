"""Reports that are kept without anybody asking: where there is cost, and never in place of somebody's own."""

import pytest

from aicost.domain.ledger.rows import Bucket, Component, Holder
from aicost.entrypoints.controller.publish.automatic import missing_reports
from aicost.entrypoints.controller.registry import Key
from support.controller import NOW, make_world, settings_with
from support.ledger_rows import HOUR_0, make_holder, make_row

CLUSTER_WIDE = {f"ClusterAICostReport month-to-date-by-{key}" for key in ("namespace", "team", "model")}


@pytest.fixture
def ledger(world):
    others = [
        make_row(5, holder=make_holder("team-b", "b-0"), device="GPU-2"),
        make_row(None, holder=make_holder("unpriced", "u-0"), device="GPU-3", error=None),
        make_row(5, bucket=Bucket.UNALLOCATED, device="GPU-4"),
    ]
    return world.post(make_row(5), *others)


def wanted(world, there=(), namespaces=("team-a", "team-b", "unpriced", "empty")):
    return {str(Key.of(body)): body for body in missing_reports(world.app, set(there), set(namespaces), NOW)}


def test_each_namespace_with_cost_gets_one_and_the_cluster_three(ledger):
    own = {f"AICostReport {name}/month-to-date" for name in ("team-a", "team-b", "unpriced")}
    assert set(wanted(ledger)) == own | CLUSTER_WIDE


def test_cpu_of_pods_that_are_no_ai_workload_makes_no_report(world):
    summed = make_row(5, component=Component.CPU, gpu_ms=0, quantity=9, holder=Holder("kube-system"), device="")
    labelled = make_row(5, component=Component.CPU, gpu_ms=0, quantity=9, holder=make_holder("etl", "e-0"), device="")
    found = wanted(world.post(summed, labelled), namespaces=["kube-system", "etl"])
    assert set(found) == {"AICostReport etl/month-to-date"} | CLUSTER_WIDE


def test_cost_of_the_open_window_is_cost(world):
    world.ledger.replace_provisional("cluster-1", HOUR_0, [make_row(5, holder=make_holder("fresh", "f-0"))])
    assert "AICostReport fresh/month-to-date" in wanted(world, namespaces=["fresh"])


def test_a_namespace_that_is_gone_gets_none_whatever_it_cost(ledger):
    assert "AICostReport team-b/month-to-date" not in wanted(ledger, namespaces=["team-a"])


def test_a_report_of_that_name_that_is_there_is_not_made_again(ledger):
    there = [Key("AICostReport", "team-a", "month-to-date"), Key("ClusterAICostReport", "", "month-to-date-by-team")]
    found = wanted(ledger, there)
    assert not {str(key) for key in there} & set(found)
    assert len(found) == 4


def test_one_that_was_deleted_is_wanted_again(ledger):
    there = {Key.of(body) for body in wanted(ledger).values()}
    assert wanted(ledger, there) == {}
    assert set(wanted(ledger, there - {Key("AICostReport", "team-a", "month-to-date")})) == {
        "AICostReport team-a/month-to-date"
    }


def test_it_asks_for_the_month_to_date_in_as_many_rows_as_the_settings_say(tmp_path):
    world = make_world(tmp_path, settings_with(reports={"rows": 7}))
    try:
        (body,) = (one for name, one in wanted(world.post(make_row(5))).items() if name.startswith("AICostReport"))
        assert body["spec"] == {"window": "month-to-date", "groupBy": ["controller"], "limit": 7}
        assert body["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "aicost"}
    finally:
        world.app.stores.close()


def test_each_view_of_the_cluster_groups_by_its_own_key(ledger):
    found = wanted(ledger)
    for key in ("namespace", "team", "model"):
        assert found[f"ClusterAICostReport month-to-date-by-{key}"]["spec"]["groupBy"] == [key]
