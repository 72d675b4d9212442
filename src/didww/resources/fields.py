"""Fields: how a resource module says what a resource has.

Four functions make a field, by who may write it and where it stands in the document; a fifth makes a property that
tells whether a status is one of its values:

    number: str = attribute("...")                          # set by the server
    description: str | None = writable("...")               # may be written
    order: Order | None = relationship("...")               # set by the server
    voice_in_trunk: VoiceInTrunk | None = linkable("...")   # may be written
    is_pending = status_is(OrderStatus.PENDING)

A type checker sees plain typed attributes, and keyword constructors that take the writable ones (PEP 681: the first
and third are its field specifiers with `init=False`; the others count as defaults). At run time each is a `Field`, a
descriptor over the raw JSON that converts on access.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, Self, TypeAlias, TypeVar, overload

from didww.exceptions import InvalidValue, NotIncludedError, NotLoadedError, ReadOnlyFieldError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww.enums import OpenStrEnum
    from didww.resources.kinds import Kind
    from didww.resources.record import Meta, Record

__all__ = ["ANY_VALUE", "Field", "attribute", "linkable", "meta", "relationship", "status_is", "writable"]

On: TypeAlias = Literal["both", "create", "update"]

ANY_VALUE: Final = object()
"""In `implies`: whatever is assigned, None excepted."""


class _Described:
    """The docstring of the class, and of each field: what `help(Did)` shows."""

    def __init__(self, of_class: str) -> None:
        self._of_class = of_class

    def __get__(self, field: Field | None, owner: object = None) -> str:
        return self._of_class if field is None else field.described()


class Field:  # noqa: D101 it has one
    __doc__: Any = _Described("""One field of a record: its declaration, and the descriptor that reads and writes it.

    Attributes:
        name: Name in Python and in the document.
        doc: What it means.
        kind: Its kind of value, resolved from the annotation at first use.
        nullable: Whether null is one of its values.
        create, update: Whether a request that creates, or updates, may carry it.
        required: Whether a request that creates must carry it.
        secret: Whether its value is hidden in a repr.
        excludes: A relationship that is set to null when this one is set.
        implies: Value assigned to this field, to what other fields become by it unless they are assigned with it.
        owner, holder: The class that declares it, and the one that has it, perhaps by inheritance.
        low, high: Bounds of a number, or of a list's length, inclusive; longest: most characters of a text.
        readable: False for what a request carries and no answer shows.
        annotation: Its annotation, as source text.
    """)

    __slots__ = (
        "_kind",
        "_nullable",
        "_plain",
        "annotation",
        "create",
        "doc",
        "excludes",
        "high",
        "holder",
        "implies",
        "longest",
        "low",
        "name",
        "owner",
        "place",
        "readable",
        "required",
        "secret",
        "update",
    )

    def __init__(
        self,
        place: Literal["attributes", "relationships", "meta"],
        doc: str,
        *,
        on: On | None = None,
        required: bool = False,
        secret: bool = False,
        excludes: str | None = None,
        implies: Mapping[object, Mapping[str, object]] | None = None,
        low: int | None = None,
        high: int | None = None,
        longest: int | None = None,
        readable: bool = True,
    ) -> None:
        self.place = place
        self.doc = doc
        self.create = on in ("both", "create")
        self.update = on in ("both", "update")
        self.required = required
        self.secret = secret
        self.excludes = excludes
        self.implies = implies
        self.low = low
        self.high = high
        self.longest = longest
        self.readable = readable
        self.name = ""
        self.annotation: Any = ""
        self.owner: type[Record] | None = None
        self.holder: type[Record] | None = None
        self._kind: Kind | None = None
        self._nullable = False
        self._plain = False

    def __set_name__(self, owner: type[Record], name: str) -> None:
        self.name = name
        self.annotation = owner.__annotations__.get(name, "")
        self.owner = self.holder = owner

    @property
    def kind(self) -> Kind:
        """The kind of value."""
        if self._kind is None:
            self._resolve()
        assert self._kind is not None  # noqa: S101 for the type checkers
        return self._kind

    @property
    def nullable(self) -> bool:
        """Whether null is one of the values."""
        if self._kind is None:
            self._resolve()
        return self._nullable

    def _resolve(self) -> None:
        from didww.resources.annotations import annotation_of
        from didww.resources.kinds import kind_of

        assert self.owner is not None  # noqa: S101 for the type checkers
        kind, self._nullable = kind_of(annotation_of(self.owner, self.name))
        self._plain = self.place == "attributes" and kind.load is None
        self._kind = kind  # last: another thread takes it for a sign that the others are there

    @property
    def label(self) -> str:
        """The field as messages call it, e.g. `Did.number`."""
        return f"{self.holder.__name__ if self.holder else ''}.{self.name}"

    def described(self) -> str:
        """Type, meaning, and who may write it."""
        parts = [f"{self.annotation}: {self.doc}"]
        if self.required:
            parts.append("Required.")
        if not (self.create or self.update):
            parts.append("Read only.")
        elif not (self.create and self.update):
            parts.append(f"Written when {'creating' if self.create else 'updating'} only.")
        return " ".join(parts)

    def for_class(self, holder: type[Record]) -> Field:
        """This field as `holder` inherits it."""
        import copy

        twin = copy.copy(self)
        twin.holder = holder
        return twin

    def __get__(self, record: Any, owner: Any = None) -> Any:
        if record is None:
            return self
        if self._plain and record._state is None:
            # Most reads end here: the raw value is the Python value, and nothing was ever changed.
            try:
                return record._attributes[self.name]
            except KeyError:
                pass
        return record._read(self)

    def __set__(self, record: Record, value: Any) -> None:
        record._write(self, value)

    def dump(self, value: Any) -> Any:
        """`value` as raw JSON, checked.

        Raises:
            InvalidValue: The value is not of this field's kind, or out of its bounds.
        """
        kind = self.kind
        if value is None:
            if not self._nullable:
                raise InvalidValue(f"{self.label} takes {kind.accepts}, and cannot be None.", field=self.label)
            return None
        try:
            raw = kind.dump(value, self.label)
        except InvalidValue:
            if not self.secret:
                raise
            raw = value
        else:
            self._check_bounds(raw)
            return raw
        # Raised outside of the `except` block: the other error may show the value.
        raise InvalidValue(f"{self.label} takes {kind.accepts}, not {type(value).__name__}.", field=self.label)

    def implied(self, value: Any) -> Mapping[str, object]:
        """What other fields become when this one becomes `value`."""
        if self.implies is None:
            return {}
        return self.implies.get(value) or ({} if value is None else self.implies.get(ANY_VALUE, {}))

    def _check_bounds(self, raw: Any) -> None:
        listed = self.kind.name == "list"
        size = len(raw) if listed else Decimal(raw) if self.kind.name == "decimal" else raw
        if (self.low is not None and size < self.low) or (self.high is not None and size > self.high):
            bounds = f"{self.low} to {self.high}" if self.high is not None else f"at least {self.low}"
            unit = " items" if listed else ""
            raise InvalidValue(f"{self.label} takes {bounds}{unit}, not {size}.", field=self.label)
        if self.longest is not None and len(raw) > self.longest:
            raise InvalidValue(
                f"{self.label} takes at most {self.longest} characters; these are {len(raw)}.", field=self.label
            )

    def read_only(self, *, exists: bool) -> ReadOnlyFieldError:
        """The error for writing this field where it cannot be written."""
        why = (
            "it can only be set when creating"
            if self.create and exists
            else "it can only be changed once the record exists"
            if self.update
            else "the server sets it"
        )
        return ReadOnlyFieldError(f"{self.label} cannot be written: {why}.{self._writable_hint()}", field=self.label)

    def _writable_hint(self) -> str:
        if self.holder is None:
            return ""
        names = [field.name for field in self.holder._fields.values() if field.create or field.update]
        return f" Fields that can be written: {', '.join(names)}." if names else ""

    def not_loaded(self, why: str) -> NotLoadedError:
        """The error for reading this field where the record does not have it."""
        return (NotIncludedError if self.place == "relationships" else NotLoadedError)(f"{self.label} {why}")

    def __repr__(self) -> str:
        return f"<Field {self.label}>"


class Link(Field):
    __doc__: Any = _Described("A field that stands among the relationships.")

    __slots__ = ()

    def __get__(self, record: Any, owner: Any = None) -> Any:
        if record is None:
            return self
        if record._state is None:
            # Most reads end here: one related resource, reached before, in an answer in which nothing was changed.
            try:
                return record._source.reached[record._object.relationships[self.name].data]
            except (KeyError, AttributeError, TypeError):  # a list cannot be looked up, nor a record without an answer
                pass
        return record._read(self)


M = TypeVar("M", bound="Meta")


class MetaField(Field, Generic[M]):
    __doc__: Any = _Described("The resource's `meta` object.")

    __slots__ = ("cls",)

    def __init__(self, cls: type[M], doc: str) -> None:
        super().__init__("meta", doc)
        self.cls = cls

    def __set_name__(self, owner: type[Record], name: str) -> None:
        super().__set_name__(owner, name)
        self.annotation = self.cls.__name__

    if TYPE_CHECKING:

        @overload
        def __get__(self, record: None, owner: Any = None) -> Self: ...
        @overload
        def __get__(self, record: Record, owner: Any = None) -> M: ...
        def __get__(self, record: Any, owner: Any = None) -> Any: ...


def attribute(
    doc: str,
    *,
    secret: bool = False,
    init: Literal[False] = False,  # noqa: ARG001 read by type checkers: not a constructor argument
) -> Any:
    """An attribute that the server sets."""
    return Field("attributes", doc, secret=secret)


def relationship(
    doc: str,
    *,
    init: Literal[False] = False,  # noqa: ARG001 read by type checkers: not a constructor argument
) -> Any:
    """A relationship that the server sets."""
    return Link("relationships", doc)


def meta(cls: type[M], doc: str) -> MetaField[M]:
    """The resource's `meta` object, whose members are those of `cls`."""
    return MetaField(cls, doc)


def writable(
    doc: str,
    *,
    on: On = "both",
    required: bool = False,
    secret: bool = False,
    implies: Mapping[object, Mapping[str, object]] | None = None,
    low: int | None = None,
    high: int | None = None,
    longest: int | None = None,
    readable: bool = True,
) -> Any:
    """An attribute that the caller may write."""
    return Field(
        "attributes",
        doc,
        on=on,
        required=required,
        secret=secret,
        implies=implies,
        low=low,
        high=high,
        longest=longest,
        readable=readable,
    )


def linkable(
    doc: str, *, on: On = "both", required: bool = False, excludes: str | None = None, readable: bool = True
) -> Any:
    """A relationship that the caller may write."""
    return Link("relationships", doc, on=on, required=required, excludes=excludes, readable=readable)


class _StatusIs(property):
    """Whether the status of a record is one certain value."""

    def __init__(self, value: OpenStrEnum) -> None:
        def read(record: Any) -> bool:
            return bool(record.status == value)

        read.__doc__ = f"Whether `status` is `{value}`."
        super().__init__(read)

    if TYPE_CHECKING:

        @overload
        def __get__(self, record: None, owner: type | None = None, /) -> Self: ...
        @overload
        def __get__(self, record: Record, owner: type | None = None, /) -> bool: ...
        def __get__(self, record: Any, owner: type | None = None, /) -> Any: ...


def status_is(value: OpenStrEnum) -> _StatusIs:
    """A property that tells whether `status` is `value`; each value of a status has one, called `is_` and its name."""
    return _StatusIs(value)
