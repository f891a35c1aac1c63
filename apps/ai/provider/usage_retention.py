"""Folds old entries of the usage ledger into sums by day, user and model, in small batches."""

import structlog
from django.conf import settings
from django.db import connection, transaction

log = structlog.get_logger(__name__)

BATCH_SIZE = 500
# A round's end, so that it never has its thread for hours.
MAX_BATCHES = 200

# One statement: no entry is ever in both, or in neither. Whole days alone, so that a day's sums do
# not come in two halves for months.
_FOLD = """
WITH over AS (
    DELETE FROM ai_providercall WHERE id IN (
        SELECT id FROM ai_providercall
        WHERE created_at < date_trunc(
            'day', clock_timestamp() - make_interval(days => %(days)s), 'UTC')
        ORDER BY created_at LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *
), summed AS (
    INSERT INTO ai_dailyspending AS sums
        (day, user_id, model, calls, input_tokens, cached_tokens, output_tokens, cost, unpriced)
    SELECT (created_at AT TIME ZONE 'UTC')::date, user_id, model, count(*), sum(input_tokens),
           sum(cached_tokens), sum(output_tokens), coalesce(sum(cost), 0),
           count(*) FILTER (WHERE cost IS NULL)
    FROM over GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (day, user_id, model) DO UPDATE SET
        calls = sums.calls + excluded.calls,
        input_tokens = sums.input_tokens + excluded.input_tokens,
        cached_tokens = sums.cached_tokens + excluded.cached_tokens,
        output_tokens = sums.output_tokens + excluded.output_tokens,
        cost = sums.cost + excluded.cost,
        unpriced = sums.unpriced + excluded.unpriced
)
SELECT count(*) FROM over
"""


def fold_old_calls(*, batch_size: int = BATCH_SIZE) -> int:
    """One round, at most MAX_BATCHES batches; returns how many entries went into the sums."""
    total = 0
    for _ in range(MAX_BATCHES):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_FOLD, {"days": settings.KEEP_AI_CALLS_DAYS, "limit": batch_size})
            rows = int(cursor.fetchone()[0])
        total += rows
        if rows < batch_size:
            break
    if total:
        log.info("ai.calls_folded", calls=total)
    return total
