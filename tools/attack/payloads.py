"""Texts and files that ask for much more work than they are large. Deterministic."""

import io
import zipfile
import zlib

from docx import Document

RESUME, REQUIREMENTS = 14_900, 4_900  # characters
NEWLINES = "[x" + "\n" * 14_990
# Of two classes in turn: normalization has to sort them.
MARKS = "a" + "\u0301\u0316" * 45_000
_DOCUMENT = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    "<w:body>{}</w:body></w:document>"
)
# What is demanded, known, personal or a mark of structure, again and again.
_SEEDS = (
    *("\n", " ", "\t", "\u00a0", "a\u0301\u0316\u0323\u0300", ".", "8", "8 926 ", "-", "\u2014 "),
    *("(", "[{(", "\"'\u00ab\u201c", "A", "Иванов Иван ", "тел", "пол ", "born ", "a@b.c/"),
    "тел: \n\t(8-.born \u00a0[ИО пол] \u0301",
)


def texts(length: int) -> list[str]:
    """Twenty, each of the whole length."""
    return [("Python " + seed * length)[: length - 7] + " Docker" for seed in _SEEDS]


def bombs() -> dict[str, bytes]:
    """Files of every format that unfold, nest or go on for ever."""
    paragraph = "<w:p><w:r><w:t>a</w:t></w:r></w:p>"
    return {
        "cp1251.txt": "Опыт работы: Питон. ".encode("cp1251") * 490_000,
        "swelling.docx": docx(_DOCUMENT.format(paragraph * 3_000_000)),
        "just-allowed.docx": docx(_DOCUMENT.format(paragraph * 250_000)),
        "nested.docx": docx(_DOCUMENT.format("<w:sdt><w:sdtContent>" * 50_000)),
        "nested.pdf": pdf(b"BT ET", more=b"[" * 3_000_000),
        "huge.pdf": pdf(b"(" + b"a" * 200_000_000 + b") Tj"),
    }


def docx(document: str) -> bytes:
    """python-docx's empty document with this for its text."""
    template, content = io.BytesIO(), io.BytesIO()
    Document().save(template)
    with (
        zipfile.ZipFile(template) as old,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, document if name == "word/document.xml" else old.read(name))
    return content.getvalue()


def marked_docx() -> bytes:
    return docx(_DOCUMENT.format(f"<w:p><w:r><w:t>{MARKS[:14_000]}</w:t></w:r></w:p>"))


def slow_pdf(number: int) -> bytes:
    """Two million little texts on a page."""
    return pdf(b"BT /F1 9 Tf %d 9 Td " % number + b"(ab) Tj 1 1 Td " * 2_000_000 + b"ET")


def pdf(drawing: bytes, *, more: bytes = b"null") -> bytes:
    """One page, packed; `more` is an object of its own."""
    packed = zlib.compress(drawing, 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /More 6 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >> stream\n%s\nendstream" % (len(packed), packed),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        more,
    ]
    content, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return content + b"xref\n0 7\n0000000000 65535 f \n%strailer\n%s\nstartxref\n%d\n%%%%EOF" % (
        table,
        b"<< /Size 7 /Root 1 0 R >>",
        len(content),
    )
