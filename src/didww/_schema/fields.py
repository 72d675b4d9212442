"""Fields: how resource modules declare attributes and relationships.

Four functions declare a field, by access and by place in the document. A fifth declares a property that compares the
status:

    number: str = attribute("...")                          # read-only
    description: str | None = writable("...")               # writable
    order: Order | None = relationship("...")               # read-only
    voice_in_trunk: VoiceInTrunk | None = writable_relationship("...")   # writable
    is_pending = status_is(OrderStatus.PENDING)

A type checker sees plain typed attributes, and constructors with the writable ones as keywords (PEP 681: the first and
third are field specifiers with `init=False`; the others count as defaults). At run time each field is a `Field`, a
descriptor on the raw JSON that converts on access.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, Self, TypeAlias, TypeVar, cast, overload

from didww._schema.annotations import annotation_of
from didww._schema.types import FieldType, kind_of
from didww._schema.versions import checked_versions
from didww.exceptions import InvalidValueError, NotIncludedError, NotLoadedError, ReadOnlyFieldError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from didww._schema.forms import Form
    from didww._schema.meta import Meta
    from didww._schema.record import Record
    from didww.enums import OpenStrEnum
    from didww.version import ApiVersion

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

KEEP: Final = "Leave it out to keep the stored value."
"""For `not_none`: the field cannot be unset."""


ANY_VALUE: Final = object()
"""For `on_set`: any value except None."""


class Fault(NamedTuple):
    """A violated constraint of a field.

    Attributes:
        limit: The constraint: the name of the attribute of `Field`.
        words: The requirement in words, e.g. `be 1 to 60`.
        shown: The actual value.
        way_out: How to fix it, after a space; empty if the requirement is enough.
        place: The index of the list item, e.g. `[0]`; empty for the value as a whole.
    """

    limit: str
    words: str
    shown: str
    way_out: str = ""
    place: str = ""


def _unique(items: list[Any]) -> list[Any]:
    unique: list[Any] = []
    for item in items:
        if item not in unique:
            unique.append(item)
    return unique


class _Described:
    """The docstring of the class on the class, and of the field on a field, for `help(Did)`."""

    def __init__(self, of_class: str) -> None:
        self._of_class = of_class

    def __get__(self, field: Field | None, owner: object = None) -> str:
        return self._of_class if field is None else field.described()


class Field:
    __doc__: Any = _Described("""A field of a record: its declaration, and the descriptor that reads and writes it.

    Attributes:
        name: Name in Python and in the document.
        doc: Description.
        kind: Type of the value, resolved from the annotation on first use.
        nullable: Whether the value can be null.
        create, update: Whether a create or update request may contain it.
        required: Whether a create request must contain it.
        default: Default value applied by the service on create, if a rule depends on it; otherwise None.
        secret: Whether the value is masked in a repr.
        excludes: Relationship that is set to null when this one is set.
        on_set: Assigned value, mapped to the values that other fields get unless they are assigned at the same time.
        owner, holder: The declaring class, and the class that has the field, possibly by inheritance.
        ge, le: Inclusive bounds of a number, or of the count of different items in a list.
        max_length: Maximum number of characters of a text.
        form: Format of a text, or of each text in a list.
        distinct: Whether the items of a list must be unique.
        alike: Whether all objects of a list must have the same type.
        not_none: Advice for an error if only responses may contain None; empty if requests may contain it, too.
        detach_only: How to set a relationship that requests can only set to None; otherwise empty.
        readable: False for a field in requests that responses do not contain.
        filters: Filters of a list by this field: value type by suffix of the filter name.
        sort: Whether a list can be sorted by this field.
        include: Whether a response can include the related records.
        member: Name in the document, if another version of the API has a different field of that name.
        versions: API versions that have the field, its filters, sort key and include.
        annotation: The annotation, as source text.
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
        "member",
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
        "versions",
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
        member: str = "",
        since: ApiVersion | None = None,
        until: ApiVersion | None = None,
        replacement: str = "",
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
        self.member = member
        self.versions = checked_versions(since, until, replacement)
        self.name = ""
        self.annotation: Any = ""
        self.owner: type[Record] | None = None
        self.holder: type[Record] | None = None
        self._kind: FieldType | None = None
        self._nullable = False
        self._plain = False

    def __set_name__(self, owner: type[Record], name: str) -> None:
        self.name = name
        self.member = self.member or name
        self.annotation = owner.__annotations__.get(name, "")
        self.owner = self.holder = owner

    @property
    def kind(self) -> FieldType:
        """Type of the value."""
        if self._kind is None:
            self._resolve()
        assert self._kind is not None  # noqa: S101 for the type checkers
        return self._kind

    @property
    def nullable(self) -> bool:
        """Whether the value can be null."""
        if self._kind is None:
            self._resolve()
        return self._nullable

    @property
    def clearable(self) -> bool:
        """Whether a request may contain null."""
        return self.nullable and not self.not_none

    def _resolve(self) -> None:
        assert self.owner is not None  # noqa: S101 for the type checkers
        kind, self._nullable = kind_of(annotation_of(self.owner, self.name))
        if (kind.name in ("one", "many")) != (self.place == "relationships"):
            raise TypeError(f"{self.label} is declared among the {self.place}, but annotated {self.annotation!r}.")
        self._plain = self.place == "attributes" and kind.load is None
        self._kind = kind  # last: other threads treat it as a sign that the rest is set

    @property
    def label(self) -> str:
        """The name in messages, e.g. `Did.number`."""
        return f"{self.holder.__name__ if self.holder else ''}.{self.name}"

    def described(self) -> str:
        """Return type, description and access of the field, for `help()`."""
        parts = [f"{self.annotation}: {self.doc}"]
        if self.required:
            parts.append("Required on create.")
        if not (self.create or self.update):
            parts.append("Read-only.")
        elif not (self.create and self.update):
            parts.append(f"Writable on {'create' if self.create else 'update'} only.")
        if words := self.versions.in_words():
            parts.append(f"{words[0].upper()}{words[1:]}.")
        return " ".join(parts)

    def for_class(self, holder: type[Record]) -> Field:
        """Return a copy of this field for the subclass `holder`."""
        import copy

        field = copy.copy(self)
        field.holder = holder
        return field

    def __get__(self, record: Any, owner: Any = None) -> Any:
        if record is None:
            return self
        if self._plain and record._state is None:
            # The common case: the raw value is the Python value, and nothing was changed.
            try:
                return record._attributes[self.name]
            except KeyError:
                pass
        return record._read(self)

    def __set__(self, record: Record, value: Any) -> None:
        record._write(self, value)

    def dump(self, value: Any, *, filling: bool = False) -> Any:
        """Convert `value` to raw JSON and validate it.

        Args:
            value: The Python value.
            filling: Whether to accept a list with too few items, because more can be added later.

        Raises:
            InvalidValueError: The value has the wrong type or violates a constraint.
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
        # Raised outside of the `except` block, because the original error may contain the secret value.
        raise InvalidValueError(f"{self.label} must be {kind.accepts}, got {type(value).__name__}.", field=self.label)

    def no_none(self) -> InvalidValueError:
        """Return the error for None in a field that cannot be None."""
        fallback = (
            ""
            if self.required
            else "Use [] for an empty list."
            if self.kind.name in ("list", "many")
            else "Leave it out."
        )
        hint = f" {self.not_none or fallback}".rstrip()
        return InvalidValueError(f"{self.label} must be {self.kind.accepts}, got None.{hint}", field=self.label)

    def effects(self, value: Any) -> Mapping[str, object]:
        """Return the values that other fields get when this one is set to `value`."""
        if self.on_set is None:
            return {}
        return self.on_set.get(value) or ({} if value is None else self.on_set.get(ANY_VALUE, {}))

    def check(self, raw: Any, *, filling: bool = False) -> None:
        """Validate a raw value, or the linkage of a list, against the declared constraints.

        Raises:
            InvalidValueError: The value violates a constraint.
        """
        for fault in self.faults(raw):
            if not (filling and fault.limit == "ge" and isinstance(raw, list)):
                raise InvalidValueError(
                    f"{self.label}{fault.place} must {fault.words}, got {'***' if self.secret else fault.shown}."
                    f"{fault.way_out}",
                    field=self.label,
                )

    def faults(self, raw: Any) -> Iterator[Fault]:
        """Yield the constraints that a raw value, or the linkage of a list, violates."""
        listed = isinstance(raw, list)
        items = cast("list[Any]", raw) if listed else [raw]
        if self.ge is not None or self.le is not None:
            size = len(_unique(items)) if listed else Decimal(raw)
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
        if self.distinct and len(_unique(items)) < len(items):
            duplicate = next(item for index, item in enumerate(items) if item in items[:index])
            yield Fault(
                "distinct",
                "have unique items",
                f"{getattr(duplicate, 'id', duplicate)!r:.80} twice",
                " Remove the duplicate.",
            )
        if self.alike and len(types := list(dict.fromkeys(str(item["type"]) for item in items))) > 1:
            yield Fault("alike", "have items of one type", " and ".join(types), " Send one request for each type.")
        form = self.form
        for index, text in enumerate(items) if form is not None else ():
            if form is not None and not form.fits(text):
                suggestion = None if self.secret else form.meant(text)
                yield Fault(
                    "form",
                    f"be {form.words}",
                    f"{text!r:.80}",
                    "" if suggestion is None else f" Write {suggestion!r}.",
                    f"[{index}]" if listed else "",
                )

    def read_only(self, *, exists: bool) -> ReadOnlyFieldError:
        """Return the error for writing a field that cannot be written."""
        why = (
            "it can be set on create only"
            if self.create and exists
            else "it can be set on update only"
            if self.update
            else "it is read-only"
        )
        return ReadOnlyFieldError(
            f"{self.label} cannot be set: {why}.{self._writable_hint(exists=exists)}", field=self.label
        )

    def _writable_hint(self, *, exists: bool) -> str:
        if self.holder is None:
            return ""
        names = [field.name for field in self.holder._field_map.values() if (field.update if exists else field.create)]
        return f" Writable fields: {', '.join(names)}." if names else ""

    def not_loaded(self, why: str) -> NotLoadedError:
        """Return the error for reading a field that the record does not have."""
        return (NotIncludedError if self.place == "relationships" else NotLoadedError)(f"{self.label} {why}")

    def __repr__(self) -> str:
        return f"<Field {self.label}>"


class Link(Field):
    __doc__: Any = _Described("A relationship field.")

    __slots__ = ()

    def __get__(self, record: Any, owner: Any = None) -> Any:
        if record is None:
            return self
        if record._state is None:
            # The common case: a to-one relationship that was resolved before, in an unchanged record.
            try:
                return record._source.reached[record._object.relationships[self.name].data]
            except (KeyError, AttributeError, TypeError):  # to-many relationships, and records without a response
                pass
        return record._read(self)


M = TypeVar("M", bound="Meta")


class MetaField(Field, Generic[M]):
    __doc__: Any = _Described("The `meta` object of a resource.")

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
    since: ApiVersion | None = None,
    until: ApiVersion | None = None,
    replacement: str = "",
    init: Literal[False] = False,  # noqa: ARG001 for type checkers: not a constructor argument
) -> Any:
    """Declare a read-only attribute."""
    return Field(
        "attributes",
        doc,
        secret=secret,
        form=form,
        filters={"": filter, "_contains": filter_contains, "_gteq": filter_gteq, "_lteq": filter_lteq},
        sort=sort,
        since=since,
        until=until,
        replacement=replacement,
    )


def relationship(
    doc: str,
    *,
    filter: object = None,
    include: bool = False,
    since: ApiVersion | None = None,
    until: ApiVersion | None = None,
    replacement: str = "",
    init: Literal[False] = False,  # noqa: ARG001 for type checkers: not a constructor argument
) -> Any:
    """Declare a read-only relationship."""
    return Link(
        "relationships",
        doc,
        filters={".id": filter},
        include=include,
        since=since,
        until=until,
        replacement=replacement,
    )


def meta(cls: type[M], doc: str) -> MetaField[M]:
    """Declare the `meta` object of a resource, with the members of `cls`."""
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
    member: str = "",
    since: ApiVersion | None = None,
    until: ApiVersion | None = None,
    replacement: str = "",
) -> Any:
    """Declare a writable attribute."""
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
        member=member,
        since=since,
        until=until,
        replacement=replacement,
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
    since: ApiVersion | None = None,
    until: ApiVersion | None = None,
    replacement: str = "",
) -> Any:
    """Declare a writable relationship."""
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
        since=since,
        until=until,
        replacement=replacement,
    )


class _StatusIs(property):
    """A property that compares `status` with one value."""

    def __init__(self, value: OpenStrEnum) -> None:
        def read(record: Any) -> bool:
            return bool(record.status == value)

        read.__doc__ = f"True if `status` is `{value}`."
        super().__init__(read)

    if TYPE_CHECKING:

        @overload
        def __get__(self, record: None, owner: type | None = None, /) -> Self: ...
        @overload
        def __get__(self, record: Record, owner: type | None = None, /) -> bool: ...
        def __get__(self, record: Any, owner: type | None = None, /) -> Any: ...


def status_is(value: OpenStrEnum) -> _StatusIs:
    """Declare a property that is True if `status` is `value`, named `is_` and the name of the value."""
    return _StatusIs(value)
