"""DOCX: a walk over the XML that python-docx opens. Runs in the sandbox's child only.

Read are paragraphs, tables in reading order, text boxes, content controls, insertions, headers
and footers; left out are deletions, field codes, the fallback copies that older programs would
show, and what nobody sees (`docx_hidden`).
"""

import io
import zipfile
from collections import Counter
from collections.abc import Iterator

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from lxml import etree

from apps.uploads.extraction.answers import answering
from apps.uploads.extraction.docx.hidden_text import Looks
from apps.uploads.extraction.errors import (
    CorruptFile,
    EmptyFile,
    NoTextLayer,
    UnpackedTooLarge,
    UnsupportedFormat,
)
from apps.uploads.extraction.extracted import INVISIBLE, Extracted

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


def read(content: bytes) -> Extracted:
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
        # python-docx would open a template for a document without styles.
        kinds = {relation.reltype for relation in document.part.rels.values()}
        has_styles = RELATIONSHIP_TYPE.STYLES in kinds
        styles = document.styles.element if has_styles else OxmlElement("w:styles")
        walk = _Walk(Looks(styles, body))
        text = "\n".join("\n".join(walk.blocks(part)) for part in [*headers, body, *footers])
    except MemoryError:
        raise
    except Exception as error:
        # A broken file makes it raise nearly anything: KeyError, ValueError, XMLSyntaxError.
        raise CorruptFile from error
    if not text.strip():
        raise NoTextLayer if any(True for _ in body.iter(*_PICTURES)) else EmptyFile
    return Extracted(text, walk.hidden)


answer = answering(read)


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


class _Walk:
    """One pass over the document; counts what it leaves out because nobody sees it."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self.hidden: Counter[str] = Counter()

    def blocks(self, container: etree._Element) -> Iterator[str]:
        """Paragraphs and tables of a body, a cell, a header or a content control, in order."""
        for element in container:
            if element.tag in _LEFT_OUT:
                continue
            if element.tag == qn("w:p"):
                yield from self._paragraph(element)
            elif element.tag == qn("w:tbl"):
                yield from self._table(element)
            else:
                yield from self.blocks(element)

    def _paragraph(self, paragraph: etree._Element) -> Iterator[str]:
        boxes: list[etree._Element] = []
        text = "".join(self._inline(paragraph, boxes))
        yield text
        for box in boxes:
            yield from self.blocks(box)

    def _inline(self, element: etree._Element, boxes: list[etree._Element]) -> Iterator[str]:
        """The text of a paragraph's runs; the text boxes anchored in it are put aside."""
        for child in element:
            tag = child.tag
            if tag in _LEFT_OUT:
                continue
            if tag == qn("w:t"):
                yield child.text or ""
            elif tag in _CHARACTERS:
                yield _CHARACTERS[tag]
            elif tag == _TEXT_BOX:
                boxes.append(child)
            elif tag == qn("w:r") and (kind := self._looks.hidden(child)):
                # A vanished run takes its box along, a white one does not.
                text = "".join(self._inline(child, [] if kind == INVISIBLE else boxes))
                if text.strip():
                    self.hidden[kind] += len(text.strip())
            else:
                yield from self._inline(child, boxes)

    def _table(self, table: etree._Element) -> Iterator[str]:
        """A row of short cells becomes one line; cells with several paragraphs follow on."""
        for row in _within(table, "w:tr"):
            cells = []
            for cell in _within(row, "w:tc"):
                lines = [line for line in self.blocks(cell) if line.strip()]
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
