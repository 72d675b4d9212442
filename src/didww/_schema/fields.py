"""Fields: how a resource module says what a resource has.

Four functions make a field, by who may write it and where it stands in the document; a fifth makes a property that
tells whether a status is one of its values:

    number: str = attribute("...")                          # set by the server
    description: str | None = writable("...")               # may be written
    order: Order | None = relationship("...")               # set by the server
    voice_in_trunk: VoiceInTrunk | None = writable_relationship("...")   # may be written
    is_pending = status_is(OrderStatus.PENDING)

A type checker sees plain typed attributes, and keyword constructors that take the writable ones (PEP 681: the first
and third are its field specifiers with `init=False`; the others count as defaults). At run time each is a `Field`, a
descriptor over the raw JSON that converts on access.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, Self, TypeAlias, TypeVar, cast, overload

from didww.exceptions import InvalidValueError, NotIncludedError, NotLoadedError, ReadOnlyFieldError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from didww._schema.forms import Form
    from didww._schema.record import Meta, Record
    from didww._schema.types import FieldType
    from didww.enums import OpenStrEnum

__all__ = [
    "ANY_VALUE",
    "KEEP",
    "Fault",
    "Field",
    "attribute",
    "meta",
    "relationship",
    "status_is",
    "writable",
    "writable_relationship",
]

On: TypeAlias = Literal["both", "create", "update"]

KEEP: Final = "Leave it out: what is stored stays."
"""In `not_none`: there is no other way to say that it is not set."""


ANY_VALUE: Final = object()
"""In `on_set`: whatever is assigned, None excepted."""


class Fault(NamedTuple):
    """A limit of a field that a value does not keep.

    Attributes:
        limit: Which one: the name of the field's own attribute.
        words: What the value must do, in words.
        shown: What it is instead.
        way_out: What to do about it, after a space; empty if the words say it all.
        place: Which item of a list it is; empty for the value as a whole.
    """

    limit: str
    words: str
    shown: str
    way_out: str = ""
    place: str = ""


def _different(ones: list[Any]) -> list[Any]:
    found: list[Any] = []
    for one in ones:
        if one not in found:
            found.append(one)
    return found


class _Described:
    """The docstring of the class, and of each field: what `help(Did)` shows."""

    def __init__(self, of_class: str) -> None:
        self._of_class = of_class

    def __get__(self, field: Field | None, owner: object = None) -> str:
        return self._of_class if field is None else field.described()


class Field:
    __doc__: Any = _Described("""One field of a record: its declaration, and the descriptor that reads and writes it.

    Attributes:
        name: Name in Python and in the document.
        doc: What it means.
        kind: Its kind of value, resolved from the annotation at first use.
        nullable: Whether null is one of its values.
        create, update: Whether a request that creates, or updates, may carry it.
        required: Whether a request that creates must carry it.
        default: What the service takes when a creation does not carry it, where a rule needs to know; else None.
        secret: Whether its value is hidden in a repr.
        excludes: A relationship that is set to null when this one is set.
        on_set: Value assigned to this field, to what other fields become by it unless they are assigned with it.
        owner, holder: The class that declares it, and the one that has it, perhaps by inheritance.
        ge, le: Bounds of a number, or of how many different items a list has, inclusive.
        max_length: Most characters of a text.
        form: What a text, or each text of a list, must look like.
        distinct: Whether no item of a list may stand there twice.
        alike: Whether all objects of a list must be of one type.
        not_none: What to write instead of None where only responses hold it; empty if requests may, too.
        detach_only: How it is set, if a request can set a relationship to None alone.
        readable: False for what a request carries and no response shows.
        filters: How a list is filtered by it: the type of the value, by the ending of the filter's name.
        sort: Whether a list can be sorted by it.
        include: Whether a response can include what it leads to.
        annotation: Its annotation, as source text.
    """)

    __slots__ = (
        "_kind",
        "_nullable",
        "_plain",
        "alike",
        "annotation",
        "create",
        "default",
        "detach_only",
        "distinct",
        "doc",
        "excludes",
        "filters",
        "form",
        "ge",
        "holder",
        "include",
        "le",
        "max_length",
        "name",
        "not_none",
        "on_set",
        "owner",
        "place",
        "readable",
        "required",
        "secret",
        "sort",
        "update",
    )

    def __init__(
        self,
        place: Literal["attributes", "relationships", "meta"],
        doc: str,
        *,
        on: On | None = None,
        required: bool = False,
        default: object = None,
        secret: bool = False,
        excludes: str | None = None,
        on_set: Mapping[object, Mapping[str, object]] | None = None,
        ge: int | None = None,
        le: int | None = None,
        max_length: int | None = None,
        form: Form | None = None,
        distinct: bool = False,
        alike: bool = False,
        not_none: str = "",
        detach_only: str = "",
        readable: bool = True,
        filters: Mapping[str, object] | None = None,
        sort: bool = False,
        include: bool = False,
    ) -> None:
        self.place = place
        self.doc = doc
        self.create = on in ("both", "create")
        self.update = on in ("both", "update")
        self.required = required
        self.default = default
        self.secret = secret
        self.excludes = excludes
        self.on_set = on_set
        self.ge = ge
        self.le = le
        self.max_length = max_length
        self.form = form
        self.distinct = distinct
        self.alike = alike
        self.not_none = not_none
        self.detach_only = detach_only
        self.readable = readable
        self.filters = {ending: value for ending, value in (filters or {}).items() if value is not None}
        self.sort = sort
        self.include = include
        self.name = ""
        self.annotation: Any = ""
        self.owner: type[Record] | None = None
        self.holder: type[Record] | None = None
        self._kind: FieldType | None = None
        self._nullable = False
        self._plain = False

    def __set_name__(self, owner: type[Record], name: str) -> None:
        self.name = name
        self.annotation = owner.__annotations__.get(name, "")
        self.owner = self.holder = owner

    @property
    def kind(self) -> FieldType:
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

    @property
    def clearable(self) -> bool:
        """Whether a request may carry null."""
        return self.nullable and not self.not_none

    def _resolve(self) -> None:
        from didww._schema.annotations import annotation_of
        from didww._schema.types import kind_of

        assert self.owner is not None  # noqa: S101 for the type checkers
        kind, self._nullable = kind_of(annotation_of(self.owner, self.name))
        if (kind.name in ("one", "many")) != (self.place == "relationships"):
            raise TypeError(f"{self.label} is declared among the {self.place}, but annotated {self.annotation!r}.")
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
            parts.append("Read-only.")
        elif not (self.create and self.update):
            parts.append(f"Writable on {'create' if self.create else 'update'} only.")
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

    def dump(self, value: Any, *, filling: bool = False) -> Any:
        """`value` as raw JSON, checked.

        Args:
            value: A value in Python.
            filling: Whether a list may still have too few items, since more can be put into it.

        Raises:
            InvalidValueError: The value is not of this field's kind, or out of its bounds.
        """
        kind = self.kind
        if value is None:
            if not self.clearable:
                raise self.no_none()
            return None
        try:
            raw = kind.dump(value, self.label)
        except InvalidValueError:
            if not self.secret:
                raise
            raw = value
        else:
            self.check(raw, filling=filling)
            return raw
        # Raised outside of the `except` block: the other error may show the value.
        raise InvalidValueError(f"{self.label} takes {kind.accepts}, not {type(value).__name__}.", field=self.label)

    def no_none(self) -> InvalidValueError:
        """The error for None where it cannot be written."""
        fallback = (
            "" if self.required else "Write [] for none." if self.kind.name in ("list", "many") else "Leave it out."
        )
        hint = f" {self.not_none or fallback}".rstrip()
        return InvalidValueError(f"{self.label} takes {self.kind.accepts}, and cannot be None.{hint}", field=self.label)

    def effects(self, value: Any) -> Mapping[str, object]:
        """What other fields become when this one becomes `value`."""
        if self.on_set is None:
            return {}
        return self.on_set.get(value) or ({} if value is None else self.on_set.get(ANY_VALUE, {}))

    def check(self, raw: Any, *, filling: bool = False) -> None:
        """Check a raw value, or the linkage of a list, against the declared limits.

        Raises:
            InvalidValueError: It does not keep them.
        """
        for fault in self.faults(raw):
            if not (filling and fault.limit == "ge" and isinstance(raw, list)):
                raise InvalidValueError(
                    f"{self.label}{fault.place} must {fault.words}, got {'***' if self.secret else fault.shown}."
                    f"{fault.way_out}",
                    field=self.label,
                )

    def faults(self, raw: Any) -> Iterator[Fault]:
        """Where a raw value of this field's kind, or the linkage of a list, does not keep the declared limits."""
        listed = isinstance(raw, list)
        ones = cast("list[Any]", raw) if listed else [raw]
        if self.ge is not None or self.le is not None:
            size = len(_different(ones)) if listed else Decimal(raw)
            limit = (
                "ge"
                if self.ge is not None and size < self.ge
                else "le"
                if self.le is not None and size > self.le
                else None
            )
            if limit is not None:
                bounds = f"{self.ge or 0} to {self.le}" if self.le is not None else f"at least {self.ge}"
                words = f"have {bounds} item{'' if bounds == 'at least 1' else 's'}" if listed else f"be {bounds}"
                yield Fault(limit, words, str(size if listed else raw))
        if self.max_length is not None and len(raw) > self.max_length:
            yield Fault("max_length", f"have at most {self.max_length} characters", str(len(raw)))
        if self.distinct and len(_different(ones)) < len(ones):
            again = next(one for n, one in enumerate(ones) if one in ones[:n])
            yield Fault(
                "distinct", "hold each item once", f"{getattr(again, 'id', again)!r:.80} again", " Leave it out."
            )
        if self.alike and len(types := list(dict.fromkeys(str(one["type"]) for one in ones))) > 1:
            yield Fault("alike", "hold items of one type", " and ".join(types), " Make one request for each type.")
        form = self.form
        for index, one in enumerate(ones) if form is not None else ():
            if form is not None and not form.fits(one):
                meant = None if self.secret else form.meant(one)
                yield Fault(
                    "form",
                    f"be {form.words}",
                    f"{one!r:.80}",
                    "" if meant is None else f" Write {meant!r}.",
                    f"[{index}]" if listed else "",
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
        return ReadOnlyFieldError(
            f"{self.label} cannot be written: {why}.{self._writable_hint(exists=exists)}", field=self.label
        )

    def _writable_hint(self, *, exists: bool) -> str:
        if self.holder is None:
            return ""
        names = [field.name for field in self.holder._field_map.values() if (field.update if exists else field.create)]
        return f" Fields that can be written now: {', '.join(names)}." if names else ""

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
            # Most reads end here: one related resource, reached before, in a response in which nothing was changed.
            try:
                return record._source.reached[record._object.relationships[self.name].data]
            except (KeyError, AttributeError, TypeError):  # a list cannot be looked up, nor a record without a response
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
    form: Form | None = None,
    filter: object = None,
    filter_contains: object = None,
    filter_gteq: object = None,
    filter_lteq: object = None,
    sort: bool = False,
    init: Literal[False] = False,  # noqa: ARG001 read by type checkers: not a constructor argument
) -> Any:
    """Declare an attribute that the server sets."""
    return Field(
        "attributes",
        doc,
        secret=secret,
        form=form,
        filters={"": filter, "_contains": filter_contains, "_gteq": filter_gteq, "_lteq": filter_lteq},
        sort=sort,
    )


def relationship(
    doc: str,
    *,
    filter: object = None,
    include: bool = False,
    init: Literal[False] = False,  # noqa: ARG001 read by type checkers: not a constructor argument
) -> Any:
    """Declare a relationship that the server sets."""
    return Link("relationships", doc, filters={".id": filter}, include=include)


def meta(cls: type[M], doc: str) -> MetaField[M]:
    """Declare the resource's `meta` object, whose members are those of `cls`."""
    return MetaField(cls, doc)


def writable(
    doc: str,
    *,
    on: On = "both",
    required: bool = False,
    default: object = None,
    secret: bool = False,
    on_set: Mapping[object, Mapping[str, object]] | None = None,
    ge: int | None = None,
    le: int | None = None,
    max_length: int | None = None,
    form: Form | None = None,
    distinct: bool = False,
    alike: bool = False,
    not_none: str = "",
    readable: bool = True,
    filter: object = None,
    filter_contains: object = None,
    sort: bool = False,
) -> Any:
    """Declare an attribute that the caller may write."""
    return Field(
        "attributes",
        doc,
        on=on,
        required=required,
        default=default,
        secret=secret,
        on_set=on_set,
        ge=ge,
        le=le,
        max_length=max_length,
        form=form,
        distinct=distinct,
        alike=alike,
        not_none=not_none,
        readable=readable,
        filters={"": filter, "_contains": filter_contains},
        sort=sort,
    )


def writable_relationship(
    doc: str,
    *,
    on: On = "both",
    required: bool = False,
    excludes: str | None = None,
    ge: int | None = None,
    le: int | None = None,
    distinct: bool = False,
    detach_only: str = "",
    readable: bool = True,
    filter: object = None,
    include: bool = False,
) -> Any:
    """Declare a relationship that the caller may write."""
    return Link(
        "relationships",
        doc,
        on=on,
        required=required,
        excludes=excludes,
        ge=ge,
        le=le,
        distinct=distinct,
        detach_only=detach_only,
        readable=readable,
        filters={".id": filter},
        include=include,
    )


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
