"""Colours of a DOCX's text and of what is behind it. Runs in the sandbox's child only."""

from docx.oxml.ns import qn
from lxml import etree

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
# Colours of which no part differs by more are one to the eye.
ALMOST = 7

_WPS = "{http://schemas.microsoft.com/office/word/2010/wordprocessingShape}"
_VML = "{urn:schemas-microsoft-com:vml}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_FILLS = {f"{_DRAWING}{name}" for name in ("solidFill", "gradFill", "blipFill", "pattFill")}
_WHITE_THEME = ("background1", "light1")
_HIGHLIGHTS = {"white": WHITE, "black": (0, 0, 0)}


class NoOneColour(Exception):
    """A pattern, a picture, a theme's colour: anything may stand out against it."""


def are_alike(one: Colour, other: Colour) -> bool:
    return all(abs(a - b) <= ALMOST for a, b in zip(one, other, strict=True))


def of_text(colour: etree._Element) -> Colour | None:
    """None for the automatic colour, which is one that is seen."""
    value = colour.get(qn("w:val"), "auto")
    if value == "auto":
        return WHITE if colour.get(qn("w:themeColor")) in _WHITE_THEME else None
    return _from_hex(value)


def of_highlight(highlight: etree._Element | None) -> Colour | None:
    """None if there is none. Raises NoOneColour."""
    name = "none" if highlight is None else highlight.get(qn("w:val"), "none")
    if name == "none":
        return None
    if name not in _HIGHLIGHTS:
        raise NoOneColour
    return _HIGHLIGHTS[name]


def of_shading(properties: etree._Element | None) -> Colour | None:
    """The shading among the properties of a run, a paragraph, a cell or a table; None if none.

    Raises NoOneColour.
    """
    shading = None if properties is None else properties.find(qn("w:shd"))
    if shading is None:
        return None
    if shading.get(qn("w:val"), "clear") not in ("clear", "nil"):
        raise NoOneColour
    if shading.get(qn("w:themeFill"), "background1") not in _WHITE_THEME:
        raise NoOneColour
    fill = shading.get(qn("w:fill"), "auto")
    return None if fill == "auto" else _known(fill)


def of_shape(element: etree._Element) -> Colour | None:
    """The filling of a text box; None if it has none or is no text box. Raises NoOneColour."""
    if element.tag == f"{_WPS}wsp":
        shape = element.find(f"{_WPS}spPr")
        fills = [] if shape is None else [child for child in shape if child.tag in _FILLS]
        if not fills:
            is_clear = shape is not None and shape.find(f"{_DRAWING}noFill") is not None
            if not is_clear and element.find(f"{_WPS}style") is not None:
                raise NoOneColour
            return None
        plain = fills[0].find(f"{_DRAWING}srgbClr")
        if plain is None or len(plain):  # with a transparency, a tint
            raise NoOneColour
        return _known(plain.get("val", ""))
    if str(element.tag).startswith(_VML):
        colour = element.get("fillcolor", "white")
        return None if colour == "white" else _known(colour.lstrip("#"))
    return None


def of_page(body: etree._Element) -> Colour | None:
    """None if it has no one colour."""
    root = body.getparent()
    background = None if root is None else root.find(qn("w:background"))
    value = "auto" if background is None else background.get(qn("w:color"), "auto")
    colour = WHITE if value == "auto" else _from_hex(value)
    # Another colour than white is shown or not, as a setting of the document says.
    return WHITE if colour is not None and are_alike(colour, WHITE) else None


def _known(value: str) -> Colour:
    colour = _from_hex(value)
    if colour is None:
        raise NoOneColour
    return colour


def _from_hex(value: str) -> Colour | None:
    try:
        red, green, blue = bytes.fromhex(value)
    except ValueError:
        return None
    return red, green, blue
