"""Learning all pods of a cluster costs the same per pod however many there are."""

import time

import msgspec

from aicost.adapters.kube.auth.credentials import Credential, FixedCredentials
from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.informer import Informer, Scope
from aicost.adapters.kube.seen.decode import decode_pod
from aicost.adapters.kube.wire.resources import PODS
from support.benchmark import FULL, REPEATS, ratio, sizes
from support.builders import T0, make_pod
from support.fake_api.session import running
from support.http_server import serving

PAGE = 500
TOLERANCE = 0.3


def pages(count):
    """The answers to a list of so many pods, each made once: serving them costs nothing that grows."""
    pods = [
        make_pod(f"team-{i % 50}", f"job-{i}").gpus(1).on(f"node-{i // 8}").running().manifest() for i in range(count)
    ]
    found = []
    for start in range(0, count, PAGE):
        rest = max(0, count - start - PAGE)
        metadata = {"resourceVersion": "100", **({"continue": str(start + PAGE)} if rest else {})}
        items = pods[start : start + PAGE]
        found.append(msgspec.json.encode({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items}))
    return found


async def learn(answers, count):
    """List all pods once; the processor time of this thread, which reads and decodes, and the lists asked for."""

    def respond(request):
        if "watch" in request.query:
            request.hang()
        else:
            index = int(request.query.get("continue", 0)) // PAGE
            request.answer(answers[index], Content_Type="application/json")

    told = []
    with serving(respond) as server:
        config = ClusterConfig(server=server.url, credentials=FixedCredentials(Credential(None)), origin="a test")
        async with KubeClient(config) as client:
            informer = Informer(client, Scope(PODS), decode_pod, now_ms=lambda: T0, stream_lists=False)
            began = time.thread_time()
            async with running(informer, told.append):
                spent = time.thread_time() - began
        lists = [one for one in server.requests if "watch" not in one.query]
    assert len(told) == count
    assert {notice.object.facts.phase for notice in told} == {"Running"}
    return spent, len(lists)


async def test_the_first_list_is_linear_in_pods(show):
    seconds = {}
    for count in sizes((500, 2_000), (2_000, 8_000)):
        answers = pages(count)
        runs = [await learn(answers, count) for _ in range(REPEATS if FULL else 1)]
        seconds[count] = min(spent for spent, _ in runs)
        assert {lists for _, lists in runs} == {count // PAGE}
        megabytes = sum(map(len, answers)) / 1e6
        show("informer, first list", f"{count:,} pods", f"{1e6 * seconds[count] / count:,.0f} us per pod")
        show(
            "informer, first list",
            f"{count:,} pods",
            f"{megabytes:.1f} MB, {count // PAGE} pages",
            f"{count // PAGE} pages",
        )
    few, many = seconds
    grown = ratio(seconds[few], seconds[many], many / few)
    show(
        "informer, first list",
        f"{few:,} to {many:,} pods",
        f"processor x {grown:.2f} per pod",
        "up to 1.3" if FULL else "shown",
    )
    assert not FULL or grown < 1 + TOLERANCE
