"""Measures how good scores are, from the scores and the labels alone."""

from collections.abc import Sequence
from statistics import StatisticsError, correlation, fmean


def spearman(scores: Sequence[float], labels: Sequence[float]) -> float | None:
    """Rank correlation; equal values share the mean of their ranks. None where one side is flat."""
    try:
        return correlation(_ranks(scores), _ranks(labels))
    except StatisticsError:
        return None


def verdict_agreement(
    scores: Sequence[float], labels: Sequence[float], *, threshold: float
) -> float:
    """The share of candidates on whom the verdict and the label agree."""
    pairs = zip(scores, labels, strict=True)
    return fmean((score >= threshold) == (label >= threshold) for score, label in pairs)


def flip_rate(runs: Sequence[Sequence[float]], *, threshold: float) -> float:
    """The share of candidates whose verdict was not the same in all runs."""
    return fmean(
        len({score >= threshold for score in each}) > 1 for each in zip(*runs, strict=True)
    )


def mean_difference(before: Sequence[float], after: Sequence[float]) -> float:
    """Points by which a score moved, whatever the direction."""
    return fmean(abs(a - b) for a, b in zip(before, after, strict=True))


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [ordered.index(value) + (ordered.count(value) - 1) / 2 for value in values]
