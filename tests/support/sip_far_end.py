"""Scripted far ends on real sockets of loopback, over UDP and TCP."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from didww.emulator.sip.model import Target
from didww.emulator.sip.scripted_agent import ScriptedAgent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from didww.emulator.sip.far_end import FarEnd
    from didww.emulator.sip.model import Transport


@contextmanager
def far_end(script: FarEnd, transport: Transport = "udp", host: str = "127.0.0.1") -> Iterator[Target]:
    """Serve a far end on a free port of an address of loopback, and return where it is."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = _Server(script, transport, host, loop)
    try:
        yield asyncio.run_coroutine_threadsafe(server.start(), loop).result(30)
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


class _Server(asyncio.DatagramProtocol):
    """The sockets of a far end, which has one agent for all its callers."""

    def __init__(self, script: FarEnd, transport: Transport, host: str, loop: asyncio.AbstractEventLoop) -> None:
        self._script = script
        self._transport = transport
        self._host = host
        self._loop = loop
        self._agent: ScriptedAgent | None = None
        self._send: dict[Target, Callable[[bytes], object]] = {}
        self._socket: Any = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> Target:
        if self._transport == "udp":
            self._socket, _ = await self._loop.create_datagram_endpoint(lambda: self, local_addr=(self._host, 0))
            port = self._socket.get_extra_info("sockname")[1]
        else:
            self._socket = await asyncio.start_server(self._accepted, self._host, 0)
            port = self._socket.sockets[0].getsockname()[1]
        address = Target(self._transport, self._host, port)
        self._agent = ScriptedAgent(self._script, address, f"far-{port}")
        return address

    async def stop(self) -> None:
        self._socket.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*others, return_exceptions=True)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        source = Target("udp", addr[0], addr[1])
        self._send[source] = lambda sent: self._socket.sendto(sent, addr)
        self._serve(data, source)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source = Target("tcp", *writer.get_extra_info("peername")[:2])
        self._send[source] = writer.write
        self._writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
                body = await reader.readexactly(int(lengths[0].partition(b":")[2]))
                self._serve(head + body, source)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def _serve(self, data: bytes | None = None, source: Target | None = None) -> None:
        agent = self._agent
        assert agent is not None
        if data is not None and source is not None:
            agent.receive(data, source, self._loop.time())
        agent.due(self._loop.time())
        for sent, target in agent.take():
            self._send[target](sent)
        due = agent.next_due()
        if due is not None:
            self._loop.call_at(due, self._serve)
