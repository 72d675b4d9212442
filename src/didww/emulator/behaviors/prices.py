"""The prices services: lookups, and price files that have the same prices.

They need a token, of any API version. What their pages leave open is listed in `parity`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec

from didww._core.effects import Response
from didww._util.datetimes import http_date as parse_http_date
from didww.emulator.controls.clock import http_date
from didww.emulator.data.prices import LISTS, country_codes, month_of, price_file, prices, start_of
from didww.emulator.engine.errors import (
    HttpError,
    bad_filter_value,
    missing,
    no_such_path,
    not_allowed,
    not_offered,
)
from didww.emulator.engine.operations import MEDIA_TYPE, check_accept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from didww._core.effects import Request
    from didww.emulator.data.prices import Price
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Store

__all__ = ["assigned_since", "filters_of", "paths_of", "serve", "set_assigned"]

_NUMBER: Final = re.compile(r"[1-9][0-9]{7,14}", re.ASCII)
_LOOKUP: Final = "lookup/prices"
_FILE: Final = "prices.csv.gz"


class _Lookup(NamedTuple):
    """A lookup: its filters, those of which one is needed, and how it finds prices."""

    filters: tuple[str, ...]
    needed: tuple[str, ...]
    find: Callable[[Iterable[Price], Mapping[str, str]], list[Price]]


def serve(session: AccountSession, service: str, request: Request, path: str, query: str) -> Response:
    """Return the response of a prices service.

    Args:
        session: The session of the account.
        service: `voice_in_prices`, `voice_out_prices` or `sms_prices`.
        request: The request.
        path: Path below that of the service.
        query: The query.
    """
    below = unquote(path).strip("/")
    name, operation = _PATHS.get((service, below), ("", ""))
    if not name:
        raise no_such_path(path or "/")
    if request.method not in ("GET", "HEAD"):
        raise not_offered(request.method, path, ("GET", "HEAD") if operation == _FILE else ("GET",))
    headers = {key.lower(): value for key, value in request.headers.items()}
    if operation == _LOOKUP:
        check_accept(headers.get("accept", ""))
    assigned = assigned_since(session.runtime.store, session.owner, name)
    if assigned is None:
        raise HttpError(
            404,
            "Price plan not assigned",
            "The account has no price plan for this service.",
            code="price_plan_not_assigned",
        )
    if operation == _LOOKUP:
        return _lookup(session, name, query)
    return _send_file(session, name, assigned, headers.get("if-modified-since", ""))


_PATHS: Final[dict[tuple[str, str], tuple[str, str]]] = {
    (service, f"{below}{operation}"): (name, operation)
    for name in LISTS
    for service, below in [(f"{name}_prices", "") if name.startswith("voice") else ("sms_prices", f"{name}/")]
    for operation in (_LOOKUP, _FILE)
}
"""The price list and the operation, by service and path."""


def paths_of(service: str) -> list[str]:
    """Return the paths of a service, below its own."""
    return [f"/{path}" for other, path in _PATHS if other == service]


def filters_of(service: str, path: str) -> tuple[str, ...]:
    """Return the filters of a lookup; none for a file."""
    name, operation = _PATHS[service, path.strip("/")]
    return _LOOKUPS[name.partition("/")[0]].filters if operation == _LOOKUP else ()


# Lookups


def _lookup(session: AccountSession, name: str, query: str) -> Response:
    seed = session.catalog.seed
    lookup = _LOOKUPS[name.partition("/")[0]]
    filters = _filters(lookup, query, country_codes(seed))
    found = lookup.find(prices(seed, name, month_of(session.now())), filters)
    if not found:
        raise HttpError(404, "Price not found", "The price plan has no such price.", code="price_not_found")
    data = [{"id": price.id, "type": "prices", "attributes": price.attributes} for price in found]
    body = msgspec.json.encode({"data": data, "meta": {"total_records": len(data)}})
    return Response(200, {"content-type": MEDIA_TYPE, "cache-control": "private", "vary": "Authorization"}, body)


def _filters(lookup: _Lookup, query: str, countries: frozenset[str]) -> dict[str, str]:
    """Return the filters of a lookup by name.

    Raises:
        HttpError: A parameter is not allowed, missing or malformed (400).
    """
    filters: dict[str, str] = {}
    for parameter, value in parse_qsl(query, keep_blank_values=True):
        family, bracket, rest = parameter.partition("[")
        key = rest.removesuffix("]")
        if family != "filter" or not bracket or key == rest:
            raise not_allowed(parameter)
        if key not in lookup.filters:
            raise HttpError(400, "Filter not allowed", f"{key} is not allowed.", code="102")
        filters[key] = value
    if filters.keys().isdisjoint(lookup.needed):
        raise missing(" or ".join(f"filter[{key}]" for key in lookup.needed))
    for key, value in filters.items():
        if not (_NUMBER.fullmatch(value) if key.endswith("number") else value in countries):
            raise bad_filter_value(key, value)
    return filters


def _covers(price: Price, number: str) -> bool:
    return number.startswith(price.prefix) and price.shortest <= len(number) <= price.longest


def _longest(found: Iterable[Price]) -> list[Price]:
    """Return the price with the longest prefix of each group, in the order of the groups."""
    best: dict[tuple[Any, ...], Price] = {}
    for price in found:
        if price.group not in best or len(price.prefix) > len(best[price.group].prefix):
            best[price.group] = price
    return list(best.values())


def _voice_in(rows: Iterable[Price], filters: Mapping[str, str]) -> list[Price]:
    number, source = filters["number"], filters.get("src_country_iso")
    covering = [price for price in rows if _covers(price, number) and price.source in (None, source)]
    of_source = _longest(price for price in covering if price.source is not None)
    answered = {price.group for price in of_source}
    # A price of the source country replaces one of any country, whatever their prefixes.
    return of_source + [
        price for price in _longest(price for price in covering if price.source is None) if price.group not in answered
    ]


def _voice_out(rows: Iterable[Price], filters: Mapping[str, str]) -> list[Price]:
    return _longest(price for price in rows if price.in_effect and _covers(price, filters["number"]))


def _sms(rows: Iterable[Price], filters: Mapping[str, str]) -> list[Price]:
    country, number = filters.get("dst_country_iso"), filters.get("dst_number")
    found = [price for price in rows if country is None or price.country == country]
    if number is None:
        return found
    found = [price for price in found if _covers(price, number)]
    longest = max((len(price.prefix) for price in found), default=0)
    return [price for price in found if len(price.prefix) == longest]


_SMS: Final = _Lookup(("dst_number", "dst_country_iso"), ("dst_number", "dst_country_iso"), _sms)
_LOOKUPS: Final = {
    "voice_in": _Lookup(("number", "src_country_iso"), ("number",), _voice_in),
    "voice_out": _Lookup(("number",), ("number",), _voice_out),
    "sms_out": _SMS,
    "sms_in": _SMS,
}


# Files


def _send_file(session: AccountSession, name: str, assigned: datetime, condition: str) -> Response:
    """Return a price file, or 304 if it has not changed since the time of an `If-Modified-Since`."""
    month = month_of(session.now())
    changed = max(start_of(month), assigned.replace(microsecond=0))
    headers = {
        "content-disposition": f'attachment; filename="{name.replace("/", "_")}_prices.csv.gz"',
        "last-modified": http_date(changed),
        "cache-control": "private",
        "vary": "Authorization",
        "accept-ranges": "none",
        "content-type": "application/gzip",
    }
    since = parse_http_date(condition)
    if since is not None and changed <= since:
        return Response(304, headers, b"")
    body = price_file(session.catalog.seed, name, month)
    return Response(200, {**headers, "content-length": str(len(body))}, body)


# Plans

_ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)


def assigned_since(store: Store, owner: int, name: str) -> datetime | None:
    """Return when an account got its plan for a price list; None if it has none."""
    plans: dict[str, str | None] = msgspec.json.decode(store.get_meta(f"price_plans/{owner}") or "{}")
    at = plans.get(name, "")
    return None if at is None else datetime.fromisoformat(at) if at else _ALWAYS


def set_assigned(store: Store, owner: int, name: str, at: str | None) -> None:
    """Assign a plan to an account at a time, or unassign it with None."""
    plans: dict[str, str | None] = msgspec.json.decode(store.get_meta(f"price_plans/{owner}") or "{}")
    store.set_meta(f"price_plans/{owner}", msgspec.json.encode({**plans, name: at}).decode())
