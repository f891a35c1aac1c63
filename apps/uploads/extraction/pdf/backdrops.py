"""Where a PDF page shows anything beside text. Runs in the sandbox's child only.

Bounding boxes stand for shapes.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field

import pypdfium2
from pypdfium2 import raw

Box = tuple[float, float, float, float]  # left, bottom, right, top

ALMOST_WHITE = 248
FORM_DEPTH = 4


@dataclass
class Backdrops:
    """`painted`: all of it; `dark`: what white letters may stand out against; `pictures`."""

    painted: list[Box] = field(default_factory=list)
    dark: list[Box] = field(default_factory=list)
    pictures: list[Box] = field(default_factory=list)


def inside(point: tuple[float, float], boxes: list[Box]) -> bool:
    x, y = point
    return any(left <= x <= right and bottom <= y <= top for left, bottom, right, top in boxes)


def backdrops_of(page: pypdfium2.PdfPage) -> Backdrops:
    found = Backdrops()
    for item in page.get_objects(max_depth=1):
        kinds = set(_paint(item))
        if not kinds:
            continue
        try:
            box = item.get_bounds()
        except pypdfium2.PdfiumError:
            continue
        found.painted.append(box)
        if kinds != {"white"}:
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
        yield from _filling(item)
    elif item.type == raw.FPDF_PAGEOBJ_FORM and depth < FORM_DEPTH:
        for number in range(raw.FPDFFormObj_CountObjects(item)):
            child = raw.FPDFFormObj_GetObject(item, number)
            yield from _paint(pypdfium2.PdfObject(child, page=item.page, pdf=item.pdf), depth + 1)


def _filling(path: pypdfium2.PdfObject) -> Iterator[str]:
    """Nothing for a path that is a line and no area."""
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    if not raw.FPDFPath_GetDrawMode(path, ctypes.byref(mode), ctypes.byref(stroke)):
        yield "shade"
    elif mode.value != raw.FPDF_FILLMODE_NONE:
        colour = [ctypes.c_uint() for _ in range(4)]
        is_known = raw.FPDFPageObj_GetFillColor(path, *map(ctypes.byref, colour))
        is_white = is_known and min(part.value for part in colour[:3]) >= ALMOST_WHITE
        yield "white" if is_white else "shade"
