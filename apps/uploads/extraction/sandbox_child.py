"""The child process of `sandbox`: reads a file on stdin, and answers on stdout.

`ok`, a line with the counts of hidden text, then the text; or an error's code and nothing more.

Called with the checkout's root and the reader's name. Its limits are set before it reads a byte.
"""

import json
import resource
import sys

MEMORY_BYTES = 1_000_000_000
CPU_SECONDS = 9


def main(root: str, reader: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.path.insert(0, root)
    sys.stdout.buffer.write(answer(reader, sys.stdin.buffer.read()))
    sys.stdout.flush()


def answer(reader: str, content: bytes) -> bytes:
    # Each reader is imported alone: start-up is most of what a small file costs.
    from apps.uploads.extraction.errors import ExtractionError

    try:
        if reader == "docx":
            from apps.uploads.extraction.docx.reader import read
        elif reader == "pdfium":
            from apps.uploads.extraction.pdf.pdfium_reader import read
        else:
            from apps.uploads.extraction.pdf.pypdf_reader import read
        found = read(content)
        head = f"ok\n{json.dumps(dict(found.hidden))}\n"
        return head.encode() + found.text.encode("utf-8", errors="replace")
    except MemoryError:
        return b"file_too_complex\n"
    except ExtractionError as error:
        return f"{error.code}\n".encode()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
