"""Pages of metrics as engines show them: `VllmPage` counts with a clock that the test moves."""

from dataclasses import dataclass, field

from support.http_server import Request

_OTHERS = (
    "# HELP python_gc_objects_collected_total Objects collected during gc",
    "# TYPE python_gc_objects_collected_total counter",
    'python_gc_objects_collected_total{generation="0"} 11234.0',
    "process_resident_memory_bytes 2.1e+09",
)


@dataclass
class VllmPage:
    """One engine: a hundred tokens of prompts and a thousand of answers in each second, an answer and a failure.

    Attributes:
        now_ms: the moment that it shows.
        began_ms: when its counters stood at 0.
        labels: more labels of its counters.
        problem: answers with an error while it is set.
    """

    now_ms: int
    began_ms: int
    model: str = "qwen3"
    labels: dict[str, str] = field(default_factory=dict)
    problem: bool = False

    def respond(self, request: Request) -> None:
        """Answer a scrape."""
        if self.problem:
            request.answer("busy", 503)
        else:
            request.answer(self.text())

    def text(self) -> str:
        """The page."""
        seconds = (self.now_ms - self.began_ms) / 1_000
        more = "".join(f',{name}="{value}"' for name, value in self.labels.items())
        own = f'engine="0",model_name="{self.model}"{more}'
        return "\n".join(
            (
                *_OTHERS,
                "# HELP vllm:prompt_tokens_total Number of prefill tokens processed.",
                "# TYPE vllm:prompt_tokens_total counter",
                f"vllm:prompt_tokens_total{{{own}}} {100 * seconds}",
                f"vllm:prompt_tokens_created{{{own}}} 1.7956e+09",
                f"vllm:generation_tokens_total{{{own}}} {1_000 * seconds}",
                f'vllm:request_success_total{{{own},finished_reason="stop"}} {seconds}',
                f'vllm:request_success_total{{{own},finished_reason="error"}} {seconds}',
                f"vllm:num_requests_running{{{own}}} 4.0",
                f'vllm:e2e_request_latency_seconds_bucket{{{own},le="0.3"}} {seconds}',
                f'vllm:e2e_request_latency_seconds_bucket{{{own},le="1.0"}} {seconds}',
                f'vllm:e2e_request_latency_seconds_bucket{{{own},le="+Inf"}} {2 * seconds}',
                f"vllm:e2e_request_latency_seconds_sum{{{own}}} {3 * seconds}",
                f"vllm:e2e_request_latency_seconds_count{{{own}}} {2 * seconds}",
                "",
            )
        )
