"""`manage.py replay`: work done again, from dead letters, from the inbox, or from Kafka itself."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import click
from confluent_kafka import KafkaException
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from kafka_bridge.contract.routes import REPLAYED_BY
from kafka_bridge.dead_letters import replay
from kafka_bridge.dead_letters.replay_kafka import LogReplay, Wanted
from kafka_bridge.models import DeadLetter, InboxMessage

BATCH_SIZE = 200
T = TypeVar("T")


class Command(BaseCommand):
    help = (
        "Make work due again. Storage alone does it unless --handlers names others, so nothing is "
        "billed or called back a second time unawares."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--dead-letters", action="store_true", help="what was given up")
        source.add_argument("--inbox", action="store_true", help="messages whose payload is kept")
        source.add_argument("--kafka", action="store_true", help="what Kafka's log still holds")
        parser.add_argument(
            "--handlers",
            type=_commas,
            default=[REPLAYED_BY],
            help="handlers or apps, separated by commas; all; outbox for what could not be "
            f"produced (default: {REPLAYED_BY})",
        )
        parser.add_argument("--ids", type=_numbers, help="rows of dead letters or of the inbox")
        parser.add_argument("--keys", type=_commas, help="events, e.g. new_resume,new_processing")
        parser.add_argument("--topics", type=_commas, help="names in the cluster")
        parser.add_argument("--reasons", type=_commas, help="of dead letters, e.g. crashed")
        parser.add_argument(
            "--since",
            type=_moment,
            help="ISO 8601: of the letter, of the arrival in the inbox, of the Kafka message",
        )
        parser.add_argument("--until", type=_moment)
        parser.add_argument("--partitions", type=_numbers, help="of Kafka")
        parser.add_argument("--from-offset", type=int, help="of Kafka")
        parser.add_argument("--to-offset", type=int, help="of Kafka, excluded")
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            handlers = replay.handlers_named(options["handlers"])
        except ValueError as error:
            raise CommandError(f"--handlers: {error}") from error
        if options["dead_letters"]:
            self._dead_letters(handlers, options)
        elif options["inbox"]:
            self._inbox(handlers, options)
        else:
            self._kafka(handlers, options)

    def _dead_letters(self, handlers: frozenset[str], options: dict[str, Any]) -> None:
        letters = DeadLetter.objects.filter(replayed_at=None, **_filters(options, "created_at"))
        if options["reasons"]:
            letters = letters.filter(reason__in=options["reasons"])
        if options["keys"]:
            letters = letters.filter(key__in=[key.encode() for key in options["keys"]])
        ids = list(letters.order_by("pk").values_list("pk", flat=True))
        done = 0
        with self._bar(len(ids), "dead letters") as bar:
            for chunk in _chunks(ids):
                for letter in DeadLetter.objects.filter(pk__in=chunk).order_by("pk"):
                    if options["dry_run"]:
                        done += replay.would_replay(letter, handlers)
                    else:
                        done += replay.replay(letter, handlers)
                bar.update(len(chunk))
        self._say(options, f"{done} of {len(ids)} dead letters")

    def _inbox(self, handlers: frozenset[str], options: dict[str, Any]) -> None:
        messages = InboxMessage.objects.exclude(value=None).filter(
            **_filters(options, "received_at")
        )
        if options["keys"]:
            messages = messages.filter(key__in=options["keys"])
        ids = list(messages.order_by("pk").values_list("pk", flat=True))
        rows = 0
        with self._bar(len(ids), "inbox") as bar:
            for chunk in _chunks(ids):
                if not options["dry_run"]:
                    found = list(InboxMessage.objects.filter(pk__in=chunk).order_by("pk"))
                    rows += replay.replay_messages(found, handlers)
                bar.update(len(chunk))
        self._say(options, f"{len(ids)} messages", rows)

    def _kafka(self, handlers: frozenset[str], options: dict[str, Any]) -> None:
        keys = frozenset(options["keys"]) if options["keys"] else None
        wanted = Wanted(keys=keys, since=options["since"], until=options["until"])
        try:
            with LogReplay() as log:
                ranges = log.ranges(
                    topics=options["topics"] or list(settings.KAFKA_TOPICS.values()),
                    partitions=options["partitions"],
                    since=options["since"],
                    from_offset=options["from_offset"],
                    to_offset=options["to_offset"],
                )
                with self._bar(sum(len(one) for one in ranges), "Kafka") as bar:
                    messages, rows = log.run(
                        ranges,
                        wanted=wanted,
                        handlers=handlers,
                        dry_run=options["dry_run"],
                        progress=bar.update,
                    )
        except KafkaException as error:
            raise CommandError(f"Kafka: {error.args[0].str()}") from error
        self._say(options, f"{messages} messages", rows)

    def _bar(self, length: int, label: str) -> Any:
        return click.progressbar(length=length, label=label, file=sys.stderr)

    def _say(self, options: dict[str, Any], what: str, rows: int | None = None) -> None:
        if options["dry_run"]:
            self.stdout.write(f"would replay {what}; nothing was changed")
        else:
            tail = "" if rows is None else f": {rows} task rows are due"
            self.stdout.write(f"replayed {what}{tail}")


def _filters(options: dict[str, Any], moment: str) -> dict[str, Any]:
    found = {
        "pk__in": options["ids"],
        "topic__in": options["topics"],
        f"{moment}__gte": options["since"],
        f"{moment}__lte": options["until"],
    }
    return {name: value for name, value in found.items() if value is not None}


def _commas(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _numbers(text: str) -> list[int]:
    return [int(part) for part in _commas(text)]


def _moment(text: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no moment in ISO 8601")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _chunks(ids: Sequence[T], size: int = BATCH_SIZE) -> Iterator[list[T]]:
    rest: Iterable[T] = iter(ids)
    while chunk := list(islice(rest, size)):
        yield chunk
