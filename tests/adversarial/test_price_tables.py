"""Price tables from strangers: each is read, or refused with a reason; none is half read, and none crashes."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.adapters.pricing.tables.importing import TableFormat, import_prices
from aicost.adapters.pricing.tables.offers import BookOptions
from aicost.crd.convert.books import price_book
from aicost.ports.errors import InvalidRequest

HEAD = b"instance_type,price_per_hour,currency\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"\x00\x01PK", "zero bytes"),
        (b"\xff\xfei\x00n\x00", "not UTF-8"),
        (HEAD, "it has no rows"),
        (HEAD + b'"never closed,1,USD\n', "is no CSV"),
        (HEAD + b'a"b"c,"1"x,USD\n', "is no CSV"),
        (b"a,,b\n1,2,3\n", "a column has no name"),
        (b"currency,currency,price_per_hour\n", "two columns are called"),
        (b"price_per_hour,hourly_price,instance_type\n1,2,a\n", "says the same as price_per_hour"),
        (b"colour,size\nred,1\n", "no column of a price is in it"),
        (HEAD + b"a,1" + b"9" * 9000 + b",USD\n", "longer than 8192 characters"),
        (HEAD + b"a" * 300 + b",1,USD\n", "at most 253 characters"),
        (HEAD + "a,\uff11,USD\n".encode(), "write a decimal above zero"),
    ],
)
def test_a_file_that_is_no_table_of_prices_is_refused_with_the_reason(content, said):
    with pytest.raises(InvalidRequest, match=said):
        import_prices(content, BookOptions("x"))


def test_a_file_that_is_too_large_is_refused_before_it_is_read():
    with pytest.raises(InvalidRequest, match="larger than 32 MiB"):
        import_prices(HEAD + b"x" * (32 * 2**20), BookOptions("x"))


def test_a_file_of_too_many_rows_is_refused():
    with pytest.raises(InvalidRequest, match="more than 200000 rows"):
        import_prices(HEAD + b"a,1,USD\n" * 200_001, BookOptions("x"))


def test_details_of_a_bill_that_are_no_json_are_passed_over():
    head = b"BillingCurrency,ChargeCategory,PricingUnit,ContractedUnitPrice,SkuPriceDetails\n"
    for details in (b'"{""a"": "', b'"' + b"{" * 5000 + b'"', b'"[1]"', b'"{""InstanceType"": null}"', b'"{}"'):
        with pytest.raises(InvalidRequest):
            import_prices(head + b"USD,Usage,Hours,1," + details + b"\n", BookOptions("x"))


CELLS = st.one_of(
    st.sampled_from(
        ["", "1", "2.50", "-1", "NaN", "inf", "1e5", "USD", "eur", "spot", "null", "p5", "2026-01-01", "\t"]
    ),
    st.text(max_size=12),
)
NAMES = (
    *("instance_type", "gpu_model", "gpu_count", "price_per_hour", "price_per_gpu_hour", "spot_price_per_hour"),
    *("currency", "from", "to", "capacity_type", "priority", "split", "gpu_share", "list_price", "source", "as_of"),
    *("label:pool", "name"),
)
COLUMNS = st.lists(st.sampled_from(NAMES), unique=True, min_size=1)


@settings(max_examples=300, deadline=None)
@given(COLUMNS, st.data())
def test_whatever_stands_in_the_cells_a_table_gives_valid_books_or_a_reason(columns, data):
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(columns), max_size=len(columns)), max_size=4))
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    try:
        found = import_prices(text.getvalue().encode("utf-8", "replace"), BookOptions("x"), currency="USD")
    except InvalidRequest:
        return
    for book in found.books:
        assert price_book(book).problems == ()
    assert sum(len(book["spec"]["entries"]) for book in found.books) == found.entries


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([None, *TableFormat]))
def test_any_bytes_are_refused_with_a_reason(content, form):
    with pytest.raises(InvalidRequest):
        import_prices(content, BookOptions("x"), form, "USD")
