"""Command-line flags of the four programs. Each flag that is not obvious says why it is there."""

from pathlib import Path

from devcluster.audit import Audit
from devcluster.pki import Pki

__all__ = ["apiserver", "controller_manager", "etcd", "scheduler"]


def etcd(data: Path, client_url: str, peer_url: str) -> list[str]:
    """Etcd on loopback. Not safe against a crash of the machine, which is fine for a cluster that is thrown away."""
    return [
        "--name=devcluster",
        f"--data-dir={data}",
        f"--listen-client-urls={client_url}",
        f"--advertise-client-urls={client_url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=devcluster={peer_url}",
        "--unsafe-no-fsync=true",
        "--quota-backend-bytes=4294967296",
        "--log-level=warn",
    ]


def apiserver(pki: Pki, audit: Audit, etcd_url: str, port: int) -> list[str]:
    """The API server, with everything that aggregated APIs need, and a log of what happens to objects of ours."""
    return [
        f"--etcd-servers={etcd_url}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={pki.server.certificate}",
        f"--tls-private-key-file={pki.server.key}",
        f"--client-ca-file={pki.cluster.certificate}",
        f"--service-account-key-file={pki.token_key}",
        f"--service-account-signing-key-file={pki.token_key}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        # Endpoints refuse loopback addresses, so the server cannot publish its own.
        "--endpoint-reconciler-type=none",
        # Aggregated APIs: the server proves itself to them, and says who the user is, by this certificate.
        f"--requestheader-client-ca-file={pki.front_proxy.certificate}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki.proxy_client.certificate}",
        f"--proxy-client-key-file={pki.proxy_client.key}",
        "--enable-aggregator-routing=false",
        f"--audit-policy-file={audit.policy}",
        f"--audit-log-path={audit.log}",
        "--profiling=false",
    ]


def controller_manager(pki: Pki, kubeconfig: Path, port: int) -> list[str]:
    """The controller-manager: fast enough for thousands of pods, and patient with nodes that send no heartbeat."""
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={pki.token_key}",
        f"--root-ca-file={pki.cluster.certificate}",
        "--leader-elect=false",
        "--kube-api-qps=1000",
        "--kube-api-burst=2000",
        "--concurrent-replicaset-syncs=30",
        # Else nodes without a kubelet of their own would be tainted and emptied.
        "--node-monitor-grace-period=24h",
        "--profiling=false",
    ]


def scheduler(kubeconfig: Path, port: int) -> list[str]:
    """The scheduler."""
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--leader-elect=false",
        "--kube-api-qps=1000",
        "--kube-api-burst=2000",
        "--profiling=false",
    ]
