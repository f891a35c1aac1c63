"""Ids that come from outside and go into logs and headers: a request's, a message's."""

import re

MAX_LENGTH = 64
_WELL_FORMED = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_LENGTH - 1}}}")


def well_formed(id_from_outside: str) -> str:
    """The id, or "" for one that might be anything: a text, a line break, a token."""
    return id_from_outside if _WELL_FORMED.fullmatch(id_from_outside) else ""
