"""Refusals and failures as the API server's clients understand them: Kubernetes Status objects."""

from http import HTTPStatus

from aiohttp import web

from aicost.ports.errors import AicostError, ClusterUnavailable, InvalidRequest, LedgerUnavailable

RETRY_SECONDS = 2
"""After how long a client may ask again."""
_REASONS = {
    HTTPStatus.BAD_REQUEST: "BadRequest",
    HTTPStatus.UNAUTHORIZED: "Unauthorized",
    HTTPStatus.FORBIDDEN: "Forbidden",
    HTTPStatus.NOT_FOUND: "NotFound",
    HTTPStatus.METHOD_NOT_ALLOWED: "MethodNotAllowed",
    HTTPStatus.NOT_ACCEPTABLE: "NotAcceptable",
    HTTPStatus.GONE: "Expired",
    HTTPStatus.TOO_MANY_REQUESTS: "TooManyRequests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "InternalError",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
    HTTPStatus.GATEWAY_TIMEOUT: "Timeout",
}
_RETRIED = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class Refusal(Exception):
    """An answer other than what was asked for."""

    def __init__(self, code: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.code = code


def status_response(code: HTTPStatus, message: str) -> web.Response:
    """A Status object; one that may be tried again says when."""
    body: dict[str, object] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS.get(code, code.phrase.replace(" ", "")),
        "code": int(code),
    }
    headers = {}
    if code in _RETRIED:
        body["details"] = {"retryAfterSeconds": RETRY_SECONDS}
        headers["Retry-After"] = str(RETRY_SECONDS)
    return web.json_response(body, status=code, headers=headers)


def code_of(error: AicostError) -> HTTPStatus:
    """The code that an expected failure has."""
    if isinstance(error, InvalidRequest):
        return HTTPStatus.BAD_REQUEST
    if isinstance(error, LedgerUnavailable | ClusterUnavailable):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.INTERNAL_SERVER_ERROR
