"""Files as people, and people with bad intentions, upload them."""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence

import docx
import pypdf
from docx.document import Document
from docx.oxml import parse_xml

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def pdf(*lines: str, password: str = "", rotate: int = 0) -> bytes:
    """One page of Helvetica, written by hand, for Latin text."""
    shown = "".join(f"({line}) Tj 0 -20 Td " for line in lines)
    return _pdf_page(f"BT /F1 12 Tf 72 700 Td {shown}ET".encode(), password, rotate)


def pdf_drawn(content: str) -> bytes:
    """One page with any content stream; /F1 is Helvetica."""
    return _pdf_page(content.encode("latin-1"))


def pdf_in_cyrillic(*lines: str, by: str, under: str = "") -> bytes:
    """Russian in one of the three ways in which PDF fonts spell it.

    `to_unicode`: arbitrary codes and a map; `glyph_names`: names of glyphs and no map;
    `cid`: two-byte glyph numbers and a map, as word processors write it. `under` is drawn first.
    """
    letters = sorted(set("".join(lines)))
    codes = {letter: number for number, letter in enumerate(letters, 33)}
    width = 4 if by == "cid" else 2
    shown = "".join(
        "<" + "".join(f"{codes[letter]:0{width}x}" for letter in line) + "> Tj 0 -20 Td "
        for line in lines
    )
    mapped = "".join(f"<{code:0{width}x}> <{ord(letter):04x}>\n" for letter, code in codes.items())
    to_unicode = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        f"1 begincodespacerange <{'00' * (width // 2)}> <{'ff' * (width // 2)}> endcodespacerange\n"
        f"{len(codes)} beginbfchar\n{mapped}endbfchar\nendcmap end end"
    ).encode()
    names = " ".join(f"{code} /uni{ord(letter):04X}" for letter, code in codes.items())
    font = {
        "to_unicode": b"/Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R",
        "glyph_names": (
            f"/Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [{names}] >>"
        ).encode(),
        "cid": b"/Subtype /Type0 /BaseFont /Sans /Encoding /Identity-H /ToUnicode 6 0 R "
        b"/DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Sans "
        b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>]",
    }[by]
    stream = f"{under}BT /F1 12 Tf 72 700 Td {shown}ET".encode()
    return _assemble(stream, "", font=font, more=[_stream(to_unicode)])


def pdf_of_pages(number: int) -> bytes:
    writer = pypdf.PdfWriter()
    for _ in range(number):
        writer.add_blank_page(100, 100)
    return _written(writer)


def pdf_with_an_owner_password() -> bytes:
    """Opens without a password; only changing it needs one."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf("Anna Petrova")))
    writer.encrypt("", "owner", algorithm="RC4-128")
    return _written(writer)


def pdf_whose_pages_go_in_circles() -> bytes:
    return pdf("x").replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]")


def _written(writer: pypdf.PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n" % len(content) + content + b"\nendstream"


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
    return _written(writer)


HELVETICA = b"/Subtype /Type1 /BaseFont /Helvetica"


def _assemble(
    stream: bytes,
    stream_keys: str,
    rotate: int = 0,
    font: bytes = HELVETICA,
    more: Sequence[bytes] = (),
) -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Rotate %d "
        b"/Resources << /Font << /F1 5 0 R >> >> >>" % rotate,
        f"<< {stream_keys}/Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream",
        b"<< /Type /Font " + font + b" >>",
        *more,
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


def docx_with(*paragraphs: str, styles: str = "") -> bytes:
    """Paragraphs given as XML inside <w:p>; `styles` is added to the style sheet."""
    document = docx.Document()
    for xml in paragraphs:
        paragraph = parse_xml(f"<w:p {W}>{xml}</w:p>")
        document.element.body.insert(len(document.element.body) - 1, paragraph)
    if styles:
        for style in parse_xml(f"<w:styles {W}>{styles}</w:styles>"):
            document.styles.element.append(style)
    return docx_bytes(document)


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"


def drawn_box(
    text: str,
    *,
    x: int = 0,
    relative_from: str = "page",
    hidden: str = "0",
    look: str = "",
    fill: str = "",
) -> str:
    """A text box of two inches, `x` (914,400 to an inch) from what it is counted from."""
    wp = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
    wps = "http://schemas.microsoft.com/office/word/2010/wordprocessingShape"
    a = "http://schemas.openxmlformats.org/drawingml/2006/main"
    solid = f'<a:solidFill xmlns:a="{a}"><a:srgbClr val="{fill}"/></a:solidFill>' if fill else ""
    return (
        f'<w:r><w:drawing><wp:anchor xmlns:wp="{wp}">'
        f'<wp:positionH relativeFrom="{relative_from}"><wp:posOffset>{x}</wp:posOffset>'
        f'</wp:positionH><wp:extent cx="1828800" cy="457200"/><wp:docPr hidden="{hidden}"/>'
        f'<wps:wsp xmlns:wps="{wps}"><wps:spPr>{solid}</wps:spPr><wps:txbx><w:txbxContent><w:p>'
        f"{run(text, look)}</w:p></w:txbxContent></wps:txbx></wps:wsp></wp:anchor>"
        "</w:drawing></w:r>"
    )


def vml_box(text: str, style: str, *, look: str = "", fill: str = "white") -> str:
    """A text box as older programs write it."""
    return (
        '<w:r><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml" '
        f'style="{style}" fillcolor="{fill}"><v:textbox><w:txbxContent><w:p>{run(text, look)}'
        "</w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r>"
    )


def docx_with_document(xml: bytes) -> bytes:
    """A good package whose main part is this."""
    with zipfile.ZipFile(io.BytesIO(docx_of("x"))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return zip_of({**parts, "word/document.xml": xml})


def docx_without_styles(text: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(docx_of(text))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if "styles" not in name}
    named = re.compile(rb"<(Override|Relationship) [^>]*styles[^>]*/>")
    return zip_of({name: named.sub(b"", content) for name, content in parts.items()})


def docx_of_a_billion_laughs() -> bytes:
    entities = '<!ENTITY e0 "ha">' + "".join(
        f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10)
    )
    text = f"<w:document {W}><w:body><w:p><w:r><w:t>&e9;</w:t></w:r></w:p></w:body></w:document>"
    return docx_with_document(f"<!DOCTYPE x [{entities}]>{text}".encode())


def docx_that_reads_a_file() -> bytes:
    text = (
        f"<w:document {W}><w:body><w:p><w:r><w:t>Anna &x;</w:t></w:r></w:p></w:body></w:document>"
    )
    return docx_with_document(
        f'<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>{text}'.encode()
    )


def docx_nested_deeply(depth: int = 100_000) -> bytes:
    inner = "<w:sdt><w:sdtContent>" * depth + "</w:sdtContent></w:sdt>" * depth
    return docx_with_document(f"<w:document {W}><w:body>{inner}</w:body></w:document>".encode())


def spreadsheet() -> bytes:
    return zip_of({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})


def padded(document: bytes, size: int) -> bytes:
    """A DOCX made `size` bytes larger by a part that nothing refers to."""
    out = io.BytesIO(document)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("padding", bytes(size - 90))  # its name stands in two headers
    return out.getvalue()
