"""What Helm itself says to values that would not work, before anything reaches a cluster."""

import pytest

AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
INJECTED = r"queryApi.apiServiceAnnotations.cert-manager\.io/inject-ca-from=aicost-system/query"
WEBHOOK_INJECTED = r"admission.webhookAnnotations.cert-manager\.io/inject-ca-from=aicost-system/query"
OPENSHIFT = r"queryApi.apiServiceAnnotations.service\.beta\.openshift\.io/inject-cabundle=yes"


def test_all_wrong_values_are_told_at_once_with_what_would_be_right(helm) -> None:
    told = helm.refuse("window.length=2h", "replicas=two", "winow.length=1h")
    assert "at '/window/length': value must be one of '1h', '15m'" in told
    assert "at '/replicas': got string, want integer" in told
    assert "additional properties 'winow' not allowed" in told


def test_a_part_that_was_taken_away_is_missed_by_name(helm) -> None:
    assert "missing property 'window'" in helm.refuse("window=null")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["replicas=2"], "replicas: 2 needs a ledger that all replicas reach: set ledger.url to an object store, or"),
        (["replicas=2", "persistence.accessMode=ReadWriteOncePod"], "replicas: 2 needs a ledger"),
        (
            ["replicas=2", "persistence.enabled=false", "persistence.accessMode=ReadWriteMany"],
            "replicas: 2 needs a ledger",
        ),
        (
            ["replicas=3", "ledger.url=s3://bucket/aicost"],
            "replicas: 3 cannot mount one ReadWriteOnce volume: with ledger.url set, set persistence.enabled to false",
        ),
        (["ledger.secretName=x", "ledger.url=s3://b/a"], 'ledger.secretName: "x" is given without secretOptions'),
        (["ledger.secretOptions.AWS_SECRET_ACCESS_KEY=k"], "ledger.secretOptions is given without secretName"),
        (["ledger.secretName=x", "ledger.secretOptions.A=k"], 'ledger.secretName: "x" is for an object store'),
        (["ledger.retentionDays=34"], "ledger.retentionDays: 34: a month's report needs 35 days"),
        (
            ["ledger.url=s3://b/a", "ledger.storageOptions.AWS_SECRET_ACCESS_KEY=hush"],
            "ledger.storageOptions.AWS_SECRET_ACCESS_KEY is a secret: put it into a Secret",
        ),
        (
            ["window.revisit=100"],
            "journal.retentionHours: 48 is too short for window.revisit: 100, which needs samples of 102 hours",
        ),
        (
            ["window.revisit=168", "window.length=15m", "journal.retentionHours=42"],
            "journal.retentionHours: 42 is too short for window.revisit: 168, which needs samples of 43 hours",
        ),
        (["telemetry.prometheus.secretName=x"], 'secretName: "x" is given without secretKeys: list the keys'),
        (["telemetry.prometheus.secretKeys={token}"], "secretKeys is given without secretName: name the Secret"),
        (
            ["telemetry.prometheus.secretName=x", "telemetry.prometheus.secretKeys={password}"],
            "basicUser and the key password in secretKeys belong together",
        ),
        (
            ["telemetry.prometheus.basicUser=x"],
            "basicUser and the key password in secretKeys belong together",
        ),
        (
            ["telemetry.prometheus.secretName=x", "telemetry.prometheus.secretKeys={tls.crt}"],
            "tls.crt and tls.key in telemetry.prometheus.secretKeys belong together",
        ),
        (["prices.http.secretName=x"], 'prices.http.secretName: "x" is given without secretKeys: list the keys'),
        (["prices.http.secretKeys={token}"], "prices.http.secretKeys is given without secretName: name the Secret"),
        (
            ["queryApi.certificateSecretName=own"],
            'no key ca.crt of a Secret "own" can be read from here, so nobody knows whom to trust: set',
        ),
        (
            [f"queryApi.caBundle={AUTHORITY}"],
            "queryApi.caBundle is given without certificateSecretName: name the Secret",
        ),
        (
            [INJECTED],
            "cert-manager.io/inject-ca-from would replace the authority of the certificate that the chart makes",
        ),
        (
            ["queryApi.certificateSecretName=own", f"queryApi.caBundle={AUTHORITY}", INJECTED],
            "queryApi.caBundle and the annotation cert-manager.io/inject-ca-from both say whom to trust",
        ),
        (
            ["queryApi.certificateSecretName=aicost-query-tls", INJECTED],
            '"aicost-query-tls" is the Secret that the chart makes, which goes when it makes none: give yours another',
        ),
        (
            ["admission.timeoutSeconds.validate=3", "admission.timeoutSeconds.mutate=2"],
            "admission.timeoutSeconds: validate and mutate may be 4 seconds together",
        ),
        (
            ["admission.certificateSecretName=own"],
            '"own" is given and nobody says whom to trust: set admission.caBundle',
        ),
        ([f"admission.caBundle={AUTHORITY}"], "are for a certificate of your own: set admission.certificateSecretName"),
        ([WEBHOOK_INJECTED], "are for a certificate of your own: set admission.certificateSecretName"),
        (
            ["admission.certificateSecretName=own", f"admission.caBundle={AUTHORITY}", WEBHOOK_INJECTED],
            "admission.caBundle and the annotation cert-manager.io/inject-ca-from both say whom to trust",
        ),
        (
            ["admission.certificateSecretName=aicost-admission-tls", WEBHOOK_INJECTED],
            '"aicost-admission-tls" is the Secret that the webhook keeps itself: give yours another name',
        ),
        (
            ["queryApi.certificateSecretName=own", "queryApi.apiServiceAnnotations.note=x"],
            "so nobody knows whom to trust",
        ),
    ],
)
def test_values_that_fail_only_together_are_refused_with_the_fix(helm, settings, told) -> None:
    assert told in helm.refuse(*settings)


@pytest.mark.parametrize(
    "settings",
    [
        ["replicas=2", "persistence.accessMode=ReadWriteMany"],
        ["replicas=2", "persistence.enabled=false", "ledger.url=s3://bucket/aicost"],
        ["replicas=2", "persistence.accessMode=ReadWriteMany", "ledger.url=s3://bucket/aicost"],
        ["replicas=1", "persistence.enabled=false"],
        ["window.revisit=168", "window.length=15m", "journal.retentionHours=43"],
        ["queryApi.certificateSecretName=own", f"queryApi.caBundle={AUTHORITY}"],
        ["queryApi.certificateSecretName=own", INJECTED],
        ["queryApi.certificateSecretName=own", OPENSHIFT],
        ["queryApi.apiServiceAnnotations.note=x"],
        ["queryApi.enabled=false", "queryApi.certificateSecretName=own"],
        ["admission.timeoutSeconds.validate=2", "admission.timeoutSeconds.mutate=2"],
        ["admission.certificateSecretName=own", f"admission.caBundle={AUTHORITY}"],
        ["admission.certificateSecretName=own", WEBHOOK_INJECTED],
        ["admission.enabled=false", "admission.certificateSecretName=own"],
        ["admission.webhookAnnotations.note=x"],
    ],
)
def test_values_that_work_together_are_accepted(helm, settings) -> None:
    assert helm.render(*settings)


def test_values_that_may_be_empty_may_be_taken_away(helm) -> None:
    free = ("affinity", "tolerations", "nodeSelector", "podLabels", "podAnnotations", "extraEnv", "imagePullSecrets")
    assert helm.render(*(f"{name}=null" for name in free), "ledger.storageOptions=null", "resources.query=null")
    assert helm.render("queryApi.apiServiceAnnotations=null")
