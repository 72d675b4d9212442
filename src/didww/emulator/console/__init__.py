"""The web console: pages below `/_emulator/console/` that show and control the emulator.

`pages` has the pages, `forms` runs what they submit. Requires jinja2, in the extra `emulator`.
"""

from __future__ import annotations

import secrets
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from didww._core.effects import Response
from didww.emulator.http import control_api
from didww.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

    from didww._core.effects import Request
    from didww.emulator.console.forms import Form
    from didww.emulator.emulator import Emulator

__all__ = ["PREFIX", "handle"]

PREFIX: Final = "/_emulator/console/"
_HTML: Final = "text/html; charset=utf-8"
_NO_JINJA: Final = b'The console requires jinja2: pip install "didww-sdk[emulator]"\n'


def handle(emulator: Emulator, request: Request) -> Response:
    """Return the response to a request below `/_emulator/console/`."""
    try:
        _templates()
    except ModuleNotFoundError as error:
        if error.name not in ("jinja2", "markupsafe"):
            raise
        return Response(501, {"content-type": "text/plain"}, _NO_JINJA)
    split = urlsplit(request.url)
    place = split.path.removeprefix(PREFIX).rstrip("/")
    if request.method == "POST":
        return _submit(emulator, request, place)
    if request.method not in ("GET", "HEAD"):
        return Response(405, {"content-type": "text/plain", "allow": "GET, HEAD, POST"}, b"Use GET to read pages.\n")
    return _page(emulator, request, place, parse_qsl(split.query))


def _submit(emulator: Emulator, request: Request, place: str) -> Response:
    """Run the operation of a form and redirect to its page, or show the page with the error."""
    from didww.emulator.console import forms

    body = request.body if isinstance(request.body, bytes) else b""
    form = forms.read(place, body)
    if form is None:
        return _page(emulator, request, "no-such-form", [])
    alert = forms.run(emulator, form)
    page, _, query = form.page.partition("?")
    pairs = parse_qsl(query)
    if alert:
        return _page(emulator, request, page, pairs, alert=alert, form=form)
    return Response(303, {"location": f"{PREFIX}{page}?{urlencode([*pairs, ('done', place)])}"}, b"")


def _page(
    emulator: Emulator,
    request: Request,
    place: str,
    query: list[tuple[str, str]],
    *,
    alert: str = "",
    form: Form | None = None,
) -> Response:
    from didww.emulator.console import forms, pages

    first, *rest = place.split("/")
    nonce = secrets.token_urlsafe(16)
    own = [(name, value) for name, value in query if name != "done"]
    form = form or forms.Form("", [], "", "")
    shared: dict[str, Any] = {
        "root": PREFIX,
        "here": first if first in dict(pages.NAVIGATION) else None,
        "this_page": f"{place}?{urlencode(own)}" if own else place,
        "navigation": pages.NAVIGATION,
        "nonce": nonce,
        "version": __version__,
        "now": emulator.clock.state(),
        "counts": {"pending": len(emulator.transitions.waiting()), "faults": len(emulator.faults.rules())},
        "message": forms.CONFIRMATIONS.get(dict(query).get("done", ""), ""),
        "alert": alert,
        "kept": form.kept,
        "submitted": form.submitted,
    }
    status = 422 if alert else 200
    try:
        view = pages.VIEWS.get(first) if len(rest) <= 2 else None
        if view is None or (rest and first not in pages.WITH_PARTS):
            raise pages.NoSuchPageError  # noqa: TRY301
        template, values = view(pages.Context(emulator, request, [unquote(part) for part in rest], query))
    except pages.NoSuchPageError:
        template, values, status = "missing.html", {}, 404
    except (ValueError, LookupError) as error:
        template, values, status = "missing.html", {"reason": control_api.error_message(error)}, 422
    text = _templates().get_template(template).render({**shared, **values})
    return Response(status, _headers(nonce), text.encode("utf-8", "replace"))


def _headers(nonce: str) -> dict[str, str]:
    allowed = (
        "default-src 'none'",
        f"style-src 'nonce-{nonce}'",
        f"script-src 'nonce-{nonce}'",
        "img-src data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "content-type": _HTML,
        "content-security-policy": "; ".join(allowed),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        # Not no-referrer: browsers would then send "Origin: null" with forms, which is cross-origin.
        "referrer-policy": "same-origin",
    }


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from didww.emulator.console.formatting import format_duration, format_json, format_time, highlight, quote_segment
    from didww.emulator.console.masking import mask_parameter, mask_text

    environment = Environment(
        loader=PackageLoader("didww.emulator.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        highlight=highlight,
        format_json=format_json,
        mask=mask_text,
        format_duration=format_duration,
        format_time=format_time,
        mask_parameter=mask_parameter,
        quote_segment=quote_segment,
    )
    return environment
