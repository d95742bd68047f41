"""Stores of vectors: what they count, and what a search and a million vectors cost."""

from fractions import Fraction

import pytest

from aicost.domain.sampling.counters.growth import Growth
from aicost.domain.serving.declared import DeclaredEngine
from aicost.domain.serving.held import Held
from aicost.domain.serving.measures.counts import Count, Outcome
from aicost.domain.serving.meters import known_engines
from aicost.domain.serving.tallies import Grown, tally
from aicost.domain.serving.unit_costs import MONTH_SECONDS, Spent, unit_costs

SEARCH = "/collections/{name}/points/search"


def grew(name, by, **labels):
    return Grown(name, labels, Growth(float(by), is_whole=True))


def stood(name, vectors, seconds=3_600, **labels):
    return Grown(name, labels, None, Held(float(vectors * seconds), float(seconds)))


def only(*series):
    (one,) = tally(series, generic=known_engines({one.name for one in series})).values()
    return one


def test_qdrant_counts_searches_by_rest_and_by_grpc_and_no_writes():
    one = only(
        grew("rest_responses_total", 700, method="POST", endpoint=SEARCH, status="200"),
        grew(
            "rest_responses_total", 30, method="POST", endpoint="/collections/{name}/points/query/batch", status="200"
        ),
        grew("rest_responses_total", 5, method="POST", endpoint=SEARCH, status="500"),
        grew("rest_responses_total", 900, method="PUT", endpoint="/collections/{name}/points", status="200"),
        grew("grpc_responses_total", 270, endpoint="/qdrant.Points/Search"),
        grew("grpc_responses_total", 90, endpoint="/qdrant.Points/Upsert"),
        stood("collection_vectors", 2_000, collection="a"),
        stood("collection_vectors", 1_000, collection="b"),
        stood("collections_vector_total", 3_000),
    )
    assert one.engines == {"qdrant"}
    assert one.get(Count.SEARCHES) == 1_000
    assert one.outcomes == {Outcome.SUCCESS: 1_000, Outcome.FAILED: 5}
    assert one.get(Count.STORED) == 3_000 * 3_600
    assert one.get(Count.WATCHED) is None


def test_a_response_of_anybody_else_is_no_search():
    assert tally([grew("rest_responses_total", 7, endpoint="/api/search", status="200")]) == {}


def test_milvus_counts_searches_once_and_what_was_written():
    one = only(
        grew("milvus_proxy_req_count", 40, function_name="Search", status="success"),
        grew("milvus_proxy_req_count", 44, function_name="Search", status="total"),
        grew("milvus_proxy_req_count", 4, function_name="Search", status="fail"),
        grew("milvus_proxy_req_count", 10, function_name="HybridSearch", status="success"),
        grew("milvus_proxy_req_count", 99, function_name="Insert", status="success"),
        grew("milvus_proxy_search_vectors_count", 400),
        grew("milvus_proxy_insert_vectors_count", 70),
        grew("milvus_proxy_upsert_vectors_count", 30),
    )
    assert (one.get(Count.SEARCHES), one.get(Count.INSERTED)) == (50, 100)
    assert one.outcomes == {Outcome.SUCCESS: 50, Outcome.FAILED: 4}


def test_weaviate_is_known_by_two_of_its_names_together():
    objects = stood("object_count", 500)
    assert tally([objects]) == {}
    one = only(
        objects,
        stood("vector_index_size", 512),
        grew("queries_durations_ms_count", 60, query_type="get_graphql"),
        grew("batch_objects_processed_total", 25),
    )
    assert (one.get(Count.SEARCHES), one.get(Count.INSERTED), one.get(Count.STORED)) == (60, 25, 500 * 3_600)


@pytest.mark.parametrize("name", ["pg_stat_statements_calls_total", "pg_stat_statements_calls"])
def test_postgres_counts_statements_where_it_is_declared_and_nowhere_else(name):
    series = [grew(name, 12, queryid="1"), grew(name, 8, queryid="2")]
    assert tally(series, generic=known_engines({name})) == {}
    (one,) = tally(series, generic=DeclaredEngine(("a", "b"), "postgres").generic).values()
    assert one.get(Count.SEARCHES) == 20


def test_a_search_and_a_million_vectors_have_a_price():
    did = only(
        grew("rest_responses_total", 1_000, endpoint=SEARCH, status="200"), stood("collection_vectors", 4_000_000)
    )
    costs = unit_costs(Spent(2 * 10**9, None, "USD"), did, None)
    assert costs.per_search == 2 * 10**6
    # $2 an hour for 4 million vectors: $0.50 an hour for a million, $365 a month.
    assert costs.per_stored_month * 10**6 == Fraction(2 * 10**9 * MONTH_SECONDS, 4 * 3_600) == 365 * 10**9
    assert costs.per_inserted is None
