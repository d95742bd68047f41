"""Unit costs follow the word that AIWorkloads declare: kept with counts, the same live, of a part as of all."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.documents.unit_report import read_back, written
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.serving.counted import CountRow, Kind, RowSums, WindowCounts, rows_of, rules_of
from aicost.domain.serving.declared import DeclaredEngine
from aicost.domain.serving.outcomes.assigning import Subject
from aicost.domain.serving.outcomes.judged import FinishReason, JudgedBy, Verdict
from aicost.domain.serving.outcomes.rules import ENGINE_RULE, SuccessRule
from aicost.domain.serving.pipelines.fronts import NO_FRONT, Front
from aicost.ports.measured.successes import SuccessQuery
from aicost.usecases.economics.cost_units import Live, UnitQuestion, cost_of, read_counted, read_now
from aicost.usecases.economics.count_window import Said
from aicost.usecases.economics.keep_counts import KeepCounts
from aicost.usecases.economics.outcomes.judging import Judging
from support.engines import Scripted, seconds
from support.fakes.counts import MemoryCounts
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, hour, make_holder, make_posting, make_row

GATEWAY, OUTCOMES = SuccessRule(JudgedBy.GATEWAY), SuccessRule(JudgedBy.OUTCOMES)
ENDS = SuccessRule(JudgedBy.ENGINE, frozenset({FinishReason.STOP, FinishReason.LENGTH}))
NAMES = (("search", "chat"), ("shop", "chat"))
SPAN = Window(hour(0).start_ms, hour(2).end_ms)
QUESTION = UnitQuestion(("namespace",), tenants=Dimension.TEAM, rounds=True)


class Asked:
    """Answers queries of AIWorkloads (port `SuccessCounts`)."""

    def judged(self, queries, _span):
        return {one.key: [Verdict("", True, 30), Verdict("bad", False, 10)] for one in queries}


def money():
    ledger = MemoryLedger()
    for at in range(3):
        holders = [replace(make_holder(namespace, "chat-0"), workload=name) for namespace, name in NAMES]
        rows = [make_row(10**9, holder=one, device=one.namespace, window=hour(at)) for one in holders]
        ledger.post(make_posting(*rows, window=hour(at)))
    return ledger.snapshot()


def counters(share=2.0):
    """Two engines that serve one model, one of them twice as much; a gateway counts the answers of both."""
    gate = {"namespace": "gate", "pod": "g-0", "requested_model": "m"}
    for namespace, each in (("search", 2.0), ("shop", 1.0)):
        pod = {"namespace": namespace, "pod": "chat-0", "model_name": "m"}
        yield "vllm:generation_tokens_total", pod, lambda at, each=each: each * 100 * seconds(at), 0, 10**15
        for reason, part in (("stop", 3), ("length", 1)):
            told = {**pod, "finished_reason": reason}
            yield "vllm:request_success_total", told, lambda at, n=each * part: n * seconds(at), 0, 10**15
    for status, part in (("200", 9), ("500", 3)):
        told = {**gate, "status_code": status}
        yield "litellm_proxy_total_requests_metric_total", told, lambda at, n=part: n * seconds(at), 0, 10**15
    team = {**gate, "model": "m", "team_alias": "growth"}
    yield "litellm_output_tokens_metric_total", team, lambda at: share * 50 * seconds(at), 0, 10**15


def said(rules, fronts=(NO_FRONT, NO_FRONT)):
    engines = {
        name: DeclaredEngine(name, "vllm", None, front, rule)
        for name, rule, front in zip(NAMES, rules, fronts, strict=True)
    }
    queries = [
        SuccessQuery(*name, "good_total") for name, rule in zip(NAMES, rules, strict=True)
        if rule and rule.source is JudgedBy.QUERY
    ]  # fmt: skip
    return Said((), engines, queries)


def ways(told, engines, question=QUESTION):
    """What was kept, and what is read now."""
    reader, store = money(), MemoryCounts()
    list(KeepCounts(CLUSTER, store, reader, engines, successes=Asked())(told))
    yield reader, read_counted(reader, store, SPAN, question.tenants, cluster=CLUSTER, rounds=question.rounds)
    live = Live(engines, lambda _: told, Asked())
    yield reader, read_now(reader, live, SPAN, question.tenants, cluster=CLUSTER, rounds=question.rounds)


def followed(told, engines, question=QUESTION, posted=()):
    """The report by declared words, held to be the same whether it was kept or is read now."""
    reports = [
        Judging(
            reader, CLUSTER, counted, cost_of(reader, counted, SPAN, question, cluster=CLUSTER), question,
            lambda _: dict(posted),
        ).declared()
        for reader, counted in ways(told, engines, question)
    ]  # fmt: skip
    assert reports[0] == reports[1]
    assert read_back(written(reports[0])) == reports[0]
    return {line.keys[0]: line for line in reports[0].lines}


RULES = st.sampled_from([None, ENGINE_RULE, ENDS, GATEWAY, OUTCOMES, SuccessRule(JudgedBy.QUERY)])
FRONTS = st.builds(Front, st.sampled_from(["", "litellm", "kong"]), st.frozensets(st.sampled_from(["smart", "m"])))


@given(rules=st.tuples(RULES, RULES), fronts=st.tuples(FRONTS, FRONTS), share=st.floats(0, 5))
def test_what_is_read_now_is_what_is_kept_whatever_is_declared(rules, fronts, share):
    for line in followed(said(rules, fronts), Scripted(*counters(share))).values():
        assert sum(one.cost_nanos for one in line.tenancy.shares) in {0, line.costs.spent.cost_nanos}


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.builds(
            SuccessRule,
            st.sampled_from(JudgedBy),
            st.frozensets(st.sampled_from(FinishReason), min_size=1),
            st.lists(st.sampled_from(["200", "2xx", "429"]), min_size=1, unique=True).map(sorted).map(tuple),
        ),
    )
)
def test_a_rule_is_kept_as_it_was_declared(rules):
    counts = WindowCounts(hour(0), answers={("litellm", "m", "200"): 1}, rules=rules)
    assert rules_of(rows_of(counts)) == rules
    assert rows_of(replace(counts, answers={})) == ()


def test_a_source_of_a_later_version_is_passed_over():
    row = CountRow(Kind.WORKLOAD, "success-by", 1, "end:stop", "oracle", "search", workload="chat")
    assert rules_of([row]) == {}
    assert rules_of([replace(row, source="engine", part="end:whatever")]) == {
        ("search", "chat"): SuccessRule(JudgedBy.ENGINE, frozenset(), ())
    }


def test_rows_of_windows_add_up():
    row, sums = CountRow(Kind.ENGINE, "requests", 2, "success", pod="a"), RowSums()
    sums.add([row, replace(row, pod="b")])
    sums.add([replace(row, value=3, at_least=True)])
    assert sums.rows == (replace(row, value=5, at_least=True), replace(row, pod="b"))


def test_each_line_takes_the_word_of_its_own_aiworkload():
    found = followed(said((GATEWAY, None)), Scripted(*counters()))
    # The gateway counted 12 answers a second, 8 of them for the engine that served two thirds: a quarter failed.
    assert (found["search"].success_by, found["search"].costs.waste) == (JudgedBy.GATEWAY, Fraction(1, 4))
    assert sum(one.verdict.requests for one in found["search"].word.outcomes.lines) == 3 * 3_600 * 8
    assert (found["shop"].word, found["shop"].success_by) == (None, JudgedBy.ENGINE)
    assert found["shop"].costs.waste == Fraction(1, 4)


@pytest.mark.parametrize("rule", [GATEWAY, OUTCOMES])
def test_a_part_of_the_cluster_is_judged_as_it_is_in_the_whole(rule):
    posted = {Subject("", model="m"): [Verdict("", True, 600), Verdict("bad", False, 300)]}
    whole = followed(said((rule, rule)), Scripted(*counters()), posted=posted)
    question = replace(QUESTION, filters={"namespace": ("search",)})
    part = followed(said((rule, rule)), Scripted(*counters()), question, posted=posted)
    assert part == {"search": whole["search"]}
    assert whole["search"].word.outcomes.lines


def test_words_of_an_engine_are_those_that_were_declared():
    found = followed(said((ENDS, ENGINE_RULE)), Scripted(*counters()))
    assert (found["search"].costs.waste, found["shop"].costs.waste) == (0, Fraction(1, 4))


def test_a_query_of_its_own_and_statements_are_taken_where_they_are_named():
    posted = {Subject("shop", "chat"): [Verdict("", True, 50), Verdict("bad", False, 50)]}
    rules = (SuccessRule(JudgedBy.QUERY), OUTCOMES)
    found = followed(said(rules), Scripted(*counters()), posted=posted)
    assert [found[name].costs.waste for name in ("search", "shop")] == [Fraction(1, 4), Fraction(1, 2)]
    silent = followed(said(rules), Scripted(*counters()))["shop"]
    assert (silent.success_by, silent.word.outcomes, silent.costs.per_success) == (JudgedBy.OUTCOMES, None, None)


def test_a_line_of_several_words_is_the_engines_and_says_so():
    (line,) = followed(said((GATEWAY, OUTCOMES)), Scripted(*counters()), UnitQuestion(("cluster",))).values()
    assert (line.word.mixed, line.success_by, line.costs.waste) == (True, JudgedBy.ENGINE, Fraction(1, 4))


def test_a_person_may_ask_another_and_the_engine_has_its_own_word_back():
    told, engines = said((GATEWAY, None)), Scripted(*counters())
    reader, counted = next(ways(told, engines))
    plain = cost_of(reader, counted, SPAN, QUESTION, cluster=CLUSTER)
    judging = Judging(reader, CLUSTER, counted, plain, QUESTION, lambda _: {})
    followed_now = replace(judging, report=judging.declared())
    assert [one.costs for one in followed_now.by(JudgedBy.ENGINE).lines] == [one.costs for one in plain.lines]
    assert [one.source for one in judging.by(None).lines] == [JudgedBy.GATEWAY, JudgedBy.ENGINE]
