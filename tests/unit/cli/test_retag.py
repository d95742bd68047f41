"""`aicost retag`: what a changed policy moves, shown and posted."""

import json
import shutil

import pytest

from aicost.domain.attribution.customers import CustomerIds, KeyedTagger
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.tags.evidence import Evidence
from support.ledger_folder import PRICE, fill

SINCE = "2026-03-02/2026-03-02T04:00:00Z"
POLICY = """
apiVersion: aicost.dev/v1alpha1
kind: CostLabelPolicy
metadata: {name: finops}
spec:
  mode: Audit
  attributionRules:
  - name: chat
    match: {namespaces: [team-a], labels: {matchLabels: {app: chat}}}
    dimensions: {team: assistants}
    override: true
  - name: old
    match: {namespaces: [team-c]}
    dimensions: {team: archive}
    override: true
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    fill(folder, hours=2)
    return folder


@pytest.fixture
def place(filled, tmp_path):
    return shutil.copytree(filled, tmp_path / "ledger")


@pytest.fixture
def retag(run, place, tmp_path):
    policies = tmp_path / "policies.yaml"
    policies.write_text(POLICY)

    def call(*arguments, since=SINCE):
        return run("retag", "--ledger", str(place), "--since", since, "--policies", str(policies), *arguments)

    return call


@pytest.fixture
def by_team(run, place):
    def call(*arguments):
        said = run("report", "--ledger", str(place), "--window", SINCE, "--by", "team", "-o", "json", *arguments)
        assert said.code == 0, said.err
        (report,) = [one for one in json.loads(said.out)["reports"] if one["currency"]]
        return {row["keys"]["team"]: row["cost_nanos"] or 0 for row in report["rows"]}

    return call


def test_looking_shows_who_loses_and_who_gets_what_and_posts_nothing(retag, by_team):
    before, said = by_team(), retag()
    lines = [line.split() for line in said.out.splitlines()]
    assert ["team", "vision", "assistants", "finops/chat", "$4.98", "2.00"] in lines
    assert ["team", "legacy", "archive", "finops/old", "unpriced", "2.00"] in lines
    assert "2 of 2 closed windows change" in said.out
    assert "to post it, add --post" in said.out
    assert by_team() == before


def test_posting_moves_it_and_the_figures_of_before_can_still_be_read(retag, by_team):
    before = by_team("--ledger-version", "2")
    posted = json.loads(retag("--post", "-o", "json").out)
    assert (posted["posted"], posted["ledger_version_before"], posted["windows_changed"]) == (True, 2, 2)
    assert {move["to"]: move["cost_nanos"] for move in posted["moves"] if move["dimension"] == "team"} == {
        "assistants": 2 * PRICE,
        "archive": None,
    }
    now = by_team("--ledger-version", "4")
    assert now["assistants"] == 2 * PRICE
    assert sum(now.values()) == sum(before.values())
    assert by_team("--ledger-version", "2") == before


def test_posting_twice_is_posting_once(retag):
    retag("--post")
    again = json.loads(retag("--post", "-o", "json").out)
    assert (again["windows_changed"], again["difference_rows"], again["moves"]) == (0, 0, [])
    assert "their tags stay as they are" in retag().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--cluster", "other"),
            "'other' has no rows in this ledger. cluster: name one by --cluster; the ledger holds",
        ),
        (("--kubeconfig", "x"), "--policies needs no cluster"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_fix(retag, arguments, said):
    refused = retag(*arguments)
    assert refused.code == 2
    assert said in refused.err


def test_a_time_that_is_none_is_refused(retag):
    assert "since: 'yesteryear'" in retag(since="yesteryear").err


def test_half_a_policy_is_refused_since_it_would_take_tags_away(retag, tmp_path):
    (tmp_path / "policies.yaml").write_text(POLICY.replace("team: archive", "squad: archive"))
    refused = retag()
    assert refused.code == 2
    assert "attributionRules[1].dimensions" in refused.err


def test_a_ledger_with_several_clusters_wants_one_named(retag, place):
    fill(place, hours=1, cluster="c-2")
    refused = retag()
    assert refused.code == 2
    assert "the ledger holds c-2, cluster-1" in refused.err
    assert retag("--cluster", "c-2").code == 0


@pytest.mark.parametrize(("version", "code"), [("99", 2), ("-1", 2)])
def test_a_version_that_never_was_is_refused(run, place, version, code):
    said = run("report", "--ledger", str(place), "--ledger-version", version)
    assert said.code == code


def test_a_version_needs_a_ledger(run):
    assert "--ledger-version 3 needs one ledger" in run("report", "--ledger-version", "3").err


def listed(*policies):
    return json.dumps({"metadata": {"resourceVersion": "1"}, "items": list(policies)})


CLUSTERS = {
    "metadata": {"name": "of-cluster"},
    "spec": {
        "mode": "Audit",
        "attributionRules": [{"name": "r", "match": {"nodes": ["*"]}, "dimensions": {"step": "infer"}}],
    },
}


def test_without_files_the_policies_of_the_cluster_are_read_as_its_controller_reads_them(on_a_server, place):
    unusable = {"metadata": {"name": "bad"}, "spec": {"mode": "Loud"}}
    said, requests = on_a_server(listed(CLUSTERS, unusable), 200, "retag", "--ledger", str(place), "--since", SINCE)
    assert [request.path for request in requests] == ["/apis/aicost.dev/v1alpha1/costlabelpolicies"]
    assert said.code == 0, said.err
    assert "of-cluster/r" in said.out


def test_policies_that_may_not_be_read_are_no_absent_policies(on_a_server, place):
    refusal = json.dumps(
        {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "cannot list costlabelpolicies"}
    )
    said, _ = on_a_server(refusal, 403, "retag", "--ledger", str(place), "--since", SINCE, "--post")
    assert said.code == 1
    assert "costlabelpolicies" in said.err


def test_a_cluster_that_knows_no_label_policies_changes_nothing(on_a_server, place):
    missing = json.dumps({"kind": "Status", "code": 404, "reason": "NotFound", "message": "not found"})
    said, _ = on_a_server(missing, 404, "retag", "--ledger", str(place), "--since", SINCE, "--post")
    assert said.code == 1
    assert "name policies by --policies FILE" in said.err


KEYED = """
apiVersion: aicost.dev/v1alpha1
kind: CostLabelPolicy
metadata: {name: finops}
spec:
  mode: Audit
  keys:
  - {key: customer, aliases: [app], valueAliases: {chat: chatters}}
  attributionRules:
  - name: house
    match: {namespaces: [team-b]}
    dimensions: {customer: Acme Inc}
    override: true
"""


def test_with_the_key_customers_are_written_as_the_controller_writes_them(run, place, tmp_path):
    """By a rule, by an alias of the value, and by a label that means the customer only now; and once, not twice."""
    (tmp_path / "key").write_text("0123456789abcdef")
    (tmp_path / "p.yaml").write_text(KEYED)
    ids = CustomerIds(b"0123456789abcdef")
    how = ("--ledger", str(place), "--since", SINCE, "--policies", str(tmp_path / "p.yaml"))
    call = ("retag", *how, "--key-file", str(tmp_path / "key"), "-o", "json")
    said = json.loads(run(*call, "--post").out)
    assert {move["to"] for move in said["moves"]} == {ids.id_of(name) for name in ("chatters", "acme-inc", "train")}
    assert json.loads(run(*call).out)["windows_changed"] == 0
    assert "Acme" not in run("report", "--ledger", str(place), "--window", SINCE, "--by", "customer").out


def test_labels_that_hold_ids_already_keep_them():
    ids = CustomerIds(b"0123456789abcdef")
    evidence = Evidence("team-a", "p", labels={"aicost.dev/customer": ids.id_of("acme")})
    assert KeyedTagger((), ids).tags(evidence)[Dimension.CUSTOMER].value == ids.id_of("acme")
