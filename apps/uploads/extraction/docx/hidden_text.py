"""Runs of a DOCX that a reader of the page does not see. Runs in the sandbox's child only.

A text's colour is compared with what is behind it: the nearest shading of the run, its paragraph,
cell, table, text box or page. Where that has no one colour, the text counts as visible.
"""

from collections.abc import Iterator

from docx.oxml.ns import qn
from lxml import etree

from apps.uploads.extraction.docx import colours as colours
from apps.uploads.extraction.docx.colours import Colour, NoOneColour
from apps.uploads.extraction.docx.frames import Sheet
from apps.uploads.extraction.extracted import COVERED, INVISIBLE, TINY, WHITE

TINY_HALF_POINTS = 5
TINY_TWIPS = 50
TINY_PERCENT = 5
MAX_STYLE_DEPTH = 20

_OFF = ("0", "false", "off")


class Looks:
    """Resolves how a run looks: its own properties, then its styles', then the document's."""

    def __init__(self, styles: etree._Element, body: etree._Element) -> None:
        self._styles = {style.get(qn("w:styleId")): style for style in styles.iter(qn("w:style"))}
        defaults = styles.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
        self._defaults = [] if defaults is None else [defaults]
        self._page = colours.of_page(body)
        self._sheet = Sheet.of(body)

    def hidden(self, run: etree._Element) -> str:
        """Why a run is not seen; "" if it is."""
        properties = list(self._properties(run))
        vanish = _first(properties, "w:vanish")
        if vanish is not None and vanish.get(qn("w:val"), "1") not in _OFF:
            return INVISIBLE
        for ancestor in run.iterancestors():
            if kind := self._sheet.hides(ancestor):
                return kind
        if self._is_tiny(run, properties):
            return TINY
        colour = _first(properties, "w:color")
        shown = None if colour is None else colours.of_text(colour)
        if shown is None:
            return ""
        try:
            behind = self._behind(run, properties)
        except NoOneColour:
            return ""
        if behind is None or not colours.are_alike(shown, behind):
            return ""
        return WHITE if colours.are_alike(shown, colours.WHITE) else COVERED

    def _is_tiny(self, run: etree._Element, properties: list[etree._Element]) -> bool:
        own = (("w:sz", TINY_HALF_POINTS), ("w:w", TINY_PERCENT))
        if any(_at_most(_first(properties, name), "w:val", most) for name, most in own):
            return True
        for ancestor in run.iterancestors(qn("w:p"), qn("w:tr")):
            if ancestor.tag == qn("w:p"):
                line = _first(self._of_paragraph(ancestor), "w:spacing")
                is_flat = _is_exact(line, "w:lineRule") and _at_most(line, "w:line", TINY_TWIPS)
            else:
                row = ancestor.find(f"{qn('w:trPr')}/{qn('w:trHeight')}")
                is_flat = _is_exact(row, "w:hRule") and _at_most(row, "w:val", TINY_TWIPS)
            if is_flat:
                return True
        return False

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

    def _of_paragraph(self, paragraph: etree._Element) -> list[etree._Element]:
        own = paragraph.find(qn("w:pPr"))
        return [] if own is None else [own, *self._of_style(own.find(qn("w:pStyle")), "w:pPr")]

    def _behind(self, run: etree._Element, properties: list[etree._Element]) -> Colour | None:
        """Raises NoOneColour."""
        found = (colour for colour in self._layers(run, properties) if colour is not None)
        return next(found, self._page)

    def _layers(
        self, run: etree._Element, properties: list[etree._Element]
    ) -> Iterator[Colour | None]:
        """What may be behind a run, the nearest first."""
        yield colours.of_highlight(_first(properties, "w:highlight"))
        yield from map(colours.of_shading, properties)
        for ancestor in run.iterancestors():
            if ancestor.tag == qn("w:p"):
                yield from map(colours.of_shading, self._of_paragraph(ancestor))
            elif ancestor.tag == qn("w:tc"):
                yield from map(colours.of_shading, ancestor.findall(qn("w:tcPr")))
            elif ancestor.tag == qn("w:tbl"):
                yield from self._of_table(ancestor)
            else:
                yield colours.of_shape(ancestor)

    def _of_table(self, table: etree._Element) -> Iterator[Colour | None]:
        own = table.find(qn("w:tblPr"))
        yield colours.of_shading(own)
        name = None if own is None else own.find(qn("w:tblStyle"))
        style = None if name is None else self._styles.get(name.get(qn("w:val")))
        # A style shades its first row or every second one: nobody knows which row this is.
        shadings = [] if style is None else style.iter(qn("w:shd"))
        for shading in shadings:
            colour = colours.of_shading(shading.getparent())
            if colour is not None and not colours.are_alike(colour, colours.WHITE):
                raise NoOneColour


def _first(properties: list[etree._Element], name: str) -> etree._Element | None:
    found = (part.find(qn(name)) for part in properties)
    return next((element for element in found if element is not None), None)


def _is_exact(element: etree._Element | None, name: str) -> bool:
    return element is not None and element.get(qn(name)) == "exact"


def _at_most(element: etree._Element | None, name: str, most: float) -> bool:
    if element is None:
        return False
    try:
        return float(element.get(qn(name)) or "inf") <= most
    except ValueError:
        return False
