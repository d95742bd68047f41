"""A local Kubernetes cluster for development, tests and the demo.

The control plane is real (etcd, kube-apiserver, kube-controller-manager, kube-scheduler); the nodes are objects
without machines, and one local kubelet of ours stands in for all of their agents. Loopback only, no root, no Docker.

Run it as ``python -m devcluster`` with ``hack/`` on the Python path. Linux only: it relies on the whole of
127.0.0.0/8 being local and on parent-death signals.
"""
