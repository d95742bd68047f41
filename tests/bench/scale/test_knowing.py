"""A process that watches a cluster: how soon it knows all pods, in how much memory, and what it does then."""

import json
import os
import subprocess
import sys

import msgspec
import pytest

from support.benchmark import FULL
from support.builders import make_pod
from support.http_server import serving

AT_ONCE = 500
IDLE_SECONDS = 5
MANAGED = [
    {"manager": "kubelet", "operation": "Update", "fieldsV1": {f"f:field-{i}": {"f:value": {}} for i in range(60)}}
]
"""What the API server sends with each object and nobody reads: as much as the rest of a real pod."""
END = (
    b'{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"100",'
    b'"annotations":{"k8s.io/initial-events-end":"true"}}}}\n'
)
EMPTY = {"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "100"}, "items": []}
MOST_MIB = {10_000: 150, 100_000: 2_048}
READING = "decoding JSON into facts: two fifths; then the HTTP stream, the journal"
PROGRAM = """
import asyncio, json, sys, time
from pathlib import Path
from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.kube.auth.credentials import Credential, FixedCredentials
from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.adapters.kube.client import KubeClient
from aicost.entrypoints.controller.watching import ClusterWatch

def mib():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024, int(status.partition("VmHWM:")[2].split()[0]) / 1024

def now_ms():
    return int(time.time() * 1_000)

async def main(url, folder, idle_s):
    before, _ = mib()
    journal = InventoryJournal(Path(folder) / "inventory", now_ms())
    config = ClusterConfig(server=url, credentials=FixedCredentials(Credential(None)), origin="a test")
    async with KubeClient(config) as client:
        watch = ClusterWatch(client, journal, now_ms, lambda pod: bool(pod.facts.devices))
        wall, processor = time.perf_counter(), time.process_time()
        task = asyncio.create_task(watch.run())
        await watch.synced()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        while journal.flush():
            await asyncio.sleep(1)
        await asyncio.sleep(2)
        idle = time.process_time()
        print(json.dumps("quiet"), flush=True)
        await asyncio.sleep(idle_s)
        idle, (after, most) = (time.process_time() - idle) / idle_s, mib()
        known = len(watch.sighted.pods)
        task.cancel()
    told = dict(known=known, wall=wall, processor=processor, idle=idle, before=before, after=after, most=most)
    print(json.dumps(told), flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
"""


def events(count):
    """What a watch tells that begins with a list of so many pods, made once."""
    return [
        b"".join(
            b'{"type":"ADDED","object":%b}\n' % msgspec.json.encode(manifest(number))
            for number in range(start, min(count, start + AT_ONCE))
        )
        for start in range(0, count, AT_ONCE)
    ]


def manifest(number):
    pod = make_pod(f"team-{number % 50}", f"job-{number}").gpus(number % 2).on(f"node-{number // 16}").running()
    body = pod.label(app=f"app-{number % 200}").manifest()
    body["metadata"]["managedFields"] = MANAGED
    return body


def tell(request, parts):
    """A watch as a server streams it: what is there, that this was all, and then nothing."""
    handler = request.handler
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for part in (*parts, END):
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
    request.hang()


def know(answers, folder):
    """What the process says of itself, and how many requests came while nothing was new."""

    def respond(request):
        if "sendInitialEvents" in request.query:
            tell(request, answers if request.path == "/api/v1/pods" else [])
        else:
            request.answer_json(EMPTY | ({"groups": []} if request.path == "/apis" else {}))

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with serving(respond) as server:
        command = [sys.executable, "-c", PROGRAM, server.url, str(folder), str(IDLE_SECONDS)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert json.loads(process.stdout.readline()) == "quiet"
            asked = len(server.requests)
            told = json.loads(process.stdout.readline())
            return told, len(server.requests) - asked


@pytest.mark.parametrize("count", [10_000, 100_000] if FULL else [2_000])
def test_all_pods_of_a_cluster_are_known_in_little_memory(show, tmp_path, count):
    answers = events(count)
    told, asked = know(answers, tmp_path)
    assert told["known"] == count
    assert asked == 0, "nothing was new, so nothing was asked"
    size = f"{count:,} pods, {sum(map(len, answers)) / 1e6:.0f} MB"
    within = "below 3 s, shown" if count == 10_000 else "shown"
    show(
        "a watch that begins", size, f"{told['wall']:.1f} s, {told['processor']:.1f} s of ours", within, bounds=READING
    )
    memory = f"{told['after']:,.0f} MiB, {told['most']:,.0f} at most"
    show("  memory of the process", f"{told['before']:.0f} MiB before", memory, f"{MOST_MIB.get(count, 150):,} MiB")
    show("  nothing new", f"{IDLE_SECONDS} s", f"{1e3 * told['idle']:.1f} ms of ours a second")
    assert told["most"] < MOST_MIB.get(count, 150)
