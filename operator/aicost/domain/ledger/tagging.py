"""Tags on the rows of the ledger: written when a window is stated, and resolved again when policies have changed."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from aicost.domain.identity.dimensions import Dimension, Source, Tags
from aicost.domain.identity.tags.evidence import Evidence, Statement, read_back, written
from aicost.domain.identity.tags.precedence import Tagger, pod_origin
from aicost.domain.ledger.rows import Holder, Row

_SOURCES = {source.name.lower(): source for source in Source}
_STATED = frozenset(Source) - {
    Source.RULE_OVERRIDE,
    Source.POD_LABEL,
    Source.RULE,
    Source.POLICY_DEFAULT,
    Source.NONE,
}
"""Sources whose statements a policy does not make and the pod's own labels do not hold."""
_OWN_LABEL = f"{Source.POD_LABEL.name.lower()} "
"""How the provenance of a tag begins that a pod's own label says."""


def tagged(holder: Holder, evidence: Evidence, tags: Tags) -> Holder:
    """A holder with its tags, where they come from, and what they were resolved from."""
    return Holder(
        holder.namespace,
        holder.pod,
        holder.pod_uid,
        holder.controller_kind,
        holder.controller,
        holder.workload,
        labels=holder.labels,
        dimensions={dimension.value: tag.value for dimension, tag in tags.items()},
        provenance={
            dimension.value: f"{tag.source.name.lower()} {tag.origin}".strip() for dimension, tag in tags.items()
        },
        evidence=written(evidence),
    )


def renamed(holder: Holder, pod: str, uid: str, *, alone: bool) -> Holder:
    """The holder of another pod, of which the same is known: what its own labels say, it says itself.

    Args:
        holder: with its tags.
        pod: name of the other.
        uid: of the other.
        alone: nobody owns it, so that it is its own controller.
    """
    provenance = holder.provenance
    if provenance and (mine := _OWN_LABEL + pod_origin(holder.pod)) in provenance.values():
        theirs = _OWN_LABEL + pod_origin(pod)
        provenance = {key: theirs if told == mine else told for key, told in provenance.items()}
    return Holder(
        holder.namespace,
        pod,
        uid,
        holder.controller_kind,
        pod if alone else holder.controller,
        holder.workload,
        holder.dimensions,
        provenance,
        holder.labels,
        holder.evidence,
    )


def retagged(row: Row, tagger: Tagger) -> Holder:
    """Who a row's holder is under other policies; the same holder where no value and no source of one changes.

    A window that is stated again under these policies says the same, as long as the cluster says what it said then.
    Asked twice, the answer is the same: a row that was tagged again keeps all that the first answer rested on.
    """
    if not row.holder.namespace:
        return row.holder
    evidence = evidence_of(row)
    again = tagged(row.holder, evidence, tagger.tags(evidence))
    same = (again.dimensions, again.provenance) == (row.holder.dimensions, row.holder.provenance)
    return row.holder if same else again


def evidence_of(row: Row) -> Evidence:
    """What a row keeps of what was known.

    A row of before evidence was kept has its winning statements alone. One whose source cannot be read counts as an
    owner's: it does not vanish.
    """
    holder = row.holder
    kept = read_back(holder.evidence) if holder.evidence else _guessed(holder)
    return replace(kept, namespace=holder.namespace, pod=holder.pod, node=row.place.node, labels=holder.labels)


def _guessed(holder: Holder) -> Evidence:
    owned = holder.controller_kind not in {"", "Pod"}
    owners = (f"{holder.controller_kind}/{holder.controller}",) if owned else ()
    return Evidence(holder.namespace, holder.pod, owners=owners, said=dict(_winners(holder)))


def _winners(holder: Holder) -> Iterator[tuple[tuple[Source, Dimension], Statement]]:
    known: Mapping[str, Dimension] = {dimension.value: dimension for dimension in Dimension}
    for name, value in holder.dimensions.items():
        word, _, origin = holder.provenance.get(name, "").partition(" ")
        source = _SOURCES.get(word, Source.OWNER_LABEL)
        if source in _STATED and name in known:
            yield (source, known[name]), (value, origin)
