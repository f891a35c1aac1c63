"""Text of a PDF page that a reader of the page does not see. Runs in the sandbox's child only.

Text in invisible mode counts as visible over a picture, for that is how scanners store what they
recognised. Whatever shares its place with shapes or pictures is judged by painting the page
(`pdf_paint`); where that would cost too much, white text on anything that is not white is visible.
"""

import ctypes
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pypdfium2
from pypdfium2 import raw

from apps.uploads.extraction.extracted import COVERED, INVISIBLE, OFF_PAGE, TINY, WHITE
from apps.uploads.extraction.pdf.backdrops import Box, backdrops_of, inside
from apps.uploads.extraction.pdf.paint import Painter

# A box around a character and its line spacing: of 2.5 points and less.
TINY_POINTS = 3.0
ALMOST_WHITE = 248
ALMOST_TRANSPARENT = 12
TRANSPARENT = "transparent"

_INVISIBLE_MODES = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)


def visible_text(
    page: pypdfium2.PdfPage, textpage: pypdfium2.PdfTextPage, painter: Painter
) -> tuple[str, Counter[str]]:
    """The page's text, and how many characters of each kind were left out of it."""
    kinds = list(_kinds(page, textpage, painter))
    hidden = Counter(kind for kind in kinds if kind)
    if not hidden:
        return textpage.get_text_range(), hidden
    codes = [
        raw.FPDFText_GetUnicode(textpage, index)
        for index, kind in enumerate(_spread(kinds))
        if not kind
    ]
    # Halves of surrogate pairs may come one by one.
    units = "".join(map(chr, codes)).encode("utf-16-le", errors="surrogatepass")
    return units.decode("utf-16-le", errors="replace"), hidden


def _spread(kinds: list[str | None]) -> Iterator[str]:
    """White space (None) goes with hidden text if that is on both of its sides."""
    after: list[str] = []
    following = "hidden"
    for kind in reversed(kinds):
        following = following if kind is None else kind
        after.append(following)
    before = "hidden"
    for kind, following in zip(kinds, reversed(after), strict=True):
        before = before if kind is None else kind
        yield (before and following) if kind is None else kind


def _kinds(
    page: pypdfium2.PdfPage, textpage: pypdfium2.PdfTextPage, painter: Painter
) -> Iterator[str | None]:
    """For each character why it is not seen, "" if it is, None for white space."""
    backdrops = backdrops_of(page)
    painting = cache(lambda: painter.paint(page))
    sheet = page.get_bbox()
    looks: dict[int, str] = {}
    for index in range(textpage.count_chars()):
        if chr(raw.FPDFText_GetUnicode(textpage, index)).isspace():
            yield None
            continue
        box = _loose_box(textpage, index)
        if box is None or raw.FPDFText_IsGenerated(textpage, index) == 1:
            yield None
            continue
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        text_object = raw.FPDFText_GetTextObject(textpage, index)
        address = ctypes.cast(text_object, ctypes.c_void_p).value or 0
        if address not in looks:
            looks[address] = _look(textpage, index, text_object)
        look = looks[address]
        if not inside(middle, [sheet]):
            yield OFF_PAGE
        elif max(box[2] - box[0], box[3] - box[1]) < TINY_POINTS:
            yield TINY
        elif look == TRANSPARENT:
            yield INVISIBLE  # nothing shines through it, whatever is behind
        elif look == INVISIBLE:
            yield "" if inside(middle, backdrops.pictures) else INVISIBLE
        elif look == WHITE and not inside(middle, backdrops.dark):
            yield WHITE
        elif not inside(middle, backdrops.painted):
            yield ""
        else:
            painted = painting()
            is_hidden = painted is not None and painted.hides(_tight_box(textpage, index) or box)
            yield (look or COVERED) if is_hidden else ""


def _look(textpage: pypdfium2.PdfTextPage, index: int, text_object: object) -> str:
    mode = raw.FPDFTextObj_GetTextRenderMode(text_object)
    if mode in _INVISIBLE_MODES:
        return INVISIBLE
    read = (
        raw.FPDFText_GetStrokeColor
        if mode == raw.FPDF_TEXTRENDERMODE_STROKE
        else raw.FPDFText_GetFillColor
    )
    colour = [ctypes.c_uint() for _ in range(4)]
    if not read(textpage, index, *map(ctypes.byref, colour)):
        return ""
    *channels, alpha = (part.value for part in colour)
    if alpha < ALMOST_TRANSPARENT:
        return TRANSPARENT
    return WHITE if min(channels) >= ALMOST_WHITE else ""


def _loose_box(textpage: pypdfium2.PdfTextPage, index: int) -> Box | None:
    rectangle = raw.FS_RECTF()
    if not raw.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(rectangle)):
        return None
    return (rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)


def _tight_box(textpage: pypdfium2.PdfTextPage, index: int) -> Box | None:
    """Of the glyph itself; None where it has none."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    if not raw.FPDFText_GetCharBox(textpage, index, left, right, bottom, top):
        return None
    box = (left.value, bottom.value, right.value, top.value)
    return box if box[0] < box[2] and box[1] < box[3] else None
