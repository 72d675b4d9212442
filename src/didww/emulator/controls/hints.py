"""Hints for refused requests: similar names from the declarations, and credentials that are mixed up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from didww._jsonapi.document import decode_errors
from didww._schema.filter_rules import filter_versions, sort_versions
from didww._schema.registry import all_classes
from didww._util.suggest import did_you_mean
from didww.emulator.engine.schema import table_of
from didww.emulator.engine.services import API, TOKEN_PATH, service_of
from didww.version import API_VERSION, API_VERSIONS, TOKENS_SINCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from didww._schema.versions import Versions
    from didww.emulator.engine.schema import Table
    from didww.emulator.engine.services import Service

__all__ = ["hints", "version_hint"]

_FIRST_WORD: Final = re.compile(r"\S+")


def version_hint(headers: Mapping[str, str]) -> list[str]:
    """Return a hint if a request asks for a version that no header selects, which the service silently ignores."""
    version = headers.get("x-didww-api-version", API_VERSION).strip()
    if version == API_VERSION:
        return []
    if version == TOKENS_SINCE:
        body = f'{{"aud": "{API.audience}", "api_version": "{TOKENS_SINCE}"}}'
        what = f"X-DIDWW-API-Version cannot select {TOKENS_SINCE}, which needs a token"
        return [f"{what}. POST /token with the key and {body}, then send Authorization: Bearer."]
    what = f"X-DIDWW-API-Version asks for {version[:40]}, which is ignored: the response is of {API_VERSION}"
    return [f"{what}. The emulator serves {' and '.join(API_VERSIONS)}. Names and values may differ in others."]


def _authentication_hint(path: str, headers: Mapping[str, str], body: bytes, *, has_key: bool, has_token: bool) -> str:
    """Return a hint for a 401 or 403 of credentials."""
    if path == TOKEN_PATH:
        return "" if has_key else "Send the key in the header Api-Key, also for a token."
    if has_token:
        reason = next((str(error.get("title", "")) for error in decode_errors(body)), "")
        return _OF_TOKENS.get(reason, "")
    service = service_of(path)
    if service is not None and service is not API:
        return f"Prices need a token: POST /token with aud {service.audience}, then send it as Authorization: Bearer."
    if headers.get("x-didww-api-version", "").strip() == TOKENS_SINCE:
        return ""  # said by version_hint
    if has_key and not body:
        return (
            f"This account was moved to API version {TOKENS_SINCE}, which needs a token. POST /token with the key, "
            "then send Authorization: Bearer."
        )
    return (
        "Send the key in the header Api-Key, or a token of /token in the header Authorization: Bearer. The emulator "
        "accepts any key, unless it was started with one."
    )


_OF_TOKENS: Final = {
    "Malformed token": "This is no token of /token; an API key belongs in the header Api-Key.",
    "Unknown signing key": "Another emulator signed this token, or it was changed. Mint one at /token of this one.",
    "Token has expired": "Mint a new token before expires_in seconds have passed on the emulator's clock.",
    "Wrong audience": f"The aud of a token lists the services that it is for; the main API is {API.audience}.",
    "Wrong environment": "A token is bound to the environment that minted it.",
    "Insufficient scope": "The token was minted with scope read, which allows GET and HEAD only.",
}


def hints(
    method: str,
    path: str,
    query: list[tuple[str, str]],
    status: int,
    body: bytes,
    headers: Mapping[str, str],
    *,
    credentials: frozenset[str] = frozenset(),
    version: str = API_VERSION,
) -> list[str]:
    """Return a hint for each error that a similar name, or the credentials, explain.

    Args:
        method: The method.
        path: The path.
        query: The decoded query parameters.
        status: Status of the response.
        body: Body of the response.
        headers: Headers of the request without credentials.
        credentials: The credentials of the request: `key`, `token`.
        version: API version of the request.
    """
    parts = path.removeprefix("/v3").strip("/").split("/")
    table = _table(parts[0])
    if status == 401 or (status == 403 and b"Insufficient scope" in body):
        hint = _authentication_hint(path, headers, body, has_key="key" in credentials, has_token="token" in credentials)
        return [hint] if hint else []
    if path == TOKEN_PATH:
        return []
    service = service_of(path)
    if service is not None and service is not API:
        return _prices_hints(service, path, decode_errors(body))
    if table is None and parts[0] == TOKEN_PATH.strip("/"):
        return [f"Tokens are issued at {TOKEN_PATH}, without {API.prefix}."]
    if table is None:
        return [f"There is no /{parts[0]}.{did_you_mean(f'/{parts[0]}', _paths(version))}"] if status == 404 else []
    if not table.view(version).exists:
        return [_other_version(f"/{parts[0]}", table.cls._versions)]
    hints: list[str] = []
    for error in decode_errors(body)[:20]:
        hint = _hint(table, method, query, error, version)
        if hint and hint not in hints:
            hints.append(hint)
    return hints


def _hint(table: Table, method: str, query: list[tuple[str, str]], error: dict[str, Any], version: str) -> str:
    detail, code = str(error.get("detail", "")), error.get("code")
    word = _FIRST_WORD.match(detail)
    name = word[0] if word is not None else ""
    if code == "102":
        limited = filter_versions(table.cls)
        return _named(f"filter[{name}]", name, table.view(version).filters, limited.get(name))
    if code == "112":
        at = table_of(detail.rpartition(" ")[2]) or table  # the type at the invalid part of a nested path
        return _named(f"include={name}", name, at.view(version).includable, _versions(at, name, version))
    if code == "114":
        limited = sort_versions(table.cls)
        return _named(f"sort={name}", name.lstrip("-"), table.view(version).sorts, limited.get(name))
    if code == "104":
        for one, _ in query:
            other = _table(one.removeprefix("fields[").removesuffix("]")) if one.startswith("fields[") else None
            if other is not None:
                view = other.view(version)
                return _named(
                    f"{one}={name}", name, [*view.attributes, *view.relations], _versions(other, name, version)
                )
        return ""
    if code == "105":
        fields = table.view(version).fields
        if name in fields:
            when = "written" if method == "POST" else "changed"
            return f"{name} is one of {table.type}, but cannot be {when} by a request."
        writable = [one for one, field in fields.items() if field.create or field.update]
        return _named(name, name, writable, _versions(table, name, version))
    return ""


def _versions(table: Table, name: str, version: str) -> Versions | None:
    """Return the versions that have a field, if that of the request has none of this name."""
    if name in table.view(version).fields:
        return None
    fields = (field for field in table.cls._field_map.values() if field.member == name)
    return next((field.versions for field in fields), None)


def _prices_hints(service: Service, path: str, errors: list[dict[str, Any]]) -> list[str]:
    """Return the hints for a request to a prices service."""
    from didww.emulator.behaviors.prices import filters_of, paths_of

    below, paths = path.removeprefix(service.prefix), paths_of(service.name)
    if below not in paths:
        guess = did_you_mean(below, paths) or f" There are: {', '.join(paths)}."
        return [f"There is no {path}.{guess}"]
    names = [str(error.get("detail", "")).partition(" ")[0] for error in errors if error.get("code") == "102"]
    return [_named(f"filter[{name}]", name, filters_of(service.name, below), None) for name in names]


def _other_version(shown: str, versions: Versions) -> str:
    # In requests, fields have the names of documents.
    members = {name: member for cls in all_classes() for member, name in cls._renamed.items()}
    text = re.sub(r"\w+", lambda word: members.get(word[0], word[0]), versions.replacement)
    replacement = f" Its replacement is {text}." if text else ""
    return f"{shown} exists {versions.in_words()}.{replacement}"


def _named(shown: str, name: str, known: Iterable[str], versions: Versions | None) -> str:
    names = sorted(known)
    if versions is not None and name not in names:
        return _other_version(shown, versions)
    guess = did_you_mean(name, names) or f" There are: {', '.join(names[:40])}."
    return f"{shown} is not allowed.{guess}"


def _table(first: str) -> Table | None:
    for type in (first, f"{first}s"):
        table = table_of(type)
        if table is not None and table.cls._path == first:
            return table
    return None


def _paths(version: str) -> list[str]:
    from didww._schema.registry import all_classes

    return sorted(
        f"/{cls._path}"
        for cls in all_classes()
        if (cls._operations or cls._extra_operations) and cls._versions.includes(version)
    )
