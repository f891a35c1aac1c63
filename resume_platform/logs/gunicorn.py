"""gunicorn's own lines, of the master too, through the same pipeline."""

import os
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from gunicorn.glogging import Logger as GunicornLogger

from resume_platform import logs


class Logger(GunicornLogger):
    """Takes its level and its handlers from ours. Raises RuntimeError for a wrong setting."""

    def setup(self, cfg: Any) -> None:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resume_platform.settings")
        try:
            logs.configure(settings.LOGGING)
        except ImproperlyConfigured as error:
            # gunicorn prints this kind as one sentence.
            raise RuntimeError(str(error)) from None

    def reopen_files(self) -> None:
        """Nothing to do: a file that was moved is noticed at the next line."""
