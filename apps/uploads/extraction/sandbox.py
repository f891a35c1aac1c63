"""Reads formats that can be hostile in a child process with little time, memory and knowledge.

A small file can ask for gigabytes, PDFium is not thread-safe and aborts when memory ends: none of
that may touch the process that serves everybody. The child has no environment, opens no file,
and dies at the deadline.
"""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from apps.uploads.extraction.errors import (
    BY_CODE,
    CorruptFile,
    ExtractionError,
    FileTooComplex,
    ReadersBusy,
)
from apps.uploads.extraction.extracted import Extracted

SECONDS = 9.0
AT_ONCE = 2

_CHILD = Path(__file__).with_name("child.py")
_ROOT = Path(__file__).resolve().parents[3]
_slots = threading.BoundedSemaphore(AT_ONCE)

# One reader after another, as long as they call the file corrupt or crash over it.
_READERS = {"docx": ("docx",), "pdf": ("pdfium", "pypdf")}


class _Crashed(Exception):
    """The child died of the file: PDFium aborts, a limit kills."""


def read(kind: str, content: bytes, *, seconds: float = SECONDS) -> Extracted:
    """The text of a PDF or DOCX. Raises an ExtractionError, at the latest after `seconds`."""
    deadline = time.monotonic() + seconds
    failure: ExtractionError = CorruptFile()
    if not _slots.acquire(timeout=seconds):
        raise ReadersBusy
    try:
        for reader in _READERS[kind]:
            try:
                return _run(reader, content, deadline - time.monotonic())
            except _Crashed:
                failure = FileTooComplex()
            except CorruptFile:
                pass
    finally:
        _slots.release()
    raise failure


def _run(reader: str, content: bytes, seconds: float) -> Extracted:
    try:
        child = subprocess.run(
            [sys.executable, "-I", "-B", str(_CHILD), str(_ROOT), reader],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=max(0.0, seconds),
            env={},
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FileTooComplex from error
    verdict, _newline, answer = child.stdout.partition(b"\n")
    if child.returncode != 0 or not verdict:
        raise _Crashed
    if verdict != b"ok":
        raise BY_CODE[verdict.decode()]
    hidden, _newline, text = answer.partition(b"\n")
    return Extracted(text.decode("utf-8", errors="replace"), json.loads(hidden))
