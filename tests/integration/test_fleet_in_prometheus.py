"""What the simulator says a Prometheus stores is what a real one stores, under both settings of `honor_labels`."""

import json
import shutil
import socket
import subprocess
import time

import pytest
import urllib3

from devcluster.golang import gobuild
from fleet.builders import node, pod
from fleet.clocks import SetClock
from fleet.script import Fleet, SimExporter
from fleet.series import Shape, series, target_labels
from fleet.server import FleetServer
from fleet.spec import parse

NOW = 600_000
CASES = [(dialect, honor) for dialect in ("4.8.3", "fake-operator") for honor in (False, True)]


def fleet_of(dialect, honor, number):
    host = node(f"gpu-{number}", gpus=2, exporters=(SimExporter(dialect, ip=f"127.10.0.{number}", honor_labels=honor),))
    return Fleet((host,), (pod("train", host, activity=parse("0.7")),))


def scrape_job(url, exporter):
    labels = target_labels(exporter)
    name = labels.pop("job") + labels["instance"]
    target = {"targets": [url.split("/")[2]], "labels": labels | {"job": "nvidia-dcgm-exporter"}}
    return {"job_name": name, "honor_labels": exporter.honor_labels, "static_configs": [target]}


@pytest.fixture(scope="module")
def program():
    found = shutil.which("prometheus") or gobuild.cached(gobuild.PROMETHEUS)
    if found is None:
        pytest.skip("no Prometheus here: `python -m devcluster build` makes one")
    return str(found)


@pytest.fixture
def fleets():
    return [fleet_of(dialect, honor, number) for number, (dialect, honor) in enumerate(CASES, start=1)]


@pytest.fixture
def prometheus(program, fleets, tmp_path):
    """A Prometheus that scrapes all fleets each second; its address."""
    whole = Fleet(tuple(f.nodes[0] for f in fleets), tuple(f.pods[0] for f in fleets))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with FleetServer(whole, SetClock(NOW)) as server:
        jobs = [scrape_job(server.urls[host.name][0], host.exporters[0]) for host in whole.nodes]
        config = tmp_path / "prometheus.yml"
        config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}))
        storage = f"--storage.tsdb.path={tmp_path / 'data'}"
        arguments = [program, f"--config.file={config}", storage, f"--web.listen-address={address}"]
        with subprocess.Popen(arguments, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            yield address
            process.terminate()


def stored(address, count):
    """The labels of all series of GPU_UTIL, as soon as there are so many."""
    url = f"http://{address}/api/v1/query?query=DCGM_FI_DEV_GPU_UTIL"
    with urllib3.PoolManager(retries=False) as http:
        for _ in range(200):
            try:
                found = [item["metric"] for item in http.request("GET", url).json()["data"]["result"]]
            except (urllib3.exceptions.HTTPError, ValueError, KeyError):
                found = []
            if len(found) == count:
                return [{name: value for name, value in labels.items() if name != "__name__"} for labels in found]
            time.sleep(0.1)
    raise AssertionError(f"Prometheus has {len(found)} series after 20 s, not {count}")


def in_order(labels):
    return sorted(labels, key=lambda each: sorted(each.items()))


@pytest.mark.cluster
def test_labels_are_stored_as_predicted(prometheus, fleets):
    predicted = [
        sample.labels
        for fleet in fleets
        for sample in series(fleet, NOW, NOW + 1, 1, shape=Shape.PROMETHEUS, meanings=["util"])
    ]
    assert in_order(stored(prometheus, len(predicted))) == in_order(predicted)
