"""Plugins of the whole suite."""

pytest_plugins = ["support.cluster"]
