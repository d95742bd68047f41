import pytest

from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.normalise import MAX_LENGTH, normalise


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("recs", "recs"),
        ("Recommendation_Engine", "recommendation-engine"),
        ("  Recommendation  Engine ", "recommendation-engine"),
        ("recommendation\u2013engine", "recommendation-engine"),
        ("__ml__platform__", "ml-platform"),
        ("v1.5", "v1.5"),
        ("eng/ml", "eng/ml"),
        ("\uff2d\uff2c", "ml"),
        ("re\u0301sume\u0301", "résumé"),
        ("te\u200bam\x00", "team"),
        ("fine\ttuning\n", "fine-tuning"),
    ],
)
def test_spellings_that_mean_the_same_get_one_form(raw, value):
    assert normalise(Dimension.TEAM, raw) == value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("v1.5", "v15"),
        ("v1.5", "v1-5"),
        ("recs", "récs"),
        ("北京", "上海"),
        ("c", "c++"),
        ("openai", "open-ai"),
        ("team-1", "team1"),
        ("straße", "strasse"),
    ],
)
def test_values_that_differ_in_meaning_stay_apart(one, other):
    assert normalise(Dimension.TEAM, one) != normalise(Dimension.TEAM, other)


@pytest.mark.parametrize("raw", ["", "   ", "--", "._-", "\u200b", "untagged", "Untagged", " UNTAGGED "])
def test_what_says_nothing_is_absent(raw):
    assert normalise(Dimension.TEAM, raw) is None


def test_long_values_that_differ_at_the_end_stay_two():
    first, second = (normalise(Dimension.CUSTOMER, "customer " * 20 + end) for end in ("a", "b"))
    assert first != second
    assert len(first) <= MAX_LENGTH
    assert len(second) <= MAX_LENGTH
    assert first.startswith("customer-customer")


def test_a_value_of_exactly_63_characters_is_left_whole():
    assert normalise(Dimension.TEAM, "A" * 63) == "a" * 63


def test_spellings_of_one_long_value_stay_one():
    assert normalise(Dimension.TEAM, "Some_Team " * 9) == normalise(Dimension.TEAM, "some-team-" * 9)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("Meta-Llama-3.1-70B-Instruct", "meta-llama-3.1-70b-instruct"),
        ("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/llama-3.1-8b-instruct"),
        ("meta-llama--Llama-3.1-8B-Instruct", "meta-llama/llama-3.1-8b-instruct"),
        ("models--meta-llama--Llama-3.1-8B-Instruct", "meta-llama/llama-3.1-8b-instruct"),
        ("qwen2.5:7b", "qwen2.5:7b"),
        ("ggml-org/gemma-3-1b-it-GGUF:Q4_K_M", "ggml-org/gemma-3-1b-it-gguf:q4-k-m"),
    ],
)
def test_a_model_keeps_what_its_name_needs(raw, value):
    assert normalise(Dimension.MODEL, raw) == value


def test_two_dashes_are_a_slash_for_models_alone():
    assert normalise(Dimension.TEAM, "org--name") == "org-name"


def test_two_publishers_of_one_name_are_two_models():
    assert normalise(Dimension.MODEL, "acme/llama-3") != normalise(Dimension.MODEL, "other/llama-3")
