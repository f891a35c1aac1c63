"""What is registered already must not make a batch slower, also before anybody counted the rows."""

import pytest
from django.db import connection

from apps.notifications import claims
from kafka_bridge.contract.events import NewRequest
from tests.support.whole_reads import without_reading_whole

REGISTERED = 50_000


@pytest.mark.django_db(transaction=True)
def test_a_batch_reads_the_callbacks_of_its_processings_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO notifications_callback"
            " (processing_id, run, user_id, requirements_id, callback_url, state, webhook_id, body,"
            "  headers, attempts, last_error, created_at, updated_at)"
            " SELECT 10^6 + n, 0, mod(n, 500), 1, '', 'delivered', '', '', '{}', 1, '',"
            " now(), now() FROM generate_series(1, %s) AS n",
            [REGISTERED],
        )
    for round_ in range(5):  # from the fourth on its statement is prepared
        with without_reading_whole("notifications_callback"):
            claims.register([request(round_ * 100 + n) for n in range(1, 100)])


def request(number: int) -> NewRequest:
    return NewRequest(
        processing_id=number,
        user_id=number % 7 + 1,
        resume_id=1,
        requirements_id=1,
        resume="Python",
        requirements="Python",
        callback_url="http://a.example/",
    )
