"""What of a container's arguments is worth keeping: the words that tell what it runs, and none that may be a secret."""

from dataclasses import replace
from functools import lru_cache

from aicost.domain.identity.commands import commands_of
from aicost.domain.identity.discovery import engine_in
from aicost.domain.inventory.pods import ContainerFacts


@lru_cache(maxsize=4096)
def telling(container: ContainerFacts) -> ContainerFacts:
    """The container with the fewest arguments that tell the same engine and model as all of them.

    Most containers need none. Of the others the words go one by one, the last first, as long as what they tell stays:
    `vllm serve org/model --api-key K` becomes `vllm serve org/model`.
    """
    told = engine_in(container)

    def with_words(words: tuple[str, ...]) -> ContainerFacts | None:
        shorter = replace(container, args=words)
        return shorter if engine_in(shorter) == told else None

    if bare := with_words(()):
        return bare
    commands = [one for command in commands_of(container.args) if (one := with_words(command))]
    kept = min(commands, key=lambda one: sum(map(len, one.args)), default=container)
    place = len(kept.args)
    while place:
        place -= 1
        kept = with_words((*kept.args[:place], *kept.args[place + 1 :])) or kept
    return kept
