"""The local kubelet: one asyncio process that stands in for the agents of all nodes.

Pods with a foreign image follow a script that their annotations write. Pods with an image of ours run as local
processes. What a real kubelet has and this one has not: images, cgroups, the enforcement of resource limits and
capabilities, pod networking, and the API behind ``kubectl exec``, ``logs`` and ``port-forward``.
"""
