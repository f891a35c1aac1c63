"""The sandbox in which files are read. What comes out of which file: `test_tricky_files`."""

import resource
import time
from pathlib import Path

import psutil
import pypdfium2
import pytest

from apps.uploads.extraction import (
    CorruptFile,
    Extracted,
    FileTooComplex,
    ReadersBusy,
    extract,
    sandbox,
)
from apps.uploads.extraction.pdf.paint import Painter
from apps.uploads.extraction.sandbox_child import MEMORY_BYTES
from tests.db.apps.uploads import files


def test_a_pdf_that_pdfium_cannot_open_is_read_by_the_second_reader() -> None:
    calls = []
    original = sandbox._run

    def run(reader: str, content: bytes, seconds: float) -> Extracted:
        calls.append(reader)
        if reader == "pdfium":
            raise CorruptFile
        return original(reader, content, seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "_run", run)
        found = extract("cv.pdf", files.pdf("Anna"))
    assert found.text == "Anna"
    assert found.flags == [{"kind": "hidden_text_unchecked", "characters": 5}]
    assert calls == ["pdfium", "pypdf"]


def test_a_bomb_ends_in_time_and_outside_of_this_process() -> None:
    bomb = files.pdf_flate_bomb()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()

    with pytest.raises(FileTooComplex):
        extract("cv.pdf", bomb)

    assert time.monotonic() - started < 10
    # In kB: this process did not grow, and no child outgrew its limit.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < MEMORY_BYTES / 1000


@pytest.mark.parametrize(
    ("does", "verdict"),
    [("while True: pass", FileTooComplex), ("import time; time.sleep(60)", ReadersBusy)],
    ids=["worked all the time", "was kept waiting"],
)
def test_the_deadline_kills_the_child_and_blames_the_file_only_for_work(
    does: str, verdict: type[Exception], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child = tmp_path / "child.py"
    child.write_text(does)
    monkeypatch.setattr(sandbox, "_CHILD", child)
    monkeypatch.setattr(sandbox, "BUSY_BELOW_CPU_SECONDS", 0.1)

    # A whole run has servers of other tests.
    others = set(psutil.Process().children())
    started = time.monotonic()
    with pytest.raises(verdict):
        sandbox.read("pdf", files.pdf("x"), seconds=1.5)
    assert time.monotonic() - started < 10
    assert set(psutil.Process().children()) <= others


def test_the_child_sees_no_secret_and_its_crash_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child = tmp_path / "child.py"
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    monkeypatch.setattr(sandbox, "_CHILD", child)

    child.write_text("import os, sys; sys.stdout.write('ok\\n{}\\n' + ' '.join(os.environ))")
    assert "SECRET_KEY" not in sandbox.read("pdf", b"").text

    child.write_text("import os; print('ok', flush=True); os.abort()")
    with pytest.raises(FileTooComplex):
        sandbox.read("pdf", b"")


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
