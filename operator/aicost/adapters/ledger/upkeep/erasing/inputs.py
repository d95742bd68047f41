"""Kept inputs that name a customer, written anew without it.

Parts are found by the digest of their content, and the ledger holds a number of it. So a part that changes gets another
digest, the lists of the parts that rest on it change with it, and the ledger is told the new numbers.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from aicost.adapters.ledger.beside.table import TableBeside
from aicost.adapters.ledger.inputs.codec import check_fields, decode, encode, known_fields
from aicost.adapters.ledger.inputs.manifest import (
    Manifest,
    anchor_of,
    content_digest,
    digest_of,
    read_back,
    written,
)
from aicost.adapters.ledger.inputs.parts import CLAIMS, CLUSTER, FACTS, POLICIES, WINDOW, FactsPart
from aicost.adapters.ledger.inputs.table import INPUTS, MANIFEST, SCHEMA, compressed, expanded
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.postings import Posted
from aicost.adapters.ledger.queries import literal
from aicost.adapters.ledger.schema import window_of
from aicost.domain.attribution.window import WindowInput
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.ledger.erasing import Erasure
from aicost.domain.policy.policies import LabelPolicy
from aicost.ports.errors import InputsDamaged

_TABLE = INPUTS.name
_IDENTITY = ("cluster", "part", "window_start", "window_end", "revision", "digest")
_Stored = dict[str, Any]


@dataclass(slots=True)
class WrittenInputs:
    """The inputs of one day without the customer.

    Attributes:
        stays, new: rows of the table.
        gone: digests of those that new ones replace.
        changed: parts that named the customer.
        anchors: cluster -> posting -> number of its inputs before and now.
    """

    stays: list[_Stored] = field(default_factory=list)
    new: list[_Stored] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    changed: int = 0
    anchors: dict[str, dict[Posted, dict[int, int]]] = field(default_factory=dict)

    def added(self) -> pa.Table:
        """What is not there yet."""
        there = {_identity(one) for one in self.stays}
        return _rows(one for one in self.new if _identity(one) not in there)


@dataclass(frozen=True)
class CustomerInputs:
    """The inputs of one version of the table, of one cluster or of all."""

    place: LedgerPlace
    table: DeltaTable
    cluster: str | None = None

    def policies(self) -> list[LabelPolicy]:
        """All policies of all times: they say which labels mean a customer, and who has several names."""
        found: dict[str, tuple[LabelPolicy, ...]] = {}
        for one in self._ask(f"SELECT digest, size, data FROM {_TABLE} WHERE part = {literal(POLICIES)}"):  # noqa: S608
            if one["digest"] not in found:
                found[one["digest"]] = decode(_body(one), tuple[LabelPolicy, ...])
        return [policy for policies in found.values() for policy in policies]

    def days(self) -> list[str]:
        """Days with inputs."""
        return sorted({str(one["date"]) for one in self.table.partitions()})

    def written(self, day: str, what: Erasure) -> WrittenInputs:
        """A day without the customer.

        Raises:
            InputsDamaged: they are not what was kept, or a newer aicost wrote them.
        """
        stored = self._ask(f"SELECT * FROM {_TABLE} WHERE date = DATE '{day}'")  # noqa: S608
        done, digests = WrittenInputs(), dict[tuple[str, str], str]()
        lists: list[_Stored] = []
        for one in stored:
            if one["part"] == MANIFEST:
                lists.append(one)
                continue
            again = self._part(one, what)
            if again is None:
                done.stays.append(one)
                continue
            done.changed += 1
            done.gone.add(one["digest"])
            digests[one["cluster"], one["digest"]] = again["digest"]
            done.new.append(again)
        for one in lists:
            _relist(one, digests, done)
        return done

    def _part(self, one: _Stored, what: Erasure) -> _Stored | None:
        """A part without the customer; None where it stays as it is."""
        if self.cluster not in {None, one["cluster"]} or not _may_name(one["part"]):
            return None
        body = _body(one)
        again = erased_part(one["part"], body, what)
        if again is None:
            return None
        if digest_of(body) != one["digest"]:
            raise InputsDamaged(f"part {one['part']!r} of {_name(one)} is not what was kept. {_RESTORE}")
        return {**one, "digest": digest_of(again), "size": len(again), "data": compressed(again)}

    def _ask(self, query: str) -> list[_Stored]:
        return TableBeside(INPUTS, self.place).records(self.table, query)


_RESTORE = "To fix: restore the ledger's folder `inputs` from its backup, or let retention drop the day"


def erased_part(part: str, body: bytes, what: Erasure) -> bytes | None:
    """The content of a part without the customer; None where nothing in it names one."""
    before, after = _read(part, body, what)
    return None if after == before else encode(after)


def _read(part: str, body: bytes, what: Erasure) -> tuple[object, object]:
    """What a part says, and what it says without the customer."""
    names, labels = what.customers, what.labels
    if part == POLICIES:
        policies = decode(body, tuple[LabelPolicy, ...])
        return policies, tuple(names.policy(one, labels) for one in policies)
    if part == CLAIMS:
        claims = decode(body, tuple[WorkloadClaim, ...])
        return claims, tuple(names.claim(one, labels) for one in claims)
    if part == CLUSTER:
        cluster = decode(body, ClusterFacts)
        return cluster, names.surroundings(cluster, labels)
    if part == WINDOW:
        frame = decode(body, WindowInput)
        pods = tuple(replace(one, facts=names.pod(one.facts, labels)) for one in frame.facts.pods)
        same = pods == frame.facts.pods
        return (None, None) if same else (None, replace(frame, facts=replace(frame.facts, pods=pods)))
    facts = decode(body, FactsPart)
    return facts, replace(facts, pods=tuple(names.pod(pod, labels) for pod in facts.pods))


def _may_name(part: str) -> bool:
    return part in {WINDOW, CLUSTER, CLAIMS, POLICIES} or part.startswith(FACTS)


def _relist(one: _Stored, digests: dict[tuple[str, str], str], done: WrittenInputs) -> None:
    """The list of a posting's parts with their new digests."""
    manifest = read_back(_body(one), _name(one))
    if not any((one["cluster"], ref.digest) in digests for ref in manifest.parts.values()):
        done.stays.append(one)
        return
    check_fields(manifest.fields, manifest.software)
    if content_digest(manifest) != one["digest"]:
        raise InputsDamaged(f"the list of inputs of {_name(one)} is not what was kept. {_RESTORE}")
    again = _with(manifest, one["cluster"], digests)
    body, digest = written(again), content_digest(again)
    done.gone.add(one["digest"])
    done.new.append({**one, "digest": digest, "size": len(body), "data": compressed(body)})
    posted = window_of(one), one["revision"]
    numbers = done.anchors.setdefault(one["cluster"], {}).setdefault(posted, {})
    numbers[anchor_of(one["digest"])] = anchor_of(digest)


def _with(manifest: Manifest, cluster: str, digests: dict[tuple[str, str], str]) -> Manifest:
    parts = {
        name: replace(ref, digest=digests.get((cluster, ref.digest), ref.digest))
        for name, ref in manifest.parts.items()
    }
    return replace(manifest, parts=parts, fields=known_fields())


def _body(one: _Stored) -> bytes:
    return expanded(one["data"], one["size"])


def _name(one: _Stored) -> str:
    return f"window {window_of(one)}, revision {one['revision']}"


def _identity(one: _Stored) -> tuple[Any, ...]:
    return tuple(one[name] for name in _IDENTITY)


def _rows(stored: Iterable[_Stored]) -> pa.Table:
    ordered = sorted(stored, key=lambda one: (one["window_start"], one["cluster"], one["part"]))
    arrays = [pa.array([one[name.name] for one in ordered], name.type) for name in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)
