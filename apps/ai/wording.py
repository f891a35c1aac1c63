"""Text of a model made safe to store: no NUL, no lone surrogates, white space on one line."""

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """PostgreSQL's jsonb takes neither NUL nor half of a surrogate pair."""
    return _UNSTORABLE.sub("", text)


def one_line(text: str) -> str:
    return " ".join(storable(text).split())
