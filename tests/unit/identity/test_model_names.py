import pytest

from aicost.domain.identity.model_names import model_name


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
        ("gpt2", "gpt2"),
        ("qwen2.5:7b", "qwen2.5:7b"),
        ("hf://meta-llama/Llama-2-7b-chat-hf", "meta-llama/Llama-2-7b-chat-hf"),
        ("/models/deepseek-coder-6.7b-instruct", "deepseek-coder-6.7b-instruct"),
        ("/models/llama-3-8b/", "llama-3-8b"),
        ("/models/llama-3-8b/1", "llama-3-8b"),
        ("/models/llama-3-8b/model.safetensors", "llama-3-8b"),
        ("/models/llama-3.1-8b.Q4_K_M.gguf", "llama-3.1-8b.Q4_K_M"),
        ("./llama-3-8b", "llama-3-8b"),
        ("models/llama-3-8b", "llama-3-8b"),
        ("~/llama-3-8b", "llama-3-8b"),
        ("s3://bucket/team/llama-3-8b/", "llama-3-8b"),
        ("gs://bucket/llama-3-8b/v2", "llama-3-8b"),
        (
            "/var/cache/huggingface/hub/models--meta-llama--Llama-3.1-8B/snapshots/0e9e39f249a16976918f6564b8830bc894c89659",
            "meta-llama/Llama-3.1-8B",
        ),
        ("llama-v1.2", "llama-v1.2"),
    ],
)
def test_the_name_is_what_tells_one_model_from_another(value, name):
    assert model_name(value) == name


@pytest.mark.parametrize(
    "value",
    [
        *("", "/", "/mnt/models", "/mnt/models/", "/model", "/data/1", "s3://bucket", "gs://bucket/"),
        *("$MODEL", "$(MODEL_ID)", "${M}", "{{ .Values.model }}", "two words", "--port", "*", "x" * 300, "model\x00"),
    ],
)
def test_what_does_not_tell_which_model_is_none(value):
    assert model_name(value) is None
