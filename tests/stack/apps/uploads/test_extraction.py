"""Files read in the sandbox. What comes out of which file: `test_tricky_files`."""

import json
import subprocess
import sys
from collections.abc import Callable

import pypdfium2
import pytest

from apps.uploads.extraction import readers
from apps.uploads.extraction.errors import CorruptFile, FileTooComplex, ReadersBusy
from apps.uploads.extraction.extract import extract
from apps.uploads.extraction.pdf.paint import Painter
from resume_platform import sandbox
from tests.db.apps.uploads import files

MOST_KILOBYTES = 350_000
# Prints the peaks of a fresh process that reads a file, and of its children. A process inherits
# its parent's ru_maxrss, so its own is read where it begins anew.
READ_AND_MEASURE = """
import re, resource, sys
from apps.uploads.extraction.errors import ExtractionError
from apps.uploads.extraction.extract import extract
from resume_platform.text import TextTooLong
try:
    extract(sys.argv[1], sys.stdin.buffer.read(), 15_000, owner=1)
except (ExtractionError, TextTooLong):
    pass
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _docx_of_a_million_paragraphs() -> bytes:
    return files.docx_with_document(
        b"<w:document %s><w:body>%s</w:body></w:document>"
        % (files.W.encode(), b"<w:p><w:r><w:t>x</w:t></w:r></w:p>" * 550_000)
    )


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("cv.pdf", files.pdf_flate_bomb),
        ("cv.docx", _docx_of_a_million_paragraphs),
        ("cv.txt", lambda: "Опыт работы, ".encode("cp1251") * 754_000),
    ],
    ids=["pdf", "docx", "txt"],
)
def test_no_file_swells_a_process(name: str, make: Callable[[], bytes]) -> None:
    command = [sys.executable, "-c", READ_AND_MEASURE, name]
    ran = subprocess.run(command, input=make(), stdout=subprocess.PIPE, check=True)
    parent, child = map(int, ran.stdout.split())
    assert (parent < MOST_KILOBYTES, child < MOST_KILOBYTES) == (True, True), (parent, child)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ("corrupt", "a text", None),
        ("corrupt", "corrupt", CorruptFile),
        ("corrupt", sandbox.SandboxBusy, ReadersBusy),
        (sandbox.SandboxKilled, "a text", None),
        (sandbox.SandboxKilled, "corrupt", FileTooComplex),
        (sandbox.SandboxKilled, sandbox.SandboxBusy, FileTooComplex),
    ],
)
def test_a_pdf_that_one_reader_cannot_read_is_read_by_the_second(
    first: str | type[Exception],
    second: str | type[Exception],
    verdict: type[Exception] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter([first, second])

    def run(*_: object, **__: object) -> bytes:
        answer = next(answers)
        if not isinstance(answer, str):
            raise answer
        said = {"error": "corrupt_file"} if answer == "corrupt" else {"text": answer}
        return json.dumps(said).encode()

    monkeypatch.setattr(sandbox, "run", run)
    if verdict is None:
        assert readers.read("pdf", b"", owner=1).text == second
    else:
        with pytest.raises(verdict):
            readers.read("pdf", b"", owner=1)


def test_the_second_reader_flags_what_it_could_not_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(readers._READERS, "pdf", ("pdf.pypdf_reader",))
    found = extract("cv.pdf", files.pdf("Anna"), 100)
    assert found.text == "Anna"
    assert found.flags == [{"kind": "hidden_text_unchecked", "characters": 5}]


def test_a_docx_without_styles_is_read() -> None:
    assert extract("cv.docx", files.docx_without_styles("Anna"), 100).text == "Anna"


@pytest.mark.parametrize(
    ("drawn", "seconds"),
    [
        ("1 g 0 0 300 300 re f " * 20_000, 0.0),
        ("q 9 0 0 9 0 0 cm BI /W 8000 /H 8000 /CS /G /BPC 1 ID " + "x" * 8_000_000 + " EI Q", 60.0),
    ],
    ids=["no time", "a huge picture"],
)
def test_a_page_that_costs_too_much_is_not_painted(drawn: str, seconds: float) -> None:
    page = pypdfium2.PdfDocument(files.pdf_drawn(drawn))[0]
    assert Painter(seconds=seconds).paint(page) is None
    assert Painter(seconds=60).paint(pypdfium2.PdfDocument(files.pdf("Anna"))[0]) is not None
