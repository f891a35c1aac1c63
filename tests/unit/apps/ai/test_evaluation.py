"""How good a model is, is measured from its scores and the labels alone."""

import pytest
from django.core.management import CommandError, call_command

from apps.ai.evaluation import measures, probes
from apps.ai.evaluation.labels import load
from tests.support.paths import EXAMPLES


@pytest.mark.parametrize(
    ("scores", "labels", "correlation"),
    [
        ([1, 2, 3], [10, 20, 30], 1.0),
        ([3, 2, 1], [10, 20, 30], -1.0),
        ([1, 1, 2], [10, 20, 30], 0.866),
        ([5, 5, 5], [10, 20, 30], None),
    ],
)
def test_rank_correlation(scores, labels, correlation):
    found = measures.spearman(scores, labels)
    assert found == (correlation if correlation is None else pytest.approx(correlation, abs=0.001))


def test_agreement_and_flips():
    assert measures.verdict_agreement([70, 60, 10], [80, 80, 20], threshold=65) == pytest.approx(
        2 / 3
    )
    assert measures.flip_rate([[70, 60], [64, 60]], threshold=65) == 0.5


def test_a_name_is_swapped_in_any_case_and_nothing_else():
    swapped = probes.with_another_name("ОРЛОВ ДЕНИС\nОрлова не знаю", "Орлов Денис", 3)
    assert swapped == "Пётр Волков\nОрлова не знаю"


def test_the_examples_are_a_labelled_folder():
    assert [len(vacancy.candidates) for vacancy in load(EXAMPLES)] == [7, 7, 7]


def test_a_folder_without_labels_is_a_sentence(tmp_path):
    with pytest.raises(CommandError, match="is no labelled folder"):
        call_command("evaluate", str(tmp_path))
