"""OpenTelemetry: a span for each call, named and described by the semantic conventions for HTTP clients.

On where the program has imported OpenTelemetry before it makes the client, or asks for it; otherwise nothing of it is
imported, and nothing is spent. What is in a span: method, address without its query, status, number of retries,
request id, kind of error. No header, no body, no text of an error.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

from didww._util.urls import origin_of, path_of, without_query
from didww.exceptions import DidwwApiError, InvalidValueError
from didww.version import __version__

if TYPE_CHECKING:
    from didww._core.trace import CallTrace, Tracing
    from didww._util.urls import Origin

__all__ = ["tracing_for"]

_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def tracing_for(wanted: bool | None, origin: Origin | None) -> Tracing | None:  # noqa: FBT001 the client's own argument
    """What traces calls to `origin`; None if nothing does.

    Args:
        wanted: True for traces, False for none; None for traces if the program uses OpenTelemetry.
        origin: Where the API is; the paths of other hosts do not become names.

    Raises:
        InvalidValueError: Traces are wanted, and OpenTelemetry is not installed.
    """
    if wanted is not None and not isinstance(wanted, bool):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError("tracing is True, False or None.", field="tracing")
    if wanted is False or (wanted is None and "opentelemetry.trace" not in sys.modules):
        return None
    try:
        return _OpenTelemetry(origin)
    except ImportError:
        if wanted is None:
            return None
    raise InvalidValueError('tracing needs OpenTelemetry: pip install "didww-sdk[otel]".', field="tracing")


class _OpenTelemetry:
    """Makes a span for each call, current while the call goes on."""

    def __init__(self, origin: Origin | None) -> None:
        from opentelemetry import context, trace

        self._origin = origin
        self._context = context
        self._trace = trace
        # Of the provider that is there when a span is made: the program may set it later than this.
        self._tracer = trace.get_tracer("didww", __version__)

    def begin(self, trace: CallTrace) -> None:
        """Make the span, within the caller's."""
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
        """Say how the call ended, and end its span."""
        span, token = trace.span
        self._context.detach(token)
        if trace.attempts > 1:
            span.set_attribute("http.request.resend_count", trace.attempts - 1)
        if trace.status is not None:
            span.set_attribute("http.response.status_code", trace.status)
        if trace.request_id is not None:
            span.set_attribute("http.response.header.x-request-id", [trace.request_id])
        failed = trace.error is not None and not isinstance(trace.error, DidwwApiError)
        if failed or (trace.status is not None and trace.status >= 400):
            error = type(trace.error).__qualname__ if failed else str(trace.status)
            span.set_attribute("error.type", error)
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()
