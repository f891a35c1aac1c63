"""Files as people, and people with bad intentions, upload them."""

import io
import zipfile
import zlib
from collections.abc import Mapping

import docx
import pypdf
from docx.document import Document
from docx.oxml import parse_xml

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def pdf(*lines: str, password: str = "", rotate: int = 0) -> bytes:
    """One page of Helvetica, written by hand, for Latin text."""
    shown = "".join(f"({line}) Tj 0 -20 Td " for line in lines)
    return _pdf_page(f"BT /F1 12 Tf 72 700 Td {shown}ET".encode(), password, rotate)


def pdf_of_a_picture() -> bytes:
    picture = b"BI /W 1 /H 1 /CS /G /BPC 8 ID \x7f EI"
    return _pdf_page(b"q 300 0 0 300 100 300 cm " + picture + b" Q")


def empty_pdf() -> bytes:
    return _pdf_page(b"")


def pdf_flate_bomb(megabytes: int = 100) -> bytes:
    """A page whose few hundred kilobytes unpack to hundreds of megabytes."""
    packer = zlib.compressobj(9)
    part = b"BT /F1 1 Tf (x) Tj ET " * 47_000
    packed = b"".join(packer.compress(part) for _ in range(megabytes)) + packer.flush()
    return _assemble(packed, "/Filter /FlateDecode ")


def _pdf_page(content: bytes, password: str = "", rotate: int = 0) -> bytes:
    made = _assemble(content, "", rotate)
    if not password:
        return made
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(made))
    writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _assemble(stream: bytes, stream_keys: str, rotate: int = 0) -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Rotate %d "
        b"/Resources << /Font << /F1 5 0 R >> >> >>" % rotate,
        f"<< {stream_keys}/Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = io.BytesIO(b"")
    out.write(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n" % number + body + b"\nendobj\n")
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1))
    out.write(b"startxref\n%d\n%%%%EOF\n" % table)
    return out.getvalue()


def docx_bytes(document: Document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def docx_of(*paragraphs: str) -> bytes:
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    return docx_bytes(document)


def docx_with_everything() -> bytes:
    """Header, table, text box with its fallback copy, tracked changes, hidden run, control."""
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Anna Petrova"
    document.sections[0].footer.paragraphs[0].text = "Page of Anna"
    document.add_paragraph("Summary")
    table = document.add_table(2, 2)
    for cell, text in zip(
        [cell for row in table.rows for cell in row.cells],
        ["Python", "5 years", "SQL", "3 years"],
        strict=True,
    ):
        cell.text = text
    nested = table.cell(1, 1).add_table(1, 1)
    nested.cell(0, 0).text = "PostgreSQL"
    box = f"<w:txbxContent {W}><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent>"
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    for xml in (
        f"<w:p {W}><w:r><mc:AlternateContent {mc}>"
        f"<mc:Choice Requires='wps'>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>",
        f"<w:p {W}><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>deleted</w:delText></w:r></w:del>"
        "<w:moveFrom><w:r><w:t>moved away</w:t></w:r></w:moveFrom>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"
        "<w:r><w:tab/><w:t>shown</w:t></w:r></w:p>",
        f"<w:sdt {W}><w:sdtPr/><w:sdtContent><w:p><w:r><w:t>In a control</w:t></w:r></w:p>"
        "</w:sdtContent></w:sdt>",
    ):
        document.element.body.insert(len(document.element.body) - 1, parse_xml(xml))
    return docx_bytes(document)


def zip_of(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def docx_bomb() -> bytes:
    with zipfile.ZipFile(io.BytesIO(docx_of("x"))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return zip_of({**parts, "word/media/image1.bin": bytes(80_000_000)})


def docx_that_lies_about_its_size() -> bytes:
    """The directory declares one byte for a part that unpacks to megabytes."""
    bomb = bytearray(
        zip_of({"[Content_Types].xml": b"<a/>", "word/document.xml": b"<" * 70_000_000})
    )
    entry = bomb.rindex(b"word/document.xml") - 46
    bomb[entry + 24 : entry + 28] = (1).to_bytes(4, "little")
    return bytes(bomb)
