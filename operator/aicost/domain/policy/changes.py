"""Labels to write at creation: normal forms of what is there, and inherited values that nobody could read later."""

from collections.abc import Iterator, Sequence

from aicost.domain.identity.dimensions import Dimension, Source, Tag
from aicost.domain.policy.decisions import LabelChange, Problem, ProblemCode
from aicost.domain.policy.judging.hearing import Hearing
from aicost.domain.policy.judging.keys import judge_value
from aicost.domain.policy.judging.places import Place
from aicost.domain.policy.judging.spellings import Spelling, stated
from aicost.domain.policy.policies import Inherit, LabelKey, Mode
from aicost.domain.policy.requests import Operation
from aicost.domain.policy.values import canonical, in_label

_WRITTEN = frozenset({Source.QUEUE, Source.NAMESPACE_LABEL, Source.SERVICE_ACCOUNT, Source.REQUESTER_GROUP})
"""Inherited values that are written down. An AIWorkload is not copied: it is edited during the life of its pods. A
default is not written either: afterwards it would look like somebody's statement, and promotion asks for those."""

_HARMLESS = frozenset({ProblemCode.MISSING, ProblemCode.FORGED_OWNER, ProblemCode.EXEMPTION})


def label_changes(hearings: Sequence[Hearing], problems: Sequence[Problem]) -> tuple[LabelChange, ...]:
    """All labels to write. Applied, they leave nothing to write.

    A policy in mode Audit writes nothing. Nothing is written where a value is wrong: people have to say what they
    meant. Nor is anything written that two policies do not agree on: what one writes the other might refuse.
    """
    wrong = {(problem.policy, problem.key) for problem in problems if problem.code not in _HARMLESS}
    wanted = [
        change
        for hearing in hearings
        for key in (hearing.policy.keys if _writes(hearing) else ())
        if (hearing.policy.name, key.key) not in wrong
        for change in _of_key(hearing, key)
        if all(_agrees(other, change) for other in hearings)
    ]
    return tuple({(change.path, change.label): change for change in reversed(wanted)}.values())[::-1]


def _agrees(hearing: Hearing, change: LabelChange) -> bool:
    """Whether a policy reads the label as it will be as it reads what is there now, and finds nothing wrong with it."""
    place = next(place for place in hearing.placed if place.path == change.path)
    keys = (key for key in hearing.policy.keys if key.label == change.label)
    return all(_agrees_on(hearing, key, change.value, stated(key, place.labels)) for key in keys)


def _agrees_on(hearing: Hearing, key: LabelKey, written: str, now: Spelling | None) -> bool:
    value = canonical(key, written)
    if value is None or in_label(key, value) != written or judge_value(hearing, key, value) is not None:
        return False
    return now is None or now.value == value


def _writes(hearing: Hearing) -> bool:
    """Only what is being created is written to; an AIWorkload says its dimensions in its spec."""
    made = hearing.request.operation is Operation.CREATE and hearing.workload.kind != "AIWorkload"
    return made and hearing.mode is not Mode.AUDIT


def _of_key(hearing: Hearing, key: LabelKey) -> Iterator[LabelChange]:
    if key.label in hearing.workload.selector_keys:
        return
    for place in hearing.placed:
        yield from _normal_form(key, place)
    if key.dimension is not Dimension.STAGE:  # a stage is where work stands today, not where it began
        yield from _inherited(hearing, key)


def _normal_form(key: LabelKey, place: Place) -> Iterator[LabelChange]:
    spelling = stated(key, place.labels)
    written = in_label(key, spelling.value) if spelling else None
    if spelling is None or written is None or place.labels.get(key.label) == written or not _open(place):
        return
    source = Source.OWNER_LABEL if place.template is None else Source.POD_LABEL
    origin = f"{place.origin} {spelling.label}"
    yield LabelChange(place.path, key.label, written, place.labels.get(key.label, ""), source, origin)


def _inherited(hearing: Hearing, key: LabelKey) -> Iterator[LabelChange]:
    """Onto the object, which speaks for its templates; onto the templates where the key does not let it."""
    speaks = Inherit.OWNER in key.inherit or len(hearing.placed) == 1
    lacking = [place for place in hearing.running if stated(key, place.labels) is None]
    tags = {place.path: hearing.tag(key, place) for place in lacking}
    agreed = {tag.value if tag else "" for tag in tags.values()}
    if speaks and len(agreed) == 1 and stated(key, hearing.placed[0].labels) is None:
        yield from _write(key, hearing.placed[0], next(iter(tags.values())))
    for place in () if speaks else lacking:
        yield from _write(key, place, tags[place.path])


def _write(key: LabelKey, place: Place, tag: Tag | None) -> Iterator[LabelChange]:
    written = in_label(key, tag.value) if tag else None
    if tag is not None and written is not None and tag.source in _WRITTEN and _open(place):
        yield LabelChange(place.path, key.label, written, place.labels.get(key.label, ""), tag.source, tag.origin)


def _open(place: Place) -> bool:
    return not place.path or place.template is None or place.template.patchable
