"""What a worker has taken of its queue, and Redis of it: no copy, and nothing lost in order."""

import redis
from django.conf import settings
from kombu import Queue

from celery_app import app

QUEUE = "taken-messages"


def test_a_worker_that_ends_gives_back_what_it_has_not_begun_and_redis_kept_no_copy():
    broker = redis.Redis.from_url(settings.CELERY_BROKER_URL)
    taken = []
    with app.connection_for_write() as connection, connection.SimpleQueue(QUEUE) as queue:
        queue.put([1, 2])
    copies = broker.exists("unacked", "unacked_index")
    with app.connection_for_read() as connection, connection.channel() as channel:
        consumer = connection.Consumer([Queue(QUEUE)], channel=channel)
        consumer.qos(prefetch_count=1)
        consumer.register_callback(lambda body, message: taken.append(body))
        consumer.consume()
        connection.drain_events(timeout=5)
        assert broker.llen(QUEUE) == 0
        assert broker.exists("unacked", "unacked_index") == copies == 0
    assert taken == [[1, 2]]
    assert broker.llen(QUEUE) == 1
    broker.delete(QUEUE)
