"""The sockets of SIP calls: an event loop in a thread of its own, which starts with the first call or listener.

Nothing listens unless that was asked for: calls have a socket of their own to receive responses, on the address that
reaches the far end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import OrderedDict
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from didww.emulator.sip.addresses import is_address, local_host, show_target, without_name
from didww.emulator.sip.allowed import is_loopback
from didww.emulator.sip.certificates import client_context, server_context
from didww.emulator.sip.connections import Connection, DatagramSocket, error_reason
from didww.emulator.sip.effects import Failure, Local, Received, Unreachable
from didww.emulator.sip.media import MediaSockets
from didww.emulator.sip.messages import SipRequest, parse, tag_of
from didww.emulator.sip.model import Target
from didww.emulator.sip.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from concurrent.futures import Future

    from didww.emulator.sip.allowed import Allowed
    from didww.emulator.sip.effects import Event, Media
    from didww.emulator.sip.model import Destination, Outgoing, Transport

__all__ = ["Network"]

log = logging.getLogger("didww.emulator")

_CONNECT: Final = 10.0
_MAX_FLOWS: Final = 10_000
_MAX_CONNECTIONS: Final = 2_000
_MAX_CONNECTIONS_OF_HOST: Final = 500
_MAX_PEERS: Final = 10_000


class Network:
    """The sockets of an emulator's SIP calls.

    Args:
        allowed: The hosts that may be called.
        dns: Address and port of a DNS server. Defaults to those of the system.

    Attributes:
        on_request: Called with a request that belongs to no call, its source and the time; returns what to send.
    """

    def __init__(self, allowed: Allowed, *, dns: str | None = None) -> None:
        self.on_request: Callable[[SipRequest, Target, float], list[Outgoing]] = _answer_nothing
        self._allowed = allowed
        self._resolver = Resolver(dns)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._forget()

    def _forget(self) -> None:
        """Start without sockets."""
        self._datagrams: dict[str, DatagramSocket] = {}
        self._connections: dict[Target, Connection] = {}
        self._connecting: dict[Target, asyncio.Task[Connection]] = {}
        self._flows: OrderedDict[Target, DatagramSocket] = OrderedDict()
        self._media = MediaSockets()
        self._reachable: set[str] = set()  # what was looked up
        self._peers: OrderedDict[str, None] = OrderedDict()  # what has sent requests
        self._later: set[asyncio.Future[None]] = set()
        self._mailboxes: dict[str, asyncio.Queue[Event]] = {}
        self._listeners: list[tuple[Target, Any]] = []

    # For any thread

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Run a coroutine in the network's thread.

        Raises:
            RuntimeError: The network was closed.
        """
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._started())
        except BaseException:
            coroutine.close()
            raise

    def loop_time(self) -> float:
        """Return the time of the event loop."""
        return self._started().time()

    def close(self) -> None:
        """Close all sockets, and cancel what runs."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None or not thread.is_alive():
            return
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(timeout=5)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise RuntimeError("The emulator was closed.")
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                self._forget()  # after a fork, the sockets are those of the parent
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._serve, args=(self._loop,), name="didww-emulator-sip", daemon=True
                )
                self._thread.start()
            return self._loop

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            loop.run_until_complete(self._shut_down())
        finally:
            loop.close()

    async def _shut_down(self) -> None:
        for _, server in self._listeners:
            server.close()
        for datagrams in self._datagrams.values():
            datagrams.close()
        for connection in list(self._connections.values()):
            connection.close()
        self._media.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # For the network's thread

    async def resolve(self, destination: Destination) -> list[Target] | Failure:
        """Look up where a destination is, if it may be called."""
        refused = self._allowed.why_not(destination.host)
        if refused is not None:
            return Failure(refused)
        found = await self._resolver.resolve(destination)
        if not isinstance(found, Failure):
            self._reachable.update(target.host for target in found)
        return found

    async def open(self, target: Target) -> Local | Failure:
        """Make a socket or connection to a target, and return the own addresses toward it."""
        if not self._may_reach(target):
            return Failure(self._allowed.why_not(target.host) or f"{target.host} was not looked up")
        try:
            if target.transport == "udp":
                host, port = (await self._datagram_socket(target)).address
                if ip_address(host).is_unspecified:  # a listener on all addresses
                    host = local_host(target)
            else:
                host, port = (await self._connection(target)).local
            media_host, media_port = await self._media.address(host)
        except TimeoutError:
            return Failure(f"{show_target(target)} cannot be reached: no connection within {_CONNECT:g} s")
        except OSError as error:
            return Failure(f"{show_target(target)} cannot be reached: {error_reason(error)}")
        return Local(host, port, media_host, media_port)

    def send(self, outgoing: Outgoing) -> None:
        """Send a message. If the connection was lost, the calls get an `Unreachable` event."""
        data, target = outgoing
        if not self._may_reach(target) or not is_address(target):
            return
        key = _key(target)
        if target.transport == "udp":
            datagrams = self._flows.get(key) or self._default_socket(target)
            if datagrams is not None:
                datagrams.send(data, (target.host, target.port))
            return
        connection = self._connections.get(key)
        if connection is None:
            self._later.add(sending := asyncio.ensure_future(self._send_anew(outgoing)))
            sending.add_done_callback(self._later.discard)
        else:
            connection.send(data)

    async def _send_anew(self, outgoing: Outgoing) -> None:
        """Send a message over a new connection, because the old one was lost (RFC 3261, section 18)."""
        try:
            (await self._connection(outgoing.target)).send(outgoing.data)
        except (OSError, TimeoutError):
            self._tell_lost(_key(outgoing.target), "the connection is closed")

    def play(self, media: Media) -> None:
        """Start or stop sending silence for a call; only to hosts that may be called."""
        remote = None if media.remote is None else Target("udp", *media.remote)
        if remote is not None and not self._may_play_to(remote):
            remote = None
        self._media.play(media.sip_call_id, remote, media.payload_type)

    def _may_play_to(self, remote: Target) -> bool:
        return is_address(remote) and (self._may_reach(remote) or self._allowed.why_not(remote.host) is None)

    def register(self, call_ids: Iterable[str], mailbox: asyncio.Queue[Event]) -> None:
        """Put the messages of these Call-IDs into a mailbox, and no others."""
        self.unregister(mailbox)
        for call_id in call_ids:
            self._mailboxes[call_id] = mailbox

    def unregister(self, mailbox: asyncio.Queue[Event]) -> None:
        """Put no more messages into a mailbox."""
        for call_id in [call_id for call_id, its in self._mailboxes.items() if its is mailbox]:
            del self._mailboxes[call_id]

    async def listen(
        self, transport: Transport, host: str, port: int, certificate: str | None = None, key: str | None = None
    ) -> Target:
        """Listen on an address, and return it with its port.

        Raises:
            OSError: The address is not available, or a file of the certificate cannot be read.
        """
        if transport == "udp":
            datagrams = await DatagramSocket.bound(host, port, partial(self._receive, listening=True))
            target, server = Target("udp", *datagrams.address), datagrams
        else:
            context = server_context(certificate, key, host=host) if transport == "tls" else None
            tcp = await asyncio.start_server(
                lambda reader, writer: self._accepted(transport, reader, writer), host, port, ssl=context
            )
            server = tcp  # type: ignore[assignment]
            name = tcp.sockets[0].getsockname()
            target = Target(transport, name[0], name[1])
        self._listeners.append((target, server))
        return target

    def _may_reach(self, target: Target) -> bool:
        return is_loopback(target.host) or target.host in self._reachable or target.host in self._peers

    def _note_peer(self, host: str) -> None:
        """Let answers go to a host, until many others have sent requests."""
        self._peers[host] = None
        self._peers.move_to_end(host)
        if len(self._peers) > _MAX_PEERS:
            self._peers.popitem(last=False)

    # UDP

    async def _datagram_socket(self, target: Target) -> DatagramSocket:
        flow = self._flows.get(without_name(target))
        if flow is not None:
            return flow
        host = local_host(target)
        if host not in self._datagrams:
            made = await DatagramSocket.bound(host, 0, self._receive)
            if host in self._datagrams:  # made meanwhile
                made.close()
            else:
                self._datagrams[host] = made
        return self._datagrams[host]

    def _default_socket(self, target: Target) -> DatagramSocket | None:
        try:
            return self._datagrams.get(local_host(target))
        except OSError:
            return None

    # TCP and TLS

    async def _connection(self, target: Target) -> Connection:
        key = _key(target)
        existing = self._connections.get(key)
        if existing is not None:
            return existing
        task = self._connecting.get(key)
        if task is None:
            task = asyncio.ensure_future(self._connect(target))
            self._connecting[key] = task
            task.add_done_callback(lambda done: self._connected(key, done))
        return await asyncio.shield(task)

    def _connected(self, key: Target, task: asyncio.Task[Connection]) -> None:
        """Forget an attempt to connect; its error may be that of a call that does not wait any longer."""
        self._connecting.pop(key, None)
        if not task.cancelled():
            task.exception()

    async def _connect(self, target: Target) -> Connection:
        context, name = None, None
        if target.transport == "tls":
            name = target.name or target.host
            context = client_context(target.host)
        async with asyncio.timeout(_CONNECT):
            reader, writer = await asyncio.open_connection(
                target.host, target.port, ssl=context, server_hostname=name if context else None
            )
        return self._keep(_key(target), reader, writer)

    async def _accepted(self, transport: Transport, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        if (
            peer is None
            or len(self._connections) >= _MAX_CONNECTIONS
            or sum(key.host == peer[0] for key in self._connections) >= _MAX_CONNECTIONS_OF_HOST
        ):
            writer.close()
            return
        self._keep(Target(transport, peer[0], peer[1]), reader, writer, listening=True)

    def _keep(
        self, key: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, listening: bool = False
    ) -> Connection:
        connection = Connection(key, reader, writer, partial(self._receive, listening=listening), self._lost)
        self._connections[key] = connection
        self._note_peer(key.host)
        connection.start()
        return connection

    def _lost(self, connection: Connection, reason: str) -> None:
        if self._connections.get(connection.peer) is connection:
            del self._connections[connection.peer]
        self._tell_lost(connection.peer, reason)

    def _tell_lost(self, target: Target, reason: str) -> None:
        event = Unreachable(0.0, target, f"{show_target(target)} cannot be reached: {reason}")
        for mailbox in set(self._mailboxes.values()):
            with contextlib.suppress(asyncio.QueueFull):
                mailbox.put_nowait(event)

    # What comes in

    def _receive(
        self, data: bytes, source: Target, datagrams: DatagramSocket | None, *, listening: bool = False
    ) -> None:
        """Pass a message to its call, or a request that belongs to none to the registrar, if that was to listen."""
        try:
            message = parse(data)
        except ValueError as error:
            log.debug("emulator: a datagram or message of %s is no SIP message: %s", show_target(source), error)
            return
        if datagrams is not None:
            self._flows[source] = datagrams
            self._flows.move_to_end(source)
            if len(self._flows) > _MAX_FLOWS:
                self._flows.popitem(last=False)
        mailbox = self._mailboxes.get(message.call_id or "")
        if mailbox is not None:
            with contextlib.suppress(asyncio.QueueFull):
                mailbox.put_nowait(Received(0.0, message, source))
            return
        if isinstance(message, SipRequest) and (listening or _is_of_a_call(message)):
            self._note_peer(source.host)
            try:
                answers = self.on_request(message, source, asyncio.get_running_loop().time())
            except Exception:  # a request must not stop the network
                log.exception("emulator: a SIP request of %s failed", show_target(source))
                return
            for outgoing in answers:
                self.send(outgoing)


def _is_of_a_call(request: SipRequest) -> bool:
    """Return whether a request belongs to a call, which may be over."""
    return request.method != "REGISTER" and bool(tag_of(request.get_header("To")))


def _key(target: Target) -> Target:
    """Return by what a connection is kept: over TLS, also by the name that was verified."""
    return target if target.transport == "tls" and not is_loopback(target.host) else without_name(target)


def _answer_nothing(request: SipRequest, source: Target, now: float) -> list[Outgoing]:  # noqa: ARG001
    return []
