"""What both PDF readers agree on."""

from apps.uploads.extraction.errors import EmptyFile, FileTooComplex, NoTextLayer

MAX_PAGES = 300
# Far above any limit of the API, far below what fills a memory.
MAX_CHARS = 2_000_000


def refuse_too_long(texts: list[str]) -> None:
    if sum(map(len, texts)) > MAX_CHARS:
        raise FileTooComplex


def joined(texts: list[str], *, drawn: bool) -> str:
    """The pages' texts as one. `drawn`: something is on the pages, be it no text."""
    text = "\n\n".join(texts)
    if not text.strip():
        raise NoTextLayer if drawn else EmptyFile
    return text
