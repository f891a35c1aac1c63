"""Django's settings. What an operator may change comes from `environment.py`."""

import os
from datetime import timedelta
from pathlib import Path

import dj_database_url
from django.templatetags.static import static

from resume_platform.environment import load

BASE_DIR = Path(__file__).resolve().parent.parent

env = load()

# Every setting of the environment, under its own name (`environment.py`).
globals().update(dict(env))

KAFKA_TOPICS = {
    "uploading_data": env.KAFKA_TOPIC_UPLOADING_DATA,
    "AI_handler": env.KAFKA_TOPIC_AI_HANDLER,
    "sending": env.KAFKA_TOPIC_SENDING,
    "notifications": env.KAFKA_TOPIC_NOTIFICATIONS,
}

# --- Django ------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "resume_platform.checks.PlatformConfig",
    "kafka_bridge",
    # The users' table is also the staff's, so this one is always there; see decision 0003.
    "apps.auth",
    *[f"apps.{name}" for name in env.ENABLED_APPS if name != "auth"],
    "staff",  # after the apps whose pages it composes
]

MIDDLEWARE = [
    "resume_platform.http.request_metrics.measured",
    "resume_platform.http.request_log.told_of",
    "resume_platform.http.middleware.plain_requests",
    "resume_platform.http.middleware.probes_by_any_name",
    "resume_platform.http.middleware.security_headers",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "resume_platform.http.staff_middleware.Sessions",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "resume_platform.http.staff_middleware.Users",
    "resume_platform.http.staff_middleware.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]

ROOT_URLCONF = "resume_platform.urls"
WSGI_APPLICATION = "resume_platform.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {
    "default": dj_database_url.parse(
        env.DATABASE_URL,
        engine="resume_platform.postgresql_pool",
        conn_max_age=env.DATABASE_CONN_MAX_AGE,
        conn_health_checks=True,
    )
}
# A server that is gone without a word is noticed within a minute; what the URL says wins.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    **DATABASES["default"].get("OPTIONS", {}),
}
if env.DATABASE_POOL_SIZE:
    # Closing a connection gives it back to the process's pool: decision 0052.
    DATABASES["default"]["CONN_MAX_AGE"] = 0

PASSWORD_HASHERS = [
    "apps.auth.hashers.BoundedArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ru", "Русский")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Without a collectstatic step the files are served straight from the packages.
WHITENOISE_USE_FINDERS = True

# A file of the largest size, and the multipart frame around it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

# --- security ----------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
HTTPS_ONLY = bool(env.HTTPS_ONLY)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = ["^health", "^metrics$"]  # probes and scrapers come past the proxy
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS_ONLY
# `plain_requests` removes the header unless a trusted proxy sent it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CORS_EXPOSE_HEADERS = ["X-Total-Count", "Retry-After", "X-Request-ID"]

# The block of guessed passwords; its counters are ours, see decision 0020.
AXES_HANDLER = "apps.auth.login_limit.RedisHandler"
AXES_CLIENT_IP_CALLABLE = "apps.auth.login_limit.address_of"
AXES_LOCKOUT_CALLABLE = "apps.auth.login_limit.locked_out_page"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

# --- the staff's pages -------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "Resume platform",
    "SITE_HEADER": "Resume platform",
    "SITE_URL": None,
    "SITE_SYMBOL": "person_search",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("staff/favicon.svg"),
        }
    ],
    "SHOW_LANGUAGES": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "staff.dashboard.page.dashboard",
    "STYLES": [lambda request: static("staff/staff.css")],
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": True,
        "navigation": "staff.navigation.sidebar",
    },
    # A calm blue, in the colour space of the theme's own scales.
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        }
    },
}

# --- REST --------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.auth.authentication.AccessTokenAuthentication"
        if "auth" in env.ENABLED_APPS
        else "resume_platform.http.signature_authentication.SignatureAuthentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["resume_platform.http.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "resume_platform.http.negotiation.AlwaysAnswers",
    "EXCEPTION_HANDLER": "resume_platform.http.exception_handler.handle",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": env.JWT_SIGNING_KEY,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=env.ACCESS_TOKEN_EXPIRE_MINUTES),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=env.REFRESH_TOKEN_EXPIRE_DAYS),
    "USER_ID_CLAIM": "sub",
    "UPDATE_LAST_LOGIN": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Resume platform",
    "DESCRIPTION": "Judges resumes against requirements and calls back with the result.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "POSTPROCESSING_HOOKS": ["resume_platform.http.schema.complete"],
}

# --- Celery: wake-ups only, so nothing is kept and nothing waits in it (DESIGN, Traps) ----------
# All that Celery is handed, since its workers publish what they know (decision 0360).
CELERY = {
    "broker_url": env.CELERY_BROKER_URL,
    "broker_connection_retry_on_startup": True,
    "broker_transport_options": {
        # Redis keeps no copy of what a worker has taken: decision 0131.
        "ack_emulation": False,
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 30,
    },
    "task_ignore_result": True,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_default_queue": "storage",
    "worker_prefetch_multiplier": 1,
    "worker_send_task_events": True,
    "task_send_sent_event": False,
    "worker_soft_shutdown_timeout": 10,
    "timezone": "UTC",
}

# --- logs --------------------------------------------------------------------------------------
LOGGING_CONFIG = "resume_platform.observability.logs.configure"
LOGGING = {"process": os.environ.get("PROCESS_NAME", "")}
