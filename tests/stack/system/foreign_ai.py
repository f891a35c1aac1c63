"""An AI service of somebody else: it knows the topics and the contract's JSON, and nothing of ours.

It ignores what it does not know (`run`), sends no headers and names its own consumer group.
"""

import argparse
import json
import signal
import threading

from confluent_kafka import Consumer, Producer

VERDICT = {
    "score": 77,
    "matches": ["Python"],
    "recommendation": "Invite them.",
    "verdict": "Suitable",
}
IDS = ("processing_id", "user_id", "resume_id", "requirements_id")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap_servers")
    servers = {"bootstrap.servers": parser.parse_args().bootstrap_servers}
    group = {"group.id": "foreign-ai", "session.timeout.ms": 2000, "heartbeat.interval.ms": 500}
    consumer = Consumer({**servers, **group, "auto.offset.reset": "earliest"})
    producer = Producer(servers)
    consumer.subscribe(["AI_handler"])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    while not stop.is_set():
        message = consumer.poll(0.2)
        if message is None or message.error() or message.key() != b"new_request":
            continue
        request = json.loads(message.value())
        ids = {name: request[name] for name in IDS}
        result = json.dumps(ids | VERDICT)
        told = {
            "success": True,
            "response": ids | VERDICT | {"callback_url": request["callback_url"]},
            "message_error": None,
            "wait_seconds": None,
        }
        producer.produce("uploading_data", result, b"new_processing")
        producer.produce("sending", json.dumps(told), b"new_sending")
        producer.flush(10)
    consumer.close()


if __name__ == "__main__":
    main()
