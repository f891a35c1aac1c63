"""PDF by pypdf, for files that PDFium cannot open. Runs in the sandbox's child only.

It does not tell how a text looks, so what it reads is flagged as unchecked for hidden text.
"""

import io

import pypdf
from pypdf.errors import LimitReachedError

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
