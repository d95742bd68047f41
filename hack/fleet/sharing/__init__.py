"""GPUs that several pods share: how a script says it, and how nodes, pods and claims show it."""
