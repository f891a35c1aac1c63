"""What may be said of an exception in a log or a row: its kind and place, never its message.

A database's or a parser's message quotes the value it stumbled over, which may be a resume.
"""

import traceback
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def describe(error: BaseException) -> str:
    """For example `DataError at apps/storage/projection/projector.py:88`."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(_ROOT) and "site-packages" not in frame.filename
    ]
    if not frames:
        return type(error).__name__
    place = frames[-1]
    return f"{type(error).__name__} at {Path(place.filename).relative_to(_ROOT)}:{place.lineno}"
