"""How error bars add: independent errors in squares, and a difference row takes away with a negative sign."""

from math import isqrt


def signed_square(error_nanos: int) -> int:
    """`e * |e|`: the square of an error bar, negative in a difference row that takes one away."""
    return error_nanos * abs(error_nanos)


def signed_root(square: int) -> int:
    """The error bar whose signed square is nearest below the given one in size."""
    root = isqrt(abs(square))
    return root if square >= 0 else -root
