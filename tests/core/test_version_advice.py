"""What errors about names of another API version advise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from didww import DidGroup, Pop, PstnConfiguration, VoiceInTrunk
from didww.emulator import Emulator
from didww.exceptions import InvalidValueError, NotIncludedError, NotLoadedError, UnsupportedVersionError

if TYPE_CHECKING:
    from didww import DidwwClient
    from didww.version import ApiVersion

OLD: ApiVersion = "2026-04-16"
NEW: ApiVersion = "2026-11-19"


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    """One emulator, which serves both versions."""
    return Emulator()


@pytest.fixture(scope="module")
def old(emulator: Emulator) -> DidwwClient:
    """A client of the old version."""
    return emulator.client()


@pytest.fixture(scope="module")
def new(emulator: Emulator) -> DidwwClient:
    """A client of the new version."""
    return emulator.client(api_version=NEW)


@pytest.mark.parametrize(
    ("query", "advice"),
    [
        ({"include": "did_group_type"}, "Read the attribute number_type instead."),
        ({"filter": {"did_group_type.id": "x"}}, "Filter by number_type instead."),
        ({"sort": "did_group_type.name"}, "Sort by number_type instead."),
        ({"fields": {"did_groups": ["did_group_type"]}}, "Use number_type instead."),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_removed_name_says_what_to_do(new: DidwwClient, query: dict[str, Any], advice: str) -> None:
    """An attribute is read, not included. The version is checked before the value."""
    with pytest.raises(UnsupportedVersionError, match=f"{OLD} is the last version that has it") as caught:
        new.did_groups().list(**query)
    assert str(caught.value).endswith(advice)


@pytest.mark.parametrize(
    ("query", "advice"),
    [
        ({"include": "did_group_types"}, "Read the attribute number_type instead."),
        ({"filter": {"did_group_type": "x"}}, "Filter by number_type instead."),
        ({"sort": "did_group_type"}, "Sort by number_type instead."),
        ({"fields": {"did_groups": ["did_group_typ"]}}, "Use number_type instead."),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_name_close_to_a_removed_one_says_what_replaces_it(
    new: DidwwClient, old: DidwwClient, query: dict[str, Any], advice: str
) -> None:
    """The lists have the names of the client's version only."""
    with pytest.raises(InvalidValueError) as caught:
        new.did_groups().list(**query)
    message = str(caught.value).partition(" To send it unchecked")[0]
    assert f". {advice} Its " in message
    assert "did_group_type" not in message.partition(advice)[2]
    with pytest.raises(InvalidValueError, match="Did you mean 'did_group_type") as caught:
        old.did_groups().list(**query)
    assert "number_type" not in str(caught.value)


def test_name_of_a_later_version_says_which(old: DidwwClient) -> None:
    """The sentence fits one name and several."""
    with pytest.raises(UnsupportedVersionError) as caught:
        old.dids().list(include="sms_trunk")
    assert str(caught.value) == (
        f"dids cannot include 'sms_trunk' in API version {OLD}: this needs {NEW} or later. "
        f"Pass api_version='{NEW}' to the client."
    )


def test_reading_a_removed_relationship_names_the_attribute(old: DidwwClient, new: DidwwClient) -> None:
    """A record of the new version does not advise an include that would be refused."""
    with pytest.raises(NotIncludedError) as caught:
        _ = new.did_groups().list().data[0].did_group_type
    assert str(caught.value) == (
        f"DidGroup.did_group_type is not in the response: {OLD} is the last version that has it. "
        "Use number_type instead."
    )
    with pytest.raises(NotIncludedError) as caught:
        _ = old.did_groups().list().data[0].did_group_type
    assert str(caught.value) == (
        "DidGroup.did_group_type was not included in the response: add include='did_group_type' to the call "
        f"(until API version {OLD}; later, read number_type)."
    )


def test_attribute_of_another_version_is_not_none(old: DidwwClient, new: DidwwClient) -> None:
    """None would say that a trunk is not pinned. A new record, and a response of the right version, read as None."""
    pinned = next(pop for pop in old.pops().list().data if pop.name == "US, NY")
    phone = PstnConfiguration(dst="442079460000")
    trunk = old.voice_in_trunks().create(VoiceInTrunk(name="Pinned", configuration=phone, pop=pinned)).data
    for record in (trunk, old.voice_in_trunks().find(trunk.id).data):
        with pytest.raises(NotLoadedError, match=f"is not in the response. It exists since API version {NEW}"):
            _ = record.pop_code
    assert new.voice_in_trunks().find(trunk.id).data.pop_code == "NYC"
    free = new.voice_in_trunks().create(VoiceInTrunk(name="Free", configuration=phone)).data
    assert new.voice_in_trunks().find(free.id).data.pop_code is None
    assert VoiceInTrunk(name="Draft").pop_code is None
    assert "pop_code" not in repr(trunk)


def test_built_and_new_records_say_nothing_about_versions() -> None:
    """Nothing was loaded."""
    with pytest.raises(NotIncludedError, match="was not loaded"):
        _ = DidGroup.build("8d1a3c5e-0000-4000-8000-000000000001").did_group_type
    assert VoiceInTrunk(name="a", pop=Pop.build("8d1a3c5e-0000-4000-8000-000000000001")).pop is not None
