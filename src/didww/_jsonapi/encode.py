"""Encoding of the documents that a client sends: one resource, its attributes, its linkage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww._jsonapi.document import Data, Identifier

__all__ = ["RedactedDict", "encode", "resource_document"]


class RedactedDict(dict[str, Any]):
    """Attributes on their way to the service, which may hold passwords.

    Tools that show the locals of a traceback see their names alone.
    """

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name!r}: ...' for name in self)}}}"


_encoder = msgspec.json.Encoder()


def resource_document(
    type: str, id: str | None, attributes: Mapping[str, Any], relationships: Mapping[str, Data]
) -> dict[str, Any]:
    """The document that creates (`id` None) or updates a resource with exactly these members.

    `attributes` is always there, even empty; `relationships` only if there is one to send. A relationship of None
    goes out as null, one that is to stay as it is must not be in `relationships`.
    """
    data: dict[str, Any] = {"type": type}
    if id is not None:
        data["id"] = id
    data["attributes"] = RedactedDict(attributes)
    if relationships:
        data["relationships"] = {name: {"data": linkage(value)} for name, value in relationships.items()}
    return {"data": data}


def linkage(data: Data) -> dict[str, str] | list[dict[str, str]] | None:
    """`data` as it stands in a document."""
    if data is None:
        return None
    if isinstance(data, list):
        return [_plain(identifier) for identifier in data]
    return _plain(data)


def _plain(identifier: Identifier) -> dict[str, str]:
    return {"type": identifier.type, "id": identifier.id}


def encode(document: Mapping[str, Any]) -> bytes:
    """`document` as JSON in UTF-8."""
    return _encoder.encode(document)
