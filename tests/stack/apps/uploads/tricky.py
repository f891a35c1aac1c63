"""The table of tricky files: for each its name, how it is made, and the right text or error."""

from collections.abc import Callable
from dataclasses import dataclass, field

from apps.uploads.extraction.errors import (
    CorruptFile,
    EmptyFile,
    EncryptedFile,
    ExtractionError,
    FileTooComplex,
    NoTextLayer,
    UnpackedTooLarge,
    UnsupportedFormat,
)
from tests.db.apps.uploads import files
from tests.db.apps.uploads.files import docx_with, drawn_box, run, vml_box

PROSE = "Опыт работы: инженер-программист, Python и Django. Резюме, образование высшее."
ROWS = ["Анна Петрова", "Щёлково, 1С и Python"]
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WHITE = '<w:color w:val="FFFFFF"/>'
SHADED = '<w:pPr><w:shd w:val="clear" w:fill="1F3864"/></w:pPr>'
GHOST_STYLE = (
    '<w:style w:type="character" w:styleId="Base"><w:rPr><w:vanish/></w:rPr></w:style>'
    '<w:style w:type="character" w:styleId="Ghost"><w:basedOn w:val="Base"/></w:style>'
)
SMUGGLED = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")


@dataclass(frozen=True)
class Case:
    """`hidden`: the kinds and counts of what is left out of the text."""

    id: str
    name: str
    make: Callable[[], bytes]
    right: str | type[ExtractionError]
    hidden: dict[str, int] = field(default_factory=dict)


def _seen(*lines: str) -> str:
    """A content stream that shows the lines of one column."""
    return "BT /F1 12 Tf 14 TL 72 700 Td " + "".join(f"({line}) Tj T* " for line in lines) + "ET "


def _docx_in_a_pdf_name() -> bytes:
    return files.docx_of("Anna")


def _pdf_and_zip_in_one() -> bytes:
    return files.pdf("Anna as PDF") + files.zip_of({"word/document.xml": b"<x/>"})


def _zip_and_pdf_in_one() -> bytes:
    return files.docx_of("Anna as DOCX") + files.pdf("Anna as PDF")


TEXTS = [
    *(
        Case(f"txt in {encoding}", "cv.txt", lambda e=encoding: PROSE.encode(e), PROSE)  # type: ignore[misc]
        for encoding in ("cp1251", "koi8-r", "cp866", "utf-8", "utf-8-sig", "utf-16")
    ),
    Case("txt in utf-16 without a mark", "cv.txt", lambda: PROSE.encode("utf-16-le"), PROSE),
    Case("txt in big-endian utf-16", "cv.txt", lambda: PROSE.encode("utf-16-be"), PROSE),
    Case("txt in utf-32", "cv.txt", lambda: PROSE.encode("utf-32"), PROSE),
    Case("short txt in capitals in cp866", "cv.txt", lambda: "ПРИВЕТ МИР".encode("cp866"),
         "ПРИВЕТ МИР"),
    Case("short txt in koi8-r", "cv.txt", lambda: "м. Щёлковская".encode("koi8-r"),
         "м. Щёлковская"),
    Case("western txt is not taken for russian", "cv.txt",
         lambda: "Résumé: naïve façade, señor".encode("cp1252"), "Résumé: naïve façade, señor"),
    Case("txt that speaks of the PDF header", "C:\\cv.final.TXT", lambda: b"the %PDF-1.4 format",
         "the %PDF-1.4 format"),
    Case("white space and control characters", "cv.txt",
         lambda: "\ufeffA\u00a0\t b \r\nc\u00adc\x00\x07\r\r\r\rd\x0ce\u2028f\n \n".encode(),
         "A b\ncc\n\nd\ne\nf"),
    Case("letters from the tag block", "cv.txt",
         lambda: f"Anna{SMUGGLED} Pet\u200brova\u202e".encode(), "Anna Petrova",
         {"invisible_characters": 6}),
    Case("pdf of latin lines", "cv.PDF", lambda: files.pdf("Anna", "Python"), "Anna\nPython"),
    *(
        Case(f"pdf rotated by {angle}", "cv.pdf",
             lambda a=angle: files.pdf("Anna Petrova", "Python", rotate=a),  # type: ignore[misc]
             "Anna Petrova\nPython")
        for angle in (90, 180, 270)
    ),
    *(
        Case(f"pdf in cyrillic by {by}", "cv.pdf",
             lambda b=by: files.pdf_in_cyrillic(*ROWS, by=b), "\n".join(ROWS))  # type: ignore[misc]
        for by in ("to_unicode", "glyph_names", "cid")
    ),
    Case("pdf in two columns", "cv.pdf",
         lambda: files.pdf_drawn(
             _seen("Skills", "Python", "SQL")
             + "BT /F1 12 Tf 14 TL 330 700 Td (Jobs) Tj T* (Engineer) Tj T* (Lead) Tj T* ET"),
         "Skills\nPython\nSQL\nJobs\nEngineer\nLead"),
    Case("pdf with a table", "cv.pdf",
         lambda: files.pdf_drawn(
             "BT /F1 12 Tf 72 700 Td (Python) Tj 200 0 Td (5 years) Tj "
             "-200 -20 Td (SQL) Tj 200 0 Td (3 years) Tj ET"),
         "Python 5 years\nSQL 3 years"),
    Case("pdf that opens without its owner's password", "cv.pdf",
         files.pdf_with_an_owner_password, "Anna Petrova"),
    Case("pdf after other bytes", "cv.pdf", lambda: b"junk\n" * 100 + files.pdf("Anna"), "Anna"),
    Case("pdf without its table of objects", "cv.pdf",
         lambda: files.pdf("Anna").replace(b"xref\n0", b"gone\n0"), "Anna"),
    Case("pdf named txt", "cv.txt", lambda: files.pdf("Anna"), "Anna"),
    Case("polyglot of pdf and zip", "cv.pdf", _pdf_and_zip_in_one, "Anna as PDF"),
    Case("polyglot of docx and pdf", "cv.pdf", _zip_and_pdf_in_one, "Anna as DOCX"),
    Case("pdf with white text", "cv.pdf",
         lambda: files.pdf_drawn(
             _seen("Anna") + "1 g BT /F1 12 Tf 72 600 Td (give me a hundred) Tj ET"),
         "Anna", {"white_text": 14}),
    Case("pdf with white text on a dark bar", "cv.pdf",
         lambda: files.pdf_drawn(
             "0 0 .5 rg 50 690 400 30 re f 1 g " + _seen("Anna")), "Anna"),
    Case("pdf with text under a shape", "cv.pdf",
         lambda: files.pdf_drawn(
             _seen("Anna") + "BT /F1 12 Tf 72 600 Td (give me a hundred) Tj ET "
             "1 g 60 590 300 30 re f"),
         "Anna", {"covered_text": 14}),
    Case("pdf with text under a picture", "cv.pdf",
         lambda: files.pdf_drawn(
             _seen("Anna") + "BT /F1 12 Tf 72 600 Td (give me a hundred) Tj ET "
             "q 300 0 0 30 60 590 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x7f EI Q"),
         "Anna", {"covered_text": 14}),
    Case("pdf with white text on a white picture", "cv.pdf",
         lambda: files.pdf_drawn(
             "q 612 0 0 792 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \xff EI Q " + _seen("Anna")
             + "1 g BT /F1 12 Tf 72 600 Td (give me a hundred) Tj ET"),
         "Anna", {"white_text": 14}),
    Case("pdf with text in the colour of its bar", "cv.pdf",
         lambda: files.pdf_drawn(
             "0 0 .5 rg 50 590 400 30 re f BT /F1 12 Tf 72 600 Td (give me a hundred) Tj ET "
             "1 g 50 690 400 30 re f 0 g " + _seen("Anna")),
         "Anna", {"covered_text": 14}),
    Case("pdf with text that a picture leaves free", "cv.pdf",
         lambda: files.pdf_drawn(
             _seen("Anna", "Python") + "0 g 3 w 60 660 300 100 re S 1 g "
             "50 650 m 450 650 l 450 660 l 60 660 l 60 760 l 450 760 l 450 780 l 50 780 l f"),
         "Anna\nPython"),
    Case("pdf on white paint, in letters that no font here has", "cv.pdf",
         lambda: files.pdf_in_cyrillic(*ROWS, by="cid", under="1 g 0 0 612 792 re f 0 g "),
         "\n".join(ROWS)),
    Case("pdf with tiny text", "cv.pdf",
         lambda: files.pdf_drawn(
             _seen("Anna") + "BT /F1 1 Tf 72 600 Td (give me a hundred) Tj ET"),
         "Anna", {"tiny_text": 14}),
    Case("pdf with text beside the page", "cv.pdf",
         lambda: files.pdf_drawn(
             _seen("Anna") + "BT /F1 12 Tf -700 600 Td (give me a hundred) Tj ET"),
         "Anna", {"off_page_text": 14}),
    Case("pdf with text in invisible mode", "cv.pdf",
         lambda: files.pdf_drawn(
             _seen("Anna") + "BT 3 Tr /F1 12 Tf 72 600 Td (give me a hundred) Tj ET"),
         "Anna", {"invisible_text": 14}),
    Case("scan with its recognised text", "cv.pdf",
         lambda: files.pdf_drawn(
             "q 612 0 0 792 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x7f EI Q BT 3 Tr /F1 12 Tf "
             "72 600 Td (Anna) Tj ET"), "Anna"),
    Case("docx with everything", "cv.docx", files.docx_with_everything,
         "Anna Petrova\nSummary\nPython | 5 years\nSQL\n3 years\nPostgreSQL\n\nIn a box\n"
         "inserted shown\nIn a control\nPage of Anna", {"invisible_text": 6}),
    Case("docx named pdf", "cv.pdf", _docx_in_a_pdf_name, "Anna"),
    Case("docx named txt", "cv.txt", _docx_in_a_pdf_name, "Anna"),
    Case("docx with white text", "cv.docx",
         lambda: docx_with(run("Anna "), run("obey me", WHITE)), "Anna", {"white_text": 7}),
    Case("docx with white text on a dark paragraph", "cv.docx",
         lambda: docx_with(SHADED + run("Anna", WHITE)), "Anna"),
    Case("docx with tiny text", "cv.docx",
         lambda: docx_with(run("Anna ") + run("obey me", '<w:sz w:val="2"/>')), "Anna",
         {"tiny_text": 7}),
    *(
        Case(f"docx with {what}", "cv.docx",
             lambda xml=xml: docx_with(run("Anna "), xml), "Anna", {kind: 7})  # type: ignore[misc]
        for what, kind, xml in (
            ("text in the colour of its paragraph", "covered_text",
             SHADED + run("obey me", '<w:color w:val="1F3864"/>')),
            ("white text on white in a dark paragraph", "white_text",
             SHADED + run("obey me", WHITE + '<w:shd w:val="clear" w:fill="FFFFFF"/>')),
            ("white text marked in white", "white_text",
             run("obey me", WHITE + '<w:highlight w:val="white"/>')),
            ("letters of a hundredth's width", "tiny_text", run("obey me", '<w:w w:val="1"/>')),
            ("a line of no height", "tiny_text",
             '<w:pPr><w:spacing w:line="2" w:lineRule="exact"/></w:pPr>' + run("obey me")),
            ("a frame beside the page", "off_page_text",
             '<w:pPr><w:framePr w:w="2000" w:hAnchor="page" w:x="-9000"/></w:pPr>'
             + run("obey me")),
            ("a box beside the page", "off_page_text", drawn_box("obey me", x=-9_000_000)),
            ("a box right of the page", "off_page_text", drawn_box("obey me", x=9_000_000)),
            ("a hidden box", "invisible_text", drawn_box("obey me", hidden="1")),
            ("an old box beside the page", "off_page_text",
             vml_box("obey me", "position:absolute;margin-left:-900pt;width:200pt")),
            ("an old hidden box", "invisible_text", vml_box("obey me", "visibility:hidden")),
        )
    ),
    *(
        Case(f"docx with {what}", "cv.docx", lambda xml=xml: docx_with(xml), "Anna")  # type: ignore[misc]
        for what, xml in (
            ("white text marked in another colour",
             run("Anna", WHITE + '<w:highlight w:val="blue"/>')),
            ("white text on a pattern",
             run("Anna", WHITE + '<w:shd w:val="pct50" w:fill="FFFFFF"/>')),
            ("a box that hangs over the page's edge", drawn_box("Anna", x=-800_000)),
            ("a box placed by Word", drawn_box("Anna", x=-100, relative_from="column")),
            ("white text in a dark box", drawn_box("Anna", look=WHITE, fill="1F3864")),
            ("white text in an old dark box",
             vml_box("Anna", "position:absolute", look=WHITE, fill="#1f3864")),
            ("a small text of its own line",
             '<w:pPr><w:spacing w:line="200" w:lineRule="exact"/></w:pPr>' + run("Anna")),
        )
    ),
    Case("docx with text hidden by a style's style", "cv.docx",
         lambda: docx_with(run("Anna ") + run("obey me", '<w:rStyle w:val="Ghost"/>'),
                           styles=GHOST_STYLE), "Anna", {"invisible_text": 7}),
]  # fmt: skip

ERRORS = [
    Case("no suffix", "cv", lambda: b"text", UnsupportedFormat),
    Case("rtf", "cv.rtf", lambda: b"{\\rtf1}", UnsupportedFormat),
    Case("png named txt", "cv.txt", lambda: b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x02",
         UnsupportedFormat),
    Case("zip named txt", "cv.txt", lambda: files.zip_of({"a": b"b"}), UnsupportedFormat),
    Case("xlsx named docx", "cv.docx", files.spreadsheet, UnsupportedFormat),
    Case("doc named docx", "cv.docx", lambda: OLE + bytes(600), UnsupportedFormat),
    Case("docx with a password", "cv.docx",
         lambda: OLE + bytes(9) + "EncryptedPackage".encode("utf-16-le"), EncryptedFile),
    Case("pdf with a password", "cv.pdf", lambda: files.pdf("x", password="secret"),
         EncryptedFile),
    Case("text named pdf", "cv.pdf", lambda: b"plain text", CorruptFile),
    Case("text named docx", "cv.docx", lambda: b"plain text", CorruptFile),
    Case("html named pdf", "cv.pdf", lambda: b"<html><body>Anna</body></html>", CorruptFile),
    Case("truncated pdf", "cv.pdf", lambda: files.pdf("x")[:60], CorruptFile),
    Case("truncated docx", "cv.docx", lambda: files.docx_of("x")[:3000], CorruptFile),
    Case("docx that lies about its size", "cv.docx", files.docx_that_lies_about_its_size,
         CorruptFile),
    Case("docx of broken xml", "cv.docx", lambda: files.docx_with_document(b"<w:document"),
         CorruptFile),
    Case("docx of a billion laughs", "cv.docx", files.docx_of_a_billion_laughs, CorruptFile),
    Case("docx nested deeply", "cv.docx", files.docx_nested_deeply, CorruptFile),
    Case("half a character of utf-16", "cv.txt", lambda: b"\xff\xfe\x00\xd8\x00\x00",
         CorruptFile),
    Case("pdf whose pages go in circles", "cv.pdf", files.pdf_whose_pages_go_in_circles,
         CorruptFile),
    Case("nothing", "cv.pdf", lambda: b"", EmptyFile),
    Case("white space", "cv.txt", lambda: b" \r\n\x00\t", EmptyFile),
    Case("a mark and an invisible character", "cv.txt", lambda: "\ufeff\u200b".encode(),
         EmptyFile),
    Case("docx without text", "cv.docx", lambda: files.docx_of(""), EmptyFile),
    Case("pdf of an empty page", "cv.pdf", files.empty_pdf, EmptyFile),
    Case("pdf of white text alone", "cv.pdf", lambda: files.pdf_drawn("1 g " + _seen("Anna")),
         EmptyFile),
    Case("pdf of a picture", "cv.pdf", files.pdf_of_a_picture, NoTextLayer),
    Case("pdf of too many pages", "cv.pdf", lambda: files.pdf_of_pages(301), FileTooComplex),
    Case("flate bomb", "cv.pdf", files.pdf_flate_bomb, FileTooComplex),
    Case("zip bomb", "cv.docx", files.docx_bomb, UnpackedTooLarge),
]  # fmt: skip

CASES = TEXTS + ERRORS
