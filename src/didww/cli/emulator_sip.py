"""The SIP options of `didww emulator`: where phones register."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import click

if TYPE_CHECKING:
    from didww.emulator import Emulator

__all__ = ["SipOptions", "introduce_sip", "listen"]

_PORT: Final = 5060


class SipOptions(NamedTuple):
    """The options of the command, by their names."""

    udp_and_tcp: bool
    tls: bool
    address: str
    port: int | None
    certificate: str | None
    key: str | None

    def ports(self) -> list[tuple[Literal["udp", "tcp", "tls"], int]]:
        """Return transports and ports to listen on; that of TLS is the next one.

        Raises:
            click.UsageError: The options do not belong together.
        """
        if (self.certificate is None) != (self.key is None):
            raise click.UsageError("--sip-cert and --sip-key belong together: pass both, or neither.")
        tls = self.tls or self.certificate is not None
        if self.port is not None and not (self.udp_and_tcp or tls):
            raise click.UsageError("--sip-port is the port of --sip or --sip-tls: pass one of them, too.")
        first = _PORT if self.port is None else self.port
        if tls and first == 65_535:
            raise click.UsageError("--sip-port must be below 65535: TLS has the next port.")
        plain: list[tuple[Literal["udp", "tcp", "tls"], int]] = [("udp", first), ("tcp", first)]
        return [*(plain if self.udp_and_tcp else ()), *([("tls", first and first + 1)] if tls else ())]


def listen(emulator: Emulator, options: SipOptions) -> None:
    """Listen where the options say.

    Raises:
        click.ClickException: An address cannot be listened on.
    """
    for transport, port in options.ports():
        tls = transport == "tls"
        certificate, key = (options.certificate, options.key) if tls else (None, None)
        try:
            emulator.sip.listen(transport, host=options.address, port=port, certificate=certificate, key=key)
        except ValueError as error:
            emulator.close()
            raise click.ClickException(f"{error}{_way_out(error.__cause__)}") from None


def _way_out(cause: BaseException | None) -> str:
    """Return which option helps against an error of an address."""
    number = cause.errno if isinstance(cause, OSError) else None
    if number in (errno.EADDRINUSE, errno.EACCES):
        return " Use another port: --sip-port."
    return " --sip-address is an address of this machine." if isinstance(cause, OSError) else ""


def introduce_sip(emulator: Emulator) -> None:
    """Print where phones register, and with what."""
    from didww._server.asgi_server import LOOPBACK

    state = emulator.sip.show()
    if state.listeners:
        places = [f"{one.host}:{one.port} ({one.transport.upper()})" for one in state.listeners]
        click.echo(f"Phones register at {', '.join(places)}, with user name and password of a trunk:\n")
        click.echo('  didww trunks create "Desk phone" --register --show-credentials\n')
    if any(one.host not in LOOPBACK for one in state.listeners):
        click.echo("Warning: other machines can send SIP requests to the emulator.", err=True)
    if state.hosts:
        hosts = "any host" if "*" in state.hosts else ", ".join(state.hosts)
        click.echo(f"SIP calls go to this machine, to registered phones, and to {hosts}.")
