"""`manage.py evaluate`: how well a model and a prompt judge a labelled folder."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.ai.evaluation.labels import load
from apps.ai.evaluation.runner import Variant, measure
from apps.ai.evaluation.waiting import UsageTotals, WaitingProvider
from apps.ai.provider.configured import configured_provider, guarded
from apps.ai.provider.errors import ProviderError
from apps.ai.provider.prompts import CURRENT, PROMPTS
from apps.ai.provider.rate_limiter import Caller
from apps.ai.rubric.store import NothingDemanded

ROWS = (
    ("spearman", "rank correlation with the labels", "{:.2f}"),
    ("verdict_agreement", "verdicts that agree with the labels", "{:.0%}"),
    ("flip_rate", "verdicts that differ between runs", "{:.0%}"),
    ("points_between_runs", "points between runs, mean", "{:.1f}"),
    ("points_by_swapped_names", "points by swapping names, mean", "{:.1f}"),
    ("injections_that_changed_a_score", "injections that changed a score", "{:.0%}"),
    ("calls", "calls", "{}"),
    ("input_tokens", "input tokens", "{}"),
    ("output_tokens", "output tokens", "{}"),
    ("cost", "cost", "{}"),
)


class Command(BaseCommand):
    help = "Judge a labelled folder; with --against-… two models or prompts side by side."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", default="examples", type=Path)
        parser.add_argument("--runs", type=int, default=2, help="how often each pair is judged")
        parser.add_argument("--model", default="", help="default: OPENAI_MODEL")
        parser.add_argument("--prompt", default=CURRENT.version, choices=sorted(PROMPTS))
        parser.add_argument("--against-model", default="")
        parser.add_argument("--against-prompt", default="", choices=["", *sorted(PROMPTS)])
        parser.add_argument("--no-redaction", action="store_true")
        parser.add_argument("--json", type=Path, default=None, help="write the report there too")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["runs"] < 1:
            raise CommandError("--runs must be at least 1.")
        chosen = [(options["model"], options["prompt"])]
        if options["against_model"] or options["against_prompt"]:
            model = options["against_model"] or options["model"]
            chosen.append((model, options["against_prompt"] or options["prompt"]))
        is_redacting = settings.AI_REDACTION and not options["no_redaction"]
        try:
            vacancies = load(options["folder"])
            reports = [
                measure(
                    self._variant(model, prompt, is_redacting=is_redacting),
                    vacancies,
                    runs=options["runs"],
                    prices=settings.AI_PRICES,
                    progress=self.stderr.write,
                )
                for model, prompt in chosen
            ]
        except (ProviderError, NothingDemanded, ValueError) as error:
            raise CommandError(f"The evaluation ended: {error}") from None
        self._print(reports)
        if options["json"]:
            document = json.dumps({"variants": reports}, ensure_ascii=False, indent=1)
            options["json"].write_text(document, "utf-8")

    def _variant(self, model: str, prompt: str, *, is_redacting: bool) -> Variant:
        totals = UsageTotals()
        # Nobody's row: in the queue of the rate limiter it is one more user.
        provider = guarded(
            configured_provider(model),
            caller=Caller(user_id=0, row="evaluate", arrival=0.0),
            ledger=totals,
        )
        return Variant(
            provider=WaitingProvider(provider),
            totals=totals,
            prompts=PROMPTS[prompt],
            is_redacting=is_redacting,
            threshold=settings.AI_SUITABLE_SCORE,
        )

    def _print(self, reports: Sequence[dict[str, Any]]) -> None:
        columns = [report["variant"] for report in reports]
        widths = [max(len(column), 12) for column in columns]
        first = max(len(title) for _, title, _ in ROWS)
        self._line(" " * first, columns, widths)
        for key, title, form in ROWS:
            cells = ["?" if r[key] is None else form.format(r[key]) for r in reports]
            if key == "cost":
                cells = [f"{cell} {settings.AI_CURRENCY}" for cell in cells]
            self._line(title.ljust(first), cells, widths)
        for n, vacancy in enumerate(reports[0]["vacancies"]):
            self.stdout.write(f"\n{vacancy['title']}")
            for m, candidate in enumerate(vacancy["candidates"]):
                scores = [
                    "/".join(map(str, r["vacancies"][n]["candidates"][m]["scores"]))
                    for r in reports
                ]
                label = f"  {candidate['name'][:30]:30} label {candidate['label']:3.0f}"
                self._line(label.ljust(first), scores, widths)

    def _line(self, title: str, cells: Sequence[str], widths: Sequence[int]) -> None:
        parts = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
        self.stdout.write("  ".join([title, *parts]))
