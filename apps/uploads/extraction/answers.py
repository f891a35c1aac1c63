"""What a reader in the sandbox's child tells the parent: the text, or why there is none."""

import json
from collections.abc import Callable

from apps.uploads.extraction.errors import ExtractionError
from apps.uploads.extraction.extracted import Extracted

# Far more than a resume may have, so that what is cut here is refused as too long.
MAX_CHARS = 1_000_000
# JSON takes up to six bytes a character.
MAX_BYTES = 6 * MAX_CHARS + 1_000


def answering(read: Callable[[bytes], Extracted]) -> Callable[[bytes], bytes]:
    def answer(content: bytes) -> bytes:
        try:
            found = read(content)
        except ExtractionError as error:
            return json.dumps({"error": error.code}).encode()
        said = {"text": found.text[:MAX_CHARS], "hidden": dict(found.hidden)}
        return json.dumps(said, ensure_ascii=False).encode(errors="replace")

    return answer
