"""Pods whose image is ours: local processes that see the environment and the files that their spec promises."""
