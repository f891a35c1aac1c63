"""Detects the language of a text: one of the two that we answer in."""

from typing import Literal

Language = Literal["ru", "en"]

# A Russian vacancy is full of Latin names of tools, an English one has next to no Cyrillic.
_CYRILLIC_SHARE = 0.25


def detect(text: str) -> Language:
    """Russian where at least a quarter of the letters are Cyrillic, else English."""
    letters = cyrillic = 0
    for char in text:
        if char.isalpha():
            letters += 1
            cyrillic += "\u0400" <= char <= "\u04ff"
    return "ru" if letters and cyrillic >= letters * _CYRILLIC_SHARE else "en"
