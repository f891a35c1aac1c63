"""From a file to its text: right text or the right error, whatever the file is."""

import resource
import time
from pathlib import Path

import pytest

from apps.uploads.extraction import (
    CorruptFile,
    EmptyFile,
    EncryptedFile,
    ExtractionError,
    FileTooComplex,
    NoTextLayer,
    UnpackedTooLarge,
    UnsupportedFormat,
    extract,
    sandbox,
)
from apps.uploads.extraction.child import MEMORY_BYTES
from tests.uploads import files

PROSE = "Опыт работы: инженер-программист, Python и Django. Резюме, образование высшее."
SHORT = ["Привет", "ПРИВЕТ МИР", "Навыки: SQL", "м. Щёлковская", "Знание 1С", "Да"]
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "cp866"])
def test_russian_text_without_a_mark_is_read_in_its_encoding(encoding: str) -> None:
    for text in [PROSE, PROSE.upper(), *SHORT]:
        assert extract("cv.txt", text.encode(encoding)) == text


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
def test_unicode_text_is_read_with_and_without_a_mark(encoding: str) -> None:
    text = "Anna Petrova — " + PROSE
    assert extract("cv.txt", text.encode(encoding)) == text


def test_western_text_is_not_taken_for_russian() -> None:
    text = "Résumé: naïve façade, Müller, señor"
    assert extract("cv.txt", text.encode("cp1252")) == text


def test_white_space_is_plain_and_invisible_characters_go() -> None:
    raw = "\ufeffA\u00a0\t b \r\nc\u200b\u00adc\x00\x07\r\r\r\rd\x0ce\u2028f\n \n"
    assert extract("cv.txt", raw.encode()) == "A b\ncc\n\nd\ne\nf"


def test_a_docx_is_read_in_order_once_and_as_it_looks() -> None:
    assert extract("cv.docx", files.docx_with_everything()).split("\n") == [
        "Anna Petrova",
        "Summary",
        "Python | 5 years",
        "SQL",
        "3 years",
        "PostgreSQL",
        "",
        "In a box",
        "inserted shown",
        "In a control",
        "Page of Anna",
    ]


def test_a_pdf_is_read_line_by_line_also_when_rotated() -> None:
    for rotate in (0, 90, 180, 270):
        content = files.pdf("Anna Petrova", "Python developer", rotate=rotate)
        assert extract("cv.pdf", content) == "Anna Petrova\nPython developer"


def test_a_pdf_that_pdfium_cannot_open_is_read_by_the_second_reader() -> None:
    calls = []
    original = sandbox._run

    def run(reader: str, content: bytes, seconds: float) -> str:
        calls.append(reader)
        if reader == "pdfium":
            raise CorruptFile
        return original(reader, content, seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "_run", run)
        assert extract("cv.pdf", files.pdf("Anna")) == "Anna"
    assert calls == ["pdfium", "pypdf"]


def test_the_content_decides_over_the_name() -> None:
    assert extract("cv.txt", files.pdf("Anna")) == "Anna"
    assert extract("cv.pdf", files.docx_of("Anna")) == "Anna"
    assert extract("C:\\cv.final.TXT", b"the %PDF-1.4 format") == "the %PDF-1.4 format"


UNREADABLE = [
    ("cv", b"text", UnsupportedFormat),
    ("cv.rtf", b"{\\rtf1}", UnsupportedFormat),
    ("cv.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x02\x03\x04", UnsupportedFormat),
    ("cv.txt", files.zip_of({"a": b"b"}), UnsupportedFormat),
    ("cv.docx", OLE + bytes(600), UnsupportedFormat),
    ("cv.docx", OLE + bytes(9) + "EncryptedPackage".encode("utf-16-le"), EncryptedFile),
    ("cv.pdf", files.pdf("x", password="secret"), EncryptedFile),
    ("cv.pdf", b"plain text", CorruptFile),
    ("cv.docx", b"plain text", CorruptFile),
    ("cv.pdf", files.pdf("x")[:60], CorruptFile),
    ("cv.docx", files.docx_of("x")[:3000], CorruptFile),
    ("cv.docx", files.docx_that_lies_about_its_size(), CorruptFile),
    ("cv.txt", b"\xff\xfe\x00\xd8\x00\x00", CorruptFile),
    ("cv.pdf", b"", EmptyFile),
    ("cv.txt", b" \r\n\x00\t", EmptyFile),
    ("cv.txt", "\ufeff\u200b".encode(), EmptyFile),
    ("cv.docx", files.docx_of(""), EmptyFile),
    ("cv.pdf", files.empty_pdf(), EmptyFile),
    ("cv.pdf", files.pdf_of_a_picture(), NoTextLayer),
    ("cv.docx", files.docx_bomb(), UnpackedTooLarge),
]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    UNREADABLE,
    ids=[f"{name}-{error.__name__}" for name, _, error in UNREADABLE],
)
def test_an_unreadable_file_has_its_own_error(
    name: str, content: bytes, error: type[ExtractionError]
) -> None:
    with pytest.raises(error) as raised:
        extract(name, content)
    assert type(raised.value) is error


def test_a_bomb_ends_in_time_and_outside_of_this_process() -> None:
    bomb = files.pdf_flate_bomb()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()

    with pytest.raises(FileTooComplex):
        extract("cv.pdf", bomb)

    assert time.monotonic() - started < 10
    # In kB: this process did not grow, and no child outgrew its limit.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < MEMORY_BYTES / 1000


def test_the_deadline_kills_the_child() -> None:
    with pytest.raises(FileTooComplex):
        sandbox.read("pdf", files.pdf("x"), seconds=0.001)


def test_the_child_sees_no_secret_and_its_crash_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child = tmp_path / "child.py"
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    monkeypatch.setattr(sandbox, "_CHILD", child)

    child.write_text("import os, sys; sys.stdout.write('ok\\n' + ' '.join(os.environ))")
    assert "SECRET_KEY" not in sandbox.read("pdf", b"")

    child.write_text("import os; print('ok', flush=True); os.abort()")
    with pytest.raises(FileTooComplex):
        sandbox.read("pdf", b"")
