import pytest

from aicost.domain.identity.commands import base_name, commands_of


def scripted(script):
    """The statements of a script, without the command line that holds it."""
    return list(commands_of(["/bin/sh", "-c", script]))[1:]


def test_a_plain_command_line_is_one_command():
    assert list(commands_of(["vllm", "serve", "a model"])) == [("vllm", "serve", "a model")]
    assert list(commands_of([])) == []


@pytest.mark.parametrize(
    "shell", [["sh", "-c"], ["/bin/bash", "-lc"], ["bash", "-c", "--"], ["env", "A=b", "zsh", "-c"]]
)
def test_the_script_of_a_shell_is_read(shell):
    assert list(commands_of([*shell, "cd /app; exec vllm serve x"]))[1:] == [
        ("cd", "/app"),
        ("exec", "vllm", "serve", "x"),
    ]


@pytest.mark.parametrize(
    ("script", "statements"),
    [
        ("a b && c || d | e & f", [("a", "b"), ("c",), ("d",), ("e",), ("f",)]),
        ("vllm serve x \\\n  --port 1", [("vllm", "serve", "x", "--port", "1")]),
        ("# vllm serve old\nvllm serve new", [("vllm", "serve", "new")]),
        ("run --template 'a; b' --x \"c d\"", [("run", "--template", "a; b", "--x", "c d")]),
        ("run --size $(SIZE) --model m", [("run", "--size", "$(SIZE)", "--model", "m")]),
        ("run --say 'it is open", [("run", "--say", "'it", "is", "open")]),
        ("   ", []),
    ],
)
def test_a_script_is_taken_apart_as_a_shell_would(script, statements):
    assert scripted(script) == statements


def test_a_program_is_known_without_its_folder():
    assert base_name("/opt/venv/bin/vllm") == base_name("vllm") == "vllm"
