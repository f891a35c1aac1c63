"""DOCX: a walk over the XML that python-docx opens. Runs in the sandbox's child only.

Read are paragraphs, tables in reading order, text boxes, content controls, insertions, headers
and footers; left out are deletions, hidden runs, field codes, and the fallback copies that older
programs would show.
"""

import io
import zipfile
from collections.abc import Iterator

import docx
from docx.oxml.ns import qn
from lxml import etree

from apps.uploads.extraction.errors import (
    CorruptFile,
    EmptyFile,
    NoTextLayer,
    UnpackedTooLarge,
    UnsupportedFormat,
)

MAX_PARTS = 2_000
MAX_UNPACKED_BYTES = 60_000_000
MAX_XML_BYTES = 20_000_000

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_LEFT_OUT = {
    qn("w:del"), qn("w:moveFrom"), qn("w:delText"), qn("w:instrText"), qn("w:rPr"), qn("w:pPr"),
    qn("w:sectPr"), qn("w:tblPr"), qn("w:tcPr"), qn("w:trPr"), qn("w:sdtPr"), f"{_MC}Fallback",
}  # fmt: skip
_CHARACTERS = {
    qn("w:tab"): "\t",
    qn("w:br"): "\n",
    qn("w:cr"): "\n",
    qn("w:noBreakHyphen"): "-",
}
_TEXT_BOX = qn("w:txbxContent")
_PICTURES = (qn("pic:pic"), "{urn:schemas-microsoft-com:vml}imagedata")


def read(content: bytes) -> str:
    _refuse_bombs(content)
    try:
        document = docx.Document(io.BytesIO(content))
        body = document.element.body
        # Linked headers are one element seen from several sections.
        frames = {
            id(part._element): part._element
            for section in document.sections
            for part in (section.first_page_header, section.header, section.footer)
            if not part.is_linked_to_previous
        }
        headers = [frame for frame in frames.values() if frame.tag == qn("w:hdr")]
        footers = [frame for frame in frames.values() if frame.tag == qn("w:ftr")]
        text = "\n".join("\n".join(_blocks(part)) for part in [*headers, body, *footers])
    except MemoryError:
        raise
    except Exception as error:
        # A broken file makes it raise nearly anything: KeyError, ValueError, XMLSyntaxError.
        raise CorruptFile from error
    if not text.strip():
        raise NoTextLayer if any(True for _ in body.iter(*_PICTURES)) else EmptyFile
    return text


def _refuse_bombs(content: bytes) -> None:
    """Checks what the archive declares: unpacking stops there, whatever the streams hold."""
    try:
        parts = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise CorruptFile from error
    names = {part.filename for part in parts}
    if "[Content_Types].xml" not in names or not any(name.startswith("word/") for name in names):
        raise UnsupportedFormat
    xml = (part for part in parts if part.filename.endswith((".xml", ".rels")))
    if (
        len(parts) > MAX_PARTS
        or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES
        or max((part.file_size for part in xml), default=0) > MAX_XML_BYTES
    ):
        raise UnpackedTooLarge


def _blocks(container: etree._Element) -> Iterator[str]:
    """The paragraphs and tables of a body, a cell, a header or a content control, in order."""
    for element in container:
        if element.tag in _LEFT_OUT:
            continue
        if element.tag == qn("w:p"):
            yield from _paragraph(element)
        elif element.tag == qn("w:tbl"):
            yield from _table(element)
        else:
            yield from _blocks(element)


def _paragraph(paragraph: etree._Element) -> Iterator[str]:
    boxes: list[etree._Element] = []
    text = "".join(_inline(paragraph, boxes))
    yield text
    for box in boxes:
        yield from _blocks(box)


def _inline(element: etree._Element, boxes: list[etree._Element]) -> Iterator[str]:
    """The text of a paragraph's runs; the text boxes anchored in it are put aside."""
    for child in element:
        tag = child.tag
        if tag in _LEFT_OUT or (tag == qn("w:r") and _hidden(child)):
            continue
        if tag == qn("w:t"):
            yield child.text or ""
        elif tag in _CHARACTERS:
            yield _CHARACTERS[tag]
        elif tag == _TEXT_BOX:
            boxes.append(child)
        else:
            yield from _inline(child, boxes)


def _hidden(run: etree._Element) -> bool:
    vanish = run.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
    return vanish is not None and vanish.get(qn("w:val"), "1") not in ("0", "false", "off")


def _table(table: etree._Element) -> Iterator[str]:
    """A row of short cells becomes one line; cells with several paragraphs follow one another."""
    for row in _within(table, "w:tr"):
        cells = []
        for cell in _within(row, "w:tc"):
            lines = [line for line in _blocks(cell) if line.strip()]
            if lines:
                cells.append(lines)
        if any(len(lines) > 1 for lines in cells):
            for lines in cells:
                yield from lines
        elif cells:
            yield " | ".join(lines[0] for lines in cells)


def _within(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Rows of a table or cells of a row, also inside content controls and insertions."""
    for child in element:
        if child.tag == qn(name):
            yield child
        elif child.tag not in _LEFT_OUT:
            yield from _within(child, name)
