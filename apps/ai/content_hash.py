"""Hashes texts: equal texts have equal hashes, and a hash says nothing about its text."""

import hashlib


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def key_of(*parts: str) -> str:
    """One hash for several texts in this order."""
    return text_hash("\x00".join(f"{len(part)}:{part}" for part in parts))
