"""The API's settings, so that the server and its logs are the same, and an empty application."""

from resume_platform.settings import *  # noqa: F403

ROOT_URLCONF = "tools.bench.floors.urls"
ALLOWED_HOSTS = ["*"]
MIDDLEWARE = []
INSTALLED_APPS = []
