"""Find records by id, name, phone number or country code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww._schema.filter_rules import UUID_TEXT, filter_rules
from didww._schema.registry import class_named, singular
from didww.cli import lookups
from didww.cli.records.words import sentence, words
from didww.exceptions import InvalidValueError, NotExactlyOneError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from didww._schema.resource import Resource

__all__ = ["Targets", "endpoint", "key_fields", "label", "named_by", "noun"]


def noun(cls: type[Resource]) -> str:
    """Return what a record is called in a sentence, such as `voice in trunk`."""
    return words(singular(cls._type_name))


def key_fields(cls: type[Resource]) -> tuple[str, ...]:
    """Return the fields that identify a record, in the order of preference."""
    names = ("number", "name", "iso")
    return ("id", *(name for name in names if name in cls._field_map and cls._field_map[name].readable))


def named_by(cls: type[Resource]) -> str:
    """Return what a record may be given by, for a help text: `ID|NAME`."""
    return "|".join("CODE" if key == "iso" else key.upper() for key in key_fields(cls))


def label(record: Any) -> str:
    """Return what a person calls a record: its number or name, or else its id."""
    for key in ("number", "name", "reference"):
        field = record._field_map.get(key)
        if field is not None and isinstance(record._attributes.get(key), str):
            return str(getattr(record, key))
    return str(record.id)


class Targets:
    """Records of an account by id, name or number. Each is looked up once.

    Args:
        client: The client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._found: dict[tuple[str, str], Any] = {}

    def related(self, classes: Sequence[str], text: str) -> Any:
        """Return a record to link to.

        Args:
            classes: Names of the classes that the relationship accepts.
            text: Id, name or number; with several classes, after the type and a colon.
        """
        types = {singular(class_named(name)._type_name): class_named(name) for name in classes}
        cls = next(iter(types.values()))
        if len(types) > 1:
            kind, _, text = text.partition(":")
            if kind not in types or not text:
                raise InvalidValueError(f"must be {' or '.join(f'{name}:ID' for name in types)}.")
            cls = types[kind]
        return self.find(cls, text)

    def find(self, cls: type[Resource], text: str) -> Any:
        """Return a record by id, without a request, or by name or number.

        Raises:
            NotExactlyOneError: There is none, or there are several.
        """
        text = text.strip()
        if UUID_TEXT.fullmatch(text):
            return cls.build(text)
        if (cls._type_name, text) not in self._found:
            self._found[cls._type_name, text] = self._named(cls, text)
        return self._found[cls._type_name, text]

    def _named(self, cls: type[Resource], text: str) -> Any:
        keys = key_fields(cls)
        if cls._type_name == "dids":
            return lookups.dids(self._client, [text])[0]
        if cls._type_name == "countries":
            return lookups.country(self._client, text)
        if "name" in keys:
            return lookups.by_name(endpoint(self._client, cls), text, noun(cls))
        raise InvalidValueError(
            f"{sentence(cls._type_name)} are given by id, such as 8d1a3c5e-0000-4000-8000-000000000001, got "
            f"{text!r:.80}.",
            field="id",
        )

    def remember(self, cls: type[Resource], texts: Iterable[str]) -> None:
        """Look up many names with few requests."""
        wanted = [text for text in dict.fromkeys(texts) if not UUID_TEXT.fullmatch(text)]
        if len(wanted) < 2 or "name" not in key_fields(cls):
            return
        found: dict[str, list[Any]] = {}
        for record in endpoint(self._client, cls).iterate(page_size=lookups.BATCH):
            found.setdefault(record.name, []).append(record)
        self._found |= {(cls._type_name, text): found[text][0] for text in wanted if len(found.get(text, [])) == 1}

    def load(self, cls: type[Resource], key: str, texts: Sequence[str], include: Sequence[str]) -> dict[str, Any]:
        """Return the records whose `key` is in `texts`, by that text; those that do not exist are missing.

        Raises:
            NotExactlyOneError: A name belongs to several records.
        """
        rule = filter_rules(cls).get(key)
        source = endpoint(self._client, cls)
        found: dict[str, Any] = {}
        if rule is not None and rule.multiple and not rule.ignored and not any("," in text for text in texts):
            for start in range(0, len(texts), lookups.BATCH):
                batch = list(texts[start : start + lookups.BATCH])
                for record in source.iterate(filter={key: batch}, include=include, page_size=lookups.BATCH):
                    self._add(found, record, key)
        else:
            for record in source.iterate(include=include, page_size=lookups.BATCH):
                self._add(found, record, key)
        return found

    @staticmethod
    def _add(found: dict[str, Any], record: Any, key: str) -> None:
        text = str(getattr(record, key))
        if text in found:
            raise NotExactlyOneError(f"Several records have the {key} {text!r:.80}. Use the column id.", found=2)
        found[text] = record


def endpoint(client: Any, cls: type[Resource]) -> Any:
    """Return the endpoint of a resource."""
    return getattr(client, cls._path)()
