"""What a policy says of an object's labels, key by key."""

from collections.abc import Iterator

from aicost.domain.identity.dimensions import Source
from aicost.domain.identity.stages import Stage
from aicost.domain.policy.decisions import Problem, ProblemCode
from aicost.domain.policy.judging.hearing import Hearing
from aicost.domain.policy.judging.places import Place
from aicost.domain.policy.judging.scopes import in_namespaces, namespace_labels
from aicost.domain.policy.judging.spellings import Spelling, spellings, stated
from aicost.domain.policy.policies import LabelKey, Need
from aicost.domain.policy.requests import Operation
from aicost.domain.policy.texts import one_line, quoted, some_of
from aicost.domain.policy.values import did_you_mean, follows, is_allowed, known_values

_EARLY = frozenset({Stage.SANDBOX, Stage.EXPERIMENT})
"""Stages in which a default will do."""
_STATED = frozenset({Source.POD_LABEL, Source.OWNER_LABEL})
"""Values that stand on the object itself or on its templates."""


def judge_key(hearing: Hearing, key: LabelKey) -> Iterator[Problem]:
    """All that is wrong with one key: conflicts, values, a missing label, and a change that is not allowed."""
    for place in hearing.placed:
        yield from _conflict(hearing, key, place)
        yield from _wrong_value(hearing, key, place, stated(key, place.labels))
    yield from _wrong_inheritance(hearing, key)
    if requires(hearing, key):
        yield from _missing(hearing, key)
    if key.immutable:
        yield from _changed(hearing, key)


def _conflict(hearing: Hearing, key: LabelKey, place: Place) -> Iterator[Problem]:
    found = spellings(key, place.labels)
    if len({spelling.value for spelling in found}) > 1:
        said = ", ".join(f"{spelling.label}={quoted(spelling.raw)}" for spelling in found)
        text = f"{key.key} is said in several ways: {said}"
        yield _problem(hearing, ProblemCode.CONFLICT, key, found[0].raw, text, place)


def _wrong_value(
    hearing: Hearing, key: LabelKey, place: Place, spelling: Spelling | None, origin: str = ""
) -> Iterator[Problem]:
    """The first thing that is wrong with a value; what is unknown needs no second complaint about its form."""
    if spelling is None:
        return
    judged = judge_value(hearing, key, spelling.value)
    if judged is not None:
        code, says = judged
        unknown = code is ProblemCode.UNKNOWN_VALUE
        meant = did_you_mean(key, spelling.value, hearing.snapshot.listed) if unknown else ""
        instead = f" ({may})" if unknown and not meant and (may := _what_may_be(hearing, key)) else ""
        text = f"{key.key}={quoted(spelling.raw)}{f' (from {origin})' if origin else ''} {says}{instead}"
        yield _problem(hearing, code, key, spelling.raw, text, place, meant)


def judge_value(hearing: Hearing, key: LabelKey, value: str) -> tuple[ProblemCode, str] | None:
    """What is wrong with a value that counts, and how to say it after `team="x"`; None where nothing is."""
    namespace = hearing.workload.namespace
    labels = namespace_labels(hearing.snapshot, namespace)
    bound = key.allowed.bound.get(value)
    if bound is not None and not in_namespaces(bound, namespace, labels):
        names = f" (only in {some_of(sorted(bound.names))})" if bound.names else ""
        return ProblemCode.FOREIGN_VALUE, f"may not be charged from namespace {namespace or quoted('')}{names}"
    if not is_allowed(key, value, hearing.snapshot.listed):
        return ProblemCode.UNKNOWN_VALUE, f"is not a known {key.key}"
    if not follows(key.convention, value):
        hint = one_line(key.convention_hint) or f"it must match {key.convention}"
        return ProblemCode.CONVENTION, f"breaks the naming convention: {hint}"
    return None


def _wrong_inheritance(hearing: Hearing, key: LabelKey) -> Iterator[Problem]:
    """Values that come from elsewhere: another team's name is not one's own because a ServiceAccount says it."""
    told: set[str] = set()
    for place in hearing.running:
        tag = hearing.tag(key, place)
        if tag is not None and tag.source not in _STATED and tag.value not in told:
            told.add(tag.value)
            spelling = Spelling(tag.origin, tag.raw, tag.value)
            yield from _wrong_value(hearing, key, hearing.placed[0], spelling, tag.origin)


def requires(hearing: Hearing, key: LabelKey) -> bool:
    """Whether the policy requires the key of the object, in the stages that its pods are in."""
    wanted = key.need is Need.ALWAYS or (key.need is Need.GPU_ONLY and hearing.workload.wants_gpus)
    return wanted and (not key.stages or not hearing.stages.isdisjoint(key.stages))


def _missing(hearing: Hearing, key: LabelKey) -> Iterator[Problem]:
    """One problem where nothing has the label; one per template where some have it."""
    lacking = [place for place in hearing.running if hearing.tag(key, place) is None]
    if not lacking or _default_does(hearing, key):
        return
    inside = len(lacking) < len(hearing.running) or stated(key, hearing.placed[0].labels) is not None
    for place in lacking if inside else hearing.placed[:1]:
        known = known_values(key, hearing.snapshot.listed)
        only = known[0] if len(known) == 1 else ""
        yield _problem(hearing, ProblemCode.MISSING, key, "", _says_missing(hearing, key), place, only)


def _default_does(hearing: Hearing, key: LabelKey) -> bool:
    """Whether the policy's default stands in: only for what is known to be an attempt."""
    return bool(key.default) and bool(hearing.stages) and hearing.stages <= _EARLY


def _says_missing(hearing: Hearing, key: LabelKey) -> str:
    notes = [_what_may_be(hearing, key)]
    if key.stages:
        notes.append(f"needed in stage {some_of(sorted(hearing.stages & set(key.stages)))}")
    if key.default:
        notes.append(f"the default {quoted(key.default)} is for the stages sandbox and experiment only")
    told = "; ".join(note for note in notes if note)
    return f"label {key.label} is missing{f' ({told})' if told else ''}"


def _what_may_be(hearing: Hearing, key: LabelKey) -> str:
    """Which values would do, empty where any would."""
    known, pattern = known_values(key, hearing.snapshot.listed), key.allowed.pattern
    ways = [f"allowed: {some_of(known)}"] if known else []
    if pattern or (key.convention and not known):
        ways.append(one_line(key.convention_hint) or f"matching {pattern or key.convention}")
    return " or ".join(ways)


def _changed(hearing: Hearing, key: LabelKey) -> Iterator[Problem]:
    """Values that were there before and are others now, place by place."""
    before = hearing.request.before
    if hearing.request.operation is not Operation.UPDATE or before is None:
        return
    past = {"": before.labels} | {each.path: each.labels for each in before.templates if each.path}
    for place in hearing.placed:
        was, now = stated(key, past.get(place.path, {})), stated(key, place.labels)
        if was is not None and (now is None or now.value != was.value):
            becomes = f"become {quoted(now.raw)}" if now else "be removed"
            text = f"{key.key}={quoted(was.raw)} is set and may not {becomes}"
            raw = now.raw if now else ""
            yield _problem(hearing, ProblemCode.IMMUTABLE, key, raw, text, place, was.value)


def _problem(
    hearing: Hearing, code: ProblemCode, key: LabelKey, value: str, text: str, place: Place, meant: str = ""
) -> Problem:
    fix = f"{key.label}: {meant}" if meant else ""
    suggestion = meant if code is ProblemCode.UNKNOWN_VALUE else ""
    return Problem(code, hearing.policy.name, key.key, value, text, hearing.mode, place.name, suggestion, fix)
