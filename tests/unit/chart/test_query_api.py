"""Who may see what by the chart's roles, and the query API with and without an APIService."""

from pathlib import Path

import yaml

from aicost.entrypoints.queryapi.discovery import OF_TEAMS, SERVED

EXAMPLES = Path(__file__).parents[3] / "examples/rbac"
INJECTED = r"queryApi.apiServiceAnnotations.cert-manager\.io/inject-ca-from=aicost-system/query"
DIRECT = "queryApi.apiService=false"
TEAM = {"teams", *(f"teams/{one.plural}" for one in OF_TEAMS)}
LEADS = {"kind": "Group", "name": "ml", "apiGroup": "rbac.authorization.k8s.io"}


def _named(documents, kind, name):
    (found,) = (one for one in documents if one["kind"] == kind and one["metadata"]["name"] == name)
    return found


def _kinds(documents):
    return [one["kind"] for one in documents]


def test_view_of_a_namespace_shows_its_cost_and_no_teams(helm):
    rules = _named(helm.render(), "ClusterRole", "aicost-view")["rules"]
    granted = {resource for rule in rules for resource in rule["resources"]}
    assert not granted & TEAM
    assert {one.plural for one in SERVED} <= granted


def test_the_role_of_costs_has_all_of_the_query_api_and_nothing_else_and_is_bound_to_nobody(helm):
    documents = helm.render()
    rules = _named(documents, "ClusterRole", "aicost-costs")["rules"]
    assert {group for rule in rules for group in rule["apiGroups"]} == {"query.aicost.dev"}
    assert {resource for rule in rules for resource in rule["resources"]} == {one.plural for one in SERVED} | TEAM
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list"}
    bindings = [one for one in documents if one["kind"].endswith("RoleBinding")]
    assert not [one for one in bindings if one["roleRef"]["name"] in {"aicost-costs", "aicost-view"}]


def test_with_an_api_service_users_are_never_reviewed(helm):
    documents = helm.render()
    assert "APIService" in _kinds(documents)
    assert "system:auth-delegator" not in str(documents)
    assert "aicost-query-client" not in str(documents)


def test_without_one_users_are_reviewed_and_find_out_whom_to_believe(helm):
    documents = helm.render(DIRECT)
    assert "APIService" not in _kinds(documents)
    binding = _named(documents, "ClusterRoleBinding", "aicost-reviews")
    assert binding["roleRef"]["name"] == "system:auth-delegator"
    told = _named(documents, "ConfigMap", "aicost-query-client")["data"]
    assert told["port"] == "8443"
    assert told["ca.crt"].startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE KEY" not in str(told)


def test_who_may_forward_a_port_is_named_by_the_values_and_by_nobody_else(helm):
    assert not [one for one in helm.render(DIRECT) if one["metadata"]["name"] == "aicost-query-client"
                and one["kind"] == "RoleBinding"]  # fmt: skip
    documents = helm.render(values={"queryApi": {"apiService": False, "clients": [LEADS]}})
    assert _named(documents, "RoleBinding", "aicost-query-client")["subjects"] == [LEADS]
    rules = _named(documents, "Role", "aicost-query-client")["rules"]
    assert {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]} == {
        ("configmaps", "get"), ("services", "get"), ("pods", "get"), ("pods", "list"), ("pods/portforward", "create"),
    }  # fmt: skip


def test_the_alert_is_there_as_long_as_there_is_an_api_service(helm):
    rules = "metrics.prometheusRule.enabled=true"
    assert "AicostQueryApiDown" in str(helm.render(rules))
    assert "AicostQueryApiDown" not in str(helm.render(rules, DIRECT))


def test_the_example_of_a_team_grants_all_that_there_is_of_one_and_nothing_of_others():
    role, _ = yaml.safe_load_all((EXAMPLES / "team.yaml").read_text(encoding="utf-8"))
    (rule,) = role["rules"]
    assert set(rule["resources"]) == TEAM
    assert (rule["apiGroups"], rule["resourceNames"], rule["verbs"]) == (["query.aicost.dev"], ["vision"], ["get"])
    for path in EXAMPLES.glob("*.yaml"):
        assert all(one["kind"].startswith(("Role", "ClusterRole")) for one in yaml.safe_load_all(path.read_text()))


def test_the_way_without_an_api_service_needs_an_authority_to_tell(helm):
    said = helm.refuse(DIRECT, "queryApi.certificateSecretName=own", INJECTED)
    assert "set queryApi.caBundle" in said
