"""Runs of a DOCX that a reader of the page does not see. Runs in the sandbox's child only.

White text counts as visible on any shading that is not white: its own, or that of its paragraph,
cell, table, text box or page.
"""

from collections.abc import Iterator

from docx.oxml.ns import qn
from lxml import etree

from apps.uploads.extraction.extracted import INVISIBLE, TINY, WHITE

TINY_HALF_POINTS = 5
ALMOST_WHITE = 248
MAX_STYLE_DEPTH = 20

_WPS = "{http://schemas.microsoft.com/office/word/2010/wordprocessingShape}"
_VML = "{urn:schemas-microsoft-com:vml}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_FILLS = tuple(f"{_DRAWING}{name}" for name in ("solidFill", "gradFill", "blipFill", "pattFill"))
_WHITE_THEME = ("background1", "light1")
_OFF = ("0", "false", "off")


class Looks:
    """Resolves how a run looks: its own properties, then its styles', then the document's."""

    def __init__(self, styles: etree._Element, body: etree._Element) -> None:
        self._styles = {style.get(qn("w:styleId")): style for style in styles.iter(qn("w:style"))}
        defaults = styles.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
        self._defaults = [] if defaults is None else [defaults]
        root = body.getparent()
        background = None if root is None else root.find(qn("w:background"))
        self._white_page = background is None or _is_white(background.get(qn("w:color"), "auto"))

    def hidden(self, run: etree._Element) -> str:
        """Why a run is not seen; "" if it is."""
        properties = list(self._properties(run))
        vanish = _first(properties, "w:vanish")
        if vanish is not None and vanish.get(qn("w:val"), "1") not in _OFF:
            return INVISIBLE
        size = _first(properties, "w:sz")
        if size is not None and _number(size.get(qn("w:val"))) <= TINY_HALF_POINTS:
            return TINY
        colour = _first(properties, "w:color")
        if colour is None or not _is_white_text(colour):
            return ""
        return "" if self._on_colour(run, properties) else WHITE

    def _properties(self, run: etree._Element) -> Iterator[etree._Element]:
        own = run.find(qn("w:rPr"))
        if own is not None:
            yield own
            yield from self._of_style(own.find(qn("w:rStyle")), "w:rPr")
        paragraph = next(run.iterancestors(qn("w:p")), None)
        if paragraph is not None:
            name = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
            yield from self._of_style(name, "w:rPr")
        yield from self._defaults

    def _of_style(self, reference: etree._Element | None, part: str) -> Iterator[etree._Element]:
        """A part of a style and of those it is based on."""
        for _ in range(MAX_STYLE_DEPTH):
            style = None if reference is None else self._styles.get(reference.get(qn("w:val")))
            if style is None:
                return
            found = style.find(qn(part))
            if found is not None:
                yield found
            reference = style.find(qn("w:basedOn"))

    def _on_colour(self, run: etree._Element, properties: list[etree._Element]) -> bool:
        if not self._white_page or _first(properties, "w:highlight") is not None:
            return True
        if any(_is_shaded(part) for part in properties):
            return True
        for ancestor in run.iterancestors():
            if ancestor.tag == qn("w:p"):
                own = ancestor.find(qn("w:pPr"))
                if own is not None:
                    styled = self._of_style(own.find(qn("w:pStyle")), "w:pPr")
                    if any(_is_shaded(part) for part in (own, *styled)):
                        return True
            elif ancestor.tag == qn("w:tc"):
                if any(_is_shaded(part) for part in ancestor.findall(qn("w:tcPr"))):
                    return True
            elif ancestor.tag == qn("w:tbl"):
                if self._is_shaded_table(ancestor):
                    return True
            elif _is_filled_shape(ancestor):
                return True
        return False

    def _is_shaded_table(self, table: etree._Element) -> bool:
        own = table.find(qn("w:tblPr"))
        if own is None:
            return False
        name = own.find(qn("w:tblStyle"))
        style = None if name is None else self._styles.get(name.get(qn("w:val")))
        # A style shades its first row or every second one: any shading of it will do.
        shadings = [] if style is None else list(style.iter(qn("w:shd")))
        return _is_shaded(own) or any(not _is_white(_fill(shading)) for shading in shadings)


def _first(properties: list[etree._Element], name: str) -> etree._Element | None:
    found = (part.find(qn(name)) for part in properties)
    return next((element for element in found if element is not None), None)


def _is_shaded(properties: etree._Element) -> bool:
    shading = properties.find(qn("w:shd"))
    return shading is not None and not _is_white(_fill(shading))


def _fill(shading: etree._Element) -> str:
    if shading.get(qn("w:val"), "clear") not in ("clear", "nil"):
        return "000000"  # a pattern
    if shading.get(qn("w:themeFill"), "background1") not in _WHITE_THEME:
        return "000000"
    return shading.get(qn("w:fill"), "auto")


def _is_filled_shape(element: etree._Element) -> bool:
    if element.tag == f"{_WPS}wsp":
        shape = element.find(f"{_WPS}spPr")
        fills = [] if shape is None else [child for child in shape if child.tag in _FILLS]
        return any(fills) or element.find(f"{_WPS}style") is not None
    return str(element.tag).startswith(_VML) and element.get("fillcolor", "white") != "white"


def _is_white_text(colour: etree._Element) -> bool:
    value = colour.get(qn("w:val"), "auto")
    theme = colour.get(qn("w:themeColor"))
    if value == "auto":
        return theme in _WHITE_THEME
    return _is_white(value)


def _is_white(colour: str) -> bool:
    """`auto` is the white of the paper."""
    if colour == "auto":
        return True
    try:
        return min(bytes.fromhex(colour), default=0) >= ALMOST_WHITE
    except ValueError:
        return False


def _number(text: str | None) -> float:
    try:
        return float(text or "inf")
    except ValueError:
        return float("inf")
