"""What goes wrong is one line that names the option, the value and the fix; the exit code says what kind."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--window", "2999-01"), "window: '2999-01' lies in the future"),
        (("--window", "2026-03-05/2026-03-01"), "ends before it begins: write the earlier moment first"),
        (("--window", "2010-01-01/2020-01-01"), "is longer than 400 days"),
        (("--window", "soon"), "window: 'soon' is not understood: use one of today"),
        (("--by", "tema"), "by: 'tema' is no key: did you mean 'team'?"),
        (("--filter", "team"), "filter: 'team' names no key and value: write key=value"),
        (("--filter", "teams=a"), "filter: 'teams' is no key: did you mean 'team'?"),
        (("--time-zone", "Mars/Base"), "timeZone: 'Mars/Base' is no time zone"),
        (("--idle", "mine"), "Invalid value for '--idle': 'mine' is not one of"),
        (("--top", "0"), "Invalid value for '--top': 0 is not in the range"),
        (("--colour",), "No such option"),
        (("-n", "a", "-A"), "--namespace a and --all-namespaces contradict"),
        (("--context", "x"), "--ledger reads without a cluster"),
    ],
)
def test_a_request_that_makes_no_sense_is_exit_code_2_and_one_line(report, arguments, said):
    result = report(*arguments)
    assert result.code == 2
    assert result.err.startswith("error: ")
    assert said in result.err
    assert result.err.count("\n") == 1
    assert result.out == ""


def test_a_ledger_that_is_not_there_is_said(run):
    result = run("report", "--ledger", "/nowhere/at/all")
    assert (result.code, result.out) == (2, "")
    assert "'/nowhere/at/all' is no directory" in result.err


def test_a_ledger_that_cannot_be_read_is_exit_code_1(run, ledger, tmp_path):
    log = tmp_path / "rows" / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("no json at all")
    result = run("report", "--ledger", str(tmp_path), "--window", "2026-03-02")
    assert result.code == 1
    assert "could not be read" in result.err
    assert "To fix:" in result.err
    assert result.err.count("\n") == 1


def test_a_kubeconfig_that_is_not_there_is_said_with_the_way_round(run):
    result = run("report", "--kubeconfig", "/nowhere/kubeconfig")
    assert result.code == 2
    assert "/nowhere/kubeconfig cannot be read" in result.err
    assert "--ledger" in result.err


def test_an_api_server_that_does_not_answer_is_exit_code_1(run, tmp_path):
    config = tmp_path / "kubeconfig"
    config.write_text(
        "current-context: c\n"
        "clusters: [{name: k, cluster: {server: 'https://127.0.0.1:1'}}]\n"
        "users: [{name: u, user: {token: t}}]\n"
        "contexts: [{name: c, context: {cluster: k, user: u, namespace: team-a}}]\n"
    )
    result = run("report", "--kubeconfig", str(config))
    assert result.code == 1
    assert "https://127.0.0.1:1 did not list allocations in namespace 'team-a'" in result.err


def test_no_command_shows_the_help(run):
    result = run()
    assert result.code == 0
    assert "EXIT CODES" in result.out


def test_an_unknown_command_is_exit_code_2(run):
    assert run("reprot").code == 2


def test_settings_are_checked_and_named(run, tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text("window: {length: 2h}\n")
    result = run("config", "check", str(file))
    assert result.code == 2
    assert "window.length '2h'" in result.err
    file.write_text("window: {length: 15m}\n")
    assert run("config", "check", str(file)).out == f"{file}: good\n"


def test_printed_settings_are_settings(run, tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text(run("config", "print").out)
    assert '# Length of a billing window, aligned in UTC.\n  length: "1h"' in file.read_text()
    assert run("config", "check", str(file)).code == 0
    file.write_text("window: {length: 15m}\n")
    assert 'length: "15m"' in run("config", "print", "--config", str(file)).out


def test_the_version_is_the_installed_one(run):
    assert run("version").out.startswith("aicost 0.")


def test_the_program_knows_that_it_is_a_plugin_of_kubectl(run, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/usr/local/bin/kubectl-aicost"])
    assert run("report", "--nonsense").err.endswith("Try 'kubectl aicost report --help'.\n")


def test_a_reader_that_has_seen_enough_hears_no_complaint():
    command = [sys.executable, "-m", "aicost", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
