"""The API versions that have a resource, field, filter, sort key, include or enum value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from didww.exceptions import UnsupportedVersionError

if TYPE_CHECKING:
    from didww.version import ApiVersion

__all__ = ["EVERY_VERSION", "Versions", "checked_versions", "unsupported"]


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
