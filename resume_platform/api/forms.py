"""A request's body or query, read by a serializer."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.serializers import Serializer


class Form:
    """One serializer for all requests: to make its fields costs more than to read most requests."""

    def __init__(self, kind: type[Serializer[Any]]) -> None:
        self._kind = kind
        self._shared = kind()

    def read(self, data: Any) -> dict[str, Any]:
        """What was sent, validated. Raises ValidationError."""
        try:
            # Keeps nothing of what it reads.
            return dict(self._shared.run_validation(data))
        except ValidationError:
            # A sentence that is made once stays in its first reader's language: new fields.
            anew = self._kind(data=data)
            anew.is_valid(raise_exception=True)
            return dict(anew.validated_data)
