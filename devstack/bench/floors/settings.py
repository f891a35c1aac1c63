"""The least Django that answers: no middleware, no apps, no database."""

SECRET_KEY = "nothing is signed with it"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "devstack.bench.floors.urls"
MIDDLEWARE: list[str] = []
INSTALLED_APPS: list[str] = []
LOGGING_CONFIG = None
USE_TZ = True
