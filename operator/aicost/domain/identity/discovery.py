"""What a pod's images, arguments, owners and run ids say of it where nobody stated it.

Of the environment nothing is read but the variables in which run trackers name a run.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from aicost.domain.identity.commands import base_name, commands_of
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.engines import EMBEDDING, IMAGES, MODEL, OWNER_KINDS, PROGRAMS, Engine
from aicost.domain.identity.model_names import model_name
from aicost.domain.identity.tags.evidence import Discovery
from aicost.domain.inventory.pods import ContainerFacts, PodFacts
from aicost.domain.workloads.run_ids import run_ids


@dataclass(frozen=True, slots=True)
class EngineUse:
    """An engine that a container runs.

    Attributes:
        engine: its name in the table of engines.
        model: as the arguments or the image write it, None where neither tells.
        told_by: the argument that names the model, or `image`.
    """

    engine: str
    workload_type: str
    model: str | None = None
    told_by: str = ""


def discover(pod: PodFacts) -> Mapping[Dimension, Discovery]:
    """Find model and workload type of a pod, where what it runs leaves no doubt, and what its run is part of."""
    found = {Dimension(name): Discovery(*told) for name, told in _runs(pod).items()}
    uses = engines_in(pod)
    model = _model(uses)
    if model is not None:
        found[Dimension.MODEL] = model
    workload_type = _workload_type(pod, uses)
    if workload_type is not None:
        found[Dimension.WORKLOAD_TYPE] = workload_type
    return found


def _runs(pod: PodFacts) -> Mapping[str, tuple[str, str]]:
    """Project and experiment by its run ids. A queue's label may stand on what made the pod alone."""
    if not (pod.labels or pod.annotations or pod.run_ids or pod.owners):
        return {}
    labels: dict[str, str] = {}
    for owner in reversed(pod.owners):
        labels.update(owner.labels)
    return run_ids({**labels, **pod.labels}, pod.annotations, pod.run_ids)


def engines_in(pod: PodFacts) -> list[tuple[str, EngineUse]]:
    """Name each container of a pod that runs an engine, with what it runs."""
    uses = ((container.name, engine_in(container)) for container in pod.containers)
    return [(name, use) for name, use in uses if use is not None]


def engine_in(container: ContainerFacts) -> EngineUse | None:
    """Tell which engine a container runs and with which model; None where it is none of the table.

    The command tells before the image does: an image may hold several engines.
    """
    return _engine_in(container.image, container.args)


@lru_cache(maxsize=4096)
def _engine_in(image: str, args: tuple[str, ...]) -> EngineUse | None:
    """Remembered, because the pods of one Deployment all run the same."""
    commands = list(commands_of(args))
    for command in commands:
        started = _started(command)
        if started is not None:
            engine, rest, positional = started
            return _use(engine, rest, positional=positional)
    return _by_image(image, commands)


def _started(command: Sequence[str]) -> tuple[Engine, Sequence[str], bool] | None:
    """The engine that a command starts, the words after its program, and whether the first may be the model."""
    for program, engine in PROGRAMS:
        words = tuple(word for word in program if word != MODEL)
        for place in range(len(command) - len(words) + 1):
            if all(map(_is_word, words, command[place : place + len(words)])):
                return engine, command[place + len(words) :], MODEL in program
    return None


def _is_word(wanted: str, word: str) -> bool:
    if wanted.endswith("*"):
        return word.startswith(wanted[:-1])
    return wanted in (word, base_name(word))


def _by_image(image: str, commands: Sequence[Sequence[str]]) -> EngineUse | None:
    repository = _repository(image)
    for pattern, engine in IMAGES:
        match = pattern.search(repository)
        if match is not None and "model" in match.groupdict() and match["model"]:
            return EngineUse(engine.name, engine.workload_type, match["model"], "image")
        if match is not None:
            words = [word for command in commands for word in command]
            return _use(engine, words, positional=bool(words) and _is_hub_name(words[0]))
    return None


def _repository(image: str) -> str:
    """An image's name without tag and digest; a port in the registry's name stays."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def _is_hub_name(word: str) -> bool:
    """Whether the first argument to an image is a model and no program: `org/name`, not a script in a folder."""
    return word.count("/") == 1 and not word.startswith(("/", ".", "-")) and not word.endswith((".sh", ".py"))


def _use(engine: Engine, words: Sequence[str], *, positional: bool) -> EngineUse:
    given = dict(_arguments(words))
    kind = EMBEDDING if any(_has(given, mark) for mark in engine.embeds) else engine.workload_type
    for flag, value in _candidates(engine, words, given, positional=positional):
        model = model_name(value)
        if model is not None:
            return EngineUse(engine.name, kind, model, flag)
    return EngineUse(engine.name, kind)


def _candidates(
    engine: Engine, words: Sequence[str], given: Mapping[str, str], *, positional: bool
) -> Iterator[tuple[str, str]]:
    """What may name the model, the best first: the name it is served under, the first argument, other arguments."""
    named = [(flag, given[flag]) for flag in engine.flags if flag in given]
    yield from ((f"--{flag}", value) for flag, value in named if flag.startswith("served"))
    if positional and words and not words[0].startswith("-"):
        yield "first argument", words[0]
    yield from ((f"--{flag}" if len(flag) > 1 else f"-{flag}", value) for flag, value in named)


def _arguments(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each `--flag=value`, `--flag value` and `key=value`; an underscore counts as a dash. The last of equals holds."""
    for place, word in enumerate(words):
        flag, separator, value = word.partition("=")
        key = flag.lstrip("-").replace("_", "-")
        following = words[place + 1] if place + 1 < len(words) else ""
        if separator:
            yield key, value
        elif word.startswith("-"):
            yield key, "" if following.startswith("-") else following


def _has(given: Mapping[str, str], mark: str) -> bool:
    flag, separator, value = mark.partition("=")
    return flag in given and (not separator or given[flag] == value)


def _model(uses: Iterable[tuple[str, EngineUse]]) -> Discovery | None:
    """The one model that the containers of a pod serve; where they serve several there is doubt."""
    told = [(name, use) for name, use in uses if use.model is not None]
    if len({use.model for _, use in told}) != 1:
        return None
    name, use = told[0]
    return Discovery(use.model or "", f"container {name}, {use.told_by}")


def _workload_type(pod: PodFacts, uses: Iterable[tuple[str, EngineUse]]) -> Discovery | None:
    """An engine of embeddings says more than the kind of its owner, any other engine less."""
    by_engine = [Discovery(use.workload_type, f"container {name}, {use.engine}") for name, use in uses]
    embedding = [found for found in by_engine if found.value == EMBEDDING]
    return next(iter([*embedding, *_by_owner(pod), *by_engine]), None)


def _by_owner(pod: PodFacts) -> Iterator[Discovery]:
    for owner in pod.owners:
        workload_type = OWNER_KINDS.get((owner.api_version.rpartition("/")[0], owner.kind))
        if workload_type is not None:
            yield Discovery(workload_type, f"{owner.kind}/{owner.name}")
