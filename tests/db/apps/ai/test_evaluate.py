"""`manage.py evaluate` tells a good model from a bad one, and two of them apart."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from apps.ai.evaluation.labels import load
from tests.support.paths import EXAMPLES


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
