"""Reads formats that can be hostile in a child process with little time, memory and knowledge.

A small file can ask for gigabytes, PDFium is not thread-safe and aborts when memory ends: none of
that may touch the process that serves everybody. The child has no environment, opens no file,
and dies at the deadline.
"""

import json
import os
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
# A child that had so little of a core by the deadline was kept waiting: the machine is to blame,
# not the file. An ordinary file takes some tenths.
BUSY_BELOW_CPU_SECONDS = 2.0

_CHILD = Path(__file__).with_name("sandbox_child.py")
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
            except ReadersBusy:
                raise failure if isinstance(failure, FileTooComplex) else ReadersBusy from None
            except CorruptFile:
                pass
    finally:
        _slots.release()
    raise failure


def _run(reader: str, content: bytes, seconds: float) -> Extracted:
    command = [sys.executable, "-I", "-B", str(_CHILD), str(_ROOT), reader]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=nowhere, env={}, cwd="/"
    ) as child:
        try:
            output, _ = child.communicate(content, timeout=max(0.0, seconds))
        except subprocess.TimeoutExpired as error:
            if _end(child) < BUSY_BELOW_CPU_SECONDS:
                raise ReadersBusy from error
            raise FileTooComplex from error
    verdict, _newline, answer = output.partition(b"\n")
    if child.returncode != 0 or not verdict:
        raise _Crashed
    if verdict != b"ok":
        raise BY_CODE[verdict.decode()]
    hidden, _newline, text = answer.partition(b"\n")
    return Extracted(text.decode("utf-8", errors="replace"), json.loads(hidden))


def _end(child: "subprocess.Popen[bytes]") -> float:
    """How many seconds of a core the child had until it was killed."""
    child.kill()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime
