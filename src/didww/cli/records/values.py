"""Values of fields from text: enums by value or name, relationships by id or name, lists by commas, maps by pairs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from didww._util.suggest import did_you_mean
from didww.cli.choices import TRUTH, choice, choices
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww._schema.fields import Field
    from didww._schema.nested import Nested
    from didww._schema.types import FieldType
    from didww.cli.records.slots import Slot
    from didww.cli.records.targets import Targets

__all__ = ["Texts", "blank", "nested", "parse", "scalar", "separate"]


class Texts(tuple[str, ...]):
    """Texts for a field that is a text or a map, as another field decides."""

    __slots__ = ()

    def as_(self, type_: type[object], name: str) -> Any:
        """Return a text, or a dict of the pairs NAME=VALUE, or of one JSON object.

        Raises:
            InvalidValueError: They are not of this type.
        """
        if type_ is not dict:
            if len(self) > 1:
                raise InvalidValueError(f"{name} is one text here, got {len(self)}.", field=name)
            return self[0]
        if len(self) == 1 and self[0].lstrip().startswith("{"):
            return _json(self[0])
        pairs: dict[str, str] = {}
        for text in self:  # a comma is a part of the value
            field, equals, value = text.partition("=")
            if not equals or not field.strip():
                raise InvalidValueError(f"{text!r:.80} must be NAME=VALUE, or a JSON object.", field=name)
            pairs[field.strip()] = value
        return pairs


def separate(field: Field) -> bool:
    """Return whether several values of a field may be in one text, with commas between them."""
    kind = field.kind
    if kind.name == "many":
        return tuple(kind.detail.names) == ("Did",)
    return kind.name == "list" and kind.detail.name != "object"


def blank(field: Field) -> Any:
    """Return the value that clears a field.

    Raises:
        InvalidValueError: It cannot be cleared.
    """
    if field.kind.name in ("list", "many"):
        return []
    if not field.clearable:
        raise InvalidValueError(f"{field.name} cannot be cleared.")
    return None


def parse(slot: Slot, texts: Sequence[str], targets: Targets) -> Any:
    """Return the value of a field.

    Args:
        slot: The field.
        texts: Its texts: one, or several for a list.
        targets: Finds related records.

    Raises:
        InvalidValueError: A text is no value of the field.
    """
    field, kind = slot.field, slot.field.kind
    if slot.types is not None:
        return _type(slot, texts[0])
    if not any(text.strip() for text in texts) or _unset(field, texts):
        return blank(field)
    if kind.name in ("list", "many") and separate(field):
        texts = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    value: Any
    if kind.name == "text or map":
        return Texts(texts)
    if kind.name == "map":
        value = _map(texts)
    elif kind.name == "many":
        return [targets.related(kind.detail.names, text) for text in texts]
    elif kind.name == "one":
        return targets.related(kind.detail.names, texts[0])
    elif kind.name == "list":
        value = [scalar(kind.detail, text) for text in texts]
    else:
        value = scalar(kind, texts[0])
    field.dump(value, filling=True)  # checks it
    return value


def _unset(field: Field, texts: Sequence[str]) -> bool:
    """Return whether texts are the word `none`, and the field can be empty and has no such value."""
    if [text.strip().lower() for text in texts] != ["none"]:
        return False
    kind = field.kind.detail if field.kind.name == "list" else field.kind
    if kind.name == "enum" and "none" in choices(kind.detail):
        return False
    return field.clearable or field.kind.name in ("list", "many")


def _type(slot: Slot, text: str) -> Any:
    types = slot.types or {}
    for short, cls in types.items():
        if text.strip().lower().replace("-", "_") in (short, cls._type_name):
            return short
    raise InvalidValueError(f"{text!r:.80} must be one of {', '.join(types)}.{did_you_mean(text, types)}")


def scalar(kind: FieldType, text: str) -> Any:
    """Return the value of a text for a type that is no list."""
    if kind.name == "enum":
        return choice(kind.detail, text)
    if kind.name == "boolean":
        return TRUTH.get(text.strip().lower(), text)
    if kind.name == "integer":
        digits = text.strip().removeprefix("-")
        return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else text
    if kind.name == "object":
        return _object(kind, text)
    return text


def _map(texts: Sequence[str]) -> dict[str, Any]:
    if len(texts) == 1 and texts[0].lstrip().startswith("{"):
        return cast("dict[str, Any]", _json(texts[0]))
    return dict(_pairs(",".join(texts)))


def _object(kind: FieldType, text: str) -> Any:
    """Return a nested object from JSON, or from pairs such as `sku_id=...,qty=2`."""
    if text.lstrip().startswith("{"):
        return nested(kind, cast("dict[str, Any]", _json(text)))
    return nested(kind, _pairs(text))


def nested(kind: FieldType, given: dict[str, Any]) -> Any:
    """Return a nested object with some members; which ones they are decides on its class.

    Args:
        kind: The type of the object.
        given: The members by name, with or without `_id`; or type and attributes.
    """
    if "attributes" in given:
        return given
    classes = [cls for cls in cast("tuple[type[Nested], ...]", kind.detail) if cls.writable]
    fields = {name: field for cls in classes for name, field in cls._field_map.items() if field.create}
    members: dict[str, Any] = {}
    for name, value in given.items():
        known = name if name in fields else f"{name}_id"
        if known not in fields:
            raise InvalidValueError(
                f"there is no {name!r:.80} in an item.{did_you_mean(name, fields)} Write: {', '.join(fields)}."
            )
        members[known] = scalar(fields[known].kind, value) if isinstance(value, str) else value
    fitting = [cls for cls in classes if members.keys() <= cls._field_map.keys()]
    if not fitting:
        raise InvalidValueError(f"{' and '.join(members)} do not go together in one item.")
    needs = {cls: {name for name, field in cls._field_map.items() if field.required} for cls in fitting}
    chosen = next((cls for cls in fitting if needs[cls] <= members.keys()), fitting[0])
    return chosen(**members)


def _pairs(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise InvalidValueError(f"{part!r:.80} must be NAME=VALUE.")
        pairs[name.strip()] = value.strip()
    return pairs


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidValueError(f"this is not JSON: {error}.") from None
