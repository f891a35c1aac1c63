"""Every metric of the system: its name, its help text and its labels, in one place.

Counters, gauges and histograms are counted where things happen. A `Figure` is asked for when
somebody scrapes (`exporter.py`), so nobody keeps it and it can never be out of date.

No label holds what a user chose: routes are URL patterns, never paths; hosts and ids are no labels.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily


@dataclass(frozen=True)
class Figure:
    """A gauge whose values are found at each scrape."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def family(self, values: Mapping[tuple[str, ...], float]) -> GaugeMetricFamily:
        """`values` by the labels' values, in their order; `()` where there are no labels."""
        family = GaugeMetricFamily(self.name, self.help, labels=self.labels)
        for labels, value in values.items():
            family.add_metric(labels, value)
        return family


# --- HTTP ------------------------------------------------------------------------------------
HTTP_REQUESTS = Counter(
    "http_requests_total", "Requests that were answered", ["method", "route", "status"]
)
HTTP_SECONDS = Histogram(
    "http_request_seconds",
    "From a request's first middleware to its answer",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
HTTP_IN_PROGRESS = Gauge(
    "http_requests_in_progress", "Requests being answered", multiprocess_mode="livesum"
)

# --- the parts ---------------------------------------------------------------------------------
PART_UP = Figure(
    "part_up", "1 if /health/ready finds the part well, 0 if not; none if not known", ("part",)
)
SIGN_AGE = Figure(
    "sign_age_seconds",
    "Since a part was last seen to work; for worker-*, since a canary came through its queue",
    ("part",),
)
FIGURES_MISSING = Figure(
    "figures_missing", "1 if what a process asks for at a scrape could not be had", ("source",)
)
REDIS_ERRORS = Counter(
    "redis_errors_total", "Redis calls that failed and were done without", ["namespace"]
)

# --- outbox and relay --------------------------------------------------------------------------
OUTBOX_PRODUCED = Counter("outbox_produced_total", "Outbox rows the broker acknowledged", ["topic"])
OUTBOX_DELAY = Histogram(
    "outbox_delay_seconds",
    "From the event to the broker's acknowledgement",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30, 300),
)
OUTBOX_ROWS = Figure("outbox_rows", "Events that are not in Kafka yet; counted up to 10,000")
OUTBOX_AGE = Figure("outbox_oldest_age_seconds", "Age of the first event of the outbox; 0: empty")
RELAY_ACTIVE = Gauge(
    "relay_active",
    "1 in the bridge whose relay holds the lock, else 0",
    multiprocess_mode="livemax",
)

# --- intake and inbox --------------------------------------------------------------------------
KAFKA_LAG = Gauge(
    "kafka_lag_messages", "Messages that this bridge has not taken in yet", ["topic", "partition"]
)
INBOX_RECEIVED = Counter("inbox_received_total", "Messages taken in for the first time", ["topic"])
INBOX_DUPLICATES = Counter("inbox_duplicates_total", "Offsets that were delivered again", ["topic"])
# Alarms: each of these means that a log was lost or cut.
INBOX_OFFSET_GAPS = Counter("inbox_offset_gaps_total", "Offsets that never came", ["topic"])
INBOX_NEW_EPOCHS = Counter("inbox_new_epochs_total", "Logs that began anew", ["topic"])
# A producer that speaks something else than the contract.
INBOX_POISON_RUN = Gauge(
    "inbox_poison_run",
    "Messages in a row, up to now, that were no events",
    multiprocess_mode="livemax",
)
INBOX_POISON_ALARMS = Counter("inbox_poison_alarms_total", "Hundreds in a row that were no events")
INBOX_TASKS = Figure(
    "inbox_tasks",
    "Task rows by state: due, later (waits for its next attempt), leased; counted up to 10,000",
    ("task", "state"),
)
INBOX_OLDEST_DUE = Figure(
    "inbox_oldest_due_seconds", "For how long the first due task row has been due", ("task",)
)
QUEUE_MESSAGES = Figure("celery_queue_messages", "Wake-ups that wait in Redis", ("queue",))
TABLE_ROWS = Figure(
    "table_rows_estimate", "Rows of the bridge's tables, as PostgreSQL estimates them", ("table",)
)
DEAD_LETTERS = Counter("dead_letters_total", "Messages that were given up", ["source"])
DEAD_LETTERS_OPEN = Figure(
    "dead_letters_open",
    "Dead letters that were not replayed, among the newest 10,000",
    ("source", "reason"),
)

# --- handlers ----------------------------------------------------------------------------------
TASK_OUTCOMES = Counter("task_outcomes_total", "How handlers' attempts ended", ["task", "outcome"])
TASK_SECONDS = Histogram(
    "task_seconds",
    "An attempt's length, or a whole batch's",
    ["task"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
TASK_LAG = Histogram(
    "task_lag_seconds",
    "From the event to the end of what a handler owed for it",
    ["task"],
    buckets=(0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200),
)
LEASES_LOST = Counter("leases_lost_total", "Work that rolled back: another worker had the row")
LEASES_EXPIRED = Counter("leases_expired_total", "Rows whose worker fell silent")
WAKE_UPS = Counter("wake_ups_total", "Rows Celery was told of", ["task"])
PERIODIC_RUNS = Counter(
    "periodic_runs_total", "Rounds of jobs without an event", ["name", "outcome"]
)
HOUSEKEEPING_ROWS = Counter("housekeeping_rows_total", "Rows whose days were over", ["what"])

# --- the AI ------------------------------------------------------------------------------------
AI_CALLS = Counter("ai_calls_total", "Questions that were sent, by how they ended", ["outcome"])
AI_CALL_SECONDS = Histogram(
    "ai_call_seconds",
    "How long the provider took for an answer or an error",
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60, 120),
)
AI_TOKENS = Counter(
    "ai_tokens_total",
    "Tokens that the provider counted: input, cached (a part of input), output",
    ["model", "kind"],
)
AI_COST = Counter(
    "ai_cost_total", "Money by the table of prices (AI_PRICES)", ["model", "currency"]
)
AI_UNPRICED = Counter("ai_unpriced_calls_total", "Answers of a model without a price", ["model"])
AI_WAITS = Counter("ai_waits_total", "Questions that were not sent yet", ["why"])
AI_LIMIT_USED = Figure(
    "ai_limit_used_ratio", "Part of AI_RPM, AI_TPM and AI_RPD that is used up just now", ("limit",)
)
AI_WAITING = Figure("ai_waiting_rows", "Questions that stand in line for a limit")
AI_CIRCUIT_OPEN = Figure("ai_circuit_open", "1 while the provider is taken for down")
AI_EGRESS = Figure(
    "ai_egress",
    "1 for what this process last found of its way out: allowed, blocked, unknown",
    ("verdict",),
)
# Alarms: somebody must look at the way out, and at the provider.
AI_EGRESS_REFUSED = Counter(
    "ai_egress_refused_total", "Questions that were not sent because of the way out", ["why"]
)
AI_CIRCUIT_OPENED = Counter("ai_circuit_opened_total", "Times the provider was taken for down")
AI_ORDERS_FOLLOWED = Counter(
    "ai_orders_followed_total", "Answers in which the model followed orders of a resume"
)

# --- callbacks ---------------------------------------------------------------------------------
CALLBACKS = Counter(
    "callback_attempts_total",
    "POSTs to receivers; answer is 2xx to 5xx or the word for what went wrong",
    ["outcome", "answer"],
)
CALLBACK_SECONDS = Histogram(
    "callback_attempt_seconds",
    "One POST to a receiver, from resolving its name to its answer",
    ["outcome"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30),
)
CALLBACKS_HELD_BACK = Counter(
    "callbacks_held_back_total", "Callbacks that waited for their host", ["why"]
)
CALLBACK_BREAKERS_OPENED = Counter(
    "callback_breakers_opened_total", "Times a host's breaker opened"
)
CALLBACK_BREAKERS_OPEN = Figure(
    "callback_breakers_open", "Hosts whose breaker opened within a day and did not close"
)
