"""PDF by pypdf, for files that PDFium cannot open. Runs in the sandbox's child only.

It does not tell how a text looks, so what it reads is flagged as unchecked for hidden text.
"""

import io

import pypdf
from pypdf.errors import LimitReachedError

from apps.uploads.extraction.answers import answering
from apps.uploads.extraction.errors import CorruptFile, EncryptedFile, FileTooComplex
from apps.uploads.extraction.extracted import UNCHECKED, Extracted
from apps.uploads.extraction.pdf.pages import MAX_PAGES, joined, refuse_too_long


def read(content: bytes) -> Extracted:
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise EncryptedFile
        if len(reader.pages) > MAX_PAGES:
            raise FileTooComplex
        texts: list[str] = []
        drawn = False
        for page in reader.pages:
            texts.append(page.extract_text())
            drawn = drawn or page.get_contents() is not None
            refuse_too_long(texts)
    except (EncryptedFile, FileTooComplex, MemoryError):
        raise
    except LimitReachedError as error:
        raise FileTooComplex from error
    except Exception as error:
        # A broken file makes it raise nearly anything: KeyError, TypeError, RecursionError.
        raise CorruptFile from error
    text = joined(texts, drawn=drawn)
    return Extracted(text, {UNCHECKED: len(text)})


answer = answering(read)

# pypdf imports some of its parts when they are first used, too late in the sandbox: what they are
# for is used here.
read(
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R"
    b"/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
    b"4 0 obj<</Filter/ASCIIHexDecode/Length 39>>stream\n"
    b"42542f4631203920546628782920546a204554>\nendstream endobj\n"
    b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    b"trailer<</Root 1 0 R/Size 6>>\nstartxref\n0\n%%EOF\n"
)
