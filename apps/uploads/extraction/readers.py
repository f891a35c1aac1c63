"""Has a file read in the sandbox: a small file can ask for gigabytes, and PDFium aborts then."""

import time
from collections.abc import Hashable

from pydantic import BaseModel

from apps.uploads.extraction.answers import MAX_BYTES
from apps.uploads.extraction.errors import (
    BY_CODE,
    CorruptFile,
    ExtractionError,
    FileTooComplex,
    ReadersBusy,
)
from apps.uploads.extraction.extracted import Extracted
from resume_platform import sandbox

# One after another, as long as they call the file corrupt or die of it.
_READERS = {
    "txt": ("txt",),
    "docx": ("docx.reader",),
    "pdf": ("pdf.pdfium_reader", "pdf.pypdf_reader"),
}


class _Answer(BaseModel):
    error: str = ""
    text: str = ""
    hidden: dict[str, int] = {}


def read(
    kind: str, content: bytes, *, owner: Hashable, seconds: float = sandbox.SECONDS
) -> Extracted:
    """The text as it stands in the file. Raises an ExtractionError."""
    deadline = time.monotonic() + seconds
    failure: ExtractionError = CorruptFile()
    for reader in _READERS[kind]:
        try:
            return _read(reader, content, owner, deadline - time.monotonic())
        except FileTooComplex as error:
            failure = error
        except CorruptFile:
            pass
        except ReadersBusy:
            # A file that was too much for one reader is so for the next.
            if not isinstance(failure, FileTooComplex):
                raise
    raise failure


def _read(reader: str, content: bytes, owner: Hashable, seconds: float) -> Extracted:
    function = f"apps.uploads.extraction.{reader}:answer"
    try:
        answer = sandbox.run(function, content, owner=owner, most=MAX_BYTES, seconds=seconds)
    except sandbox.SandboxKilled as error:
        raise FileTooComplex from error
    except sandbox.SandboxBusy as error:
        raise ReadersBusy from error
    said = _Answer.model_validate_json(answer)
    if said.error:
        raise BY_CODE[said.error]
    return Extracted(said.text, said.hidden)
