"""Text of a PDF page that a reader of the page does not see. Runs in the sandbox's child only.

White text counts as visible over anything that is not white, and text in invisible mode over a
picture, for that is how scanners store what they recognised. Bounding boxes stand for shapes, so in
doubt text is visible.
"""

import ctypes
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw

from apps.uploads.extraction.extracted import INVISIBLE, OFF_PAGE, TINY, WHITE

# A box around a character and its line spacing: of 2.5 points and less.
TINY_POINTS = 3.0
ALMOST_WHITE = 248
ALMOST_TRANSPARENT = 12
FORM_DEPTH = 4

_INVISIBLE_MODES = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)
Box = tuple[float, float, float, float]  # left, bottom, right, top


@dataclass
class Backdrops:
    """Where the page is not white, and where it shows pictures."""

    dark: list[Box]
    pictures: list[Box]


def visible_text(
    page: pypdfium2.PdfPage, textpage: pypdfium2.PdfTextPage
) -> tuple[str, Counter[str]]:
    """The page's text, and how many characters of each kind were left out of it."""
    kinds = list(_kinds(page, textpage))
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


def _kinds(page: pypdfium2.PdfPage, textpage: pypdfium2.PdfTextPage) -> Iterator[str | None]:
    """For each character why it is not seen, "" if it is, None for white space."""
    backdrops = _backdrops(page)
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
        if not _inside(middle, [sheet]):
            yield OFF_PAGE
        elif max(box[2] - box[0], box[3] - box[1]) < TINY_POINTS:
            yield TINY
        elif (look == WHITE and _inside(middle, backdrops.dark)) or (
            look == INVISIBLE and _inside(middle, backdrops.pictures)
        ):
            yield ""
        else:
            # Nothing shines through a transparent letter, whatever is behind it.
            yield INVISIBLE if look == "transparent" else look


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
        return "transparent"
    return WHITE if min(channels) >= ALMOST_WHITE else ""


def _loose_box(textpage: pypdfium2.PdfTextPage, index: int) -> Box | None:
    rectangle = raw.FS_RECTF()
    if not raw.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(rectangle)):
        return None
    return (rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)


def _inside(point: tuple[float, float], boxes: list[Box]) -> bool:
    x, y = point
    return any(left <= x <= right and bottom <= y <= top for left, bottom, right, top in boxes)


def _backdrops(page: pypdfium2.PdfPage) -> Backdrops:
    found = Backdrops(dark=[], pictures=[])
    for item in page.get_objects(max_depth=1):
        kinds = set(_paint(item))
        if not kinds:
            continue
        try:
            box = item.get_bounds()
        except pypdfium2.PdfiumError:
            continue
        found.dark.append(box)
        if "picture" in kinds:
            found.pictures.append(box)
    return found


def _paint(item: pypdfium2.PdfObject, depth: int = 0) -> Iterator[str]:
    """What an object, or a form's contents, puts on the page beside text."""
    if item.type == raw.FPDF_PAGEOBJ_IMAGE:
        yield "picture"
    elif item.type == raw.FPDF_PAGEOBJ_SHADING:
        yield "shade"
    elif item.type == raw.FPDF_PAGEOBJ_PATH:
        if _is_filled(item):
            yield "shade"
    elif item.type == raw.FPDF_PAGEOBJ_FORM and depth < FORM_DEPTH:
        for number in range(raw.FPDFFormObj_CountObjects(item)):
            child = raw.FPDFFormObj_GetObject(item, number)
            yield from _paint(pypdfium2.PdfObject(child, page=item.page, pdf=item.pdf), depth + 1)


def _is_filled(path: pypdfium2.PdfObject) -> bool:
    """With a colour that white letters stand out against."""
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    if not raw.FPDFPath_GetDrawMode(path, ctypes.byref(mode), ctypes.byref(stroke)):
        return True
    if mode.value == raw.FPDF_FILLMODE_NONE:
        return False
    colour = [ctypes.c_uint() for _ in range(4)]
    if not raw.FPDFPageObj_GetFillColor(path, *map(ctypes.byref, colour)):
        return True
    return min(part.value for part in colour[:3]) < ALMOST_WHITE
