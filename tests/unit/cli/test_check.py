"""`aicost check`: the verdict of admission before anything is applied, with lines, fixes and exit codes."""

import json

import pytest
import yaml

from aicost.domain.policy.decisions import ProblemCode
from aicost.domain.policy.requests import Operation
from aicost.entrypoints.cli.manifests.documents import parse_documents
from aicost.entrypoints.cli.manifests.verdicts import check_all
from aicost.entrypoints.cli.manifests.workloads import workloads_of
from aicost.entrypoints.cli.output.check_document import RULES
from support.admission_cases import CASES
from support.http_server import serving

CREATED = [case for case in CASES if case.operation is Operation.CREATE]


def test_there_is_a_whole_table_to_judge():
    assert len(CREATED) >= 40


@pytest.mark.parametrize("case", CREATED, ids=lambda case: case.name)
def test_a_manifest_is_judged_as_admission_judges_it(case):
    text = yaml.dump_all([case.manifest, *case.beside])
    objects = workloads_of(tuple(parse_documents("f.yaml", text)), case.request().workload.namespace)
    (checked, *_) = check_all(objects, case.snapshot, case.requester, case.now_ms)
    assert checked.decision.verdict is case.verdict
    assert sorted(finding.problem.code for finding in checked.findings) == sorted(case.codes)
    assert [(each.path, each.label, each.value) for each in checked.decision.changes] == list(case.changes)
    assert all(1 <= finding.line <= len(text.splitlines()) for finding in checked.findings)


POLICY = """\
apiVersion: aicost.dev/v1alpha1
kind: CostLabelPolicy
metadata: {name: cost-labels}
spec:
  mode: Deny
  helpUrl: https://wiki.example.org/labels
  contact: "#finops"
  keys:
  - key: team
    required: Always
    aliases: [squad]
    groups: {vision-people: vision}
    allowed: {values: [vision, search]}
  - key: acme.example/tier
    allowed:
      configMap: {namespace: finance, name: tiers, key: all}
"""
CHAT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat
  labels:
    app: chat
    squad: visoin
spec:
  template:
    metadata:
      labels: {app: chat}
    spec:
      containers:
      - {name: main, image: chat}
"""
PLAIN = CHAT.replace("    squad: visoin\n", "")
NAMESPACE = "kind: Namespace\nmetadata: {name: default, labels: {aicost.dev/team: search}}\n"


@pytest.fixture
def check(run, tmp_path, monkeypatch):
    """Judge a text by a policy, from files named relatively."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", "/nowhere/kubeconfig")

    def call(text, *arguments, policy=POLICY):
        (tmp_path / "chat.yaml").write_text(text)
        (tmp_path / "policy.yaml").write_text(policy)
        return run("check", "-f", "chat.yaml", "--policy", "policy.yaml", *arguments)

    return call


def test_what_is_wrong_stands_with_file_line_and_fix_and_the_exit_code_is_1(check):
    result = check(CHAT)
    assert result.code == 1
    first = result.out.splitlines()[0]
    assert first.startswith('chat.yaml:7: error: Deployment/chat: team="visoin"')
    assert '(did you mean "vision"?); set aicost.dev/team: vision [cost-labels/unknown-value]' in first
    assert "1 object: 1 would be denied" in result.out
    assert "Help: cost-labels: https://wiki.example.org/labels · ask #finops" in result.out


def test_what_is_missing_is_told_at_the_labels_that_it_is_missing_from(check):
    assert check(PLAIN).out.startswith("chat.yaml:5: error: Deployment/chat: ")
    assert "[cost-labels/missing-label]" in check(PLAIN).out


def test_what_is_wrong_in_a_template_is_told_at_the_template(check):
    uses = POLICY.replace("  keys:", "  uses:\n  - {name: small, gpuModels: [l4]}\n  keys:")
    spec = "    spec:\n      nodeSelector: {cloud.google.com/gke-accelerator: nvidia-h100-80gb}\n"
    gpu = PLAIN.replace("    spec:\n", spec).replace(
        "image: chat", "image: chat, resources: {limits: {nvidia.com/gpu: 1}}"
    )
    assert "chat.yaml:11: error: Deployment/chat: gpu" in check(gpu, policy=uses).out
    both = CHAT.replace("labels: {app: chat}", "labels: {app: chat, squad: serach}")
    lines = check(both).out.splitlines()
    assert lines[1].startswith("chat.yaml:11: error: ")
    assert "in the pod template" in lines[1]


@pytest.mark.parametrize(
    ("text", "arguments", "policy"),
    [
        (CHAT.replace("visoin", "Vision"), (), POLICY),
        (PLAIN, ("--namespace-labels", "aicost.dev/team=search"), POLICY),
        (PLAIN, ("-n", "other", "--namespace-labels", "squad=search"), POLICY),
        (PLAIN, ("-n", "other", "--namespace-labels", "other:aicost.dev/team=search"), POLICY),
        (PLAIN, ("--group", "vision-people"), POLICY),
        (PLAIN, (), f"{POLICY}---\n{NAMESPACE}"),
        (f"{NAMESPACE}---\n{PLAIN}", (), POLICY),
        (PLAIN, ("-n", "kube-system"), POLICY),
        (PLAIN, (), POLICY.replace("Deny", "Audit")),
        ("kind: ConfigMap\nmetadata: {name: x}", (), POLICY),
    ],
    ids=["alias", "labels", "of -n", "named", "group", "beside policy", "beside object", "system", "audit", "nothing"],
)
def test_what_would_be_let_in_is_exit_code_0(check, text, arguments, policy):
    result = check(text, *arguments, policy=policy)
    assert result.code == 0, result.out
    assert "error:" not in result.out


def test_labels_of_another_namespace_do_not_count(check):
    assert check(PLAIN, "--namespace-labels", "other:aicost.dev/team=search").code == 1


def test_a_warning_fails_only_where_it_is_asked_for(check):
    warn = POLICY.replace("Deny", "Warn")
    assert check(PLAIN, policy=warn).code == 0
    assert "chat.yaml:5: warning:" in check(PLAIN, policy=warn).out
    assert check(PLAIN, "--fail-on", "warn", policy=warn).code == 1


def test_in_audit_mode_it_is_said_that_it_is_only_counted(check):
    shown = check(PLAIN, policy=POLICY.replace("Deny", "Audit")).out
    assert "chat.yaml:5: note:" in shown
    assert "only counted: the policy's mode is Audit" in shown
    assert "1 in order" in shown


def test_what_no_policy_speaks_of_is_not_called_in_order(check):
    shown = check(PLAIN, "-n", "kube-system").out
    assert "0 in order, 1 not judged" in shown


def test_a_list_that_is_not_at_hand_is_told_and_used_where_it_is(check):
    own = CHAT.replace("squad: visoin", "acme.example/tier: gold\n    squad: vision")
    assert "ConfigMap finance/tiers is not at hand" in check(own).err
    listed = "kind: ConfigMap\nmetadata: {name: tiers, namespace: finance}\ndata: {all: 'silver'}\n"
    result = check(own, policy=f"{POLICY}---\n{listed}")
    assert (result.code, result.err) == (1, "")
    assert 'acme.example/tier="gold"' in result.out


def test_the_json_document_names_verdict_problems_and_the_labels_that_would_be_written(check):
    (chat,) = json.loads(check(CHAT, "-o", "json").out)["objects"]
    assert (chat["kind"], chat["verdict"], chat["source"]) == ("Deployment", "deny", "chat.yaml")
    (problem,) = chat["problems"]
    assert (problem["code"], problem["line"], problem["suggestion"]) == ("unknown-value", 7, "vision")
    (chat,) = json.loads(check(PLAIN, "-o", "json", "--namespace-labels", "aicost.dev/team=search").out)["objects"]
    assert (chat["verdict"], chat["problems"]) == ("allow", [])
    assert {(each["label"], each["value"], each["source"]) for each in chat["changes"]} == {
        ("aicost.dev/team", "search", "namespace-label")
    }


class TestSarif:
    def test_each_problem_is_a_result_with_rule_level_and_place(self, check):
        log = json.loads(check(CHAT, "-o", "sarif").out)
        assert log["version"] == "2.1.0"
        (run,) = log["runs"]
        (result,) = run["results"]
        assert (result["ruleId"], result["level"]) == ("unknown-value", "error")
        place = result["locations"][0]["physicalLocation"]
        assert place == {"artifactLocation": {"uri": "chat.yaml"}, "region": {"startLine": 7}}
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "unknown-value"

    def test_every_kind_of_problem_is_a_rule(self):
        assert set(RULES) == set(ProblemCode)

    def test_what_is_only_counted_is_a_note_and_what_is_excused_is_suppressed(self, check):
        audit = json.loads(check(CHAT, "-o", "sarif", policy=POLICY.replace("Deny", "Audit")).out)
        assert [each["level"] for each in audit["runs"][0]["results"]] == ["note"]
        excuse = "  exemptions:\n  - {name: move, until: '2999-01-01', approvedBy: dana, reason: we move}\n"
        done = check(CHAT, "-o", "sarif", policy=POLICY + excuse)
        (result,) = json.loads(done.out)["runs"][0]["results"]
        assert done.code == 0
        assert result["suppressions"] == [{"kind": "external", "justification": "exemption move"}]

    def test_nothing_wrong_is_a_log_without_results(self, check):
        assert json.loads(check(CHAT.replace("visoin", "vision"), "-o", "sarif").out)["runs"][0]["results"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--namespace-labels", "team"), "--namespace-labels 'team': write KEY=VALUE, or NAMESPACE:KEY=VALUE"),
        (("--policy", "chat.yaml"), ""),
        (("--policy", "/nowhere.yaml"), "/nowhere.yaml: cannot be read"),
        (("-o", "xml"), "Invalid value for '--output'"),
    ],
)
def test_a_request_that_makes_no_sense_is_exit_code_2(check, arguments, said):
    result = check(PLAIN, *arguments)
    assert said in result.err
    assert result.code == (2 if said else 1)


def test_a_policy_that_is_wrong_is_named_with_the_field(check):
    result = check(PLAIN, policy=POLICY.replace("Always", "Sometimes"))
    assert result.code == 2
    assert "policy: CostLabelPolicy/cost-labels: spec.keys[0].required" in result.err
    assert "no CostLabelPolicy is in policy.yaml" in check(PLAIN, policy=NAMESPACE).err


def test_without_a_cluster_the_way_out_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/nowhere/kubeconfig")
    (tmp_path / "chat.yaml").write_text(CHAT)
    result = run("check", str(tmp_path / "chat.yaml"))
    assert result.code == 2
    assert "or name policies by --policy" in result.err


HELD = {"costlabelpolicies": [yaml.safe_load(POLICY)], "aiworkloads": []}


class TestByACluster:
    @pytest.fixture
    def ask(self, run, tmp_path):
        """Judge by what an API server holds: path after the version -> object, or list of objects."""

        def call(held, text, *arguments):
            def answer(request):
                found = held.get(request.path.split("/v1alpha1/")[-1].split("/v1/")[-1])
                if found is None:
                    status = {"kind": "Status", "code": 404, "reason": "NotFound", "message": "no such thing"}
                    request.answer_json(status, 404)
                elif isinstance(found, int):
                    request.answer_json({"kind": "Status", "code": found, "reason": "", "message": "no"}, found)
                else:
                    request.answer_json({"metadata": {}, "items": found} if isinstance(found, list) else found)

            with serving(answer) as served:
                config, file = tmp_path / "kubeconfig", tmp_path / "chat.yaml"
                config.write_text(
                    f"current-context: c\nclusters: [{{name: k, cluster: {{server: '{served.url}'}}}}]\n"
                    "users: [{name: u, user: {token: t}}]\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                )
                file.write_text(text)
                return run("check", "-f", str(file), "--kubeconfig", str(config), *arguments)

        return call

    def test_its_policies_judge_and_what_is_around_counts(self, ask):
        assert ask(HELD, PLAIN).code == 1
        around = {**HELD, "namespaces/default": yaml.safe_load(NAMESPACE)}
        assert ask(around, PLAIN).code == 0
        account = {"kind": "ServiceAccount", "metadata": {"name": "default", "labels": {"aicost.dev/team": "search"}}}
        found = {**HELD, "namespaces/default/serviceaccounts/default": account}
        assert ask(found, PLAIN).code == 0

    def test_a_policy_of_a_file_judges_within_the_cluster(self, ask, tmp_path):
        (tmp_path / "policy.yaml").write_text(POLICY)
        held = {"namespaces/default": yaml.safe_load(NAMESPACE), "aiworkloads": []}
        assert ask(held, PLAIN, "--policy", str(tmp_path / "policy.yaml")).code == 0

    def test_what_may_not_be_read_is_told(self, ask):
        result = ask({**HELD, "namespaces/default": 403}, PLAIN)
        assert result.code == 1
        assert "namespaces are not taken into account: not permitted to get namespaces" in result.err

    def test_a_cluster_without_policies_judges_nothing_and_says_so(self, ask):
        result = ask({"costlabelpolicies": []}, PLAIN)
        assert result.code == 0
        assert "the cluster has no CostLabelPolicy: nothing is judged" in result.err
        assert "1 not judged" in result.out
