"""Chooses the reader for a file, by its content as well as by its name."""

from collections import Counter
from collections.abc import Hashable
from pathlib import PurePath

from apps.uploads.extraction import readers
from apps.uploads.extraction.errors import CorruptFile, EmptyFile, EncryptedFile, UnsupportedFormat
from apps.uploads.extraction.extracted import CHARACTERS, Extracted
from apps.uploads.extraction.whitespace import count_invisible, normalise

SUFFIXES = (".txt", ".docx", ".pdf")

_PDF = b"%PDF-"
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_OFFICE = "EncryptedPackage".encode("utf-16-le")


def extract(name: str, content: bytes, *, owner: Hashable = None) -> Extracted:
    """The text of a file, with tidy white space and without what nobody sees. Never empty.

    `owner`: whose files are read one by one.
    Raises an ExtractionError.
    """
    suffix = PurePath(name.replace("\\", "/")).suffix.lower()
    if suffix not in SUFFIXES:
        raise UnsupportedFormat
    if not content.strip(b"\x00\t\n\r\f\v "):
        raise EmptyFile
    found = readers.read(_format(suffix, content), content, owner=owner)
    hidden = Counter(found.hidden)
    hidden[CHARACTERS] += count_invisible(found.text)
    text = normalise(found.text)
    if not text:
        raise EmptyFile
    return Extracted(text, +hidden)


def _format(suffix: str, content: bytes) -> str:
    """What the file is. The content decides; a name that promises more than it holds is corrupt."""
    if content.startswith(_OLE):
        # A password turns a DOCX into this older container; else it is a DOC.
        raise EncryptedFile if _ENCRYPTED_OFFICE in content else UnsupportedFormat
    if content.startswith(_ZIP):
        return "docx"
    # Readers accept some bytes before the header; a text may well speak of "%PDF-".
    if content.startswith(_PDF) or (suffix == ".pdf" and _PDF in content[:1024]):
        return "pdf"
    if suffix != ".txt":
        raise CorruptFile
    return "txt"
