"""Routes of the values come into the settings and their Secrets into the controller alone; alerts lead to runbooks."""

import json
import re
import urllib.parse
import urllib.request
from typing import Any

import pytest
import yaml

from aicost.settings import NotificationSettings, parse_settings
from aicost.telemetry.metrics import METRICS
from devcluster.prometheus_server import Prometheus
from support.documents import ROOT, row_names, section

ROUTES = [
    {"name": "finops", "kind": "apprise", "secretName": "finops-chat", "finops": True, "minUrgency": "warning"},
    {
        "name": "team.vision-1",
        "secretName": "vision",
        "secretKey": "hook",
        "tokenKey": "bearer",
        "namespaces": ["vision-*", "on"],
        "teams": ["vision", "0123"],
    },
]
CHOSEN = {"notifications": {"routes": ROUTES, "runbookBase": "https://wiki.example/"}}
GUIDE = (ROOT / "docs/guide/notifications.md").read_text(encoding="utf-8")


@pytest.fixture
def settings(helm, of_kind):
    def read(values: Any = None) -> NotificationSettings:
        (config,) = of_kind(helm.render(values=values), "ConfigMap")
        return parse_settings(yaml.safe_load(config["data"]["settings.yaml"])).notifications

    return read


@pytest.fixture
def pod(helm, deployment_of) -> dict[str, Any]:
    return deployment_of(helm.render(values=CHOSEN))["spec"]["template"]["spec"]


@pytest.fixture
def rule(helm, of_kind) -> dict[str, Any]:
    (found,) = of_kind(helm.render("metrics.prometheusRule.enabled=true"), "PrometheusRule")
    return found["spec"]


def _alerts(rule: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for group in rule["groups"] for one in group["rules"]]


def test_without_routes_nobody_is_told_and_nothing_is_mounted(settings, helm, deployment_of) -> None:
    assert settings() == NotificationSettings()
    pod = deployment_of(helm.render())["spec"]["template"]["spec"]
    assert "notify" not in str(pod)


def test_routes_of_the_values_are_routes_of_the_settings(settings) -> None:
    first, second = settings(CHOSEN).routes
    assert (first.name, first.kind, first.token_file) == ("finops", "apprise", "")
    assert (first.finops, first.min_urgency, first.namespaces, first.teams) == (True, "warning", (), ())
    assert (second.name, second.kind, second.finops) == ("team.vision-1", "cloudevents", False)
    assert (second.namespaces, second.teams) == (("vision-*", "on"), ("vision", "0123"))
    assert second.min_urgency == "info"


def test_what_holds_for_all_routes_comes_from_the_values_too(settings) -> None:
    chosen = {"timeoutSeconds": 60, "allowHttp": True, "allowedSchemes": ["json"], "runbookBase": "../"}
    found = settings({"notifications": chosen})
    assert found == parse_settings({"notifications": chosen}).notifications


def test_the_files_that_the_settings_name_are_what_is_mounted_of_each_secret(settings, pod) -> None:
    mounts = {one["mountPath"]: one for one in pod["containers"][0]["volumeMounts"]}
    volumes = {one["name"]: one["secret"] for one in pod["volumes"] if one["name"].startswith("notify-")}
    reached = {}
    for path, mount in mounts.items():
        if mount["name"] in volumes:
            assert mount["readOnly"] is True
            for item in volumes[mount["name"]]["items"]:
                reached[f"{path}/{item['path']}"] = (volumes[mount["name"]]["secretName"], item["key"])
    assert reached == {
        "/etc/aicost/notify/finops/url": ("finops-chat", "url"),
        "/etc/aicost/notify/team.vision-1/url": ("vision", "hook"),
        "/etc/aicost/notify/team.vision-1/token": ("vision", "bearer"),
    }
    named = [file for one in settings(CHOSEN).routes for file in (one.url_file, one.token_file) if file]
    assert set(named) == set(reached), "nothing else of a Secret comes into the pod"


def test_a_secret_that_is_missing_keeps_nobody_from_starting(pod) -> None:
    secrets = [one["secret"] for one in pod["volumes"] if one["name"].startswith("notify-")]
    assert [one["optional"] for one in secrets] == [True, True]


def test_volumes_have_names_that_kubernetes_takes_and_no_container_but_the_controller_sees_them(pod) -> None:
    names = [one["name"] for one in pod["volumes"]]
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in names)
    others = [one for one in pod["containers"] if one["name"] != "controller"]
    assert others
    assert not [mount for one in others for mount in one["volumeMounts"] if mount["name"].startswith("notify-")]


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        ([ROUTES[0], ROUTES[0]], 'notifications.routes: two are called "finops": give one of them another name'),
        ([{**ROUTES[0], "tokenKey": "t"}], 'tokenKey of "finops" is for kind cloudevents: a URL of Apprise holds its'),
        ([{**ROUTES[0], "kind": "slack"}], "at '/notifications/routes/0/kind': value must be one of"),
        ([{**ROUTES[0], "name": "Fin Ops"}], "at '/notifications/routes/0/name'"),
        ([{**ROUTES[0], "name": "../tls"}], "at '/notifications/routes/0/name'"),
        ([{**ROUTES[0], "secretKey": "../x"}], "at '/notifications/routes/0/secretKey'"),
        ([{**ROUTES[0], "url": "slack://a/b/c"}], "additional properties 'url' not allowed"),
        ([{"name": "a"}], "missing property 'secretName'"),
        ([{**ROUTES[0], "minUrgency": "high"}], "at '/notifications/routes/0/minUrgency': value must be one of"),
    ],
)
def test_a_route_that_would_not_work_is_refused_before_it_reaches_a_cluster(helm, routes, told) -> None:
    assert told in helm.refuse(values={"notifications": {"routes": routes}})


def test_each_value_of_a_route_stands_in_the_guide() -> None:
    schema = json.loads((ROOT / "charts/aicost/values.schema.json").read_text(encoding="utf-8"))
    values = schema["properties"]["notifications"]["properties"]["routes"]
    told = row_names(section(GUIDE, "## Give a route"))
    assert sorted(told) == sorted(values["items"]["properties"])
    assert [name for name in told if name not in values["description"]] == []


def test_each_alert_stands_in_the_runbook_that_it_leads_to(rule) -> None:
    alerts = _alerts(rule)
    assert len({one["alert"] for one in alerts}) == len(alerts) > 15
    for one in alerts:
        page = one["annotations"]["runbook"]
        assert f"`{one['alert']}`" in (ROOT / page).read_text(encoding="utf-8"), page
        assert one["labels"]["severity"] in {"info", "warning", "critical"}


def test_each_alert_of_budgets_stands_in_the_guide_with_its_runbook(rule) -> None:
    (group,) = [one for one in rule["groups"] if one["name"] == "aicost-budgets"]
    rows = re.findall(r"^\| (`Aicost.+?) \| \[[^]]+\]\(\.\./runbooks/(.+?)\) \|$", GUIDE, re.MULTILINE)
    told = {name: page for names, page in rows for name in re.findall(r"`(\w+)`", names)}
    assert told == {one["alert"]: one["annotations"]["runbook"].rpartition("/")[2] for one in group["rules"]}


def test_alerts_ask_for_metrics_that_are_there(rule) -> None:
    asked = {name for one in _alerts(rule) for name in re.findall(r"aicost_\w+", one["expr"])}
    assert asked - {spec.name for spec in METRICS} == set()


def test_runbooks_of_alerts_stand_behind_the_base_of_the_values(helm, of_kind) -> None:
    (found,) = of_kind(helm.render("metrics.prometheusRule.enabled=true", values=CHOSEN), "PrometheusRule")
    pages = [one["annotations"]["runbook"] for one in _alerts(found["spec"])]
    assert pages
    assert all(page.startswith("https://wiki.example/docs/runbooks/") for page in pages)


def test_without_the_webhook_its_alerts_are_left_out_and_those_of_budgets_stay(helm, of_kind) -> None:
    rules = of_kind(helm.render("metrics.prometheusRule.enabled=true", "admission.enabled=false"), "PrometheusRule")
    groups = [group["name"] for one in rules for group in one["spec"]["groups"]]
    assert groups == ["aicost-budgets", "aicost-telemetry", "aicost-ledger", "aicost-query"]
    assert of_kind(helm.render(), "PrometheusRule") == []


@pytest.mark.cluster
def test_a_real_prometheus_takes_all_alerts_and_can_ask_what_they_ask(rule, prometheus_program, tmp_path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rule), encoding="utf-8")
    with Prometheus(prometheus_program, tmp_path / "data", {"rule_files": [str(tmp_path / "rules.yaml")]}) as server:
        groups = _ask(f"{server.url}/api/v1/rules")["groups"]
        loaded = {one["name"] for group in groups for one in group["rules"]}
        assert loaded == {one["alert"] for one in _alerts(rule)}
        for one in _alerts(rule):
            _ask(f"{server.url}/api/v1/query?{urllib.parse.urlencode({'query': one['expr']})}")


def _ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        found = json.load(answer)
    assert found["status"] == "success", found
    return found["data"]
