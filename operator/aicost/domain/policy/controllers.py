"""Who makes pods for owners: the controllers of Kubernetes itself, by the user names that they have."""

_PARTS = (
    "replicaset-controller",
    "deployment-controller",
    "statefulset-controller",
    "daemon-set-controller",
    "job-controller",
    "cronjob-controller",
    "replication-controller",
)
CONTROLLERS = (
    "system:kube-controller-manager",
    *(f"system:serviceaccount:kube-system:{name}" for name in _PARTS),
)
"""The controller-manager under one name, or each of its parts under its own, as the cluster runs it.

Operators are not here: their names and namespaces are each cluster's own, and whoever could take one of these names
would make unlabelled pods as they like. Settings add them.
"""
