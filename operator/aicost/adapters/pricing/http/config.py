"""Where price books are published, who we are there, and how much we take."""

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from aicost.ports.errors import InvalidRequest

_MOST_SECRET_BYTES = 8192
_LARGEST_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class PriceFeedConfig:
    """A URL that answers with price books.

    Attributes:
        url: https, or http on the loopback; http elsewhere only with `allow_http`. No user and password in it.
        token_file: a bearer token, read again at each request, so that it can be rotated.
        ca_file: certificates that the server is checked against; the system's own where None.
        timeout_s: longest time that one answer may take in all.
        max_bytes: size above which an answer is refused.
    """

    url: str
    token_file: Path | None = None
    ca_file: Path | None = None
    timeout_s: float = 10.0
    max_bytes: int = 4 * 2**20
    allow_http: bool = False

    def __post_init__(self) -> None:
        check_url(self.url, allow_http=self.allow_http)
        if not 0 < self.timeout_s <= 600:
            raise InvalidRequest(f"prices.http.timeoutSeconds {self.timeout_s:g}: give more than 0 and at most 600")
        if not 0 < self.max_bytes <= _LARGEST_BYTES:
            raise InvalidRequest(
                f"prices.http.maxBytes {self.max_bytes}: give more than 0 and at most {_LARGEST_BYTES}"
            )

    @property
    def place(self) -> str:
        """The URL for people: without its query, in which some put secrets."""
        return self.url.partition("?")[0]

    @property
    def parsed(self) -> Url:
        """The URL in parts."""
        return parse_url(self.url)

    def token(self) -> str:
        """The bearer token; empty where there is none.

        Raises:
            InvalidRequest: the file cannot be read, or holds no token.
        """
        if self.token_file is None:
            return ""
        try:
            with self.token_file.open("rb") as file:
                text = file.read(_MOST_SECRET_BYTES + 1).decode("ascii").strip()
        except OSError as error:
            why = f"cannot be read ({error.strerror}): mount the Secret that has it"
            raise InvalidRequest(f"prices.http.tokenFile {self.token_file} {why}") from None
        except UnicodeDecodeError:
            text = ""
        if not text or len(text) > _MOST_SECRET_BYTES or not text.isprintable() or " " in text:
            raise InvalidRequest(f"prices.http.tokenFile {self.token_file} must hold one token: mend the Secret")
        return text

    def tls(self) -> ssl.SSLContext:
        """How the server is checked.

        Raises:
            InvalidRequest: the certificates cannot be read.
        """
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise InvalidRequest(
                f"prices.http.caFile {self.ca_file} cannot be read as PEM certificates ({error})"
            ) from None


def check_url(url: str, *, allow_http: bool) -> None:
    """Whether prices may be read from a URL.

    Raises:
        InvalidRequest: they may not; the message says why and what to write. It shows no more of it than its start.
    """
    try:
        parsed = parse_url(url)
    except LocationParseError:
        parsed = Url()
    shown = f"prices.http.url {url.partition('?')[0][:80]!r}"
    if parsed.auth:
        raise InvalidRequest("prices.http.url holds a user or password: put a token into a file, prices.http.tokenFile")
    if parsed.scheme not in {"http", "https"} or not parsed.host or not url.isprintable() or " " in url:
        raise InvalidRequest(f"{shown}: write an address such as https://prices.example/books.yaml")
    if parsed.fragment:
        raise InvalidRequest(f"{shown}: a part after # is never sent: take it out")
    if parsed.scheme == "http" and not allow_http and not _is_loopback(parsed.host):
        raise InvalidRequest(
            f"{shown}: prices without TLS can be changed on the way: use https, or set prices.http.allowHttp"
        )


def _is_loopback(host: str) -> bool:
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
