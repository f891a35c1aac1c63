"""The formula, fixed by a table: a changed number here is a changed product."""

import itertools

import pytest

from apps.ai.pipeline.scoring import Judged, matches, score
from apps.ai.rubric.criteria import Criterion


def judged(*items: tuple[str, int, str]) -> list[Judged]:
    return [
        Judged(
            Criterion(
                id=f"c{n}", name=f"N{n}", requirement="r", importance=importance, weight=weight
            ),
            status,
        )
        for n, (importance, weight, status) in enumerate(items, start=1)
    ]


@pytest.mark.parametrize(
    ("items", "points"),
    [
        ([("must", 5, "met"), ("must", 3, "met"), ("nice", 1, "met")], 100),
        ([("must", 5, "missing"), ("must", 3, "missing"), ("nice", 1, "missing")], 0),
        ([("must", 5, "met"), ("must", 3, "met"), ("nice", 2, "missing")], 80),
        ([("must", 1, "partial"), ("must", 1, "met")], 75),
        ([("must", 1, "unclear"), ("must", 1, "met")], 63),  # 62.5, half up
        # One must of ten missing: its share would leave 98, the ceiling 80 - 60/10 does not.
        ([("must", 1, "missing")] + [("must", 1, "met")] * 9 + [("nice", 5, "met")] * 8, 74),
        ([("must", 5, "missing"), ("must", 5, "met")], 50),
        ([("nice", 1, "missing"), ("nice", 1, "met")], 50),  # a missing nice caps nothing
        ([], 0),
    ],
)
def test_the_score_follows_from_weights_and_statuses(items, points):
    assert score(judged(*items)) == points


def test_a_better_status_never_lowers_the_score():
    order = ["missing", "unclear", "partial", "met"]
    shape = [("must", 5), ("must", 2), ("nice", 3)]
    for statuses in itertools.product(order, repeat=3):
        before = score(judged(*[(*s, st) for s, st in zip(shape, statuses, strict=True)]))
        for n, status in enumerate(statuses):
            for better in order[order.index(status) + 1 :]:
                raised = [*statuses[:n], better, *statuses[n + 1 :]]
                after = score(judged(*[(*s, st) for s, st in zip(shape, raised, strict=True)]))
                assert after >= before


def test_matches_are_the_names_of_what_is_met():
    assert matches(judged(("must", 1, "met"), ("nice", 1, "partial"), ("nice", 1, "met"))) == [
        "N1",
        "N3",
    ]
