"""Every setting that the environment gives: its name, type, default and rule, in one model.

The names are the contract's (section 5). `load()` stops the start with one sentence per wrong or
missing setting, and never prints a value, since a value may be a secret.
"""

import base64
import binascii
import ipaddress
import json
import os
import re
import secrets
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ALL_APPS = ("auth", "uploads", "ai", "storage", "notifications")

# Every secret and the processes that need it; deployment files give it to these alone, and another
# process neither asks for it nor keeps it.
_SYSTEM = frozenset({"web", "bridge", "worker-storage", "worker-ai", "worker-webhooks"})
SECRETS: dict[str, frozenset[str]] = {
    "SECRET_KEY": frozenset({"web"}),
    "JWT_SIGNING_KEY": frozenset({"web"}),
    "WEBHOOK_SECRET": frozenset({"web", "worker-webhooks"}),
    "OPENAI_API_KEY": frozenset({"worker-ai"}),
    "OPENAI_PROXY": frozenset({"worker-ai"}),
    "DATABASE_URL": _SYSTEM | {"migrate"},
    "DATABASE_DIRECT_URL": _SYSTEM | {"migrate"},
    "REDIS_URL": _SYSTEM,
    "CACHE_URL": _SYSTEM,
    "CELERY_BROKER_URL": _SYSTEM | {"flower"},
    "FLOWER_BASIC_AUTH": frozenset({"flower"}),  # read by Flower itself
}
PROCESSES = _SYSTEM | {"migrate", "topics", "flower"}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _split_commas(value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _split_spaces(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_float=Decimal)
    except ValueError:
        raise ValueError("must be JSON") from None


def _secret_bytes(value: str) -> str:
    prefix, _, encoded = value.partition("_")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if prefix != "whsec" or not 24 <= len(raw) <= 64:
        raise ValueError("must be 'whsec_' and the base64 of 24 to 64 random bytes")
    return value


def _known_app(value: str) -> str:
    if value not in ALL_APPS:
        raise ValueError(f"knows only the apps {', '.join(ALL_APPS)}")
    return value


def _url(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        parts = urlsplit(value)
        if value and parts.scheme not in schemes:
            raise ValueError(f"must be a URL that starts with {'://, '.join(schemes)}://")
        return value

    return AfterValidator(check)


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or value != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("lists origins: https://host or http://host:port, without a path")
    return value


def _is_local(host: str) -> bool:
    """Whether a name of ALLOWED_HOSTS can be reached from this machine alone."""
    name = host.strip("[]").lower()
    if name in ("localhost", "testserver") or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


CommaList = Annotated[list[str], NoDecode, BeforeValidator(_split_commas)]
Networks = Annotated[list[Network], NoDecode, BeforeValidator(_split_commas)]
PostgresUrl = Annotated[str, _url("postgres", "postgresql")]
RedisUrl = Annotated[str, _url("redis", "rediss", "unix")]
HttpUrl = Annotated[str, _url("http", "https")]
ProxyUrl = Annotated[str, _url("http", "https", "socks5", "socks5h")]
Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Price(BaseModel):
    """Money per million tokens of one model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Annotated[Decimal, Field(ge=0)]
    cached_input: Annotated[Decimal | None, Field(ge=0)] = None
    output: Annotated[Decimal, Field(ge=0)]


class Environment(BaseSettings):
    """The environment of one process, validated."""

    model_config = SettingsConfigDict(
        case_sensitive=True, extra="ignore", hide_input_in_errors=True
    )

    # Django
    SECRET_KEY: Annotated[str, Field(min_length=32)]
    JWT_SIGNING_KEY: Annotated[str, Field(min_length=32)]
    DEBUG: bool = False
    ALLOWED_HOSTS: CommaList = []
    ENABLED_APPS: Annotated[
        list[Annotated[str, AfterValidator(_known_app)]], NoDecode, BeforeValidator(_split_commas)
    ] = list(ALL_APPS)
    TRUSTED_PROXIES: Networks = []
    # None: as soon as ALLOWED_HOSTS names a host that others can reach.
    HTTPS_ONLY: bool | None = None
    CORS_ALLOWED_ORIGINS: Annotated[
        list[Annotated[str, AfterValidator(_origin)]], NoDecode, BeforeValidator(_split_commas)
    ] = []

    # Servers
    DATABASE_URL: Annotated[PostgresUrl, Field(min_length=1)]
    DATABASE_DIRECT_URL: PostgresUrl = ""
    DATABASE_CONN_MAX_AGE: Annotated[int, Field(ge=0)] = 600
    DATABASE_POOL_SIZE: Annotated[int, Field(ge=0)] = 0
    # Well below the five minutes after which Kafka gives up a consumer that does not come back.
    DATABASE_ANSWER_SECONDS: Annotated[float, Field(gt=0, le=120)] = 30
    REDIS_URL: Annotated[RedisUrl, Field(min_length=1)]
    CACHE_URL: RedisUrl = ""
    CELERY_BROKER_URL: RedisUrl = ""
    KAFKA_BOOTSTRAP_SERVERS: Annotated[str, Field(min_length=1)]
    KAFKA_GROUP_ID: str = "resume-platform"
    KAFKA_TOPIC_UPLOADING_DATA: str = "uploading_data"
    KAFKA_TOPIC_AI_HANDLER: str = "AI_handler"
    KAFKA_TOPIC_SENDING: str = "sending"
    KAFKA_TOPIC_NOTIFICATIONS: str = "notifications"
    KAFKA_TOPIC_PARTITIONS: Count = 12
    KAFKA_TOPIC_RETENTION_HOURS: Count = 168
    KAFKA_TOPIC_REPLICATION: Annotated[int, Field(ge=1, le=32_767)] | None = None
    KAFKA_FETCH_WAIT_MAX_MS: Annotated[int, Field(ge=1, le=300_000)] = 100
    KAFKA_SESSION_TIMEOUT_MS: Annotated[int, Field(ge=1000, le=300_000)] = 10_000
    OUTCOME_EVENT: Annotated[str, Field(pattern="^(new_sending|new_notifications)$")] = (
        "new_sending"
    )

    # The pipeline
    LEASE_SECONDS: Seconds = 30
    WAKE_AGAIN_SECONDS: Seconds = 5
    WAKE_LIMIT: Count = 8
    WORKER_THREADS: Annotated[int, Field(ge=0)] = 0
    DISPATCH_INTERVAL_SECONDS: Seconds = 0.5
    STALLED_AFTER_MINUTES: Annotated[float, Field(gt=0)] = 60
    HOUSEKEEPING_INTERVAL_SECONDS: Seconds = 300
    KEEP_PAYLOAD_DAYS: Annotated[float, Field(ge=0)] = 7
    KEEP_DONE_DAYS: Annotated[float, Field(ge=0)] = 14
    KEEP_INBOX_DAYS: Annotated[float, Field(ge=0)] = 30
    RETENTION_DAYS: Annotated[float, Field(ge=0)] = 0
    ERASURE_SECOND_LOOK_SECONDS: Annotated[float, Field(ge=0)] = 60

    # Accounts
    ACCESS_TOKEN_EXPIRE_MINUTES: Count = 30
    REFRESH_TOKEN_EXPIRE_DAYS: Count = 7
    MAX_ACTIVE_SESSIONS: Count = 5
    LOGIN_MAX_ATTEMPTS: Count = 5
    LOGIN_BLOCK_SECONDS: Count = 300
    LOGIN_PER_MINUTE: Count = 60
    REGISTER_PER_MINUTE: Count = 30

    # Uploads
    MAX_CHARS_RESUME: Count = 15_000
    MAX_CHARS_REQUIREMENTS: Count = 5_000
    MAX_FILE_BYTES: Count = 10_000_000
    START_PROCESSING_PER_MINUTE: Count = 3
    START_PROCESSING_BLOCK_SECONDS: Count = 30

    # The AI
    OPENAI_API_KEY: str = ""
    OPENAI_BASE_URL: HttpUrl = ""
    OPENAI_MODEL: str = "gpt-4.1-mini"
    OPENAI_PROXY: ProxyUrl = ""
    OPENAI_TIMEOUT_SECONDS: Seconds = 60
    AI_RPM: Count = 3
    AI_RPD: Count = 200
    AI_TPM: Count = 40_000
    AI_MAX_WAIT_SECONDS: Seconds = 600
    AI_USER_DAY_SHARE: Annotated[float, Field(gt=0, le=1)] = 0.5
    AI_USER_DAY_BUDGET: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    AI_BLOCKED_COUNTRIES: CommaList = ["RU"]
    EGRESS_TRACE_URL: HttpUrl = ""
    EGRESS_UNKNOWN: Annotated[str, Field(pattern="^(refuse|allow)$")] = "refuse"
    AI_SUITABLE_SCORE: Annotated[int, Field(ge=0, le=100)] = 65
    AI_REDACTION: bool = True
    AI_PRICES: Annotated[dict[str, Price], NoDecode, BeforeValidator(_json)] = {
        "gpt-4.1": Price(input=Decimal("2.00"), cached_input=Decimal("0.50"), output=Decimal(8)),
        "gpt-4.1-mini": Price(
            input=Decimal("0.40"), cached_input=Decimal("0.10"), output=Decimal("1.60")
        ),
        "gpt-4.1-nano": Price(
            input=Decimal("0.10"), cached_input=Decimal("0.025"), output=Decimal("0.40")
        ),
    }
    KEEP_AI_CALLS_DAYS: Count = 90
    AI_CURRENCY: Annotated[str, Field(min_length=1, max_length=8)] = "USD"

    # Callbacks
    WEBHOOK_SECRET: Annotated[
        list[Annotated[str, AfterValidator(_secret_bytes)]],
        NoDecode,
        BeforeValidator(_split_spaces),
        Field(min_length=1),
    ]
    WEBHOOK_TIMEOUT_SECONDS: Seconds = 15
    WEBHOOK_RETRY_SCHEDULE: Annotated[list[Seconds], NoDecode, BeforeValidator(_split_commas)] = [
        5, 300, 1800, 7200, 18000, 36000, 36000,
    ]  # fmt: skip
    WEBHOOK_ALLOWED_PRIVATE_NETWORKS: Networks = []
    WEBHOOK_MAX_PER_HOST: Count = 20
    TEST_CALLBACK_PER_MINUTE: Count = 5
    REDELIVER_PER_MINUTE: Count = 30
    WEBHOOK_BREAKER_FAILURES: Count = 10
    WEBHOOK_BREAKER_SECONDS: Seconds = 5
    WEBHOOK_BREAKER_MAX_SECONDS: Seconds = 300
    STORAGE_TIME_PROCESSED_MESSAGES: Count = 259_200

    # Metrics of the bridge and the workers (0 serves none), and what /health/ready watches too
    METRICS_PORT: Annotated[int, Field(ge=0, le=65_535)] = 0
    METRICS_HOST: str = "127.0.0.1"
    FLOWER_HEALTH_URL: HttpUrl = ""

    # Logs
    LOG_DIR: str | None = "logs"
    LOG_LEVEL: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR|CRITICAL)$")] = "INFO"
    LOG_KEEP_DAYS: Count = 14

    # Traces
    OTEL_EXPORTER_OTLP_ENDPOINT: HttpUrl = ""
    WEBHOOK_TRACEPARENT: bool = False

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, values: dict[str, Any]) -> dict[str, Any]:
        # `NAME=` in an env file leaves the default; LOG_DIR alone means something when empty.
        given = {name: v for name, v in values.items() if v != "" or name == "LOG_DIR"}
        for name, other in (
            ("DATABASE_DIRECT_URL", "DATABASE_URL"),
            ("CACHE_URL", "REDIS_URL"),
            ("CELERY_BROKER_URL", "REDIS_URL"),
        ):
            if other in given:
                given.setdefault(name, given[other])
        return given | _nobodys(os.environ.get("PROCESS_NAME", ""))

    @model_validator(mode="after")
    def _follow_defaults(self) -> "Environment":
        if self.HTTPS_ONLY is None:
            self.HTTPS_ONLY = any(h != "*" and not _is_local(h) for h in self.ALLOWED_HOSTS)
        return self

    @model_validator(mode="after")
    def _identities_outlive_the_log(self) -> "Environment":
        if self.KEEP_INBOX_DAYS * 24 <= self.KAFKA_TOPIC_RETENTION_HOURS:
            raise PydanticCustomError(
                "together",
                "The setting KEEP_INBOX_DAYS must be longer than KAFKA_TOPIC_RETENTION_HOURS:"
                " what Kafka delivers again would be taken for new",
            )
        return self

    @model_validator(mode="after")
    def _debug_stays_at_home(self) -> "Environment":
        if self.DEBUG and not all(map(_is_local, self.ALLOWED_HOSTS)):
            raise PydanticCustomError(
                "together",
                "The setting DEBUG must be false while ALLOWED_HOSTS names a host that others"
                " can reach: it shows settings and stack traces",
            )
        return self


def _nobodys(process: str) -> dict[str, str]:
    """Stand-ins for the secrets that a process has no need of; a command by hand needs them all."""
    process = re.sub(r"-\d+$", "", process)
    if process not in PROCESSES:
        return {}
    key = secrets.token_urlsafe(48)
    webhook = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    stand_ins = {"SECRET_KEY": key, "JWT_SIGNING_KEY": key[::-1], "WEBHOOK_SECRET": webhook}
    for name, server in (
        ("DATABASE", "postgresql"),
        ("DATABASE_DIRECT", "postgresql"),
        ("REDIS", "redis"),
        ("CACHE", "redis"),
        ("CELERY_BROKER", "redis"),
    ):
        stand_ins[f"{name}_URL"] = f"{server}://not-for-this-process.invalid/0"
    return {n: stand_ins.get(n, "") for n, needed in SECRETS.items() if process not in needed}


def load() -> Environment:
    """Read the environment.

    Raises ImproperlyConfigured with one sentence per setting that is missing or malformed.
    """
    try:
        return Environment()
    except ValidationError as error:
        sentences = [_sentence(problem) for problem in error.errors()]
        raise ImproperlyConfigured("\n".join(dict.fromkeys(sentences))) from None


def _sentence(problem: Any) -> str:
    if problem["type"] == "together":
        return f"{problem['msg']}."
    name = problem["loc"][0] if problem["loc"] else "The environment"
    if problem["type"] == "missing":
        return f"The setting {name} is missing: set it in the environment (see .env.example)."
    return f"The setting {name} is malformed: {problem['msg']}."
