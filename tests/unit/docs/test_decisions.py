"""The decision records keep one form, and their index tells what they say."""

import re
from pathlib import Path

import pytest

from devstack.paths import ROOT

RECORDS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
INDEX = ROOT / "docs" / "decisions" / "README.md"
FORM = re.compile(
    r"# (?:\d{4}[.:]? )?(?P<title>.+)\n\n?"
    r"Status: (?P<status>accepted|deprecated|superseded)(?P<more>[^\n]*)\n"
)
NUMBER = re.compile(r"\b\d{4}\b")


def index_line(record: Path) -> str:
    form = FORM.match(record.read_text(encoding="utf-8"))
    assert form, f"{record.name} does not begin with '# Title' and 'Status: ...'"
    status = (form["status"] + form["more"]).rstrip(".")
    return f"| [{record.name[:4]}]({record.name}) | {form['title']} | {status} |"


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name[:4])
def test_a_record_has_a_title_and_a_status_that_names_existing_records(record: Path) -> None:
    form = FORM.match(record.read_text(encoding="utf-8"))
    assert form
    others = NUMBER.findall(form["more"])
    assert set(others) <= {path.name[:4] for path in RECORDS}
    if form["status"] == "superseded":
        assert others


def test_a_number_is_given_once() -> None:
    numbers = [record.name[:4] for record in RECORDS]
    assert len(numbers) == len(set(numbers))


def test_the_index_lists_every_record_with_its_title_and_status() -> None:
    listed = [
        line
        for line in INDEX.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| \[\d", line)
    ]
    assert listed == [index_line(record) for record in RECORDS]
