"""The API server takes our definitions without a warning, and says what is wrong with an object in our words."""

import json
from pathlib import Path

import pytest

from aicost.crd.kinds import KINDS
from devcluster.api import ApiError
from support.crd_samples import BASE, CLUSTER_WIDE, FULL, resource
from support.crd_statuses import STATUSES
from support.definitions import applied_definitions
from support.refused_specs import REFUSED

pytestmark = pytest.mark.cluster

_ROOT = Path(__file__).resolve().parents[2]
_BY_NAME = {kind.kind: kind for kind in KINDS}


def _collection(kind: str) -> str:
    place = "" if kind in CLUSTER_WIDE else "/namespaces/default"
    return f"/apis/aicost.dev/v1alpha1{place}/{_BY_NAME[kind].plural}"


def _dry_run(cluster, kind, spec):
    body = resource(kind, "sample", spec)
    return cluster.api.create(f"{_collection(kind)}?dryRun=All&fieldValidation=Strict", body)


@pytest.fixture(scope="module")
def applied(cluster):
    """What kubectl said when it applied all definitions."""
    with applied_definitions(cluster) as result:
        yield result


@pytest.fixture
def stored(cluster, applied):
    """Stores an object with its status; it is deleted after the test."""
    paths = []

    def store(kind, name, spec, status=None):
        cluster.api.create(_collection(kind), resource(kind, name, spec))
        paths.append(f"{_collection(kind)}/{name}")
        if status is None:
            return cluster.api.get(paths[-1])
        return cluster.api.patch(f"{paths[-1]}/status?fieldValidation=Strict", {"status": status})

    yield store
    for path in paths:
        cluster.api.delete(path)


def test_the_definitions_apply_without_a_warning(applied):
    assert applied.stderr == ""
    assert applied.stdout.count("serverside-applied") == len(KINDS)


@pytest.mark.parametrize("kind", _BY_NAME)
def test_the_least_and_the_fullest_object_of_a_kind_are_accepted(cluster, applied, kind):
    for spec in (BASE[kind], FULL[kind]):
        assert _dry_run(cluster, kind, spec)["kind"] == kind


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.kind} {json.dumps(case.change)}")
def test_what_breaks_a_rule_is_refused_where_it_is_wrong_with_its_message(cluster, applied, case):
    with pytest.raises(ApiError) as caught:
        _dry_run(cluster, case.kind, case.spec)
    said = str(caught.value)
    assert "HTTP 422" in said
    assert case.where in said
    assert case.message in said


def test_an_object_gets_its_defaults_and_none_inside_lists(stored):
    entry = {"name": "a", "match": {"gpuModel": "h100"}, "perGpuHour": "2"}
    book = stored("PriceBook", "defaults", {"currency": "USD", "entries": [entry]})
    assert book["spec"] == {"currency": "USD", "listPrices": False, "entries": [entry]}
    budget = stored("Budget", "defaults", BASE["Budget"])
    assert budget["spec"]["mode"] == "Observe"
    assert "maxGate" not in budget["spec"], "how far it may go follows the stage"
    report = stored("AICostReport", "defaults", {})
    assert report["spec"] == {"compare": True, "groupBy": ["controller"], "idle": "to-holder", "limit": 50}


@pytest.mark.parametrize("kind", _BY_NAME)
def test_a_whole_status_is_stored_as_it_was_written(stored, kind):
    assert stored(kind, "whole", FULL[kind], STATUSES[kind])["status"] == STATUSES[kind]


@pytest.mark.parametrize("kind", _BY_NAME)
def test_kubectl_shows_each_column_with_its_value(cluster, stored, kind):
    stored(kind, "shown", FULL[kind], STATUSES[kind])
    table = cluster.kubectl("get", _BY_NAME[kind].short or "pricebook", "-A", "-o", "wide")
    for column in _BY_NAME[kind].columns:
        assert column.name.upper() in table
    narrow = cluster.kubectl("get", _BY_NAME[kind].plural, "shown")
    for text in _shown(kind):
        assert text in narrow


def _shown(kind):
    status = STATUSES[kind]
    own = {
        "PriceBook": ["USD", "3", "2026-10-01", "True"],
        "CostLabelPolicy": ["Warn", "webhook", "87.1%", "41.0%", "59", "1 (Walk)", "3", "True"],
        "BudgetOverride": ["company", "RaiseLimit", "10", "Active", "Minor", "dana", "lee"],
        "BudgetAction": ["month", "Suspend", "train", "Job", "SuspendJob", "Applied", "$32.00"],
        "BudgetGate": ["month", "DenyNew", "true", "2026-11-20T10:30:00Z"],
        "ProviderAccount": ["openai", "openai-main", "$1,234.56", "True"],
    }
    if kind in own:
        return own[kind]
    if "Budget" in kind:
        return [status["limit"], status["spent"]["total"], status["percentUsed"], "Notify", "d"]
    summary = status["summary"]
    return [summary[name] for name in ("cost", "change", "gpuHours", "utilisation", "idleShare", "telemetryCoverage")]


def test_the_category_lists_all_kinds_and_fields_select(cluster, stored):
    stored("AIWorkload", "chat", FULL["AIWorkload"])
    stored("Budget", "search", BASE["Budget"])
    listed = cluster.kubectl("get", "aicost", "-A", "-o", "name")
    assert {"aiworkload.aicost.dev/chat", "budget.aicost.dev/search"} <= set(listed.split())
    chosen = cluster.kubectl("get", "aiw", "-A", "--field-selector", "spec.stage=production", "-o", "name")
    assert "aiworkload.aicost.dev/chat" in chosen
    assert cluster.kubectl("get", "aiw", "-A", "--field-selector", "spec.stage=pilot", "-o", "name") == ""


def test_explain_describes_fields_with_their_units(cluster, applied):
    totals = " ".join(cluster.kubectl("explain", "aicostreport.status.totals").split())
    assert "costNanos <integer> Cost, exact: the sum of the buckets." in totals
    assert "Unit: nano-units of the currency (10^-9)." in totals
    entries = " ".join(cluster.kubectl("explain", "pricebook.spec.entries").split())
    assert "Price of one GPU for one hour, as a decimal string in the book's currency." in entries


def test_a_status_in_an_applied_object_is_dropped(stored, cluster):
    body = {**resource("AIWorkload", "forged", BASE["AIWorkload"]), "status": STATUSES["AIWorkload"]}
    made = cluster.api.create(_collection("AIWorkload"), body)
    cluster.api.delete(f"{_collection('AIWorkload')}/forged")
    assert "status" not in made


def test_the_chart_templates_render_the_definitions_to_keep_or_nothing(cluster, tmp_path):
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: only-crds\nversion: 0.0.1\n")
    for source in (_ROOT / "charts/aicost/templates/crds").glob("*.yaml"):
        (chart / "templates" / source.name).write_text(source.read_text())
    rendered = cluster.helm("template", "x", str(chart), "--set", "crds.install=true")
    assert rendered.count("helm.sh/resource-policy: keep") == len(KINDS)
    dry_run = cluster.kubectl(
        "apply", "--dry-run=server", "--server-side", "--force-conflicts", "-f", "-", text=rendered
    )
    assert dry_run.count("serverside-applied") == len(KINDS)
    assert "kind" not in cluster.helm("template", "x", str(chart), "--set", "crds.install=false")
