"""The chart grants what the product does and nothing else: one side is read from the sources, the other from Helm."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from aicost.adapters.kube import server_policies
from aicost.adapters.kube.hands.around import KINDS as AROUND
from aicost.adapters.kube.queues import KINDS as QUEUE_KINDS
from aicost.adapters.kube.seen.trainers import TRAIN_JOBS
from aicost.adapters.kube.wire import resources
from aicost.domain.enforcement.levers.table import LEVERS
from aicost.entrypoints.controller.labels.listing import BESIDE, LISTED
from aicost.entrypoints.controller.resources import GROUP, PLURALS
from aicost.entrypoints.queryapi.discovery import SERVED

SOURCE = Path(__file__).parents[3] / "operator/aicost"
CONTROLLER = SOURCE / "entrypoints/controller"
OWNERS = {
    "": {"replicationcontrollers"},
    "apps": {"deployments", "replicasets", "statefulsets", "daemonsets"},
    "batch": {"jobs", "cronjobs"},
    "jobset.x-k8s.io": {"jobsets"},
    "leaderworkerset.x-k8s.io": {"leaderworkersets"},
    "ray.io": {"rayclusters", "rayjobs", "rayservices"},
    "kubeflow.org": {"pytorchjobs", "mpijobs", "tfjobs", "xgboostjobs", "paddlejobs", "jaxjobs", "notebooks"},
    "trainer.kubeflow.org": {"trainjobs"},
    "serving.kserve.io": {"inferenceservices", "llminferenceservices"},
    "workload.codeflare.dev": {"appwrappers"},
    "batch.volcano.sh": {"jobs"},
    "argoproj.io": {"workflows", "rollouts"},
}
"""What owns pods, and is read by name for its labels and its own owner."""

OWN_SECRET = "secrets@aicost-admission-tls"
Permission = tuple[str, str, str]


def _flat(rules: Iterable[dict[str, Any]]) -> set[Permission]:
    """Rules as (group, resource, verb); a rule for one name carries it in its resource."""
    return {
        (group, "@".join([resource, *rule.get("resourceNames", [])]), verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def _role(documents: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = (one for one in documents if one["kind"] == kind and one["metadata"]["name"] == name)
    return found


def _text(name: str) -> str:
    return (CONTROLLER / name).read_text(encoding="utf-8")


DRA_PLURALS = {one.plural for one in (resources.resource_claims("v1"), resources.resource_slices("v1"))}


def _watched() -> set[Permission]:
    names = re.findall(r"self\._informer\(client, (\w+)", _text("watching.py"))
    watched = [getattr(resources, name) for name in names]
    assert len(watched) >= 5
    return {(one.group, one.plural, verb) for one in watched for verb in ("list", "watch")}


def _followed() -> set[Permission]:
    """What kopf follows and what has a status that we write."""
    followed = {(GROUP, plural, verb) for plural in PLURALS.values() for verb in ("list", "watch")}
    return followed | {(GROUP, f"{plural}/status", "patch") for plural in PLURALS.values()}


def _automatic() -> set[Permission]:
    """Created once, then left to people."""
    kinds = set(re.findall(r'_report\(app, "(\w+)"', _text("publish/automatic.py")))
    return {(GROUP, PLURALS[kind], "create") for kind in kinds}


def _starter() -> set[Permission]:
    """A server-side apply that creates needs both verbs."""
    kinds = set(re.findall(r'resource_of\("(\w+)"\)', _text("starter.py")))
    return {(GROUP, PLURALS[kind], verb) for kind in kinds for verb in ("create", "patch")}


def _needed() -> set[Permission]:
    owners = {(group, plural, "get") for group, plurals in OWNERS.items() for plural in plurals}
    others = {("", "namespaces@kube-system", "get"), ("events.k8s.io", "events", "create")}
    queues = {(group, f"{kind.lower()}s", "list") for group, kind in QUEUE_KINDS}
    queues |= {("", "persistentvolumeclaims", "list")}
    allocated = {(resources.DRA_GROUP, one, verb) for one in DRA_PLURALS for verb in ("list", "watch")}
    trainers = {(TRAIN_JOBS.group, TRAIN_JOBS.plural, verb) for verb in ("list", "watch")}
    return owners | others | queues | allocated | trainers | _watched() | _followed()


def _enforced() -> set[Permission]:
    """Policies that the API server judges by itself, and the role that they go with."""
    return {("rbac.authorization.k8s.io", "clusterroles@aicost-controller", "get")} | {
        (one.group, one.plural, verb)
        for one in server_policies.RESOURCES.values()
        for verb in ("list", "create", "patch", "delete")
    }


def test_the_controller_may_do_what_it_does_and_nothing_else(helm) -> None:
    granted = _flat(_role(helm.render(), "ClusterRole", "aicost-controller")["rules"])
    assert granted == _needed() | _automatic() | _starter() | _enforced()


def test_the_controller_may_take_away_books_only_where_a_url_publishes_some(helm) -> None:
    granted = {
        setting: _flat(_role(helm.render(*setting), "ClusterRole", "aicost-controller")["rules"])
        for setting in ((), ("prices.http.url=https://prices.example/b", "prices.starter=false"))
    }
    of_books = {
        setting: {verb for _, plural, verb in found if plural == "pricebooks"} for setting, found in granted.items()
    }
    plain, published = of_books.values()
    assert plain == {"list", "watch", "create", "patch"}
    assert published == plain | {"delete"}


def _acted() -> set[Permission]:
    """What levers read and write, what stands around workloads, and our own records of it."""
    levers = {(one.group, one.plural, verb) for one in LEVERS for verb in ("get", "patch")}
    around = {(group, _plural(kind), "list") for group, kind in AROUND}
    own = {(GROUP, plural, verb) for plural in ("budgetactions", "budgetgates") for verb in ("create", "delete")}
    quotas = {("", "resourcequotas", verb) for verb in ("get", "create", "patch", "delete")}
    return levers | around | own | quotas | {("", "pods", "patch")}


def _plural(kind: str) -> str:
    return f"{kind.lower()}s"


def test_the_enforcer_may_do_what_levers_do_and_nothing_else(helm) -> None:
    granted = _flat(_role(helm.render(), "ClusterRole", "aicost-enforcer")["rules"])
    assert granted == _acted()


def test_without_the_right_to_enforce_no_workload_can_be_written(helm) -> None:
    documents = helm.render("rbac.enforce=false")
    assert not [one for one in documents if one["metadata"]["name"] in {"aicost-enforcer", "aicost-scales"}]
    granted = _flat(_role(documents, "ClusterRole", "aicost-controller")["rules"])
    foreign = {(group, resource, verb) for group, resource, verb in granted if group in {"apps", "batch", "ray.io"}}
    assert {verb for _, _, verb in foreign} == {"get"}


def test_what_is_turned_off_is_not_permitted(helm) -> None:
    documents = helm.render(
        "reports.automatic=false", "prices.starter=false", "queryApi.enabled=false", "admission.enabled=false"
    )
    taken_away = {one for one in _enforced() if one[2] in {"list", "delete"}}
    assert _flat(_role(documents, "ClusterRole", "aicost-controller")["rules"]) == _needed() | taken_away
    assert not [one for one in documents if one["metadata"].get("namespace") == "kube-system"]


def test_the_lease_is_the_only_thing_that_it_writes_in_its_own_namespace(helm) -> None:
    assert _flat(_role(helm.render(), "Role", "aicost-controller")["rules"]) == {
        ("coordination.k8s.io", "leases", "create"),
        ("coordination.k8s.io", "leases@aicost-controller", "get"),
        ("coordination.k8s.io", "leases@aicost-controller", "update"),
    }


def test_secrets_are_read_in_its_own_namespace_alone_and_only_where_that_is_turned_on(helm) -> None:
    def secrets(*settings: str) -> set[Permission]:
        granted = _flat(_role(helm.render(*settings), "Role", "aicost-controller")["rules"])
        return {one for one in granted if one[1].startswith("secrets")}

    assert secrets() == secrets("providerAccounts.secretNames={llm-keys}") == set()
    assert secrets("providerAccounts.enabled=true") == {("", "secrets", "get")}
    named = secrets("providerAccounts.enabled=true", "providerAccounts.secretNames={llm-keys,more}")
    assert named == {("", "secrets@llm-keys@more", "get")}


def test_no_call_to_the_api_server_is_unknown_here() -> None:
    """A new call belongs into this list and, with its verb, into the chart."""
    calls = {
        (str(path.relative_to(SOURCE)), verb)
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "client.py" and "cli" not in path.parts  # a person's own rights, not the chart's
        for verb in re.findall(
            r"client\.(get|metadata|pages|watch|create|replace|apply|merge_patch|json_patch|delete)\(",
            path.read_text("utf-8"),
        )
    }
    assert calls - {("adapters/prometheus/source.py", "metadata")} == {
        ("adapters/kube/config_maps.py", "get"),
        ("adapters/kube/events.py", "create"),
        ("adapters/kube/informer.py", "pages"),
        ("adapters/kube/informer.py", "watch"),
        ("adapters/kube/lease.py", "create"),
        ("adapters/kube/lease.py", "get"),
        ("adapters/kube/lease.py", "replace"),
        ("adapters/kube/owners.py", "metadata"),
        ("adapters/kube/queues.py", "pages"),
        ("adapters/kube/watching/claims.py", "pages"),
        ("adapters/kube/watching/trainers.py", "pages"),
        ("adapters/kube/watching/volumes.py", "pages"),
        ("adapters/kube/probe.py", "create"),
        *(("adapters/kube/server_policies.py", verb) for verb in ("metadata", "pages", "apply", "delete")),
        ("adapters/kube/status.py", "apply"),
        *(("entrypoints/admission/trust.py", verb) for verb in ("get", "create", "replace", "apply")),
        *(("adapters/kube/hands/objects.py", verb) for verb in ("get", "merge_patch", "json_patch")),
        ("adapters/kube/lists.py", "pages"),
        *(("entrypoints/controller/budgets/steps/quotas.py", verb) for verb in ("create", "delete")),
        *(("entrypoints/controller/budgets/restore.py", verb) for verb in ("pages", "merge_patch", "delete")),
        *(("entrypoints/controller/budgets/writes.py", verb) for verb in ("create", "apply", "delete")),
        ("entrypoints/controller/accounts/keys.py", "get"),
        ("entrypoints/controller/main.py", "metadata"),
        *(("entrypoints/controller/prices/published.py", verb) for verb in ("pages", "apply", "merge_patch", "delete")),
        ("entrypoints/controller/publish/publisher.py", "create"),
        ("entrypoints/controller/resync.py", "pages"),
        ("entrypoints/controller/starter.py", "apply"),
        ("entrypoints/queryapi/frontproxy.py", "get"),  # by Kubernetes' own role in kube-system
        ("entrypoints/queryapi/offers/market.py", "pages"),  # nodes and price books, which are watched as well
        ("entrypoints/queryapi/proof/direct.py", "get"),  # by the same role
        ("entrypoints/queryapi/proof/reviews.py", "create"),  # by Kubernetes' own system:auth-delegator
        ("entrypoints/queryapi/server.py", "metadata"),
    }


def test_the_audit_may_list_what_it_looks_at_and_nothing_else(helm) -> None:
    kinds = {(kind.group, kind.plural, "list") for kind in LISTED}
    beside = {(group, plural, "list") for group, _, plural in BESIDE}
    granted = _flat(_role(helm.render(), "ClusterRole", "aicost-audit")["rules"])
    assert granted == (kinds | beside) - _watched() - _followed()


def test_whoever_may_view_a_namespace_may_ask_each_resource_of_the_query_api(helm) -> None:
    granted = _flat(_role(helm.render(), "ClusterRole", "aicost-view")["rules"])
    assert {resource for group, resource, _ in granted if group == "query.aicost.dev"} == {
        served.plural for served in SERVED
    }


def _admission_watched() -> set[Permission]:
    text = (SOURCE / "entrypoints/admission/knowledge/watching.py").read_text("utf-8")
    core = [getattr(resources, name) for name in re.findall(r"self\._follow\(([A-Z_]+),", text)]
    own = [PLURALS[kind] for kind in re.findall(r'self\._own\("(\w+)"', text)]
    assert (len(core), len(own)) == (3, 5)
    found = {(one.group, one.plural) for one in core} | {(GROUP, plural) for plural in own}
    return {(*one, verb) for one in found | {("kueue.x-k8s.io", "localqueues")} for verb in ("list", "watch")}


def test_the_webhook_may_do_what_it_does_and_nothing_else(helm) -> None:
    kinds = ("validatingwebhookconfigurations@aicost", "mutatingwebhookconfigurations@aicost")
    trust = {("admissionregistration.k8s.io", kind, verb) for kind in kinds for verb in ("get", "patch")}
    events = {("events.k8s.io", "events", "create"), (GROUP, "aiworkloads/status", "patch")}
    documents = helm.render()
    granted = _flat(_role(documents, "ClusterRole", "aicost-admission")["rules"])
    assert granted == _admission_watched() | trust | events
    secrets = {("", "secrets", "create"), *(("", f"{OWN_SECRET}", verb) for verb in ("get", "update"))}
    assert _flat(_role(documents, "Role", "aicost-admission")["rules"]) == secrets
    assert _flat(_role(documents, "Role", "aicost-admission-lists")["rules"]) == {("", "configmaps", "get")}


def test_a_certificate_of_somebody_elses_needs_no_right_to_secrets_or_configurations(helm) -> None:
    documents = helm.render("admission.certificateSecretName=own", "admission.caBundle=-----BEGIN CERTIFICATE-----\n")
    granted = _flat(_role(documents, "ClusterRole", "aicost-admission")["rules"])
    told = {("events.k8s.io", "events", "create"), (GROUP, "aiworkloads/status", "patch")}
    assert granted == _admission_watched() | told
    assert not [one for one in documents if one["kind"] == "Role" and one["metadata"]["name"] == "aicost-admission"]


def test_lists_may_be_read_where_the_values_say_and_nowhere_else(helm) -> None:
    documents = helm.render("admission.listNamespaces={lists,aicost-system}")
    found = [one for one in documents if one["metadata"]["name"] == "aicost-admission-lists"]
    assert sorted((one["kind"], one["metadata"]["namespace"]) for one in found) == [
        ("Role", "aicost-system"), ("Role", "lists"),
        ("RoleBinding", "aicost-system"), ("RoleBinding", "lists"),
    ]  # fmt: skip
    subjects = [tuple(each["name"] for each in one["subjects"]) for one in found if one["kind"] == "RoleBinding"]
    assert subjects == [("aicost", "aicost-admission")] * 2


@pytest.mark.parametrize("settings", ["admission.enabled=false", "admission.engine=vap"])
def test_without_the_webhook_nothing_of_it_is_left(helm, settings) -> None:
    documents = helm.render(settings)
    kept = {"aicost-admission-lists"} if settings == "admission.engine=vap" else set()
    assert {one["metadata"]["name"] for one in documents if "-admission" in one["metadata"]["name"]} == kept
    assert not [one for one in documents if one["kind"].endswith("WebhookConfiguration")]


@pytest.mark.parametrize("settings", [(), ("queryApi.enabled=false",)], ids=str)
def test_nothing_is_granted_by_a_wildcard_and_no_secret_but_the_own_certificate_may_be_read(helm, settings) -> None:
    documents = helm.render(*settings)
    roles = [one for one in documents if one["kind"] in {"ClusterRole", "Role"}]
    assert len(roles) >= 5
    for role in roles:
        for group, resource, verb in _flat(role.get("rules", ())):
            assert "*" not in f"{group}{resource}{verb}", role["metadata"]["name"]
            if (role["metadata"]["name"], resource, verb) == ("aicost-admission", "secrets", "create"):
                continue  # cannot be limited to a name
            assert resource not in {"secrets", "pods/exec", "nodes/proxy", "impersonate"}, role["metadata"]["name"]
            assert not resource.startswith("secrets@") or resource == OWN_SECRET
            assert not resource.startswith("rbac"), role["metadata"]["name"]


def test_rights_for_kinds_that_are_not_listed_come_from_labelled_roles_and_from_nothing_in_the_chart(helm) -> None:
    """Rules that the chart named would be fought over with the API server, which fills them in."""
    documents = helm.render()
    role = _role(documents, "ClusterRole", "aicost-owners")
    (selector,) = role["aggregationRule"]["clusterRoleSelectors"]
    assert selector == {"matchLabels": {"aicost.dev/aggregate-to-controller": "true"}}
    assert "rules" not in role
    assert not [
        one for one in documents if selector["matchLabels"].items() <= one["metadata"].get("labels", {}).items()
    ]


def test_without_aggregation_the_rights_are_those_of_the_chart_alone(helm) -> None:
    documents = helm.render("rbac.aggregateOwners=false")
    assert not [one for one in documents if "aggregationRule" in one or one["metadata"]["name"].endswith("-owners")]
    assert _role(documents, "ClusterRole", "aicost-controller")["rules"]


def test_people_who_may_view_a_namespace_see_its_cost_and_write_nothing(helm) -> None:
    documents = helm.render()
    roles = [_role(documents, "ClusterRole", name) for name in ("aicost-view", "aicost-budgets-view")]
    for role in roles:
        assert role["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-view"] == "true"
    granted = set().union(*(_flat(role["rules"]) for role in roles))
    assert {verb for _, _, verb in granted} <= {"get", "list", "watch"}
    assert {resource for group, resource, _ in granted if group == GROUP} == set(PLURALS.values())


def test_bindings_name_roles_and_accounts_that_are_there(helm) -> None:
    documents = helm.render("serviceAccount.name=costs")
    accounts = {one["metadata"]["name"] for one in documents if one["kind"] == "ServiceAccount"}
    assert accounts == {"costs", "aicost-admission"}
    bindings = [one for one in documents if one["kind"].endswith("RoleBinding")]
    assert len(bindings) >= 8
    for binding in bindings:
        for subject in binding["subjects"]:
            assert (subject["kind"], subject["namespace"]) == ("ServiceAccount", "aicost-system")
            assert subject["name"] in accounts
        reference = binding["roleRef"]
        if reference["name"] != "extension-apiserver-authentication-reader":  # Kubernetes' own
            _role(documents, reference["kind"], reference["name"])
