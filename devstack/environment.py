"""The settings that the dev stack gives its processes. What the environment already sets wins."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# All of a stack's clients come from one address.
ADDRESS_LIMITS = {"LOGIN_PER_MINUTE": "10000", "REGISTER_PER_MINUTE": "10000"}
# One host would do a demo at production's 3 starts and 3 AI calls a minute in a quarter of an hour.
START_LIMIT = {"START_PROCESSING_PER_MINUTE": "10000"}
STANDIN_LIMITS = {"AI_RPM": "10000", "AI_RPD": "1000000", "AI_TPM": "100000000"}
# What a paid account of the second tier may do with the default model. For a lower one the API
# answers 429, and the system waits as it says.
OUTSIDE_AI_LIMITS = {"AI_RPM": "5000", "AI_RPD": "100000", "AI_TPM": "2000000"}
STAFF_USERNAME = "staff@example.com"
FLOWER_USERNAME = "dev"
TOPIC_SETTINGS = {
    "KAFKA_TOPIC_UPLOADING_DATA": "uploading_data",
    "KAFKA_TOPIC_AI_HANDLER": "AI_handler",
    "KAFKA_TOPIC_SENDING": "sending",
    "KAFKA_TOPIC_NOTIFICATIONS": "notifications",
}

# Settings must name servers, also where none is asked: addresses at which nobody listens.
NO_SERVERS = {
    "DATABASE_URL": "postgresql://127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
}


@dataclass(frozen=True)
class Outside:
    """Which servers the environment names, so that no embedded one is started."""

    postgres: bool
    redis: bool
    kafka: bool
    openai: bool

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Outside":
        return cls(
            postgres=bool(environment.get("DATABASE_URL")),
            redis=bool(environment.get("REDIS_URL")),
            kafka=bool(environment.get("KAFKA_BOOTSTRAP_SERVERS")),
            openai=bool(environment.get("OPENAI_BASE_URL")),
        )


@dataclass
class StackEnvironment:
    """Built in steps, since a server's address is known only once it is started."""

    given: Mapping[str, str]
    credentials: Mapping[str, str]
    values: dict[str, str] = field(default_factory=dict)
    limits: dict[str, str] = field(default_factory=dict)
    """The limits that we chose, to be shown."""

    def __post_init__(self) -> None:
        # An empty value means "not set", as it does for the settings; LOG_DIR's means "no files".
        self.values = {n: value for n, value in self.given.items() if value or n == "LOG_DIR"}
        self.outside = Outside.of(self.values)
        if self.outside.openai:
            self.default("OPENAI_API_KEY", "none")  # a server of one's own may need none
        for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "WEBHOOK_SECRET", "DEV_STAFF_PASSWORD"):
            self.default(name, self.credentials[name])
        self.default("DEV_STAFF_USERNAME", STAFF_USERNAME)
        self.default("DEBUG", "false")
        self.default("ALLOWED_HOSTS", "127.0.0.1,localhost")
        self.default("WEBHOOK_ALLOWED_PRIVATE_NETWORKS", "127.0.0.0/8")
        self.default(
            "FLOWER_BASIC_AUTH", f"{FLOWER_USERNAME}:{self.credentials['flower_password']}"
        )
        self.default("PYTHONUNBUFFERED", "1")
        self._bypass_proxy_for_loopback()
        chosen = (
            START_LIMIT
            | ADDRESS_LIMITS
            | (OUTSIDE_AI_LIMITS if self.outside.openai else STANDIN_LIMITS)
        )
        for name, value in chosen.items():
            if name not in self.values:
                self.values[name] = self.limits[name] = value

    def default(self, name: str, value: str) -> None:
        self.values.setdefault(name, value)

    def use_postgres(self, url: str) -> None:
        self.values["DATABASE_URL"] = url

    def use_redis(self, url: str) -> None:
        self.values["REDIS_URL"] = url

    def use_kafka(self, address: str) -> None:
        self.values["KAFKA_BOOTSTRAP_SERVERS"] = address
        # The embedded broker's fetches do not long-poll: it answers when the time is over.
        self.default("KAFKA_FETCH_WAIT_MAX_MS", "5")
        # A bridge that was killed is back in a second and waits for this long for its partitions.
        self.default("KAFKA_SESSION_TIMEOUT_MS", "4000")

    def use_standin(self, url: str) -> None:
        """A key for the real API is not for the stand-in to see, nor is a proxy on the way."""
        self.values |= {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "standin"}
        self.values.pop("OPENAI_PROXY", None)

    @property
    def topics(self) -> list[str]:
        return [self.values.get(name, default) for name, default in TOPIC_SETTINGS.items()]

    def _bypass_proxy_for_loopback(self) -> None:
        for name in ("NO_PROXY", "no_proxy"):
            hosts = [host for host in self.values.get(name, "").split(",") if host]
            self.values[name] = ",".join(dict.fromkeys([*hosts, "127.0.0.1", "localhost"]))
