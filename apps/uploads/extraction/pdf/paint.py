"""Whether letters leave a trace on their page. Runs in the sandbox's child only.

The page is painted as it is, without its letters, and its letters alone. A letter is hidden if it
can be painted but the page looks the same without it: something covers it, or has its colour.
Fonts that are not in the file may lack a letter; that one is no trace anywhere and counts as seen.
"""

import time
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import internal, raw

from apps.uploads.extraction.pdf.backdrops import Box

SECONDS = 3.0
"""For all pages of a document together."""
MAX_IMAGE_PIXELS = 40_000_000
MAX_SIDE_PIXELS = 2_000
SCALE = 2.0
DEPTH = 8
# Below this difference of a colour's part, of 255, nobody sees anything.
LEAST_DIFFERENCE = 10
# No text has this colour by chance.
_CANVAS = (3, 251, 127, 255)
_PAPER = (255, 255, 255, 255)


class _TooCostly(Exception):
    """In doubt letters are seen."""


class Painter:
    """Paints the pages of one document, as long as there is time."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._deadline = time.monotonic() + seconds

    def paint(self, page: pypdfium2.PdfPage) -> "Painting | None":
        """None where it would cost too much. The page is left as it was."""
        try:
            return self._paint(page)
        except _TooCostly:
            return None

    def _paint(self, page: pypdfium2.PdfPage) -> "Painting":
        items = list(page.get_objects(max_depth=DEPTH))
        if sum(map(_pixels, items)) > MAX_IMAGE_PIXELS:
            raise _TooCostly
        left, bottom, right, top = page.get_bbox()
        scale = min(SCALE, MAX_SIDE_PIXELS / max(right - left, top - bottom, 1.0))
        letters = [item for item in items if item.type == raw.FPDF_PAGEOBJ_TEXT]
        kept = (raw.FPDF_PAGEOBJ_TEXT, raw.FPDF_PAGEOBJ_FORM)
        others = [item for item in items if item.type not in kept]
        return Painting(
            whole=self._render(page, scale, _PAPER, without=[]),
            bare=self._render(page, scale, _PAPER, without=letters),
            alone=self._render(page, scale, _CANVAS, without=others),
            scale=scale,
            left=left,
            top=top,
        )

    def _render(
        self,
        page: pypdfium2.PdfPage,
        scale: float,
        paper: tuple[int, int, int, int],
        *,
        without: list[pypdfium2.PdfObject],
    ) -> "_Pixels":
        width, height = (max(1, round(side * scale)) for side in page.get_size())
        bitmap = pypdfium2.PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGRx)
        bitmap.fill_rect(paper, 0, 0, width, height)
        pause = raw.IFSDK_PAUSE(version=1)
        internal.set_callback(
            pause, "NeedToPauseNow", lambda _: int(time.monotonic() > self._deadline)
        )
        _set_active(without, active=False)
        try:
            status = raw.FPDF_RenderPageBitmap_Start(bitmap, page, 0, 0, width, height, 0, 0, pause)
            raw.FPDF_RenderPage_Close(page)
        finally:
            _set_active(without, active=True)
        if status != raw.FPDF_RENDER_DONE:
            raise _TooCostly
        return _Pixels(bytes(bitmap.buffer), bitmap.stride, width, height, bytes(paper[2::-1]))


@dataclass(frozen=True)
class _Pixels:
    data: bytes
    stride: int
    width: int
    height: int
    paper: bytes


@dataclass(frozen=True)
class Painting:
    """`whole`: the page; `bare`: without its letters; `alone`: its letters on an odd canvas."""

    whole: _Pixels
    bare: _Pixels
    alone: _Pixels
    scale: float
    left: float
    top: float

    def hides(self, box: Box) -> bool:
        """Whether the letter in this box of the page is painted and yet not seen."""
        first, last = self._clipped(box[0] - self.left, box[2] - self.left, self.whole.width)
        upper, lower = self._clipped(self.top - box[3], self.top - box[1], self.whole.height)
        if last - first < 2 or lower - upper < 2:
            return False
        canvas = (self.alone.paper + b"\xff") * (last - first)
        is_painted = False
        for row in range(upper, lower):
            start = row * self.whole.stride + first * 4
            end = start + (last - first) * 4
            if _differ(self.whole.data[start:end], self.bare.data[start:end]):
                return False
            is_painted = is_painted or _differ(self.alone.data[start:end], canvas)
        return is_painted

    def _clipped(self, low: float, high: float, size: int) -> tuple[int, int]:
        return max(0, int(low * self.scale)), min(size, int(high * self.scale) + 1)


def _differ(one: bytes, other: bytes) -> bool:
    return one != other and any(
        abs(a - b) >= LEAST_DIFFERENCE
        for place, (a, b) in enumerate(zip(one, other, strict=True))
        if place % 4 != 3  # unused
    )


def _pixels(item: pypdfium2.PdfObject) -> int:
    if item.type != raw.FPDF_PAGEOBJ_IMAGE:
        return 0
    width, height = raw.c_uint(), raw.c_uint()
    if not raw.FPDFImageObj_GetImagePixelSize(item, width, height):
        return 0
    return int(width.value * height.value)


def _set_active(items: list[pypdfium2.PdfObject], *, active: bool) -> None:
    for item in items:
        raw.FPDFPageObj_SetIsActive(item, active)
