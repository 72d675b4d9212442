"""Check the classes of Call Events and CDR Streaming, and what the emulator sends, against the documented objects."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml

from didww import (
    Codec,
    CredentialsAndIpAuthenticationMethod,
    Did,
    OnCliMismatchAction,
    PstnConfiguration,
    SipConfiguration,
    VoiceInTrunk,
    VoiceOutTrunk,
)
from didww.callback.call_events import UnknownCallEvent, call_event_of
from didww.emulator import Emulator
from support.http_receiver import HttpReceiver

if TYPE_CHECKING:
    from collections.abc import Mapping

FACTS: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("call_events.yaml").read_text("utf-8"))
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(\+00:00)?")


def documented(type: str) -> dict[str, str]:
    """Return the attributes of an object and their kinds."""
    facts = FACTS[type]
    charges = {
        f"{prefix}_{ending}": "number?" for prefix, endings in facts.get("charges", {}).items() for ending in endings
    }
    return facts["attributes"] | facts.get("unconfirmed", {}) | charges


def matches(value: Any, kind: str) -> bool:
    """Return whether a value of JSON is of a kind."""
    if value is None:
        return kind.endswith("?")
    match kind.rstrip("?"):
        case "time" | "plain_time" as name:
            found = TIME.fullmatch(value) if isinstance(value, str) else None
            return found is not None and (found[1] is None) is (name == "plain_time")
        case "string":
            return isinstance(value, str)
        case "strings":
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case "integer":
            return type(value) is int
        case "number":
            return type(value) in (int, float)
        case "boolean":
            return isinstance(value, bool)
        case "rate":
            return isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value) is not None
    raise AssertionError(kind)


@pytest.mark.parametrize("type", FACTS)
def test_classes_declare_the_documented_attributes(type: str) -> None:
    """All of them, and those of inbound and outbound CDRs exactly."""
    cls = call_event_of({"type": type, "id": "1", "attributes": {}}).__class__
    assert cls is not UnknownCallEvent
    declared = set(cls._field_map) - {"id", "type"}
    assert set(documented(type)) <= declared
    if type.endswith("-cdr"):
        assert declared == set(documented(type))


SAMPLES = {
    "time": "2026-11-02T10:00:00.000001+00:00",
    "plain_time": "2026-11-02T10:00:00.000001",
    "string": "text",
    "strings": ["text"],
    "integer": 7,
    "number": 0.5,
    "boolean": True,
    "rate": "0.004",
}


@pytest.mark.parametrize("type", FACTS)
def test_documented_values_have_their_types(type: str) -> None:
    """No value of a documented kind stays raw: times, rates and amounts are converted."""
    sent = {name: SAMPLES[kind.rstrip("?")] for name, kind in documented(type).items()}
    event = call_event_of({"type": type, "id": "1", "attributes": sent})
    for name, kind in documented(type).items():
        value = getattr(event, name)
        expected = {"time": "datetime", "plain_time": "datetime", "rate": "Decimal", "number": "Decimal"}
        if name.endswith(("_interval", "_duration")) and kind == "number?":
            continue  # whole seconds
        if (known := expected.get(kind.rstrip("?"))) is not None:
            assert value.__class__.__name__ == known, name
        else:
            assert value == sent[name], name


@pytest.fixture(scope="module")
def sent() -> list[Mapping[str, Any]]:
    """Return what the emulator sends for inbound calls, answered and not, forwarded and not, and outbound ones."""
    with Emulator() as emulator, HttpReceiver() as receiver:
        emulator.clock.freeze("2026-11-02T10:00:00Z")
        client = emulator.client()
        emulator.state.seed({"dids": [{"number": "442079460001"}, {"number": "442079460002"}]})
        for did, configuration in zip(
            client.dids().list().data,
            [
                SipConfiguration(host="127.0.0.1", port=5070, codec_ids=[Codec.PCMU]),
                PstnConfiguration(dst="442079460009"),
            ],
            strict=True,
        ):
            trunk = client.voice_in_trunks().create(VoiceInTrunk(name=did.number, configuration=configuration)).data
            client.dids().update(Did(id=did.id, voice_in_trunk=trunk))
        emulator.call_events.set("events", receiver.url)
        emulator.call_events.set("cdrs", receiver.url)
        out = VoiceOutTrunk(
            name="Out",
            on_cli_mismatch_action=OnCliMismatchAction.REJECT_CALL,
            authentication_method=CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["192.0.2.10"]),
        )
        out = client.voice_out_trunks().create(out).data
        for duration, code in ((60, "200"), (0, "486")):
            emulator.calls.inbound("442079460001", duration=duration, code=code)
            emulator.calls.inbound("442079460002", duration=duration, code=code)
            emulator.calls.outbound(out.id, duration=duration)
        emulator.clock.advance("61 s")
        emulator.call_events.settle()
        return [msgspec.json.decode(line) for body in receiver.bodies for line in body.splitlines()]


@pytest.mark.parametrize("type", FACTS)
def test_the_emulator_sends_documented_objects(sent: list[Mapping[str, Any]], type: str) -> None:
    """The same attributes, each with a value of its kind."""
    objects = [one for one in sent if one["type"] == type]
    assert objects
    for one in objects:
        assert set(one) == {"type", "id", "attributes"}
        assert set(one["attributes"]) == set(documented(type))
        wrong = {
            name: one["attributes"][name]
            for name, kind in documented(type).items()
            if not matches(one["attributes"][name], kind)
        }
        assert wrong == {}


def test_the_emulator_sends_nothing_else(sent: list[Mapping[str, Any]]) -> None:
    """Each type of an object is documented."""
    assert {one["type"] for one in sent} == set(FACTS)
