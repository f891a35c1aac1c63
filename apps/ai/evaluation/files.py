"""Reads the text of a labelled file, more plainly than an upload, which another app owns."""

from pathlib import Path

import docx
import pypdf


def read_file(path: Path) -> str:
    """Of a .pdf, .docx or text file. Raises ValueError where it cannot be read."""
    if path.suffix == ".pdf":
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    if path.suffix == ".docx":
        document = docx.Document(str(path))
        cells = [
            " | ".join(cell.text for cell in row.cells)
            for table in document.tables
            for row in table.rows
        ]
        return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError(f"{path.name} is no text")
