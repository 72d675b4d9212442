"""`emulator.sip`: listeners, hosts, limits and registrations; the control API, the console and the journal."""

from __future__ import annotations

import html
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from didww import Codec, SipConfiguration, VoiceInTrunk
from didww._core.effects import Request
from didww.emulator.controls.sip_state import SipLimits
from didww.emulator.http import control_api
from didww.emulator.sip.messages import SipResponse, parse
from support.console_account import get, post
from support.sip_phone import answer, request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from didww import DidwwClient
    from didww.emulator import Emulator


class Desk:
    """A phone with a UDP socket, and the trunk that it registers on."""

    def __init__(self, client: DidwwClient, port: int) -> None:
        settings = SipConfiguration(enabled_sip_registration=True, codec_ids=[Codec.PCMU])
        self.trunk = client.voice_in_trunks().create(VoiceInTrunk(name="Desk phone", configuration=settings)).data
        configuration = self.trunk.configuration
        assert isinstance(configuration, SipConfiguration)
        self.user = configuration.incoming_auth_username or ""
        self.password = configuration.incoming_auth_password or ""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(30)
        self.cseq = 0

    def send(self, *headers: str, method: str = "REGISTER") -> SipResponse:
        """Send a request and return the response."""
        self.cseq += 1
        self.socket.send(request(method, *headers, user=self.user, cseq=self.cseq))
        response = parse(self.socket.recv(65_535))
        assert isinstance(response, SipResponse)
        return response

    def register(self, expires: int = 300, *, password: str | None = None) -> SipResponse:
        """Register, with another password or the right one."""
        contact = f"Contact: <sip:{self.user}@10.0.0.1:5062>;expires={expires}"
        challenge = self.send(contact).get_header("WWW-Authenticate") or ""
        return self.send(contact, "User-Agent: Phone <b>1</b>", answer(challenge, self.user, password or self.password))


@pytest.fixture
def desk(emulator: Emulator, client: DidwwClient) -> Iterator[Desk]:
    """Return a phone that can register at the emulator."""
    phone = Desk(client, emulator.sip.listen(port=0).port)
    yield phone
    phone.socket.close()
    emulator.close()


def test_nothing_listens_unless_asked(emulator: Emulator) -> None:
    """A new emulator has neither listeners nor a network; settings do not make one."""
    emulator.sip.allow("PBX.example.com")
    emulator.sip.limit(calls=7)
    state = emulator.sip.show()
    assert (state.listeners, state.registrations, state.calls) == ([], [], 0)
    assert (state.hosts, state.limits) == (["pbx.example.com"], SipLimits(7, 100))
    assert emulator.sip._network is None
    emulator.state.reset()
    assert (emulator.sip.show().hosts, emulator.sip.show().limits) == ([], SipLimits())


@pytest.mark.parametrize("host", ["", "a b", "pbx.example.com:5060", "sip:pbx.example.com", "a@b", "x" * 300])
def test_what_is_no_host_is_not_allowed(emulator: Emulator, host: str) -> None:
    """The error says what a host is."""
    with pytest.raises(ValueError, match=r"^host must be a host name or an IP address, without a port"):
        emulator.sip.allow(host)


def test_registration(emulator: Emulator, client: DidwwClient, desk: Desk) -> None:
    """A phone registers with the credentials of its trunk; it is listed, and calls can go to it."""
    assert desk.send(method="OPTIONS").status_code == 200
    assert desk.register(password="guess").status_code == 401
    assert desk.register().status_code == 200
    (one,) = emulator.sip.registrations()
    assert (one.trunk_id, one.trunk, one.contact) == (desk.trunk.id, "Desk phone", f"sip:{desk.user}@10.0.0.1:5062")
    assert (one.transport, one.host, one.port) == ("udp", *desk.socket.getsockname())
    assert 290 <= one.expires_in <= 300
    (contact,) = emulator.sip._contacts(desk.trunk.id or "")
    assert contact.uri == f"sip:{desk.user}@10.0.0.1:5062"
    assert contact.target.port == desk.socket.getsockname()[1]
    desk.register(0)
    assert emulator.sip.registrations() == []


@pytest.mark.parametrize("end", ["delete", "switch off", "reset", "forget"])
def test_registration_ends_with_its_trunk(emulator: Emulator, client: DidwwClient, desk: Desk, end: str) -> None:
    """It vanishes when the trunk is deleted, its registration is switched off, or somebody removes it."""
    desk.register()
    assert emulator.sip.registrations()
    if end == "delete":
        client.voice_in_trunks().delete(desk.trunk)
    elif end == "switch off":
        assert isinstance(desk.trunk.configuration, SipConfiguration)
        desk.trunk.configuration.host = "192.0.2.1"
        client.voice_in_trunks().update(desk.trunk)
    elif end == "reset":
        emulator.state.reset()
    else:
        emulator.sip.forget(desk.trunk.id)
    assert emulator.sip.registrations() == []
    emulator.sip._ready()
    assert emulator.sip._contacts(desk.trunk.id or "") == []
    if end in ("delete", "switch off"):
        assert desk.register().status_code == 403
    with pytest.raises(LookupError, match="Nothing is registered"):
        emulator.sip.forget(desk.trunk.id)


def test_console(emulator: Emulator, desk: Desk) -> None:
    """The page lists listeners and registrations, and its forms work; credentials are not on it."""
    assert "SIP</a>" in get(emulator, "")
    assert "No phone is registered." in get(emulator, "sip")
    desk.register()
    text = get(emulator, "sip")
    port = emulator.sip.show().listeners[0].port
    for words in ("Desk phone", f"sip:{desk.user}@10.0.0.1:5062", f"127.0.0.1:{port}", "didww trunks show", "udp"):
        assert words in html.unescape(text), words
    assert "<b>1</b>" not in text
    assert post(emulator, "sip/allow", ("hosts", "pbx.example.com  *")).status == 303
    assert post(emulator, "sip/limit", ("calls", "5"), ("per_second", "6")).status == 303
    assert emulator.sip.show().hosts == ["pbx.example.com", "*"]
    assert emulator.sip.show().limits == SipLimits(5, 6)
    assert post(emulator, "sip/listen", ("transport", "tcp"), ("port", "0")).status == 303
    refused = post(emulator, "sip/listen", ("transport", "udp"), ("port", "70000"))
    assert (refused.status, b"port must be from 0 to 65535" in refused.body) == (422, True)
    assert post(emulator, "sip/forget", ("trunk", desk.trunk.id or "")).status == 303
    assert "No phone is registered." in get(emulator, "sip")


def test_secrets_are_not_shown(emulator: Emulator, desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Passwords and digests are in no page, response of the control API, log or journal."""
    caplog.set_level(0)
    desk.register()
    pages = [get(emulator, page) for page in ("", "sip", "journal", f"resources/voice_in_trunks/{desk.trunk.id}")]
    seen = "\n".join([*pages, caplog.text, str(emulator.sip.show()), repr(emulator.sip)])
    seen += control_api.handle(emulator, Request("GET", "http://127.0.0.1/_emulator/sip/show", {}, None)).body.decode()
    assert desk.password not in seen
    assert 'response="' not in seen


def test_control_api(emulator: Emulator, desk: Desk) -> None:
    """The controls work over HTTP: reading with GET, the others with POST."""

    def call(name: str, method: str = "GET", **body: object) -> Any:
        data = json.dumps(body).encode() if body else None
        response = control_api.handle(emulator, Request(method, f"http://127.0.0.1/_emulator/sip/{name}", {}, data))
        assert response.status in (200, 204), response.body
        return json.loads(response.body) if response.body else None

    desk.register()
    state = call("show")
    assert [one["trunk"] for one in state["registrations"]] == ["Desk phone"]
    assert call("registrations") == state["registrations"]
    assert call("allow", "POST", hosts=["*"]) == ["*"]
    assert call("limit", "POST", calls=3) == {"calls": 3, "per_second": 100}
    listener = call("listen", "POST", transport="tcp", port=0)
    assert listener["transport"] == "tcp"
    call("challenge", "POST", algorithms=["SHA-256"])
    assert "SHA-256" in (desk.send().get_header("WWW-Authenticate") or "")
    call("forget", "POST", trunk=desk.trunk.id)
    assert call("registrations") == []


def test_listening_twice(emulator: Emulator, desk: Desk) -> None:
    """The same address again has no effect; one that another program has is refused with the reason."""
    (first,) = emulator.sip.show().listeners
    assert emulator.sip.listen(port=first.port) == first
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ValueError, match=rf"Cannot listen on 127\.0\.0\.1:{port} \(tcp\)"):
            emulator.sip.listen("tcp", port=port)
    assert emulator.sip.show().listeners == [first]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"transport": "sctp"}, "transport must be udp, tcp or tls"),
        ({"port": 65_536}, "port must be from 0 to 65535"),
        ({"transport": "tls", "certificate": "a.pem"}, "belong together"),
        ({"certificate": "a.pem", "key": "a.key"}, "Only TLS has a certificate"),
    ],
)
def test_wrong_arguments(emulator: Emulator, arguments: dict[str, Any], message: str) -> None:
    """Each is named, and nothing is opened."""
    with pytest.raises(ValueError, match=message):
        emulator.sip.listen(**arguments)
    assert emulator.sip._network is None
    for value in (0, 10_001):
        with pytest.raises(ValueError, match="calls must be from 1 to 10000"):
            emulator.sip.limit(calls=value)
    with pytest.raises(ValueError, match="algorithms are MD5 and SHA-256"):
        emulator.sip.challenge("SHA-1")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_certificate_that_cannot_be_used(emulator: Emulator, tmp_path: Path) -> None:
    """The files are named; what is in them is not shown."""
    bad = tmp_path / "bad.pem"
    bad.write_text("not-a-certificate", encoding="utf-8")
    for path in (str(bad), str(tmp_path / "missing.pem")):
        with pytest.raises(ValueError, match="Cannot use the certificate") as refused:
            emulator.sip.listen("tls", port=0, certificate=path, key=path)
        assert path in str(refused.value)
        assert "not-a-certificate" not in str(refused.value)
    emulator.close()


def test_closed_emulator_does_not_listen(emulator: Emulator) -> None:
    """No network is made once the emulator is closed."""
    emulator.close()
    with pytest.raises(ValueError, match="closed"):
        emulator.sip.listen(port=0)


def test_answer_to_another_digest(emulator: Emulator, desk: Desk) -> None:
    """A phone that prefers SHA-256 registers with it."""
    emulator.sip.challenge("SHA-256", "MD5")
    assert desk.register().status_code == 200
    assert [one.trunk for one in emulator.sip.registrations()] == ["Desk phone"]
