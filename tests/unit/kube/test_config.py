"""The API server is found as kubectl finds it, and what is wrong with a kubeconfig is said with its fix."""

import base64
import json
import stat

import pytest
import yaml

from aicost.adapters.kube.auth import credentials, execplugin
from aicost.adapters.kube.auth.credentials import ClientCertificate, Credential, TokenFile
from aicost.adapters.kube.auth.tls import Trust, context
from aicost.adapters.kube.config import load
from aicost.domain.exact.windows import to_rfc3339
from aicost.ports.errors import InvalidRequest

NOW = 1_795_600_800_000


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def kubeconfig(folder, name="config", *, cluster=None, user=None, **top):
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "main",
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example:6443/", **(cluster or {})}}],
        "users": [{"name": "u", "user": user if user is not None else {"token": "secret-token"}}],
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u", "namespace": "team-a"}}],
        **top,
    }
    path = folder / name
    path.write_text(yaml.safe_dump(content))
    return path


def read(path, context=None):
    return load({}, lambda: NOW, kubeconfig=path, context=context)


async def test_a_context_names_server_user_and_namespace(tmp_path):
    config = read(kubeconfig(tmp_path))
    assert (config.server, config.namespace) == ("https://api.example:6443", "team-a")
    assert await config.credentials.current() == Credential("secret-token")


async def test_secrets_never_show_in_text(tmp_path):
    user = {"token": "secret-token", "client-certificate-data": b64("cert"), "client-key-data": b64("secret-key")}
    config = read(kubeconfig(tmp_path, user=user))
    shown = f"{config!r} {await config.credentials.current()!r}"
    assert "secret" not in shown.replace(str(tmp_path), "")


async def test_certificates_stand_in_the_file_or_beside_it(tmp_path):
    (tmp_path / "ca.pem").write_text("the ca")
    user = {"client-certificate-data": b64("cert"), "client-key": "me.key"}
    (tmp_path / "me.key").write_text("key")
    config = read(kubeconfig(tmp_path, cluster={"certificate-authority": "ca.pem"}, user=user))
    assert config.trust.authority == b"the ca"
    assert await config.credentials.current() == Credential(None, ClientCertificate(b"cert", b"key"))


def test_a_certificate_may_go_unverified_or_carry_another_name(tmp_path):
    cluster = {"insecure-skip-tls-verify": True, "tls-server-name": "kubernetes"}
    trust = read(kubeconfig(tmp_path, cluster=cluster)).trust
    assert (trust.verify, trust.server_name) == (False, "kubernetes")


async def test_a_token_file_goes_before_a_token_and_is_read_again_each_minute(tmp_path):
    (tmp_path / "token").write_text("first\n")
    source = read(kubeconfig(tmp_path, user={"tokenFile": "token", "token": "stale"})).credentials
    now = 0.0
    source.clock = lambda: now
    assert (await source.current()).token == "first"
    (tmp_path / "token").write_text("second\n")
    now = 59.0
    assert (await source.current()).token == "first"
    now = 60.0
    assert (await source.current()).token == "second"


async def test_a_refused_token_is_read_again_at_once(tmp_path):
    (tmp_path / "token").write_text("first")
    source = TokenFile(tmp_path / "token")
    await source.current()
    (tmp_path / "token").write_text("second")
    source.forget()
    assert (await source.current()).token == "second"


async def test_several_kubeconfigs_are_merged_and_the_first_wins(tmp_path):
    one = kubeconfig(tmp_path, "one", user={"token": "one"})
    extra = [{"name": "other", "context": {"cluster": "c", "user": "v"}}]
    two = kubeconfig(tmp_path, "two", contexts=extra, users=[{"name": "v", "user": {"token": "v"}}])
    env = {"KUBECONFIG": f"{one}:{two}:{tmp_path / 'absent'}"}
    assert (await load(env, lambda: NOW).credentials.current()).token == "one"
    assert (await load(env, lambda: NOW, context="other").credentials.current()).token == "v"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"cluster": {"proxy-url": "http://proxy:3128"}},
            "proxy-url of cluster 'c' in .*config is not supported: reach",
        ),
        ({"cluster": {"server": "api.example"}}, "server of cluster 'c' in .* is 'api.example': it must be an https"),
        (
            {"cluster": {"certificate-authority": "no.pem"}},
            "certificate-authority of cluster 'c' .*no.pem cannot be read",
        ),
        ({"cluster": {"certificate-authority-data": "%%%"}}, "certificate-authority-data of cluster 'c' .* not base64"),
        ({"user": {"token": 7}}, "token of user 'u' in .* is int: it must be text"),
        ({"user": {"username": "a", "password": "b"}}, "username of user 'u' .* not supported: .* use a token"),
        ({"user": {"auth-provider": {"name": "gcp"}}}, "auth-provider of user 'u' .* use the exec plugin"),
        ({"user": {"client-certificate-data": "Yw=="}}, "only one of client-certificate and client-key"),
        ({"user": {"exec": {"apiVersion": "v1"}}}, "command of exec of user 'u' .* is empty"),
        ({"current-context": ""}, "has no current-context: choose one"),
        ({"current-context": "gone"}, "no context 'gone' in .*: there is main"),
        (
            {"contexts": [{"name": "main", "context": {"cluster": "x", "user": "u"}}]},
            "no cluster 'x' in .*: there is c",
        ),
        ({"users": [{"user": {}}]}, "an entry of users in .* has no name"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_fix(tmp_path, changes, message):
    with pytest.raises(InvalidRequest, match=message):
        read(kubeconfig(tmp_path, **changes))


def test_broken_yaml_is_located_without_showing_it(tmp_path):
    path = tmp_path / "config"
    path.write_text("users:\n- user: {token: secret-token\n")
    with pytest.raises(InvalidRequest, match=r"is not YAML: line 3, column 1") as caught:
        read(path)
    assert "secret-token" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "just text", "[]"])
def test_a_file_that_is_no_kubeconfig_says_so(tmp_path, text):
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(InvalidRequest, match="holds no mapping"):
        read(path)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(InvalidRequest, match="absent cannot be read"):
        read(tmp_path / "absent")


def mount(folder):
    for name, text in {"token": "pod-token", "ca.crt": "the ca", "namespace": "aicost-system"}.items():
        (folder / name).write_text(text)
    return folder


async def test_a_pod_uses_its_service_account(tmp_path):
    env = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "6443", "HOME": str(tmp_path)}
    config = load(env, lambda: NOW, account_folder=mount(tmp_path))
    assert (config.server, config.namespace) == ("https://10.0.0.1:6443", "aicost-system")
    assert config.trust.authority == b"the ca"
    assert (await config.credentials.current()).token == "pod-token"


def test_an_ipv6_service_address_is_bracketed(tmp_path):
    env = {"KUBERNETES_SERVICE_HOST": "fd00::1"}
    assert load(env, lambda: NOW, account_folder=mount(tmp_path)).server == "https://[fd00::1]:443"


def test_a_named_kubeconfig_goes_before_the_pods_account(tmp_path):
    env = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBECONFIG": str(kubeconfig(tmp_path))}
    assert load(env, lambda: NOW, account_folder=mount(tmp_path)).server == "https://api.example:6443"


def test_the_users_own_kubeconfig_is_the_last_resort(tmp_path):
    (tmp_path / ".kube").mkdir()
    kubeconfig(tmp_path / ".kube")
    assert load({"HOME": str(tmp_path)}, lambda: NOW).server == "https://api.example:6443"


def test_no_cluster_at_all_says_what_was_tried(tmp_path):
    with pytest.raises(
        InvalidRequest, match=r"no --kubeconfig, KUBECONFIG is not set, .*config is absent and this is no"
    ):
        load({"HOME": str(tmp_path)}, lambda: NOW)


def plugin(folder, body: str) -> str:
    path = folder / "get-token"
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return "./get-token"


def printing(credential: dict) -> str:
    return f"echo run >> \"$(dirname $0)/runs\"\ncat <<'END'\n{json.dumps(credential)}\nEND\n"


def exec_user(command: str, **more) -> dict:
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command, **more}}


async def test_a_command_gives_the_token_and_is_run_again_shortly_before_it_expires(tmp_path):
    status = {"token": "from-command", "expirationTimestamp": to_rfc3339(NOW + 600_000)}
    path = kubeconfig(tmp_path, user=exec_user(plugin(tmp_path, printing({"status": status}))))
    now = NOW
    source = load({}, lambda: now, kubeconfig=path).credentials
    for later in (0, 539_000, 540_000):
        now = NOW + later
        assert (await source.current()).token == "from-command"
    assert (tmp_path / "runs").read_text().count("run") == 2
    source.forget()
    await source.current()
    assert (tmp_path / "runs").read_text().count("run") == 3


async def test_a_command_may_give_a_certificate(tmp_path):
    status = {"clientCertificateData": "cert", "clientKeyData": "key"}
    source = read(kubeconfig(tmp_path, user=exec_user(plugin(tmp_path, printing({"status": status}))))).credentials
    assert (await source.current()).certificate == ClientCertificate(b"cert", b"key")


async def test_a_command_gets_its_arguments_environment_and_cluster(tmp_path):
    body = (
        'printf \'{"status":{"token":"%s %s"}}\' "$1" "$REGION"\n'
        'printf "%s" "$KUBERNETES_EXEC_INFO" > "$(dirname $0)/info"\n'
    )
    user = exec_user(
        plugin(tmp_path, body), args=["west"], env=[{"name": "REGION", "value": "eu"}], provideClusterInfo=True
    )
    cluster = {"certificate-authority-data": b64("the ca")}
    source = read(kubeconfig(tmp_path, cluster=cluster, user=user)).credentials
    assert (await source.current()).token == "west eu"
    info = json.loads((tmp_path / "info").read_text())
    assert info["spec"]["cluster"]["server"] == "https://api.example:6443"
    assert info["spec"]["cluster"]["certificate-authority-data"] == b64("the ca")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo please log in >&2; exit 3", r"get-token' of user 'u' in .* failed with exit code 3: please log in"),
        ("echo not json", "did not print an ExecCredential"),
        ("echo '{\"status\":{}}'", "printed neither a token nor a client certificate"),
        ('echo \'{"status":{"token":"t","expirationTimestamp":"soon"}}\'', "expirationTimestamp 'soon'"),
    ],
)
async def test_a_command_that_fails_is_named(tmp_path, body, message):
    source = read(kubeconfig(tmp_path, user=exec_user(plugin(tmp_path, body + "\n")))).credentials
    with pytest.raises(InvalidRequest, match=message):
        await source.current()


async def test_an_absent_command_shows_its_hint(tmp_path):
    user = exec_user("no-such-command-at-all", installHint="install the cloud tools")
    source = read(kubeconfig(tmp_path, user=user)).credentials
    with pytest.raises(InvalidRequest, match=r"cannot be started .*: install the cloud tools"):
        await source.current()


async def test_a_command_that_hangs_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(execplugin, "COMMAND_TIMEOUT_S", 0.1)
    source = read(kubeconfig(tmp_path, user=exec_user(plugin(tmp_path, "exec sleep 30\n")))).credentials
    with pytest.raises(InvalidRequest, match="gave no credential within"):
        await source.current()


async def test_an_empty_token_file_is_named(tmp_path):
    (tmp_path / "token").write_text("\n")
    with pytest.raises(InvalidRequest, match="token is empty"):
        await TokenFile(tmp_path / "token").current()


def test_a_broken_authority_or_client_certificate_is_named():
    with pytest.raises(InvalidRequest, match="certificate authority in here is not PEM"):
        context(Trust(authority=b"nonsense", origin="here"), None)
    with pytest.raises(InvalidRequest, match="client certificate and its key do not fit or are not PEM"):
        context(Trust(), ClientCertificate(b"nonsense", b"nonsense"))


def test_credentials_are_read_once_a_minute():
    assert credentials.TOKEN_LIFE_S == 60
