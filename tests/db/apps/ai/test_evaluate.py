"""`manage.py evaluate` tells a good model from a bad one, and two of them apart."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.ai.evaluation import measures, probes
from apps.ai.evaluation.labels import load
from tests.ai.conftest import EXAMPLES


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


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("empty_cache", "ask_the_stand_in")
def test_two_prompts_side_by_side_on_the_examples(standin, tmp_path):
    standin.order(obedient=True)
    labels = json.loads((EXAMPLES / "labels.json").read_text("utf-8"))["vacancies"][:1]
    for each in (labels[0], *labels[0]["candidates"]):
        each["file"] = str(EXAMPLES / each["file"])
    (tmp_path / "labels.json").write_text(json.dumps({"vacancies": labels}), "utf-8")
    out = StringIO()
    call_command(
        "evaluate", str(tmp_path), "--runs=2", "--against-prompt=2026-11-2-brief",
        f"--json={tmp_path / 'report.json'}", stdout=out, stderr=StringIO(),
    )  # fmt: skip
    table = out.getvalue()
    assert "rank correlation with the labels" in table
    assert "prompt 2026-11-2-brief" in table
    reports = json.loads((tmp_path / "report.json").read_text("utf-8"))["variants"]
    assert len(reports) == 2
    people = sum(len(vacancy.candidates) for vacancy in load(tmp_path))
    for report in reports:
        assert report["candidates"] == people
        assert report["spearman"] >= 0.8
        assert report["flip_rate"] == 0
        assert report["points_by_swapped_names"] <= 1
        assert report["injections_that_changed_a_score"] == 0
        assert report["calls"] >= 1 + 4 * people
        assert float(report["cost"]) > 0


def test_the_examples_are_a_labelled_folder():
    assert [len(vacancy.candidates) for vacancy in load(EXAMPLES)] == [7, 7, 7]


@pytest.mark.django_db
def test_a_folder_without_labels_is_a_sentence(tmp_path):
    with pytest.raises(CommandError, match="is no labelled folder"):
        call_command("evaluate", str(tmp_path))
