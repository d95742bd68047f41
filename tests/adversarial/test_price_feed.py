"""A server that publishes prices may be anything: huge, slow, elsewhere, wrong. No answer is half taken."""

import json
import socket
import threading
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.adapters.pricing.http.config import PriceFeedConfig
from aicost.adapters.pricing.http.documents import read_books
from aicost.adapters.pricing.http.feed import HttpPriceFeed
from aicost.ports.errors import InvalidAnswer, InvalidRequest, NotPermitted, SourceUnavailable
from support.http_server import serving
from support.price_feeds import a_book, publishing


def asked(respond, **config):
    with serving(respond) as served:
        return HttpPriceFeed(PriceFeedConfig(f"{served.url}/b", **{"timeout_s": 2.0, **config})).read("")


@pytest.mark.parametrize("where", ["file:///etc/passwd", "http://169.254.169.254/latest/meta-data/", "/elsewhere"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(where, status):
    with pytest.raises(InvalidAnswer, match=r"a redirect, and none is followed: set prices\.http\.url"):
        asked(lambda request: request.answer(b"", status, Location=where))


def test_an_answer_that_is_too_large_is_refused_while_it_comes():
    with pytest.raises(InvalidAnswer, match=r"more than prices\.http\.maxBytes 1000"):
        asked(lambda request: request.answer(b"x" * 5000), max_bytes=1000)


def test_a_compressed_answer_is_refused_for_what_it_may_grow_to():
    with pytest.raises(InvalidAnswer, match="in the encoding 'gzip'"):
        asked(lambda request: request.answer(b"\x1f\x8b", Content_Encoding="gzip"))


def test_a_server_that_hangs_or_drips_is_cut_off():
    for respond in (lambda request: request.hang(), lambda request: request.drip(b"kind: PriceBook" * 100, 0.05)):
        with pytest.raises(SourceUnavailable, match=r"no whole answer within 0\.3 s"):
            asked(respond, timeout_s=0.3)


def test_headers_that_never_end_are_cut_off():
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def drip() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"HTTP/1.1 200 OK\r\n")
            while not ended.wait(0.05):
                try:
                    peer.sendall(b"X")
                except OSError:
                    return

    server = threading.Thread(target=drip)
    server.start()
    try:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(SourceUnavailable, match=r"no whole answer within 0\.4 s"):
            HttpPriceFeed(PriceFeedConfig(url, timeout_s=0.4)).read("")
    finally:
        ended.set()
        server.join()
        listener.close()


def test_an_answer_that_ends_early_is_none():
    document = json.dumps(a_book())
    with pytest.raises(SourceUnavailable):
        asked(lambda request: request.answer(document, length=len(document) + 10))


def test_an_answer_without_a_length_is_refused_since_its_end_may_be_missing():
    def respond(request):
        request.handler.send_response(200)
        request.handler.end_headers()
        request.handler.wfile.write(json.dumps(a_book()).encode())
        request.handler.close_connection = True

    with pytest.raises(InvalidAnswer, match="says no length"):
        asked(respond)


def test_nobody_there_and_no_answer_are_told():
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1"):
        HttpPriceFeed(PriceFeedConfig("http://127.0.0.1:1/", timeout_s=1)).read("")
    with pytest.raises(SourceUnavailable):
        asked(lambda request: request.drop())


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, NotPermitted), (403, NotPermitted), (404, InvalidAnswer), (204, InvalidAnswer), (429, SourceUnavailable),
     (500, SourceUnavailable)],
)  # fmt: skip
def test_each_status_is_told_as_what_it_is(status, error):
    with pytest.raises(error, match=str(status)):
        asked(lambda request: request.answer(b"", status))


BOOK = a_book()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "no PriceBook"),
        (b"---\n---\n", "no PriceBook"),
        (b'{"kind": "List", "items": []}', "no PriceBook"),
        (b"\xff\xfe", "no document of price books"),
        (b"<html>log in</html>", "it is no object"),
        (b'{"kind": "PriceBook"', "no document of price books"),
        (b"[1, 2]", "it is no object"),
        (b'"text"', "it is no object"),
        (b'{"apiVersion": "v1", "kind": "Secret"}', "it holds v1 Secret"),
        (b'{"apiVersion": "aicost.dev/v9", "kind": "PriceBook"}', "it holds aicost.dev/v9 PriceBook"),
        (b'{"kind": "List", "items": {}}', "items of the List are no list"),
        (b'{"kind": "List", "kind": "List"}', "the key 'kind' stands twice"),
        (b"kind: List\nkind: List\nitems: []\n", "the key 'kind' stands twice"),
        (b'{"kind": "List", "items": [], "x": NaN}', "NaN is no number"),
        (b'{"a":' * 100_000, "no document of price books"),
        (b"[" * 100_000, "no document of price books"),
        (b"- " * 10_000 + b"a", "no document of price books"),
        (b"a: &a [1]\nb: [*a, *a]\n", "anchors and aliases"),
        (b"!!python/object/apply:os.system [id]\n", "no document of price books"),
        (b'{"kind": "List", "n": ' + b"9" * 10_000 + b"}", "no document of price books"),
    ],
)
def test_a_document_that_is_none_of_price_books_is_refused(document, said):
    with pytest.raises(InvalidAnswer, match=said):
        read_books(document, "https://prices.example/b")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"entries": [{"name": "a", "match": {"gpuModel": "h100"}, "perGpuHour": "-1"}]}, "perGpuHour: '-1'"),
        ({"entries": [{"name": "a", "match": {"gpuModel": "h100"}, "perGpuHour": "NaN"}]}, "perGpuHour: 'NaN'"),
        ({"entries": [{"name": "a", "match": {"gpuModel": "h100"}, "perGpuHour": 2.49}]}, "valid string"),
        ({"entries": [{"name": "a", "match": {}, "perGpuHour": "1"}]}, "an empty match prices every node"),
        ({"entries": BOOK["spec"]["entries"] * 2}, "two are called h100"),
        ({"entries": [{**BOOK["spec"]["entries"][0], "name": f"e{n}"} for n in range(1001)]}, "at most 1000 items"),
        ({"entries": "all"}, "spec.entries"),
        ({"currency": "usd"}, "write an ISO 4217 code"),
        ({"discounts": [{"name": "d", "percent": "100"}]}, "write a percentage"),
        ({"exchangeRates": [{"base": "EUR", "target": "EUR", "rate": "1", "from": "2026-01-01"}]}, "the same currency"),
    ],
)
def test_one_wrong_part_refuses_the_whole_document(change, said):
    document = json.dumps({"kind": "List", "items": [a_book("good"), a_book("bad", **change)]})
    with pytest.raises(InvalidAnswer, match="wrong price books: bad: ") as refused:
        read_books(document.encode(), "https://prices.example/b")
    assert said in str(refused.value)


@pytest.mark.parametrize("name", [None, 5, "", "../x", "A", "a" * 300, {"a": 1}])
def test_a_book_needs_a_name_that_an_object_can_have(name):
    book = a_book()
    book["metadata"] = {"name": name}
    with pytest.raises(InvalidAnswer, match=r"metadata\.name"):
        read_books(json.dumps(book).encode(), "p")


def test_two_books_of_one_name_and_too_many_books_are_refused():
    with pytest.raises(InvalidAnswer, match="two PriceBooks are called published"):
        read_books(yaml.safe_dump_all([a_book(), a_book()]).encode(), "p")
    with pytest.raises(InvalidAnswer, match="51 PriceBooks: at most 50"):
        read_books(yaml.safe_dump_all([a_book(f"b{n}") for n in range(51)]).encode(), "p")


def test_a_publisher_says_nothing_of_labels_owners_and_finalizers():
    book = a_book()
    book["metadata"] |= {"finalizers": ["x"], "labels": {"a": "b"}, "namespace": "kube-system", "ownerReferences": []}
    (read,) = read_books(json.dumps(book).encode(), "p")
    assert read["metadata"] == {"name": "published"}
    assert set(read) == {"apiVersion", "kind", "metadata", "spec"}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_reason(document):
    with pytest.raises(InvalidAnswer):
        read_books(document, "p")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("file:///etc/passwd", "write an address such as"),
        ("ftp://a/b", "write an address such as"),
        ("https://", "write an address such as"),
        ("prices.example/b", "write an address such as"),
        ("http://prices.example/b", "prices without TLS can be changed on the way"),
        ("http://127.0.0.1.evil.example/", "prices without TLS"),
        ("http://localhost.evil.example/", "prices without TLS"),
        ("https://user:secret@prices.example/b", "holds a user or password"),
        ("https://prices.example/b#part", "a part after # is never sent"),
        ("https://prices.example/a b", "write an address such as"),
        ("https://prices.example/\r\nX: y", "write an address such as"),
    ],
)
def test_an_address_that_prices_cannot_be_read_from_is_refused(url, said):
    with pytest.raises(InvalidRequest) as refused:
        PriceFeedConfig(url)
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://a/b", "http://127.0.0.1:80/b", "http://[::1]/b", "http://localhost/b"])
def test_tls_or_the_loopback_are_fine(url):
    assert PriceFeedConfig(url).url == url
    assert PriceFeedConfig("http://prices.example/b", allow_http=True).allow_http


def test_a_token_comes_from_its_file_each_time_and_stands_in_no_message(tmp_path):
    file = tmp_path / "token"
    with publishing(token_file=file) as (publisher, feed, requests):
        publisher.publish(a_book())
        for token in ("first", "second"):
            file.write_text(f"{token}\n")
            feed.read("")
        assert [request.headers["Authorization"] for request in requests] == ["Bearer first", "Bearer second"]
        publisher.status = 403
        with pytest.raises(NotPermitted) as refused:
            feed.read("")
        assert "second" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"two words", b"two\nlines", b"\xff", b"x" * 9000])
def test_a_file_that_holds_no_token_is_told_without_what_it_holds(tmp_path, content):
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(InvalidRequest, match="must hold one token"):
        PriceFeedConfig("https://a/b", token_file=file).token()
    with pytest.raises(InvalidRequest, match="cannot be read"):
        PriceFeedConfig("https://a/b", token_file=Path("/nowhere/token")).token()


def test_the_query_of_the_address_stands_in_no_message():
    with serving(lambda request: request.answer(b"", 500)) as served:
        config = PriceFeedConfig(f"{served.url}/b?key=secret", timeout_s=2)
        with pytest.raises(SourceUnavailable) as refused:
            HttpPriceFeed(config).read("")
    assert "secret" not in str(refused.value)
    assert served.requests[0].query == {"key": "secret"}


def test_a_tag_that_cannot_be_sent_back_is_none():
    document = json.dumps(a_book())
    assert asked(lambda request: request.answer(document, ETag="x" * 300)).version == ""
