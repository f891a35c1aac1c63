"""Takes personal data out of a text before it leaves, and maps offsets back to the original."""

from apps.ai.redaction.redactor import Redacted, Redaction, leave_out, redact
from apps.ai.redaction.spans import Found

__all__ = ["Found", "Redacted", "Redaction", "leave_out", "redact"]
