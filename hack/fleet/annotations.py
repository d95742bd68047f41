"""The annotations of nodes and pods by which a live cluster carries a script: their names and forms.

| annotation | on | form |
|---|---|---|
| `fleet.aicost.dev/activity` | pod | a program, see `fleet.spec` |
| `fleet.aicost.dev/memory` | pod | part of the frame buffer that it holds, from 0 to 1 |
| `fleet.aicost.dev/exporter` | node, exporter pod | JSON object: fields of `SimExporter` and `Collection` |
| `fleet.aicost.dev/faults` | node | JSON list of faults, see below |

A fault has `kind`, `from` and `to` as durations since the node was made, and where it needs them `gpus` by index,
`meanings`, `exporter`, `amount`.
"""

import json
from dataclasses import fields
from typing import Any

from fleet.faults import Fault, FaultKind
from fleet.script import Collection, SimExporter, SimGpu, SimNode
from fleet.spec import duration_ms

ACTIVITY = "fleet.aicost.dev/activity"
MEMORY = "fleet.aicost.dev/memory"
EXPORTER = "fleet.aicost.dev/exporter"
FAULTS = "fleet.aicost.dev/faults"
CLOCK_SKEW = "devcluster.aicost.dev/clock-skew-seconds"

_OF_POD = {"pod", "ip", "namespace", "container", "honor_labels", "collection", "serves_from_ms", "serves_to_ms"}
_SPEECH = [item.name for item in fields(SimExporter) if item.name not in _OF_POD]
_TIMING = [item.name for item in fields(Collection)]


def node_annotations(node: SimNode) -> dict[str, str]:
    """The annotations from which a live fleet makes this node again; its object is made at its boot."""
    found = {EXPORTER: exporter_text(node.exporters[0])} if node.exporters else {}
    if node.faults:
        found[FAULTS] = json.dumps([_fault_item(fault, node) for fault in node.faults])
    if node.clock_skew_ms:
        found[CLOCK_SKEW] = str(node.clock_skew_ms / 1000)
    return found


def exporter_text(exporter: SimExporter) -> str:
    """What differs from the usual exporter, as JSON."""
    usual = SimExporter()
    speech = {name: getattr(exporter, name) for name in _SPEECH if getattr(exporter, name) != getattr(usual, name)}
    timing = {name: getattr(exporter.collection, name) for name in _TIMING}
    return json.dumps(speech | {name: ms for name, ms in timing.items() if ms != getattr(usual.collection, name)})


def exporter_from(text: str, **of_pod: Any) -> SimExporter:
    """An exporter from its annotation and from what its pod says: `pod`, `namespace`, `ip` and when it serves.

    Raises:
        ValueError: the text is no JSON object or has a field that no exporter has.
    """
    given = _json(text, dict, EXPORTER)
    unknown = sorted(set(given) - set(_SPEECH) - set(_TIMING))
    if unknown:
        raise ValueError(f"{EXPORTER}: field {unknown[0]!r} is not known: use {', '.join(_SPEECH + _TIMING)}")
    timing = Collection(**{name: int(given[name]) for name in _TIMING if name in given})
    speech: Any = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items() if name in _SPEECH}
    return SimExporter(collection=timing, **speech, **of_pod)


def faults_from(text: str, gpus: tuple[SimGpu, ...], made_ms: int) -> tuple[Fault, ...]:
    """Faults from their annotation.

    Raises:
        ValueError: the text is no JSON list of faults.
    """
    try:
        return tuple(_fault(item, gpus, made_ms) for item in _json(text, list, FAULTS))
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"{FAULTS}: an entry needs kind, from, to, and gpus by index ({error!r})") from error


def _fault(item: dict[str, Any], gpus: tuple[SimGpu, ...], made_ms: int) -> Fault:
    begin, end = (made_ms + duration_ms(item[name]) for name in ("from", "to"))
    uuids = tuple(gpus[index].uuid for index in item.get("gpus", ()))
    rest = {name: item[name] for name in ("exporter", "amount") if name in item}
    return Fault(FaultKind(item["kind"]), begin, end, uuids, tuple(item.get("meanings", ())), **rest)


def _fault_item(fault: Fault, node: SimNode) -> dict[str, Any]:
    indices = [gpu.index for gpu in node.gpus if gpu.uuid in fault.uuids]
    begin, end = fault.from_ms - node.booted_ms, fault.to_ms - node.booted_ms
    item = {"kind": str(fault.kind), "from": f"{begin}ms", "to": f"{end}ms"}
    more = {"gpus": indices, "meanings": list(fault.meanings), "exporter": fault.exporter, "amount": fault.amount}
    return item | {name: value for name, value in more.items() if value not in ([], None)}


def _json(text: str, kind: type, name: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name}: {text!r} is no JSON ({error})") from error
    if not isinstance(value, kind):
        raise ValueError(f"{name}: {text!r} is no JSON {'object' if kind is dict else 'list'}")  # noqa: TRY004
    return value
