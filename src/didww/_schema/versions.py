"""The API versions that have a resource, field, filter, sort key, include or enum value."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from didww.exceptions import UnsupportedVersionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from didww._schema.types import FieldType
    from didww.version import ApiVersion

__all__ = ["EVERY_VERSION", "Versions", "check_values", "checked_versions", "unsupported", "versions_of_values"]


class Versions(NamedTuple):
    """A range of API versions. Versions are dates, so that they compare as text.

    Attributes:
        since: The first version; None for the oldest.
        until: The last version; None for the newest.
        replacement: What to use in later versions, or else empty.
    """

    since: ApiVersion | None = None
    until: ApiVersion | None = None
    replacement: str = ""

    def includes(self, version: str) -> bool:
        """Return whether `version` is in the range."""
        return (self.since is None or self.since <= version) and (self.until is None or version <= self.until)

    def in_words(self) -> str:
        """Return the range in words, e.g. `since API version 2026-11-19`; empty for every version."""
        if self.since is not None and self.until is not None:
            return f"from API version {self.since} until {self.until}"
        if self.since is not None:
            return f"since API version {self.since}"
        return f"until API version {self.until}" if self.until is not None else ""


EVERY_VERSION: Final = Versions()


def checked_versions(since: ApiVersion | None, until: ApiVersion | None, replacement: str) -> Versions:
    """Return the range of a declaration."""
    return EVERY_VERSION if since is None and until is None else Versions(since, until, replacement)


@cache
def versions_of_values(cls: type[Any]) -> dict[object, Versions]:
    """Return the versions of the values of an enum that not every API version has."""
    return {value: Versions(*declared) for value, declared in getattr(cls, "_versions", {}).items()}


def check_values(kind: FieldType, value: object, version: str, what: str, field: str) -> None:
    """Check that `version` has a value of an enum, or all values of a list of them.

    Args:
        kind: The type of the field. Other types have no values to check.
        value: The value or values.
        version: The version of the client.
        what: What was tried, e.g. `exports.export_type cannot be`.
        field: The name of the field or filter, for the error.

    Raises:
        UnsupportedVersionError: It does not have one.
    """
    item = kind.detail if kind.name == "list" else kind
    limited = versions_of_values(item.detail) if item.name == "enum" else None
    if limited:
        several = isinstance(value, (list, tuple, set, frozenset))
        for each in cast("Iterable[object]", value) if several else (value,):
            found = limited.get(each)
            if found is not None and not found.includes(version):
                raise unsupported(f"{what} {getattr(each, 'value', each)!r}", found, version, field)


def unsupported(
    what: str, versions: Versions, version: str, field: str, *, advice: str = "Use"
) -> UnsupportedVersionError:
    """Return the error for a name that `version` does not have.

    Args:
        what: What was tried, e.g. `dids cannot include 'sms_trunk'`.
        versions: The versions that have it.
        version: The version of the client.
        field: The name.
        advice: What to do with the replacement: the beginning of a sentence.
    """
    later = versions.since is not None and version < versions.since
    way_out = (
        f"Pass api_version={versions.since!r} to the client."
        if later
        else f"{advice} {versions.replacement} instead."
        if versions.replacement
        else f"Only clients with api_version={versions.until!r} have it."
    )
    bound = f"this needs {versions.since} or later" if later else f"{versions.until} is the last version that has it"
    return UnsupportedVersionError(f"{what} in API version {version}: {bound}. {way_out}", field=field)
