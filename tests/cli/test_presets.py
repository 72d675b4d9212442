"""Presets of trunks for platforms."""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING

import pytest

from didww.cli.field_options import parse
from didww.cli.presets import reader
from didww.cli.trunks.options import ALL_OPTIONS
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.voice_in_trunk import VoiceInTrunk
from support.cli_account import writes

if TYPE_CHECKING:
    from support.command import Command

VALUES = {
    "openai": "--set project=proj_example",
    "livekit": "--set subdomain=example",
    "ultravox": "--set domain=example.sip.example.com --set agent=example",
    "xai": "--encryption disabled",
    "registration": "",
}
HOST = {
    "3cx",
    "asterisk",
    "freepbx",
    "freeswitch",
    "generic",
    "generic-tls",
    "genesys",
    "kamailio",
    "opensips",
    "teams",
}
UNVERIFIED = {
    "vogent", "xai", "ultravox", "retell", "generic", "generic-tls", "freepbx", "kamailio", "freeswitch", "3cx"
}  # fmt: skip


def options(name: str) -> str:
    return "--host sip.example.com" if name in HOST else VALUES.get(name, "")


def sip(didww: Command, name: str = "Agent") -> SipConfiguration:
    found = didww.client.voice_in_trunks().one(filter={"name": name}).configuration
    assert isinstance(found, SipConfiguration)
    return found


@pytest.mark.parametrize("name", reader.names())
def test_data_is_well_formed(name):
    """Fields exist and take their values, marks are known, and each value is used by a setting."""
    preset = reader.load(name)
    fields = SipConfiguration._field_map
    for field, setting in preset.settings.items():
        assert setting.sure in ("", *reader.MARKS)
        if "<" not in str(setting.value):
            parse(fields[field], setting.value)
        assert any(option.field is fields[field] for option in ALL_OPTIONS)
    for field, setting in preset.trunk.items():
        parse(VoiceInTrunk._field_map[field], setting.value)
    assert preset.sources
    assert all(source.sure in reader.MARKS for source in preset.sources)
    assert preset.steps
    text = str([preset.settings, [value.choices for value in preset.values]])
    for value in preset.values:
        assert value.choices or f"<{value.name}>" in text
        assert not value.choices or value.default in value.choices
        for choice in value.choices.values():
            assert set(choice) <= set(fields)


def test_unverified_presets_are_marked():
    """Those whose facts are inferred or unconfirmed."""
    assert {name for name in reader.names() if reader.load(name).unverified} == UNVERIFIED


def test_addresses_are_addresses():
    """Seven places with an IPv4 and an IPv6 address."""
    known = reader.addresses()
    assert len(known.sip) == 7
    for each in known.sip.values():
        assert [ipaddress.ip_address(address).version for address in each] == [4, 6]
    assert [str(ipaddress.ip_network(network)) for network in known.media] == known.media


@pytest.mark.parametrize("name", reader.names())
def test_each_preset_makes_a_trunk(didww, name):
    """With the values that it needs; steps and addresses follow, and the mark of an unverified one."""
    result = didww(f"trunks create Agent --for {name} {options(name)}")
    assert result.code == 0, result
    assert "To do at" in result.err
    assert ("Unverified" in result.err) == (name in UNVERIFIED)
    assert ("46.19.209.14" in result.err) == (name != "registration")
    assert sip(didww).enabled_sip_registration == (name == "registration")


def test_openai(didww):
    """The facts of the preset arrive in the trunk."""
    didww.ok("trunks create Agent --for openai --set project=proj_example")
    trunk = sip(didww)
    assert (trunk.host, trunk.port, trunk.username) == ("sip.api.openai.com", 5061, "proj_example")
    assert (trunk.transport_protocol_id.name, trunk.media_encryption_mode) == ("TLS", "srtp_sdes")
    assert (trunk.network_protocol_priority, trunk.resolve_ruri) == ("prefer_ipv4", False)
    didww.ok("trunks create Europe --for openai --set project=proj_example --set region=eu")
    assert sip(didww, "Europe").host == "sip-eu.api.openai.com"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("--for openai", "--set project="),
        ("--for livekit", "--set subdomain="),
        ("--for ultravox --set domain=sip.example.com", "--set agent="),
        ("--for ultravox --set agent=example", "--set domain="),
        ("--for generic", "--host"),
        ("--for genesys", "--host"),
        ("--for xai", "--encryption"),
        ("--for opnai", "'openai'"),
        ("--for zoom", "openai"),
        ("--for openai --set projct=x", "'project'"),
        ("--for openai --set project=a/b", "--set project"),
        ("--for openai --set project=p --set region=uk", "us, eu"),
        ("--for vogent --set x=y", "takes none"),
    ],
)
def test_missing_and_wrong_values_are_refused(didww, line, text):
    """Exit code 2; the option is named, and nothing is sent."""
    result = didww(f"trunks create Agent {line}")
    assert (result.code, result.out) == (2, ""), result
    assert text in result.err
    assert not writes(didww)


def test_options_override_each_value(didww):
    """Also the host, and then the value for it is not needed."""
    didww.ok(
        "trunks create Agent --for livekit --host sip.example.com --port 5070 --transport tcp --codec pcma "
        "--username '{DID}' --encryption srtp-sdes --cli-format raw --ip-version force-ipv4"
    )
    trunk = sip(didww)
    assert (trunk.host, trunk.port, trunk.username) == ("sip.example.com", 5070, "{DID}")
    assert (trunk.transport_protocol_id.name, trunk.media_encryption_mode) == ("TCP", "srtp_sdes")
    assert [codec.name for codec in trunk.codec_ids] == ["PCMA"]


def test_the_port_goes_with_the_transport(didww):
    """A note says when the sources have another transport or port."""
    didww.ok("trunks create Agent --for elevenlabs --transport tls")
    assert sip(didww).port == 5061
    assert "not udp" in didww("trunks create B --for elevenlabs --transport udp").err
    assert "port 5061" in didww("trunks create C --for openai --set project=p --port 5062").err


def test_registration_instead_of_a_host(didww):
    """A device that registers has no host."""
    didww.ok("trunks create Agent --for asterisk --register")
    assert (sip(didww).host, sip(didww).enabled_sip_registration) == (None, True)
    didww.ok("trunks create Fixed --for registration --sip sip.example.com")
    assert sip(didww, "Fixed").enabled_sip_registration is False


def test_dry_run_shows_the_request(didww):
    """Nothing is sent."""
    result = didww("trunks create Agent --for vapi --dry-run")
    assert (result.code, '"host": "sip.vapi.ai"' in result.out) == (0, True)
    assert "To do at Vapi" in result.err
    assert "46.19.209.14" in result.err
    assert "Route numbers" not in result.err
    assert not writes(didww)


def test_presets_are_listed_and_shown(didww):
    """With marks and sources; without an account."""
    rows = json.loads(didww.ok("trunks presets -o json"))
    assert {row["preset"] for row in rows} == set(reader.names())
    assert {row["preset"] for row in rows if row["unverified"]} == UNVERIFIED
    shown = didww("trunks presets vogent")
    assert "unconfirmed" in shown.out
    assert "see sources" not in shown.out
    assert "Unconfirmed: on no page." in shown.err
    assert "docs.vogent.ai" in shown.err
    assert "Unverified" in shown.err
    full = json.loads(didww.ok("trunks presets openai -o json"))
    assert full["settings"]["host"] == {"value": "sip.api.openai.com", "sure": "confirmed", "note": ""}
    assert full["sources"][0]["sure"] == "confirmed"
    assert didww("trunks presets nobody").code == 2


def test_help_names_the_unverified(didww):
    """Of `trunks create`."""
    text = " ".join(didww.ok("trunks create --help").split())
    assert "unverified: 3cx, freepbx" in text
