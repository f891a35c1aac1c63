"""Every metric of the judgement, in one place."""

from prometheus_client import Counter

CALLS = Counter("ai_calls_total", "Questions that were sent, by how they ended", ["outcome"])
WAITS = Counter("ai_waits_total", "Questions that were not sent yet", ["why"])
# Alarms: somebody must look at the way out, and at the provider.
EGRESS_REFUSED = Counter(
    "ai_egress_refused_total", "Questions that were not sent because of the way out", ["why"]
)
CIRCUIT_OPENED = Counter("ai_circuit_opened_total", "Times the provider was taken for down")
ORDERS_FOLLOWED = Counter(
    "ai_orders_followed_total", "Answers in which the model followed orders of a resume"
)
