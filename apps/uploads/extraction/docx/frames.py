"""Boxes and frames of a DOCX that lie beside the page. Runs in the sandbox's child only.

Where a place depends on what Word makes of the text around it, the box counts as visible.
"""

import re
from dataclasses import dataclass

from docx.oxml.ns import qn
from lxml import etree

from apps.uploads.extraction.extracted import INVISIBLE, OFF_PAGE

_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_VML = "{urn:schemas-microsoft-com:vml}"
_EMU_PER_POINT = 12_700
_TWIPS_PER_POINT = 20
_POINTS = {"pt": 1.0, "in": 72.0, "cm": 28.35, "mm": 2.835, "px": 0.75, "": 0.75}
_LENGTH = re.compile(r"(-?\d+(?:\.\d+)?)\s*([a-z]*)")


@dataclass(frozen=True)
class Sheet:
    """The largest page of the document and its least margins, in points."""

    width: float
    height: float
    left: float
    top: float

    @classmethod
    def of(cls, body: etree._Element) -> "Sheet":
        sizes = list(body.iter(qn("w:pgSz")))
        margins = list(body.iter(qn("w:pgMar")))
        return cls(
            width=max((_twips(size, "w:w", 612.0) for size in sizes), default=612.0),
            height=max((_twips(size, "w:h", 792.0) for size in sizes), default=792.0),
            left=min((_twips(margin, "w:left", 0.0) for margin in margins), default=0.0),
            top=min((_twips(margin, "w:top", 0.0) for margin in margins), default=0.0),
        )

    def hides(self, element: etree._Element) -> str:
        """Why what is inside this element is not seen; "" if it is, or if this is no frame."""
        if element.tag in (f"{_WP}anchor", f"{_WP}inline"):
            drawing = element.find(f"{_WP}docPr")
            if drawing is not None and drawing.get("hidden") in ("1", "true"):
                return INVISIBLE
            return OFF_PAGE if self._has_anchor_off(element) else ""
        if str(element.tag).startswith(_VML):
            return self._of_vml(element.get("style", ""))
        if element.tag == qn("w:p"):
            frame = element.find(f"{qn('w:pPr')}/{qn('w:framePr')}")
            if frame is not None and self._has_frame_off(frame):
                return OFF_PAGE
        return ""

    def _has_anchor_off(self, anchor: etree._Element) -> bool:
        extent = anchor.find(f"{_WP}extent")
        for axis, side, page, margin in (
            ("H", "cx", self.width, self.left),
            ("V", "cy", self.height, self.top),
        ):
            position = anchor.find(f"{_WP}position{axis}")
            offset = None if position is None else position.findtext(f"{_WP}posOffset")
            if position is None or offset is None or extent is None:
                continue
            start = _number(offset) / _EMU_PER_POINT
            end = start + _number(extent.get(side)) / _EMU_PER_POINT
            if self._is_off(start, end, page, margin, position.get("relativeFrom", "")):
                return True
        return False

    def _has_frame_off(self, frame: etree._Element) -> bool:
        start = _twips(frame, "w:x", 0.0)
        end = start + _twips(frame, "w:w", self.width)
        base = frame.get(qn("w:hAnchor"), "text")
        return self._is_off(start, end, self.width, self.left, base)

    def _of_vml(self, style: str) -> str:
        parts = dict(part.split(":", 1) for part in style.lower().split(";") if ":" in part)
        if parts.get("visibility", "").strip() == "hidden":
            return INVISIBLE
        if parts.get("position", "").strip() != "absolute":
            return ""
        start = _points(parts.get("margin-left", "0"))
        end = start + _points(parts.get("width", "0"))
        base = parts.get("mso-position-horizontal-relative", "text").strip()
        return OFF_PAGE if self._is_off(start, end, self.width, self.left, base) else ""

    def _is_off(self, start: float, end: float, page: float, margin: float, base: str) -> bool:
        if base in ("paragraph", "line"):
            return False  # Word brings it back
        # Whatever else it is counted from lies somewhere on the page.
        earliest = {"page": 0.0, "margin": -margin}.get(base, -page)
        return start >= page or end <= earliest


def _twips(element: etree._Element, name: str, default: float) -> float:
    value = element.get(qn(name))
    return default if value is None else _number(value) / _TWIPS_PER_POINT


def _points(length: str) -> float:
    found = _LENGTH.fullmatch(length.strip())
    return float(found[1]) * _POINTS.get(found[2], 1.0) if found else 0.0


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
