"""Chooses the reader for a file, by its content as well as by its name."""

import re
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import PurePath

from apps.uploads.extraction import readers
from apps.uploads.extraction.errors import CorruptFile, EmptyFile, EncryptedFile, UnsupportedFormat
from apps.uploads.extraction.extracted import CHARACTERS, Extracted
from resume_platform.text import Text, TextEmpty, canonical

SUFFIXES = (".txt", ".docx", ".pdf")

_PDF = b"%PDF-"
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_OFFICE = "EncryptedPackage".encode("utf-16-le")

# What carries a message past the eye: zero-width characters, direction overrides, tags and
# variation selectors. Soft hyphens and a mark at the beginning are typography.
_SMUGGLING = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u206f\U000e0000-\U000e01ef]|(?<=.)\ufeff", re.DOTALL
)


@dataclass(frozen=True)
class ExtractedText(Extracted):
    text: Text

    @property
    def flags(self) -> list[dict[str, str | int]]:
        """As they are stored: the kind and the count, never the words."""
        return [{"kind": kind, "characters": self.hidden[kind]} for kind in sorted(self.hidden)]


def extract(name: str, content: bytes, max_chars: int, *, owner: Hashable = None) -> ExtractedText:
    """The text of a file, without what nobody sees. `owner`: whose files are read one by one.

    Raises ExtractionError and TextTooLong.
    """
    suffix = PurePath(name.replace("\\", "/")).suffix.lower()
    if suffix not in SUFFIXES:
        raise UnsupportedFormat
    if not content.strip(b"\x00\t\n\r\f\v "):
        raise EmptyFile
    found = readers.read(_format(suffix, content), content, owner=owner)
    try:
        text = canonical(found.text, max_chars)
    except TextEmpty as error:
        raise EmptyFile from error
    hidden = Counter(found.hidden)
    hidden[CHARACTERS] += len(_SMUGGLING.findall(found.text))
    return ExtractedText(text, +hidden)


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
