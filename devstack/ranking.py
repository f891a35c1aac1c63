"""Spearman's rank correlation: does the system order the candidates as a person did?"""

from collections.abc import Sequence


def spearman(left: Sequence[float], right: Sequence[float]) -> float:
    """Pearson's correlation of the ranks; equal values share the mean of their ranks.

    0.0 where one side is all equal: an order that says nothing agrees with nothing.
    """
    if len(left) != len(right) or not left:
        raise ValueError("two sequences of one length are needed")
    a, b = _ranks(left), _ranks(right)
    middle = (len(a) + 1) / 2
    covariance = sum((x - middle) * (y - middle) for x, y in zip(a, b, strict=True))
    spread_a = sum((x - middle) ** 2 for x in a)
    spread_b = sum((y - middle) ** 2 for y in b)
    if not spread_a or not spread_b:
        return 0.0
    return float(covariance / (spread_a * spread_b) ** 0.5)


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    first = {value: index for index, value in reversed(list(enumerate(ordered, start=1)))}
    return [first[value] + (ordered.count(value) - 1) / 2 for value in values]
