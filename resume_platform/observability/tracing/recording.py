"""Spans that are recorded: a thin layer over OpenTelemetry's SDK, imported only when it is on."""

import os
from collections.abc import Iterable
from contextvars import Token
from types import TracebackType

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from resume_platform.observability.tracing import Kind, Span

_KINDS = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
_W3C = TraceContextTextMapPropagator()


class OpenTelemetry:
    """Exports in batches from a thread of its own; the SDK's OTEL_* variables tell it how."""

    def __init__(self, process: str) -> None:
        name = os.environ.get("OTEL_SERVICE_NAME") or f"resume-platform-{process or 'process'}"
        provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = provider.get_tracer("resume_platform")

    def begin(self, name: str, kind: Kind, parent: str | None, links: Iterable[str]) -> Span:
        contexts = (trace.get_current_span(_context(link)).get_span_context() for link in links)
        return Recorded(
            self._tracer.start_span(
                name,
                context=None if parent is None else _context(parent),
                kind=_KINDS[kind],
                links=[Link(linked) for linked in contexts if linked.is_valid],
                # Their messages may quote a text.
                record_exception=False,
                set_status_on_exception=False,
            )
        )

    def current(self) -> Span | None:
        span = trace.get_current_span()
        return Recorded(span) if span.get_span_context().is_valid else None


class Recorded:
    """One OpenTelemetry span in the words of `tracing.Span`."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._token: Token[Context] | None = None

    @property
    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, context=trace.set_span_in_context(self._span, Context()))
        return carrier.get("traceparent", "")

    @property
    def trace_id(self) -> str:
        return trace.format_trace_id(self._span.get_span_context().trace_id)

    def name(self, name: str) -> None:
        self._span.update_name(name)

    def note(self, **attributes: str | int | float | bool) -> None:
        for key, value in attributes.items():
            self._span.set_attribute(key.replace("__", "."), value)

    def fail(self, reason: str) -> None:
        self._span.set_attribute("error.type", reason)
        self._span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        self._span.end()

    def __enter__(self) -> Span:
        self._token = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.fail(kind.__name__)
        if self._token is not None:
            context.detach(self._token)
        self._span.end()


def _context(traceparent: str) -> Context:
    """Empty, which begins a new trace, for what is no traceparent."""
    return _W3C.extract({"traceparent": traceparent}, context=Context())
