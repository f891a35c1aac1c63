"""Names of texts: equal texts have equal names, and a name says nothing about its text."""

import hashlib


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def key_of(*parts: str) -> str:
    """One name for several texts in this order."""
    return text_hash("\x00".join(f"{len(part)}:{part}" for part in parts))
