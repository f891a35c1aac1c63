"""The WSGI entry of the web process."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from resume_platform.api.bodies import read_whole

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resume_platform.settings")

application = read_whole(get_wsgi_application(), max_file_bytes=settings.MAX_FILE_BYTES)
