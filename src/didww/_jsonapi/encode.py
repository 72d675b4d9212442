"""Encoding of request documents: one resource with attributes and linkage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww._jsonapi.document import Data, Identifier

__all__ = ["RedactedDict", "encode", "resource_document"]


class RedactedDict(dict[str, Any]):
    """Attributes of a request, which may contain passwords.

    The repr shows only the names, for tools that show the local variables of a traceback.
    """

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name!r}: ...' for name in self)}}}"


_encoder = msgspec.json.Encoder()


def resource_document(
    type: str, id: str | None, attributes: Mapping[str, Any], relationships: Mapping[str, Data]
) -> dict[str, Any]:
    """Return the document that creates (`id` None) or updates a resource with exactly these members.

    `attributes` is always present, even if empty; `relationships` only if there is one to send. A relationship of None
    is sent as null; leave unchanged relationships out of `relationships`.
    """
    data: dict[str, Any] = {"type": type}
    if id is not None:
        data["id"] = id
    data["attributes"] = RedactedDict(attributes)
    if relationships:
        data["relationships"] = {name: {"data": linkage(value)} for name, value in relationships.items()}
    return {"data": data}


def linkage(data: Data) -> dict[str, str] | list[dict[str, str]] | None:
    """Return `data` as JSON:API linkage."""
    if data is None:
        return None
    if isinstance(data, list):
        return [_plain(identifier) for identifier in data]
    return _plain(data)


def _plain(identifier: Identifier) -> dict[str, str]:
    return {"type": identifier.type, "id": identifier.id}


def encode(document: Mapping[str, Any]) -> bytes:
    """Encode `document` as JSON in UTF-8."""
    return _encoder.encode(document)
