"""Why a file has no text to give.

    ExtractionError
    ├── UnsupportedFormat  not .txt, .docx or .pdf, by name or by content
    ├── CorruptFile        claims a format and breaks its rules
    ├── EmptyFile          nothing in it
    ├── EncryptedFile      needs a password
    ├── NoTextLayer        pictures of pages
    ├── FileTooComplex     takes more time or memory than a resume can need
    ├── UnpackedTooLarge   an archive that unpacks to far more than it weighs
    └── ReadersBusy        no fault of the file: too many are being read

`code` is the word that the API shows; its sentence stands in `apps.uploads.file_errors`.
"""


class ExtractionError(Exception):
    code = "unreadable_file"


class UnsupportedFormat(ExtractionError):
    code = "unsupported_format"


class CorruptFile(ExtractionError):
    code = "corrupt_file"


class EmptyFile(ExtractionError):
    code = "empty_file"


class EncryptedFile(ExtractionError):
    code = "encrypted_file"


class NoTextLayer(ExtractionError):
    code = "no_text_layer"


class FileTooComplex(ExtractionError):
    code = "file_too_complex"


class UnpackedTooLarge(ExtractionError):
    code = "unpacked_too_large"


class ReadersBusy(ExtractionError):
    code = "readers_busy"


# What the sandbox's child may answer.
BY_CODE: dict[str, type[ExtractionError]] = {
    error.code: error
    for error in (
        UnsupportedFormat,
        CorruptFile,
        EmptyFile,
        EncryptedFile,
        NoTextLayer,
        FileTooComplex,
        UnpackedTooLarge,
    )
}
