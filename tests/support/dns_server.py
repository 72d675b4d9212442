"""A DNS server on loopback."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence


@contextmanager
def dns_server(zone: Mapping[tuple[str, str], Sequence[str]]) -> Generator[tuple[str, list[tuple[str, str]]]]:
    """Serve a zone, by name and type; yield the address of the server and the list of what it was asked."""
    asked: list[tuple[str, str]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                data, peer = server.recvfrom(4096)
                if data == b"stop":
                    return
                query = dns.message.from_wire(data)
                question = query.question[0]
                key = (question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype))
                asked.append(key)
                response = dns.message.make_response(query)
                response.flags |= dns.flags.RA
                if key in zone:
                    response.answer.append(dns.rrset.from_text(question.name, 60, "IN", key[1], *zone[key]))
                elif not any(name == key[0] for name, _ in zone):
                    response.set_rcode(dns.rcode.NXDOMAIN)
                server.sendto(response.to_wire(), peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", asked
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
                stopper.sendto(b"stop", server.getsockname())
            thread.join(30)
