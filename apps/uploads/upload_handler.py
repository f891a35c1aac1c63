"""Receives an uploaded file in memory alone, and no more of it than a file may weigh."""

import io
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from apps.uploads.file_errors import too_many_bytes

# A body a little too large is read to its end, so that its sender gets to read the answer.
HOPELESS_FACTOR = 4


class BoundedMemoryUploadHandler(FileUploadHandler):
    """Files are never written to a disk.

    A file that goes beyond MAX_FILE_BYTES (all files of one request together) comes out empty,
    with the size that it had: `size` tells.
    """

    def handle_raw_input(
        self,
        input_data: Any,
        META: Mapping[str, Any],
        content_length: Any,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        self.limit: int = settings.MAX_FILE_BYTES
        self.received = 0
        if content_length > HOPELESS_FACTOR * self.limit:
            raise too_many_bytes(self.limit)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received += len(raw_data)
        if self.received <= self.limit:
            self.file.write(raw_data)
        else:
            self.file = io.BytesIO()

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self.file.seek(0)
        return InMemoryUploadedFile(
            file=self.file,
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size if self.received <= self.limit else self.received,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
