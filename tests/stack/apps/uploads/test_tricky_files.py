"""Each tricky file has its right text or its right error, whatever its name says."""

import time

import pytest

from apps.uploads.extraction.extract import extract
from tests.db.apps.uploads import files
from tests.stack.apps.uploads import tricky


@pytest.mark.parametrize("case", tricky.CASES, ids=lambda case: case.id)
def test_a_tricky_file_has_its_right_text_or_its_right_error(case: tricky.Case) -> None:
    content, started = case.make(), time.monotonic()

    if isinstance(case.right, str):
        found = extract(case.name, content, 15_000)
        assert (found.text, dict(found.hidden)) == (case.right, case.hidden)
    else:
        with pytest.raises(case.right) as raised:
            extract(case.name, content, 15_000)
        assert type(raised.value) is case.right

    assert time.monotonic() - started < 10


def test_a_docx_reads_no_file_of_ours() -> None:
    assert "root:" not in extract("cv.docx", files.docx_that_reads_a_file(), 15_000).text
