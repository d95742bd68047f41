"""Which pods are asked for the metrics of their engine: at their own address, where somebody says a port."""

import json
from dataclasses import replace

import pytest

from aicost.adapters.kube.seen.decode import decode_pod
from aicost.adapters.kube.seen.engines import Page, engine_targets
from aicost.adapters.kube.seen.values import PortSeen
from support.builders import make_pod

VLLM = "docker.io/vllm/vllm-openai:v0.10"


def pod(name="chat-0", namespace="team-a", ip="10.0.0.7", image=VLLM, gpus=1, **notes):
    made = make_pod(namespace, name).on("n1").runs(image).listens(ip).running()
    made = made.gpus(gpus) if gpus else made
    for key, value in notes.items():
        made = made.annotation(f"prometheus.io/{key}", value)
    return decode_pod(json.dumps(made.manifest()).encode())


def asked(*pods, pages=None, most=100, annotated=True):
    return engine_targets(pods, pages or {}, most, annotated=annotated)


def urls(*pods, **more):
    return [one.url for one in asked(*pods, **more) if not one.refused]


def test_an_aiworkload_says_port_and_path():
    chat = pod()
    (found,) = asked(chat, pages={chat.facts.uid: Page("chat", 8000, "/metrics/")})
    assert (found.url, found.workload, found.pod, found.node) == (
        "http://10.0.0.7:8000/metrics/",
        "chat",
        "chat-0",
        "n1",
    )


def test_an_address_of_the_sixth_version_is_written_as_urls_want_it():
    assert urls(pod(ip="fd00::7", scrape="true", port="8000")) == ["http://[fd00::7]:8000/metrics"]


def test_the_aiworkload_goes_before_the_annotations_of_the_pod():
    chat = pod(scrape="true", port="9000")
    assert urls(chat, pages={chat.facts.uid: Page("chat", 8000)}) == ["http://10.0.0.7:8000/metrics"]
    (found,) = asked(chat, pages={chat.facts.uid: Page("chat")})
    assert (found.url, found.workload) == ("http://10.0.0.7:9000/metrics", "chat")


def test_a_pod_says_so_itself_if_it_holds_a_gpu_or_runs_an_engine_that_is_known():
    told = {"scrape": "true", "port": "8000"}
    assert len(urls(pod(image="x/any:1", **told))) == 1
    assert len(urls(pod(gpus=0, **told))) == 1
    assert urls(pod(image="x/any:1", gpus=0, **told)) == []
    assert urls(pod(**told), annotated=False) == []


@pytest.mark.parametrize(
    "notes",
    [
        {}, {"port": "8000"}, {"scrape": "true"}, {"scrape": "false", "port": "8000"}, {"scrape": "true", "port": "0"},
        {"scrape": "true", "port": "65536"}, {"scrape": "true", "port": "80@evil.example"},
        {"scrape": "true", "port": "٨٠"}, {"scrape": "true", "port": "8" * 5_000},
        {"scrape": "true", "port": "80", "path": "metrics"}, {"scrape": "true", "port": "80", "path": "/m?x=1"},
        {"scrape": "true", "port": "80", "path": "/m\r\nHost: evil"}, {"scrape": "true", "port": "80", "path": "/m#a"},
        {"scrape": "true", "port": "80", "path": "@evil.example/metrics"},
    ],
)  # fmt: skip
def test_annotations_that_make_no_sense_are_none(notes):
    assert asked(pod(**notes)) == []


@pytest.mark.parametrize("ip", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "evil.example", "fe80::1"])
def test_an_address_that_is_none_of_a_pod_is_not_asked_and_told(ip):
    (found,) = asked(pod(ip=ip, scrape="true", port="80"))
    assert "address" in found.refused


def test_in_the_network_of_a_node_only_declared_ports_are_asked():
    seen = replace(pod(scrape="true", port="8000"), host_network=True)
    assert urls(seen) == []
    assert "declares the port 8000" in asked(seen)[0].refused
    assert len(urls(replace(seen, ports=(PortSeen("http", 8000),)))) == 1


def test_pods_that_do_not_run_are_not_asked():
    told = {"scrape": "true", "port": "80"}
    assert asked(pod(ip="", **told)) == []
    ended = decode_pod(
        json.dumps(make_pod("a", "b").gpus(1).on("n1").listens("10.0.0.1").succeeded(5).manifest()).encode()
    )
    assert asked(ended, pages={ended.facts.uid: Page("w", 80)}) == []


def test_beyond_the_bound_those_of_aiworkloads_go_first_and_no_namespace_takes_it_all():
    told = {"scrape": "true", "port": "80"}
    many = [pod(f"p-{at}", "crowd", **told) for at in range(5)]
    one, chat = pod("q-0", "small", **told), pod("z-0", "zoo")
    found = asked(*many, one, chat, pages={chat.facts.uid: Page("chat", 80)}, most=4)
    assert [each.pod for each in found if not each.refused] == ["z-0", "p-0", "q-0", "p-1"]
    assert all("telemetry.scrape.engines.most" in each.refused for each in found[4:])
