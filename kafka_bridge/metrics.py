"""Every metric of the bridge, in one place."""

from prometheus_client import Counter, Gauge, Histogram

OUTBOX_PRODUCED = Counter("outbox_produced_total", "Outbox rows the broker acknowledged", ["topic"])
OUTBOX_DELAY = Histogram(
    "outbox_delay_seconds",
    "From the event to the broker's acknowledgement",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30, 300),
)
INBOX_RECEIVED = Counter("inbox_received_total", "Messages taken in for the first time", ["topic"])
INBOX_DUPLICATES = Counter("inbox_duplicates_total", "Offsets that were delivered again", ["topic"])
# Alarms: each of these means that a log was lost or cut.
INBOX_OFFSET_GAPS = Counter("inbox_offset_gaps_total", "Offsets that never came", ["topic"])
INBOX_NEW_EPOCHS = Counter("inbox_new_epochs_total", "Logs that began anew", ["topic"])
# A producer that speaks something else than the contract.
INBOX_POISON_RUN = Gauge("inbox_poison_run", "Messages in a row, up to now, that were no events")
INBOX_POISON_ALARMS = Counter("inbox_poison_alarms_total", "Hundreds in a row that were no events")
DEAD_LETTERS = Counter("dead_letters_total", "Messages that were given up", ["source"])
TASK_OUTCOMES = Counter("task_outcomes_total", "How handlers' attempts ended", ["task", "outcome"])
LEASES_LOST = Counter("leases_lost_total", "Work that rolled back: another worker had the row")
LEASES_EXPIRED = Counter("leases_expired_total", "Rows whose worker fell silent")
WAKE_UPS = Counter("wake_ups_total", "Rows Celery was told of", ["task"])
PERIODIC_RUNS = Counter(
    "periodic_runs_total", "Rounds of jobs without an event", ["job", "outcome"]
)
HOUSEKEEPING_ROWS = Counter("housekeeping_rows_total", "Rows whose days were over", ["what"])
