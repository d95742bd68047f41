"""`aicost budget` on the command line: bad options, servers that answer oddly, and what is printed around an answer."""

import json
import subprocess
import sys

import pytest

ROOT = "/apis/aicost.dev/v1alpha1"
SELVES = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
RIGHTS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
OVERRIDES = f"{ROOT}/namespaces/research/budgetoverrides"
REASON = ("--reason", "the evaluation takes longer")
HEAVY = ("kopf", "deltalake", "pyarrow", "numpy", "pydantic", "aiohttp", "cryptography", "prometheus_client", "yaml")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("request", "month", *REASON), "how much: give --amount 200 or --percent 10"),
        (("request", "month", "--amount", "2", "--percent", "3", *REASON), "--amount 2 and --percent 3 contradict"),
        (("request", "month", "--amount", "2", "--stop-production", *REASON), "leave --amount out"),
        (("request", "month", "--percent", "0", *REASON), "Invalid value for '--percent'"),
        (("request", "month", "--amount", "2"), "Missing option '--reason'"),
        (("deny", "month-x"), "Missing option '--comment'"),
        (("approve", "month-x", "--class", "tiny"), "Invalid value for '--class'"),
        (("requests", "-n", "a", "-A"), "--namespace a and --all-namespaces contradict"),
        (("list", "-n", "a", "-A"), "--namespace a and --all-namespaces contradict"),
        (("wy",), "No such command 'wy'"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_line_and_nothing_is_asked(run, arguments, said):
    result = run("budget", *arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--amount", "$5", *REASON), "--amount '$5': write a decimal string"),
        (("--amount", "0", *REASON), "--amount '0': must be above zero"),
        (("--amount", "5", "--reason", "short"), "--reason 'short': String should have at least 10 characters"),
        (("--amount", "5", *REASON, "--until", "tomorrow"), "--until 'tomorrow': write a day such as"),
        (("--amount", "5", *REASON, "--until", "2026-11-20"), "--until '2026-11-20' has passed: name a moment after"),
    ],
)
def test_what_the_api_server_would_refuse_is_said_in_words_of_the_command_line(server, options, said):
    result, requests = server({}, "request", "month", *options)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert [request.path for request in requests] == [SELVES], "nothing was sent"


def loaded(*arguments: str) -> set[str]:
    code = (
        "import sys, contextlib, io\n"
        "from aicost.__main__ import main\n"
        "with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())): main(sys.argv[1:])\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_help_and_bad_options_import_nothing_heavy():
    """What the program itself needs is held by a test of its own."""
    least = loaded("version")
    for arguments in (
        ("budget", "--help"),
        ("budget", "why", "--help"),
        ("budget", "request", "m", "--amount", "1", "--percent", "2", *REASON),
        ("budget", "list", "-n", "a", "-A"),
    ):
        assert loaded(*arguments) <= least, arguments


def test_asking_a_cluster_needs_no_ledger_and_no_operator():
    assert loaded("budget", "list", "--kubeconfig", "/nowhere").isdisjoint({"kopf", "deltalake", "pyarrow"})


def test_who_asks_is_what_the_api_server_says_and_not_what_the_kubeconfig_calls_them(server, budget, request_body):
    answers = {
        f"{ROOT}/namespaces/research/budgets/month": (200, budget),
        OVERRIDES: (201, request_body),
        RIGHTS: (201, {"status": {"allowed": False}}),
    }
    result, requests = server(answers, "request", "month", "--amount", "200", *REASON)
    assert result.code == 0, result.err
    assert "By            dana, as the API server sees you" in result.out
    assert "not-dana" not in result.out
    assert [(request.method, request.path) for request in requests] == [
        ("POST", SELVES),
        ("GET", f"{ROOT}/namespaces/research/budgets/month"),
        ("POST", OVERRIDES),
        ("POST", RIGHTS),
    ]


def test_a_server_that_does_not_know_who_asks_is_too_old(server):
    gone = {"kind": "Status", "code": 404, "reason": "NotFound", "message": "not found"}
    result, _ = server({}, "list", who=(404, gone))
    assert (result.code, "it takes Kubernetes 1.28 or later" in result.err) == (1, True)
    result, _ = server({}, "list", who=(201, {"status": {}}))
    assert (result.code, "its SelfSubjectReview names nobody" in result.err) == (1, True)


@pytest.mark.parametrize("verb", [("list",), ("requests",), ("why", "month"), ("ack", "month")])
def test_a_cluster_that_does_not_know_our_kinds_is_told_to_install_the_chart(server, verb):
    result, _ = server({}, *verb)
    assert (result.code, result.out) == (1, "")
    assert "the cluster does not know budget" in result.err
    assert "install the chart" in result.err


def test_an_answer_that_is_no_json_is_said(server):
    result, _ = server({f"{ROOT}/namespaces/research/budgets/month": (200, "<html>proxy</html>")}, "why", "month")
    assert (result.code, "answer is not JSON" in result.err) == (1, True)


def listed(*items):
    return 200, {"metadata": {"resourceVersion": "1"}, "items": list(items)}


def test_nothing_to_list_is_said_with_the_way_to_see_more(server):
    answers = {
        OVERRIDES: listed(),
        f"{ROOT}/namespaces/research/budgets": listed(),
        f"{ROOT}/clusterbudgets": listed(),
    }
    assert server(answers, "requests")[0].out == "Nobody asks for more in namespace research. For all: -A\n"
    assert server(answers, "list")[0].out == "No budget in namespace research. For all namespaces: -A\n"


def test_what_waits_for_somebody_stands_first(server, budget, request_body):
    def one(name, phase, **more):
        body = json.loads(json.dumps(request_body))
        body["metadata"]["name"], body["status"]["phase"] = name, phase
        body["spec"].update(more)
        return body

    decision = {"state": "Approved", "class": "Minor", "by": "lee"}
    answers = {
        OVERRIDES: listed(
            one("over", "Expired", decision=decision),
            one("live", "Active", decision=decision),
            one("glass", "ReviewDue", purpose="BreakGlass", amount=None),
            one("wait", "Pending", amount="900"),
            one("own", "Pending"),
        ),
        f"{ROOT}/namespaces/research/budgets": listed(budget),
        f"{ROOT}/clusterbudgets": listed(),
    }
    result, _ = server(answers, "requests")
    rows = {line.split()[0]: " ".join(line.split()) for line in result.out.splitlines()[1:]}
    assert list(rows) == ["own", "wait", "glass", "live", "over"]
    assert "+$200.00 dana Pending takes approve-minor 1h" in rows["own"]
    assert "+$900.00 dana Pending takes approve-major, not dana 1h" in rows["wait"]
    assert "break-glass dana ReviewDue review takes approve-major, not dana" in rows["glass"]
    assert "Active Approved as Minor by lee" in rows["live"]


def test_who_cannot_read_the_rules_has_to_name_the_class(server, request_body):
    refused = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "budgets is forbidden"}
    answers = {
        f"{OVERRIDES}/month-x7k2p": (200, request_body),
        f"{ROOT}/namespaces/research/budgets/month": (403, refused),
    }
    result, requests = server(answers, "approve", "month-x7k2p")
    assert (result.code, "--class: name it, minor or major" in result.err) == (2, True)
    assert {request.method for request in requests[1:]} == {"GET"}, "nothing was written"


def test_hints_name_the_plugin_where_it_is_one(server, budget, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/usr/local/bin/kubectl-aicost"])
    answers = {
        f"{ROOT}/namespaces/research/budgets/month": (200, budget),
        f"{ROOT}/namespaces/research/budgetactions": listed(),
        OVERRIDES: listed(),
    }
    result, _ = server(answers, "why", "month")
    assert "kubectl aicost budget request month -n research" in result.out


def test_the_reference_can_say_what_each_verb_is(run):
    shown = run("budget", "--help").out
    for verb in (
        "accept-prices",
        "ack",
        "approve",
        "break-glass",
        "deny",
        "list",
        "request",
        "restore",
        "review",
        "why",
    ):
        assert f"  {verb} " in shown
