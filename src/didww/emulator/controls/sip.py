"""SIP of the emulator: where it listens, who is registered, which hosts it may call, and how much at once."""

from __future__ import annotations

import logging
import secrets
import ssl
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from didww.emulator.controls.own_thread import OwnThread
from didww.emulator.controls.sip_state import Registration, SipLimits, SipListener, SipState
from didww.emulator.sip.allowed import Allowed, Bounds, check_host
from didww.emulator.sip.model import default_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from didww.emulator.engine.engine import Engine
    from didww.emulator.sip.effects import Contact
    from didww.emulator.sip.messages import SipMessage
    from didww.emulator.sip.model import Outgoing, Target
    from didww.emulator.sip.network import Network
    from didww.emulator.sip.registrar import Registrar

__all__ = ["Sip"]

_TRANSPORTS: Final = ("udp", "tcp", "tls")
_PATIENCE: Final = 10.0
MAX_CALLS: Final = 10_000
_MAX_WAITING: Final = 1_000  # requests that wait for the registrar

log = logging.getLogger("didww.emulator")


class Sip:
    """SIP of the emulator: `emulator.sip`. Nothing listens, and no thread runs, until it is asked for.

    Args:
        engine: The engine.
        hosts: Hosts besides loopback addresses that may be called.
    """

    def __init__(self, engine: Engine, hosts: Iterable[str] = ()) -> None:
        self._engine = engine
        self._algorithms: tuple[Literal["MD5", "SHA-256"], ...] = ("MD5",)
        self._first_hosts = self._hosts = tuple(host.strip().lower() for host in hosts)
        self._limits = SipLimits()
        self._allowed = Allowed(self._hosts)
        self._bounds = Bounds(self._limits.calls, self._limits.per_second)
        self._listeners: list[SipListener] = []
        self._network: Network | None = None
        self._registrar: Registrar | None = None
        self._closed = False
        # A request waits for the engine, for which the network must not wait.
        self._worker = OwnThread("didww-emulator-registrar")
        self._room = threading.BoundedSemaphore(_MAX_WAITING)

    def listen(
        self,
        transport: Literal["udp", "tcp", "tls"] = "udp",
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        certificate: str | None = None,
        key: str | None = None,
    ) -> SipListener:
        """Listen for registrations of phones; the same address again has no effect.

        Args:
            transport: Transport protocol.
            host: Address to listen on.
            port: Port; 0 picks a free one. Defaults to 5060, with TLS to 5061.
            certificate: File of the certificate for TLS. Defaults to a self-signed one.
            key: File of its key.

        Raises:
            ValueError: The address cannot be listened on, an argument is invalid, or the extra `sip` is not installed.
        """
        if transport not in _TRANSPORTS:
            raise ValueError(f"transport must be udp, tcp or tls, got {transport!r:.40}.")
        wanted = default_port(transport) if port is None else port
        if not 0 <= wanted <= 65_535:
            raise ValueError(f"port must be from 0 to 65535, got {port!r:.40}.")
        if (certificate is None) != (key is None):
            raise ValueError("certificate and key belong together: pass both, or neither.")
        if certificate is not None and transport != "tls":
            raise ValueError(f"Only TLS has a certificate, got transport {transport!r}.")
        for listener in self._listeners:
            if (listener.transport, listener.host) == (transport, host) and listener.port == wanted:
                return listener
        network = self._open()
        try:
            found = network.run(network.listen(transport, host, wanted, certificate, key)).result(_PATIENCE)
        except OSError as error:
            reason = error.strerror or str(error)
            if certificate is not None and isinstance(error, (ssl.SSLError, FileNotFoundError, PermissionError)):
                raise ValueError(f"Cannot use the certificate {certificate} with the key {key}: {reason}.") from None
            raise ValueError(f"Cannot listen on {host}:{wanted} ({transport}): {reason}.") from error
        listener = SipListener(transport, found.host, found.port)
        self._listeners.append(listener)
        return listener

    def allow(self, *hosts: str) -> list[str]:
        """Set the hosts besides loopback addresses that may be called; `"*"` allows any. Without hosts, only loopback.

        Args:
            hosts: Host names or addresses, as trunks have them, without a port.

        Raises:
            ValueError: One is no host name or address.
        """
        self._hosts = tuple(dict.fromkeys(map(check_host, hosts)))
        self._apply()
        return list(self._hosts)

    def limit(self, *, calls: int | None = None, per_second: int | None = None) -> SipLimits:
        """Set how many calls there may be at once, and how many new ones per second.

        Args:
            calls: Calls at once, 1 to 10,000. Defaults to no change; 500 at first.
            per_second: New calls per second, 1 to 10,000. Defaults to no change; 100 at first.

        Raises:
            ValueError: A number is out of range.
        """
        for name, value in (("calls", calls), ("per_second", per_second)):
            wanted: Any = value
            if wanted is not None and not (isinstance(wanted, int) and 1 <= wanted <= MAX_CALLS):
                raise ValueError(f"{name} must be from 1 to {MAX_CALLS}, got {value!r:.40}.")
        self._limits = SipLimits(
            self._limits.calls if calls is None else calls,
            self._limits.per_second if per_second is None else per_second,
        )
        self._apply()
        return self._limits

    def challenge(self, *algorithms: Literal["MD5", "SHA-256"]) -> None:
        """Set the digest algorithms that phones are asked for, the preferred one first. Without any, MD5.

        Args:
            algorithms: `MD5`, `SHA-256`. Many phones do not register if they are offered one that they do not know.

        Raises:
            ValueError: There is no such algorithm.
        """
        for algorithm in algorithms:
            if algorithm not in ("MD5", "SHA-256"):
                raise ValueError(f"algorithms are MD5 and SHA-256, got {algorithm!r:.40}.")
        self._algorithms = algorithms or ("MD5",)
        self._apply()

    def show(self) -> SipState:
        """Return where phones can register and who has, which hosts may be called, the limits, and the calls."""
        return SipState(
            listeners=list(self._listeners),
            hosts=list(self._hosts),
            limits=self._limits,
            registrations=self.registrations(),
            calls=self._bounds.in_progress,
        )

    def registrations(self) -> list[Registration]:
        """Return the registered contacts, by trunk."""
        if self._registrar is None:
            return []
        self._registrar.purge()
        now = time.monotonic()
        found = self._registrar.registrations(now)
        trunks = {one.trunk_id: self._find("id = ?", one.trunk_id) for one in found}
        registrations: list[Registration] = []
        for trunk_id, binding in found:
            trunk = trunks[trunk_id]
            if trunk is None:
                continue
            registrations.append(
                Registration(
                    trunk_id=trunk_id,
                    trunk=trunk[1],
                    contact=binding.uri,
                    transport=binding.target.transport,
                    host=binding.target.host,
                    port=binding.target.port,
                    expires_in=max(int(binding.expires_at - now), 0),
                    q=binding.q,
                    user_agent=binding.user_agent,
                )
            )
        return registrations

    def forget(self, trunk: str | None = None) -> None:
        """Remove the registrations of a trunk, as if they had expired.

        Args:
            trunk: Id of the trunk. Defaults to all trunks.

        Raises:
            LookupError: Nothing is registered on this trunk.
        """
        if trunk is not None and all(one.trunk_id != trunk for one in self.registrations()):
            raise LookupError(f"Nothing is registered on a trunk {trunk!r:.60}.")
        if self._registrar is not None:
            self._registrar.forget(trunk)

    def close(self) -> None:
        """Stop listening and calling."""
        self._closed = True
        network, self._network = self._network, None
        self._listeners.clear()
        if network is not None:
            network.close()
        self._worker.close(wait=False)

    # For calls

    def _contacts(self, trunk_id: str) -> list[Contact]:
        """Return the registered contacts of a trunk; waits for nothing. See `_ready`."""
        return [] if self._registrar is None else self._registrar.contacts(trunk_id, time.monotonic())

    def _ready(self) -> Network:
        """Return the network for a call, after registrations that are not valid any more were removed."""
        network = self._open()
        if self._registrar is not None:
            self._registrar.purge()
        return network

    def _forget(self) -> None:
        """Reset hosts, limits and registrations; it goes on listening."""
        self._hosts, self._limits = self._first_hosts, SipLimits()
        self._algorithms = ("MD5",)
        self._apply()
        if self._registrar is not None:
            self._registrar.forget()

    def _open(self) -> Network:
        """Return the network, made when it is first needed."""
        with self._engine.locked():
            if self._closed:
                raise ValueError("This emulator was closed.")
            if self._network is None:
                from didww._util.extras import need

                need("aiosipua", "sip")
                from didww.emulator.sip.network import Network
                from didww.emulator.sip.registrar import Registrar

                self._registrar = Registrar(self._credentials, _token)
                self._network = Network(self._allowed)
                self._network.on_request = self._receive
                self._registrar.challenge_with(*self._algorithms)
            return self._network

    def _apply(self) -> None:
        """Tell registrar, network and calls what was set."""
        if self._registrar is not None:
            self._registrar.challenge_with(*self._algorithms)
        self._allowed.hosts = set(self._hosts)
        self._bounds.calls, self._bounds.per_second = self._limits.calls, self._limits.per_second

    def _receive(self, message: SipMessage, source: Target, now: float) -> list[Outgoing]:  # noqa: ARG002 own clock
        """Take a request in the thread of the network; it is answered by another thread.

        Too many are refused; over UDP they are dropped, because phones repeat them.
        """
        if self._network is not None and self._room.acquire(blocking=False):
            self._worker.submit(self._respond, message, source)
            return []
        from didww.emulator.sip.registrar import refuse_busy

        return [] if source.transport == "udp" else refuse_busy(message, source)

    def _respond(self, message: SipMessage, source: Target) -> None:
        registrar, network = self._registrar, self._network
        try:
            if registrar is None or network is None:
                return
            for outgoing in registrar.receive(message, source, time.monotonic()):
                network.run(_call(partial(network.send, outgoing)))
        except Exception:
            if self._network is not None:  # else it was closed meanwhile
                log.exception("emulator: a SIP request was not answered")
        finally:
            self._room.release()

    def _credentials(self, username: str) -> tuple[str, str] | None:
        """Return id and password of the trunk with this user name, of any account."""
        found = self._find("json_extract(configuration, '$.attributes.incoming_auth_username') = ?", username)
        return None if found is None else (found[0], found[2])

    def _find(self, condition: str, value: str) -> tuple[str, str, str] | None:
        """Return id, name and password of a trunk with registration."""
        with self._engine.locked() as runtime:
            runtime.store.table("voice_in_trunks")  # a table is created when it is first needed
            row: tuple[str, str, str] | None = runtime.store.connection.execute(
                "SELECT id, name, json_extract(configuration, '$.attributes.incoming_auth_password') "  # noqa: S608 own texts
                "FROM voice_in_trunks "
                "WHERE owner > 0 AND json_extract(configuration, '$.attributes.enabled_sip_registration') "
                f"AND {condition} LIMIT 1",
                (value,),
            ).fetchone()
        return row


def _token(length: int) -> str:
    return secrets.token_hex((length + 1) // 2)[:length]


async def _call(function: Callable[[], None]) -> None:
    function()
