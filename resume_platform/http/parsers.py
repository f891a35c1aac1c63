"""Bodies, read strictly: what two readers could understand in two ways is refused."""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import FormParser, JSONParser

# Where no text is expected.
MAX_BYTES = 100_000
# Of a character, at most: two escapes of six.
BYTES_OF_CHARACTER = 12


class StrictJSONParser(JSONParser):
    """UTF-8 only; no key twice in one object, no NaN, nothing nested beyond Python's own limit.

    Raises RequestDataTooBig above `max_bytes`, before anything is decoded.
    """

    max_bytes = MAX_BYTES

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = _read(stream, self.max_bytes)
        try:
            return json.loads(
                body.decode("utf-8-sig"),
                object_pairs_hook=_without_repetition,
                parse_constant=_refuse_constant,
            )
        except (ValueError, RecursionError) as error:
            # Not the parser's own sentence: it would quote the body.
            raise ParseError(_("The body is not valid JSON.")) from error


class TextJSONParser(StrictJSONParser):
    """For bodies with a resume or requirements."""

    @property
    def max_bytes(self) -> int:  # type: ignore[override]
        longest = max(settings.MAX_CHARS_RESUME, settings.MAX_CHARS_REQUIREMENTS)
        return MAX_BYTES + longest * BYTES_OF_CHARACTER


class SmallFormParser(FormParser):
    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = BytesIO(_read(stream, MAX_BYTES))
        return super().parse(body, media_type, parser_context)


def _read(stream: IO[bytes], most: int) -> bytes:
    body = stream.read(most + 1)
    if len(body) > most:
        raise RequestDataTooBig
    return body


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key is given twice")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class NoFiles(FileUploadHandler):
    """For forms that hold fields alone: a file is read past and kept nowhere."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Mapping[str, Any],
        content_length: Any,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        if content_length > MAX_BYTES:
            raise RequestDataTooBig

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None
