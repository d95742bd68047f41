"""The file in which the last audit lies between the controller and the query API."""

import json
import threading

import pytest

from aicost.adapters.audits import NAME, AuditFile
from aicost.ports.errors import LedgerUnavailable
from support.coverage import audit, missing, seen

OBJECTS = (seen("chat", lacks=("team",), problems=(missing("team"),)), seen("日本", owner="jo"))


def test_what_was_put_is_what_is_read(tmp_path):
    looked = audit(*OBJECTS, unread=("may not list rayjobs",))
    AuditFile(tmp_path / "ledger").put(looked, "cluster-1")
    reader = AuditFile(tmp_path / "ledger")
    assert reader.latest("cluster-1").audit == looked
    assert reader.latest().audit == looked
    assert reader.latest().audit is reader.latest().audit, "a file that did not change is read once"


def test_a_reader_sees_the_next_audit(tmp_path):
    reader, writer = AuditFile(tmp_path), AuditFile(tmp_path)
    assert "has not looked at them yet" in reader.latest().why_none
    writer.put(audit(), "c")
    assert reader.latest().audit.objects == ()
    writer.put(audit(*OBJECTS), "c")
    assert len(reader.latest().audit.objects) == 2


def test_the_audit_of_another_cluster_is_nobodys_business_here(tmp_path):
    AuditFile(tmp_path).put(audit(*OBJECTS), "theirs")
    found = AuditFile(tmp_path).latest("ours")
    assert found.audit is None
    assert "another cluster, theirs" in found.why_none


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'{"version": 1}', b"\xff\xfe", b"[" * 100_000,
        b'{"version": 1, "cluster": "c", "audit": {"at_ms": "noon"}}',
        b'{"version": 2, "cluster": "c", "audit": {}}',
    ],
    ids=lambda body: body[:20],
)  # fmt: skip
def test_a_file_that_cannot_be_understood_is_no_audit_and_says_so(tmp_path, body):
    (tmp_path / NAME).write_bytes(body)
    found = AuditFile(tmp_path).latest()
    assert found.audit is None
    assert "wait for the next audit" in found.why_none


def test_a_place_that_cannot_be_written_is_told_with_its_name(tmp_path):
    (tmp_path / "ledger").write_text("a file")
    with pytest.raises(LedgerUnavailable, match="label-audit"):
        AuditFile(tmp_path / "ledger").put(audit(), "c")


def test_readers_never_see_half_an_audit(tmp_path):
    writer, seen_sizes, stop = AuditFile(tmp_path), set(), threading.Event()
    small, large = audit(), audit(*(seen(f"x-{number}") for number in range(200)))
    writer.put(small, "c")

    def read():
        while not stop.is_set():
            found = AuditFile(tmp_path).latest()
            seen_sizes.add(len(found.audit.objects) if found.audit else found.why_none)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(15):
        writer.put(large, "c")
        writer.put(small, "c")
    stop.set()
    reader.join()
    assert seen_sizes <= {0, 200}
    assert json.loads((tmp_path / NAME).read_text())["version"] == 1
