"""What the API says about a file that has no text to give."""

from django.utils.translation import gettext_lazy as _

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
from resume_platform.http.errors import BadInput, DomainError, ServiceUnavailable, TooLarge

_SENTENCES = {
    UnsupportedFormat: _("Only .txt, .docx and .pdf files are read."),
    CorruptFile: _("The file is damaged or is not what its name says."),
    EmptyFile: _("There is no text in the file."),
    EncryptedFile: _("The file is protected by a password."),
    NoTextLayer: _("The file holds pictures of pages, without text that could be read."),
    FileTooComplex: _("The file takes too long or too much memory to read."),
    UnpackedTooLarge: _("The file unpacks to far more than it weighs."),
    ReadersBusy: _("Too many files are being read at the moment. Try again."),
}
RETRY_SECONDS = 2
_KINDS: dict[type[ExtractionError], type[DomainError]] = {
    UnpackedTooLarge: TooLarge,
    ReadersBusy: ServiceUnavailable,
}


def domain_error(error: ExtractionError) -> DomainError:
    kind = _KINDS.get(type(error), BadInput)
    retry_after = RETRY_SECONDS if isinstance(error, ReadersBusy) else None
    return kind(str(_SENTENCES[type(error)]), error.code, retry_after=retry_after)


def too_many_characters(limit: int) -> TooLarge:
    sentence = _("The file's text is longer than {limit} characters.")
    return TooLarge(str(sentence).format(limit=limit), "too_many_characters")


def too_many_bytes(limit: int) -> TooLarge:
    sentence = _("The file is larger than {limit} bytes.")
    return TooLarge(str(sentence).format(limit=limit), "file_too_large")


def file_problems() -> list[tuple[int, str, str]]:
    """Status, code and sentence of every answer here, for the documentation."""
    unreadable = [
        (_KINDS.get(kind, BadInput).status_code, kind.code, str(sentence))
        for kind, sentence in _SENTENCES.items()
    ]
    too_large = [too_many_characters(15_000), too_many_bytes(10_000_000)]
    return unreadable + [(error.status_code, error.code, error.detail) for error in too_large]
