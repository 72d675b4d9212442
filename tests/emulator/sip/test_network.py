"""Test the sockets of calls, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from didww.emulator.sip.allowed import Allowed
from didww.emulator.sip.certificates import make_certificate
from didww.emulator.sip.effects import Failure, Local, Media, Received, Unreachable
from didww.emulator.sip.model import Destination, Outgoing, Target
from didww.emulator.sip.network import Network
from didww.enums import NetworkProtocolPriority
from support.sip_programs import until as wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from didww.emulator.sip.model import Transport


def until(condition: Callable[[], bool]) -> None:
    wait_until(condition, "a message")


OPTIONS = (
    b"OPTIONS sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=1\r\n"
    b"To: <sip:b@example.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network(Allowed())
    yield network
    network.close()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_message_arrives_in_the_mailbox_of_its_call(network: Network, transport: Transport) -> None:
    """A listener receives what another network sends, also over TLS with a certificate made for it."""
    other = Network(Allowed())

    async def receive() -> tuple[Target, asyncio.Queue[Any]]:
        mailbox: asyncio.Queue[Any] = asyncio.Queue()
        network.register(["1"], mailbox)
        return await network.listen(transport, "127.0.0.1", 0), mailbox

    async def send(target: Target) -> Local | Failure:
        local = await other.open(target)
        other.send(Outgoing(OPTIONS, target))
        return local

    try:
        target, mailbox = network.run(receive()).result(30)
        local = other.run(send(target)).result(30)
        event = network.run(mailbox.get()).result(30)
    finally:
        other.close()
    assert isinstance(local, Local)
    assert isinstance(event, Received)
    assert (event.source.transport, event.source.port) == (transport, local.port)


REGISTER = OPTIONS.replace(b"OPTIONS", b"REGISTER")
BYE = OPTIONS.replace(b"OPTIONS", b"BYE").replace(b"b@example.com>", b"b@example.com>;tag=2")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sockets_of_calls_take_no_requests_of_others(network: Network, transport: Transport) -> None:
    """Nothing listens unless asked: no phone registers there. A BYE after the end of its call gets a response."""
    seen: list[str] = []
    network.on_request = lambda request, source, now: seen.append(request.method) or []  # type: ignore[func-returns-value]
    with ExitStack() as held:
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        far_end = held.enter_context(socket.socket(socket.AF_INET, kind))
        far_end.bind(("127.0.0.1", 0))
        if transport == "tcp":
            far_end.listen()
        local = network.run(network.open(Target(transport, *far_end.getsockname()))).result(30)
        assert isinstance(local, Local)
        if transport == "udp":
            far_end.connect((local.host, local.port))
        else:
            far_end = held.enter_context(far_end.accept()[0])
        for request in (OPTIONS, REGISTER, BYE.replace(b"BYE", b"REGISTER"), BYE):
            far_end.send(request)
        until(lambda: bool(seen))
    assert seen == ["BYE"]


def test_a_listener_on_all_addresses_names_the_one_that_is_reached(network: Network) -> None:
    """Messages to a phone that registered there do not say 0.0.0.0."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        source = Target("udp", *phone.getsockname())
        seen: list[Target] = []
        network.on_request = lambda request, source, now: seen.append(source) or []  # type: ignore[func-returns-value]
        listener = network.run(network.listen("udp", "0.0.0.0", 0)).result(30)
        phone.sendto(REGISTER, ("127.0.0.1", listener.port))
        until(lambda: bool(seen))
        local = network.run(network.open(source)).result(30)
    assert isinstance(local, Local)
    assert (local.host, local.port, local.media_host) == ("127.0.0.1", listener.port, "127.0.0.1")


def test_a_message_goes_over_a_new_connection_if_the_old_one_was_lost(network: Network) -> None:
    """Such as the BYE of a call that goes on (RFC 3261, section 18)."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = Target("tcp", *server.getsockname())
        network.run(network.open(target)).result(30)
        server.accept()[0].close()
        wait_until(lambda: not network._connections, "the end of the connection")

        async def send() -> None:
            network.send(Outgoing(BYE, target))

        network.run(send()).result(30)
        server.settimeout(60)
        connection = server.accept()[0]
        connection.settimeout(60)
        with connection:
            assert connection.recv(65_535) == BYE


def test_a_lost_connection_is_told_to_the_call(network: Network) -> None:
    """A far end that closes the connection is unreachable."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = Target("tcp", *server.getsockname())

        async def call() -> asyncio.Queue[Any]:
            mailbox: asyncio.Queue[Any] = asyncio.Queue()
            network.register(["1"], mailbox)
            await network.open(target)
            return mailbox

        mailbox = network.run(call()).result(30)
        server.accept()[0].close()
        event = network.run(mailbox.get()).result(30)
    assert isinstance(event, Unreachable)
    assert event.target == target


def test_an_idle_connection_is_closed(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that still uses it is told why."""
    monkeypatch.setattr("didww.emulator.sip.connections._IDLE", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = Target("tcp", *server.getsockname())

        async def call() -> asyncio.Queue[Any]:
            mailbox: asyncio.Queue[Any] = asyncio.Queue()
            network.register(["1"], mailbox)
            await network.open(target)
            return mailbox

        mailbox = network.run(call()).result(30)
        event = network.run(mailbox.get()).result(30)
        connection = server.accept()[0]
        connection.settimeout(30)
        with connection, contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    assert isinstance(event, Unreachable)
    assert event.reason.endswith("the connection was idle")
    assert not network._connections


@pytest.mark.parametrize(
    ("name", "trusted", "problem"),
    [("localhost", True, None), ("pbx.example.com", True, "mismatch"), ("localhost", False, "self-signed certificate")],
)
def test_certificates_of_other_hosts_are_verified(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, trusted: bool, problem: str | None
) -> None:
    """The certificate must be trusted, and be that of the name of the trunk's host."""
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(make_certificate("localhost"))
    target = network.run(network.listen("tls", "127.0.0.1", 0, str(certificate))).result(30)
    for module in ("certificates", "network"):
        monkeypatch.setattr(f"didww.emulator.sip.{module}.is_loopback", lambda host: False)
    monkeypatch.setattr(Network, "_may_reach", lambda self, target: True)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    caller = Network(Allowed())
    try:
        caller.run(caller.open(target._replace(name="localhost"))).result(30)  # is not used for another name
        opened = caller.run(caller.open(target._replace(name=name))).result(30)
    finally:
        caller.close()
    if problem is None:
        assert isinstance(opened, Local)
    else:
        assert isinstance(opened, Failure)
        assert problem in opened.reason


@pytest.mark.parametrize("host", ["192.0.2.1", "sip.example.com", "0.0.0.0", "2001:db8::1"])
def test_hosts_that_were_not_allowed_are_not_called(network: Network, host: str) -> None:
    """The reason says how to allow a host."""
    found = network.run(network.resolve(Destination(host, 5060, "udp"))).result(30)
    assert isinstance(found, Failure)
    assert "--sip-host" in found.reason
    assert isinstance(network.run(network.open(Target("udp", host, 5060))).result(30), Failure)


@pytest.mark.parametrize("host", ["localhost", "pbx.localhost", "LOCALHOST."])
@pytest.mark.parametrize("port", [None, 5070])
def test_names_of_loopback_are_not_looked_up(host: str, port: int | None) -> None:
    """No DNS server can say that such a name is elsewhere: here, none would respond."""
    network = Network(Allowed(), dns="127.0.0.1:9")
    prefer = NetworkProtocolPriority.PREFER_IPV4
    try:
        found = network.run(network.resolve(Destination(host, port, "udp", prefer))).result(30)
    finally:
        network.close()
    assert not isinstance(found, Failure)
    assert found[0][:3] == ("udp", "127.0.0.1", port or 5060)
    assert all(target.host in {"127.0.0.1", "::1"} and target.port == found[0].port for target in found)


@pytest.mark.parametrize(
    "remote",
    [("192.0.2.1", 4000), ("localhost", 4000), ("pbx.localhost", 4000), ("127.0.0.1", 0), ("127.0.0.1", 70_000)],
)
def test_no_media_is_sent_where_it_must_not_go(network: Network, remote: tuple[str, int]) -> None:
    """Foreign addresses, names and impossible ports get none, and calls after that still get theirs."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(30)

        async def play() -> None:
            await network.open(Target("udp", "127.0.0.1", 5060))
            network.play(Media("1", remote))
            network.play(Media("2", phone.getsockname()))

        network.run(play()).result(30)
        packet = phone.recv(2000)
        silence = network._media._sockets["127.0.0.1"][0]
        assert set(silence._streams) == {"2"}
    assert (packet[0], packet[1] & 0x7F, len(packet), set(packet[12:])) == (0x80, 0, 172, {0xFF})


def test_a_closed_network_places_no_calls(network: Network) -> None:
    """After `close`, nothing is started again."""
    network.loop_time()
    network.close()
    with pytest.raises(RuntimeError, match="closed"):
        network.loop_time()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_process_has_sockets_of_its_own(network: Network) -> None:
    """After a fork, messages are not sent from the sockets of the parent."""
    target = Target("udp", "127.0.0.1", 5060)
    before = network.run(network.open(target)).result(30)
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            os.write(writer, str(network.run(network.open(target)).result(30).port).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        port = pipe.read()
    os.waitpid(child, 0)
    assert isinstance(before, Local)
    assert port
    assert int(port) != before.port


def test_the_hosts_that_sent_requests_are_bounded(network: Network) -> None:
    """Requests from forged addresses do not fill the memory."""
    for number in range(10_100):
        network._note_peer(f"192.0.2.{number}")
    assert len(network._peers) == 10_000
