"""A served bundle whose AIWorkload says how it is counted: an engine, a port, a gateway with an alias, and success."""

import json

from support.served import served_bundle

AT_EIGHT = 1_772_438_400
NINE = AT_EIGHT + 3_600
GATE = 'namespace="gate",pod="g-0"'


def workload(telemetry=None, success=None):
    """An AIWorkload that selects the pod of the bundle."""
    spec = {"targetRef": {"apiVersion": "v1", "kind": "Pod", "name": "chat-0"}}
    spec |= {"telemetry": telemetry} if telemetry else {}
    spec |= {"success": success} if success else {}
    metadata = {"name": "chat", "namespace": "search"}
    return {"apiVersion": "aicost.dev/v1alpha1", "kind": "AIWorkload", "metadata": metadata, "spec": spec}


def declared_bundle(folder, *events):
    """The bundle with events of AIWorkloads, a second engine at another port, and a gateway that knows an alias.

    Args:
        folder: where it goes.
        events: moment, type and object of each.
    """
    bundle = served_bundle(folder, model="qwen3")
    told = [{"at": at, "type": change, "object": body} for at, change, body in events]
    with (bundle / "objects.jsonl").open("a") as file:
        file.writelines(f"\n{json.dumps(one)}" for one in told)
    (bundle / "samples" / "more.om").write_text("\n".join([*_lines(), "# EOF", ""]))
    return bundle


def _lines():
    for at in range(NINE - 120, NINE + 3_720, 60):
        grown = at - NINE + 1_000
        side = 'namespace="search",pod="chat-0",instance="10.0.0.1:9000",model_name="qwen3"'
        yield f"sglang:generation_tokens_total{{{side}}} {500 * grown} {at}"
        team = f'{GATE},requested_model="smart",team_alias="growth"'
        yield f"litellm_output_tokens_metric_total{{{team}}} {600 * grown} {at}"
        for status, part in (("200", 3), ("500", 1)):
            answered = f'{GATE},requested_model="smart",status_code="{status}"'
            yield f"litellm_proxy_total_requests_metric_total{{{answered}}} {part * grown / 2} {at}"
