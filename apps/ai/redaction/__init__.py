"""Personal data taken out of a text before it leaves, and offsets back into the text as it was."""

from apps.ai.redaction.redactor import Redacted, Redaction, leave_out, redact
from apps.ai.redaction.spans import Found

__all__ = ["Found", "Redacted", "Redaction", "leave_out", "redact"]
