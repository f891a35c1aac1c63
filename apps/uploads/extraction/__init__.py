"""Turns an uploaded file into its text. Knows no Django; `extract` is the way in."""

from apps.uploads.extraction.errors import (
    CorruptFile,
    EmptyFile,
    EncryptedFile,
    ExtractionError,
    FileTooComplex,
    NoTextLayer,
    ReadersBusy,
    UnpackedTooLarge,
    UnsupportedFormat,
)
from apps.uploads.extraction.extract import extract
from apps.uploads.extraction.extracted import Extracted

__all__ = [
    "CorruptFile",
    "EmptyFile",
    "EncryptedFile",
    "Extracted",
    "ExtractionError",
    "FileTooComplex",
    "NoTextLayer",
    "ReadersBusy",
    "UnpackedTooLarge",
    "UnsupportedFormat",
    "extract",
]
