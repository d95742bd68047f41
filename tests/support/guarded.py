"""Puts policies of the API server in place for a test, and waits until they hold: the server reads them by and by."""

import contextlib
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from devcluster.api import ApiError
from support.cluster import LiveCluster

REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
_PLURALS = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
    "MutatingAdmissionPolicy": "mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "mutatingadmissionpolicybindings",
}
Object = dict[str, Any]


def path_of(document: Object) -> str:
    """Path of a policy or binding."""
    return f"{REGISTRATION}/{_PLURALS[document['kind']]}/{document['metadata']['name']}"


@contextlib.contextmanager
def in_place(cluster: LiveCluster, documents: Iterable[Object], *refused: Callable[[], object]) -> Iterator[None]:
    """Policies that are there while a test runs.

    Args:
        cluster: where.
        documents: policies and bindings.
        refused: requests that are refused once they hold. They must change nothing.
    """
    documents = list(documents)
    try:
        for document in documents:
            cluster.api.patch(path_of(document), document, kind="apply")
        for request in refused:
            _wait(request)
        yield
    finally:
        for document in documents:
            with contextlib.suppress(ApiError):
                cluster.api.delete(path_of(document))


def _wait(request: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            request()
        except ApiError as refused:
            if re.search("denied (the )?request", str(refused)):
                return
        time.sleep(0.1)
    pytest.fail("the policies did not come to hold in 60 s")
