"""What a token of a prompt and one of an answer keep a GPU busy for: non-negative least squares over minutes.

    busy of a minute = a x prompt + b x output        a, b >= 0, exact fractions

A fit is accepted that rests on at least `MINUTES` minutes of at least `MIXES_AT_LEAST` distinct mixes of prompts and
answers, and explains at least `EXPLAINED` of the variance. With one mix alone nothing tells the two apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.serving.meters import Count

MINUTES = 60
MIXES_AT_LEAST = 3
EXPLAINED = Fraction(8, 10)


@dataclass(frozen=True, slots=True)
class Fit:
    """A fit of busy time to tokens.

    Attributes:
        prompt, output: milliseconds for a computed token of a prompt, and for a generated one.
        explained: part of the variance of busy time (R squared); None where it did not vary.
        minutes: how many it rests on.
        mixes: distinct mixes among them.
    """

    prompt: Fraction
    output: Fraction
    explained: Fraction | None
    minutes: int
    mixes: int

    @property
    def is_accepted(self) -> bool:
        """Whether weights may rest on it. Where a kind of token seems to cost nothing, nothing is known of it."""
        rests = self.minutes >= MINUTES and self.mixes >= MIXES_AT_LEAST
        return (
            rests and self.prompt > 0 < self.output and self.explained is not None and EXPLAINED <= self.explained <= 1
        )


def fit(counts: Mapping[Count, int]) -> Fit | None:
    """Fit the sums of any pods and windows; None where there are none, or prompts and answers always kept pace."""
    minutes = counts.get(Count.FIT_MINUTES, 0)
    sums = _Sums(*(counts.get(count, 0) for count in _PRODUCTS))
    if not minutes or sums.prompt_prompt * sums.output_output <= sums.prompt_output**2:
        return None
    prompt, output = min(_candidates(sums), key=lambda one: (sums.error(*one), one))
    spread = sums.busy_busy - Fraction(counts.get(Count.FIT_BUSY, 0) ** 2, minutes)
    explained = 1 - sums.error(prompt, output) / spread if spread > 0 else None
    mixes = sum(1 for count in counts if count.value.startswith("fit-mix-") and counts[count])
    return Fit(prompt, output, explained, minutes, mixes)


_PRODUCTS = (
    Count.FIT_PROMPT_PROMPT, Count.FIT_PROMPT_OUTPUT, Count.FIT_OUTPUT_OUTPUT, Count.FIT_PROMPT_BUSY,
    Count.FIT_OUTPUT_BUSY, Count.FIT_BUSY_BUSY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums of products over minutes."""

    prompt_prompt: int
    prompt_output: int
    output_output: int
    prompt_busy: int
    output_busy: int
    busy_busy: int

    def error(self, prompt: Fraction, output: Fraction) -> Fraction:
        """Sum of squared deviations."""
        linear = prompt * self.prompt_busy + output * self.output_busy
        square = prompt**2 * self.prompt_prompt + output**2 * self.output_output
        return self.busy_busy - 2 * linear + square + 2 * prompt * output * self.prompt_output


def _candidates(sums: _Sums) -> list[tuple[Fraction, Fraction]]:
    """The minimum lies inside, where neither is negative, or else on an edge."""
    whole = sums.prompt_prompt * sums.output_output - sums.prompt_output**2
    prompt = Fraction(sums.prompt_busy * sums.output_output - sums.output_busy * sums.prompt_output, whole)
    output = Fraction(sums.output_busy * sums.prompt_prompt - sums.prompt_busy * sums.prompt_output, whole)
    if prompt >= 0 <= output:
        return [(prompt, output)]
    none = Fraction(0)
    return [
        (Fraction(sums.prompt_busy, sums.prompt_prompt), none),
        (none, Fraction(sums.output_busy, sums.output_output)),
    ]
