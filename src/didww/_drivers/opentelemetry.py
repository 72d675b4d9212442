"""Trace each call as an OpenTelemetry span, following the semantic conventions for HTTP clients.

Enabled if the program imports OpenTelemetry before it creates the client, or with `tracing=True`. Otherwise nothing is
imported. A span contains the method, the URL without its query, the status, the number of retries, the request id and
the error type, but no headers, bodies or error messages.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

from didww._util.masking import masked, secrets_of
from didww._util.urls import origin_of, path_of, without_query
from didww.exceptions import DidwwApiError, InvalidValueError
from didww.version import __version__

if TYPE_CHECKING:
    from didww._core.trace import CallTrace, Tracing
    from didww._util.urls import Origin

__all__ = ["tracing_for"]

_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def tracing_for(tracing: bool | None, origin: Origin | None) -> Tracing | None:  # noqa: FBT001 the client's own argument
    """Return the tracer of calls to `origin`, or None if tracing is disabled.

    Args:
        tracing: Whether to trace calls. None traces them if the program has imported OpenTelemetry.
        origin: The origin of the API. Paths of other hosts are not used in span names.

    Raises:
        InvalidValueError: `tracing` is True, and OpenTelemetry is not installed.
    """
    if tracing is not None and not isinstance(tracing, bool):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(f"tracing must be True, False or None, got {tracing!r:.80}.", field="tracing")
    if tracing is False or (tracing is None and "opentelemetry.trace" not in sys.modules):
        return None
    try:
        return _OpenTelemetry(origin)
    except ImportError:
        if tracing is None:
            return None
    raise InvalidValueError(
        'tracing requires OpenTelemetry, which is not installed. Run pip install "didww-sdk[otel]".', field="tracing"
    )


class _OpenTelemetry:
    """Creates a span for each call and makes it current during the call."""

    def __init__(self, origin: Origin | None) -> None:
        from opentelemetry import context, trace

        self._origin = origin
        self._context = context
        self._trace = trace
        # Resolves the provider when a span is created, as the program may set it later.
        self._tracer = trace.get_tracer("didww", __version__)

    def begin(self, trace: CallTrace) -> None:
        """Start a span as a child of the current one."""
        method, url = trace.request.method, trace.request.url
        to = origin_of(url)
        template = _ID.sub("{id}", path_of(url)) if to == self._origin else ""
        attributes: dict[str, Any] = {"http.request.method": method, "url.full": without_query(url)}
        if to is not None:
            attributes |= {"server.address": to.host.strip("[]"), "server.port": to.port}
        if template:
            attributes["url.template"] = template
        span = self._tracer.start_span(
            f"{method} {template}".strip(), kind=self._trace.SpanKind.CLIENT, attributes=attributes
        )
        trace.span = span, self._context.attach(self._trace.set_span_in_context(span))

    def end(self, trace: CallTrace) -> None:
        """Record the outcome of the call and end its span."""
        span, token = trace.span
        self._context.detach(token)
        if trace.attempts > 1:
            span.set_attribute("http.request.resend_count", trace.attempts - 1)
        if trace.status is not None:
            span.set_attribute("http.response.status_code", trace.status)
        if trace.request_id is not None:
            request_id = masked(trace.request_id, secrets_of(trace.request.headers))
            span.set_attribute("http.response.header.x-request-id", [request_id])
        failed = trace.error is not None and not isinstance(trace.error, DidwwApiError)
        if failed or (trace.status is not None and trace.status >= 400):
            error = type(trace.error).__qualname__ if failed else str(trace.status)
            span.set_attribute("error.type", error)
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()
