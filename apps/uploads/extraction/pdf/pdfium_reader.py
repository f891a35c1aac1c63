"""PDF by PDFium, the first reader. Runs in the sandbox's child only."""

from collections import Counter

import pypdfium2
from pypdfium2 import raw

from apps.uploads.extraction.answers import answering
from apps.uploads.extraction.errors import CorruptFile, EncryptedFile, FileTooComplex
from apps.uploads.extraction.extracted import Extracted
from apps.uploads.extraction.pdf.hidden_text import visible_text
from apps.uploads.extraction.pdf.pages import MAX_PAGES, joined, refuse_too_long
from apps.uploads.extraction.pdf.paint import Painter

# PDFium's mark for a hyphen that only the line's end has made.
_LINE_END_HYPHEN = ("\x02", "\ufffe")


def read(content: bytes) -> Extracted:
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise EncryptedFile from error
        raise CorruptFile from error
    if len(document) > MAX_PAGES:
        raise FileTooComplex
    texts: list[str] = []
    hidden: Counter[str] = Counter()
    drawn = False
    painter = Painter()
    for number in range(len(document)):
        try:
            page = document[number]
            page.set_rotation(0)  # else lines of a page that lies on its side come out of order
            text, left_out = visible_text(page, page.get_textpage(), painter)
        except pypdfium2.PdfiumError as error:
            raise CorruptFile from error
        if not text.strip():
            drawn = drawn or next(page.get_objects(max_depth=2), None) is not None
        for mark in _LINE_END_HYPHEN:
            text = text.replace(mark, "")
        texts.append(text)
        hidden += left_out
        refuse_too_long(texts)
    return Extracted(joined(texts, drawn=drawn and not hidden), hidden)


answer = answering(read)
