"""Hostile and broken bundles: each error names file, line, field, value and fix; memory and disks stay bounded."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from aicost.__main__ import main
from aicost.adapters.bundle.bundle import open_bundle
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.ports.errors import InvalidRequest
from support.bundles import event, head, write

T = 1_795_600_800_000
SPAN = Window(T, T + HOUR_MS)
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
KEY = 'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-1",Hostname="n"}'
HEAD = head(T, T + HOUR_MS)


@pytest.fixture
def run(capsys):
    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def refusal(run, folder: Path) -> str:
    code, _, err = run("replay", str(folder), "--ledger", str(folder.parent / "ledger"))
    assert code == 2, err
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("error: ")
    return err


def bundle(tmp_path: Path, *, told: str = HEAD, lines: bytes = b"", samples: bytes = b"") -> Path:
    folder = write(tmp_path / "bundle", told, [])
    (folder / "objects.jsonl").write_bytes(lines)
    (folder / "samples/all.om").write_bytes(samples)
    return folder


def line(**more: object) -> bytes:
    return json.dumps({**event(T, NODE), **more}).encode() + b"\n"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (line() + b"{oops\n", ("objects.jsonl:2", "no JSON", "write {")),
        (b"[1]\n", ("objects.jsonl:1", "no event")),
        (b'"\xff"\n', ("objects.jsonl:1", "no JSON")),
        (b"[" * 200_000 + b"\n", ("objects.jsonl:1", "no JSON")),
        (line(type="CREATED"), ("objects.jsonl:1", "type", "CREATED", "ADDED, MODIFIED or DELETED")),
        (line(type=None), ("objects.jsonl:1", "type", "is missing")),
        (line(at="yesterday"), ("objects.jsonl:1", "at", "yesterday", "2026-11-20T10:00:00Z")),
        (line(at="2026-11-25T10:00:00"), ("at", "no time zone")),
        (line(at=1e30), ("at", "write a moment")),
        (line(at=17956008000000000), ("at", "neither seconds nor milliseconds")),
        (line(at=True), ("at", "True")),
        (line(object="pod"), ("object", "as the API server shows it")),
        (line(object={"metadata": {"name": "x"}}), ("object.kind", "is missing")),
        (line(object={"kind": "Pod"}), ("object.metadata.name", "is missing", "the Pod")),
        (line(object={"kind": "Pod", "metadata": {"name": 7}}), ("object.metadata.name", "7")),
        (line(unseenSince="never"), ("unseenSince", "never")),
        (b'{"at":"' + b"x" * (9 << 20), ("objects.jsonl:1", "longer than 8 MiB")),
    ],
)
def test_a_line_that_is_no_event_is_named(run, tmp_path, lines, words):
    said = refusal(run, bundle(tmp_path, lines=lines))
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (f"{KEY} 5\n", ("samples/all.om:1", "has no time", "VALUE TIME")),
        (f"# HELP x y\n\n{KEY} 1 1795600801\n{KEY} 5\n", ("samples/all.om:4", "has no time")),
        (f"{KEY} five 1795600801\n", ("all.om:1", "value 'five' is no number")),
        (f"{KEY} 1_000 1795600801\n", ("all.om:1", "value '1_000' is no number")),
        (f"{KEY} 1 soon\n", ("all.om:1", "time 'soon'")),
        (f"{KEY} 1 nan\n", ("all.om:1", "time 'nan'")),
        (f"{KEY} 1 17956008010000000\n", ("time '17956008010000000'", "neither seconds nor milliseconds")),
        ("<html>\n", ("all.om:1", "is no sample")),
        ('x{a="b} 1 2\n', ("all.om:1", "is no sample")),
        ('x{a="1",a="2"} 1 2\n', ("all.om:1", "labels cannot be read")),
        ("x{a=b} 1 2\n", ("all.om:1", "labels cannot be read")),
        ("\udcff\udcfe 1 2\n", ("all.om:1", "is no sample")),
        (f"{KEY} 1 2 3 4\n", ("all.om:1", "is no sample")),
        ("x" * (3 << 20), ("all.om:1", "longer than 1 MiB")),
    ],
)
def test_a_line_that_is_no_sample_is_named(run, tmp_path, samples, words):
    said = refusal(run, bundle(tmp_path, samples=samples.encode(errors="surrogateescape")))
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("", ("bundle.yaml", "no fields")),
        ("{", ("bundle.yaml", "no YAML")),
        ("- 1\n", ("bundle.yaml", "no fields")),
        ("!!python/object/apply:os.system ['true']", ("bundle.yaml", "no fields")),
        ("cluster: c\n", ("bundle.yaml", "window.from", "is missing")),
        (head(T, T + 1).replace('"c1"', '""'), ("cluster", "--cluster")),
        (head(T + 1, T), ("window", "ends before it begins")),
        (head(T, T), ("window", "ends before it begins")),
        (head(0, T), ("window", "400 days")),
        (head(T, T + 1, formatVersion=2), ("formatVersion", "'2'", "reads version 1")),
        (head(T, T + 1, scrapeInterval="-5s"), ("scrapeInterval", "'-5s'", "30s")),
        (head(T, T + 1, scrapeInterval=0), ("scrapeInterval", "'0'", "30s")),
        (head(T, T + 1, windowLength="7h"), ("windowLength", "'7h'", "1h or 15m")),
        (head(T, T + 1, dialect="klingon"), ("dialect", "'klingon'", "4.8.3")),
        (head(T, T + 1, window={"from": "noon", "to": "2026-11-25T12:00:00Z"}), ("window.from", "'noon'")),
        (head(T, T + 1, window="today"), ("window.from", "is missing")),
        ("x: " + "y" * (2 << 20), ("bundle.yaml", "1 MiB")),
    ],
)
def test_a_head_that_makes_no_sense_is_told_by_field_value_and_fix(run, tmp_path, told, words):
    said = refusal(run, bundle(tmp_path, told=told))
    assert all(word in said for word in words), said


def test_aliases_that_grow_without_end_are_no_trouble(run, tmp_path):
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))
    said = refusal(run, bundle(tmp_path, told=f"a0: &a0 [lol]\n{levels}\n"))
    assert "cluster" in said


def test_a_place_without_a_bundle_is_told(run, tmp_path):
    assert "is not there" in refusal(run, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "holds no bundle.yaml" in refusal(run, tmp_path / "empty")
    (tmp_path / "file").write_text("x")
    assert "neither a directory nor a tar file" in refusal(run, tmp_path / "file")


def packed(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, target
    return found


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "/etc/passwd", "samples/../../x.om"])
def test_names_that_lead_out_of_an_archive_are_refused(run, tmp_path, name):
    archive = packed(tmp_path / "b.tar.gz", (member("bundle.yaml"), HEAD.encode()), (member(name), b"x"))
    assert "leads out of it" in refusal(run, archive)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_an_archive_are_refused(run, tmp_path, kind):
    evil = member("samples/x.om", kind, "/etc/passwd")
    archive = packed(tmp_path / "b.tar.gz", (member("bundle.yaml"), HEAD.encode()), (evil, b""))
    assert "a link or a device" in refusal(run, archive)


def test_a_link_out_of_a_directory_is_refused(run, tmp_path):
    folder = bundle(tmp_path)
    (tmp_path / "secret").write_text("top secret")
    (folder / "samples/x.om").symlink_to(tmp_path / "secret")
    said = refusal(run, folder)
    assert "leads out of the bundle" in said
    assert "top secret" not in said


def test_an_archive_is_read_without_a_trace_on_the_disk(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = packed(
        tmp_path / "b.tar.gz",
        (member("made/bundle.yaml"), HEAD.encode()),
        (member("made/objects.jsonl"), line()),
        (member("made/samples/a.om"), f"{KEY} 1 1795600801\n".encode()),
        (member("made/README"), b"hello"),
    )
    code, out, err = run("replay", str(archive), "--ledger", str(tmp_path / "ledger"))
    assert code == 0, err
    assert "1 sample\n" in out
    assert "README is no part of a bundle" in out
    assert {path.name for path in tmp_path.iterdir()} == {"b.tar.gz", "ledger"}


@pytest.mark.parametrize("name", ["objects.jsonl", "samples/all.om"])
def test_a_file_that_swells_beyond_all_measure_is_refused(run, tmp_path, name):
    folder = bundle(tmp_path)
    (folder / name).unlink()
    with gzip.open(folder / f"{name}.gz", "wb", 9) as file:
        for _ in range(200):
            file.write((b" " * 1023 + b"\n") * 1024)
    said = refusal(run, folder)
    assert f"{name}.gz" in said
    assert "400 times" in said


@pytest.mark.parametrize("content", [b"", b"not gzip at all", gzip.compress(b"x" * 5000, mtime=0)[:-20]])
def test_a_packed_file_that_is_broken_is_named(run, tmp_path, content):
    folder = bundle(tmp_path)
    (folder / "samples/more.om.gz").write_bytes(content)
    if content:
        assert "samples/more.om.gz: cannot be read" in refusal(run, folder) or "no sample" in refusal(run, folder)
    else:
        assert run("replay", str(folder), "--ledger", str(tmp_path / "l"))[0] == 0


def test_one_object_too_odd_to_read_is_passed_over_and_told_with_its_line(run, tmp_path):
    odd = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "a"}, "status": {"phase": "Odd"}}
    folder = bundle(tmp_path, lines=line() + json.dumps(event(T, odd)).encode() + b"\n")
    code, out, _ = run("replay", str(folder), "--ledger", str(tmp_path / "ledger"))
    assert code == 0
    assert "objects.jsonl:2: Pod a/p: status.phase is 'Odd'" in " ".join(out.split())


def test_a_node_of_a_name_that_is_no_name_hurts_nothing(run, tmp_path):
    odd = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "\u202e\x1b[2J" + "n" * 5000}}
    folder = bundle(tmp_path, lines=json.dumps(event(T, odd)).encode() + b"\n")
    code, out, _ = run("replay", str(folder), "--ledger", str(tmp_path / "ledger"))
    assert code == 0
    assert "\x1b[2J" not in out


def read_all(folder: Path) -> dict[str, list[tuple[int, float]]]:
    with open_bundle(str(folder)) as found:
        every = found.samples(lambda _: None).samples(SPAN)
    return {json.dumps(one.labels): list(zip(one.at_ms.tolist(), one.value.tolist(), strict=True)) for one in every}


def test_all_that_openmetrics_allows_is_read(tmp_path):
    text = (
        '# TYPE x gauge\n# UNIT x ratio\n# HELP DCGM_FI_DEV_GPU_UTIL in "%" \\\\ and \\n more\n'
        'DCGM_FI_DEV_GPU_UTIL{UUID="G\\"1\\\\\\n",} 1 1795600801.5 # {trace_id="a # b"} 0.5 1.25\r\n'
        '  DCGM_FI_DEV_GPU_UTIL {UUID = "G # {2}" , pod="a b"}\t+2.5e0   1795600802000\n'
        'DCGM_FI_DEV_GPU_UTIL{UUID="G3",pod=""} NaN 1795600803\n'
        'DCGM_FI_DEV_GPU_UTIL{pod="",UUID="G3"} .5 1795600803.001\n'
        "unknown_total 5 1795600803\n# EOF\n\n"
    )
    found = read_all(bundle(tmp_path, samples=text.encode()))
    assert found[json.dumps({"UUID": 'G"1\\\n'})] == [(1795600801500, 1.0)]
    assert found[json.dumps({"UUID": "G # {2}", "pod": "a b"})] == [(1795600802000, 2.5)]
    (nan, half) = found[json.dumps({"UUID": "G3"})]
    assert nan[1] != nan[1]
    assert half == (1795600803001, 0.5)


@pytest.mark.parametrize("packed", [False, True])
def test_a_mark_of_the_byte_order_before_samples_is_read_over_as_in_the_other_files(tmp_path, packed):
    """Editors and shells of Windows write one before each text."""
    folder = bundle(tmp_path, told="\ufeff" + HEAD, lines=b"\xef\xbb\xbf" + line())
    (folder / "samples/all.om").unlink()
    text = b"\xef\xbb\xbf" + f"{KEY} 50 1795600801\r\n".encode()
    (folder / f"samples/marked.om{'.gz' * packed}").write_bytes(gzip.compress(text) if packed else text)
    (samples,) = read_all(folder).values()
    assert samples == [(1795600801000, 50.0)]


def test_an_error_never_shows_more_than_the_start_of_a_line(tmp_path):
    folder = bundle(tmp_path, samples=(f"{KEY} x 1795600801 " + "s" * 900_000 + "\n").encode())
    with pytest.raises(InvalidRequest) as caught, open_bundle(str(folder)) as found:
        found.samples(lambda _: None)
    assert len(str(caught.value)) < 600
