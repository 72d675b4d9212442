"""`didww api`: a request to any path of the API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

import click

from didww._util.text import printable
from didww.cli import parameters
from didww.cli.framework import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from didww.cli.session import Session

__all__ = ["api"]

_METHODS: Final = ("GET", "POST", "PATCH", "DELETE")
_MAX_PAGES: Final = 100_000
_MAX_CHARACTERS: Final = 1_000_000
"""Maximum length of a file for `-F`."""
_WORDS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None}


def _typed(value: Any) -> tuple[str, Any]:
    """Return name and value of a text such as `qty=2`: a JSON value if it is one; `@FILE` is the text of a file."""
    name, text = parameters.pair(value)
    if text.startswith("@"):
        return name, _read(text[1:])
    if text in _WORDS:
        return name, _WORDS[text]
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text


@click.command(
    cls=Command,
    changes=True,
    examples=(
        "didww api /dids -f 'filter[blocked]=false' -f 'page[size]=10'",
        "didww api GET /countries --query 'data[].attributes.name'",
        "didww api GET /did_groups -f 'filter[area_name]=London' --paginate -o jsonl",
        "didww api PATCH /dids/ID -f description='Front desk' -F capacity_limit=5",
        "didww api POST /orders --input order.json",
    ),
)
@click.argument("target", metavar="[GET|POST|PATCH|DELETE] PATH", nargs=-1, type=str)
@click.option(
    "-f",
    "--field",
    "fields",
    type=parameters.pair,
    multiple=True,
    metavar="NAME=VALUE",
    help="A text: of the query for GET and DELETE, otherwise an attribute; repeatable.",
)
@click.option(
    "-F",
    "--typed-field",
    "typed",
    type=_typed,
    multiple=True,
    metavar="NAME=VALUE",
    help="The same, with true, false, null, numbers and JSON as such, and @FILE for the text of a file; repeatable.",
)
@click.option(
    "-H",
    "--header",
    "headers",
    multiple=True,
    metavar="NAME:VALUE",
    help="An HTTP header; repeatable. The key and the media types are those of the client.",
)
@click.option("--input", "source", metavar="FILE|-", help="Send this JSON document; -: from standard input.")
@click.option("--paginate", is_flag=True, help="Follow links.next, and print the records of all pages as one list.")
@click.option("-i", "--include", "show_head", is_flag=True, help="Print status and headers, to standard error.")
@click.pass_obj
def api(
    session: Session,
    target: tuple[str, ...],
    fields: tuple[tuple[str, str], ...],
    typed: tuple[tuple[str, Any], ...],
    headers: tuple[str, ...],
    source: str | None,
    paginate: bool,
    show_head: bool,
) -> None:
    """Send a request to any path of the API, GET by default, and print the JSON of its response.

    Nothing is checked: names and values are sent as they are. The key, the timeout, the rate limit and retries are
    those of all commands. A request other than GET is confirmed first.

    Attributes of a POST or PATCH become a JSON:API document, with the type and the id of the path.
    """
    method, path = _target(target)
    values = [*fields, *typed]
    if paginate and method != "GET":
        raise click.UsageError("--paginate needs GET.")
    if session.settings.query is None and session.settings.output == "csv":
        raise click.UsageError("-o csv needs records; responses are json, jsonl or yaml.")
    query, body = _request(method, path, values, source)
    client = _with_headers(session, headers)
    path = _below(client.base_url, path)
    if session.settings.query is None and session.settings.output == "table":
        session.settings.output = "json"  # not before the client is made: a dry run prints text
    if method != "GET":
        session.confirm(*_plan(session, method, path, query, body), question=f"Send this {method}?")
    if paginate:
        _print_pages(session, client, path, query, show_head=show_head)
        return
    response = client.request(method, path, params=query, json=body)
    _print_head(response, show_head=show_head)
    _print(session, response.raw)


def _target(target: Sequence[str]) -> tuple[str, str]:
    """Return the method and the path."""
    if not 1 <= len(target) <= 2:
        raise click.UsageError("Pass a path, such as /dids, or a method and a path.")
    *before, path = target
    method = before[0].upper() if before else "GET"
    if method not in _METHODS:
        raise click.UsageError(f"The method must be {', '.join(_METHODS[:-1])} or {_METHODS[-1]}, got {method!r:.80}.")
    if not before and path.upper() in _METHODS:
        raise click.UsageError(f"Pass a path after {path}, such as /dids.")
    return method, path


def _below(base_url: str, path: str) -> str:
    """Return a path without that of the base URL, as errors and dry runs print it (`/v3/dids`)."""
    from urllib.parse import urlsplit

    base = urlsplit(base_url).path.strip("/")
    start, rest = path[:1] == "/", path.lstrip("/")
    return f"{'/' * start}{rest.removeprefix(f'{base}/')}" if base and rest.startswith(f"{base}/") else path


def _request(
    method: str, path: str, values: Sequence[tuple[str, Any]], source: str | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return the query and the document."""
    if method in ("GET", "DELETE"):
        if source is not None and method == "GET":
            raise click.UsageError("--input needs POST, PATCH or DELETE. Pass the query of GET with -f.")
        return _query(values), None if source is None else _document(source)
    if source is None:
        return None, {"data": _resource(method, path, values)} if values else None
    return _query(values), _document(source)


def _query(values: Sequence[tuple[str, Any]]) -> dict[str, Any] | None:
    """Return the query; several values of a name are separated by commas, as the API has them."""
    query: dict[str, str] = {}
    for name, value in values:
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
        query[name] = f"{query[name]},{text}" if name in query else text
    return query or None


def _resource(method: str, path: str, values: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return the resource object for attributes; its type and id are those of the path."""
    parts = [part for part in path.partition("?")[0].split("/") if part]
    place = parts if method == "POST" else parts[:-1]
    if not place:
        raise click.UsageError(f"PATH must name a type and an id for {method}, such as /dids/ID. Or use --input.")
    identity = {"type": place[-1]} | ({} if method == "POST" else {"id": parts[-1]})
    attributes: dict[str, Any] = {}
    for name, value in values:
        if name in attributes:
            raise click.UsageError(f"-f {name} was given twice.")
        attributes[name] = value
    return {**identity, "attributes": attributes}


def _document(source: str) -> dict[str, Any]:
    from didww.cli.records.json_input import load

    document = load(source)
    if not isinstance(document, dict):
        raise click.UsageError('--input must be a JSON object such as {"data": {...}}.')
    return cast("dict[str, Any]", document)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as file:  # noqa: PTH123 paths of users are text
            text = file.read(_MAX_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{path} cannot be read: {error}") from None
    if len(text) > _MAX_CHARACTERS:
        raise click.BadParameter(f"{path} has more than {_MAX_CHARACTERS} characters. Send it with --input.")
    return text


def _with_headers(session: Session, headers: Sequence[str]) -> Any:
    """Return the client, with more headers."""
    if not headers:
        return session.client
    pairs: dict[str, str] = {}
    for header in headers:
        name, colon, value = header.partition(":")
        if not colon or not name.strip():
            raise click.BadParameter(f"{header!r:.80} must be NAME:VALUE.", param_hint="'-H'")
        pairs[name.strip()] = value.strip()
    return session.client.with_options(headers=pairs)


def _plan(
    session: Session, method: str, path: str, query: dict[str, Any] | None, body: dict[str, Any] | None
) -> list[str]:
    from urllib.parse import urlencode

    from didww._util.masking import mask, mask_url

    if session.settings.dry_run:  # it prints the request itself
        return []
    lines = [] if body is None else json.dumps(mask(body), indent=2, ensure_ascii=False).splitlines()
    separator = "&" if "?" in path else "?"
    url = f"{path}{separator}{urlencode(query, safe='[]*/:,')}" if query else path
    return [f"{method} {mask_url(url)}", *lines]


def _print_pages(session: Session, client: Any, path: str, query: dict[str, Any] | None, *, show_head: bool) -> None:
    """Print the records of all pages: as they arrive for jsonl, otherwise as one list."""
    from didww.cli.output import print_value

    records = _records(client, path, query, show_head=show_head)
    if session.settings.output == "jsonl" and session.settings.query is None:
        for record in records:
            print_value(session.settings, record)
    else:
        print_value(session.settings, list(records))


def _records(client: Any, path: str, query: dict[str, Any] | None, *, show_head: bool) -> Iterator[Any]:
    place, params, seen = path, query, set[str]()
    while True:
        document = client.request("GET", place, params=params)
        _print_head(document, show_head=show_head)
        data = document.get("data")
        yield from cast("Iterable[Any]", data if isinstance(data, list) else [data])
        links = document.get("links")
        following = cast("dict[str, Any]", links).get("next") if isinstance(links, dict) else None
        if not isinstance(following, str) or not following:
            return
        if following in seen or len(seen) >= _MAX_PAGES:
            raise click.ClickException(f"The service returned the page {following} again.")
        seen.add(following)
        # The client refuses another origin, so that the key is not sent there.
        place, params = following, None


def _print_head(response: Any, *, show_head: bool) -> None:
    if show_head:
        headers = (printable(f"{name}: {value}") for name, value in response.headers.items())
        click.echo("\n".join([f"HTTP {response.status_code}", *headers, ""]), err=True)


def _print(session: Session, document: dict[str, Any]) -> None:
    """Print a document; nothing if the response has none."""
    from didww.cli.output import print_value

    if document or session.settings.query is not None:
        print_value(session.settings, document)
