"""`didww emulator`: run the emulator as a server; its commands use one that runs."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from didww._util.masking import mask_url
from didww._util.shells import on_windows, set_variable
from didww._util.text import printable
from didww.cli.framework import LazyGroup
from didww.cli.printing import tell
from didww.emulator.controls.callbacks import DEFAULT_SECRET
from didww.emulator.engine.accounts import FIRST_BALANCE
from didww.exceptions import DidwwClientError
from didww.version import API_VERSIONS, TOKENS_SINCE

if TYPE_CHECKING:
    from didww.emulator import Emulator
    from didww.emulator.controls.callbacks import Attempt, Delivery
    from didww.emulator.http.server import Server

__all__ = ["emulator"]


@click.group(
    cls=LazyGroup,
    sections={"": {"ring": ("emulator_ring:ring", "Call a number of a running emulator over SIP.")}},
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    examples=("didww emulator --port 0", "didww emulator --db state.db --preset flaky"),
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8750, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 picks a free one."
)
@click.option("--db", type=click.Path(dir_okay=False), help="File to keep the state in. Defaults to memory.")
@click.option("--seed", default=0, show_default=True, help="Seed for the generated IDs, prices, stock and calls.")
@click.option(
    "--api-key",
    envvar="DIDWW_EMULATOR_API_KEY",
    show_envvar=True,
    help="Accept only this key. Defaults to any key, each with its own account.",
)
@click.option("--api-key-file", metavar="FILE", help="File with the only key to accept; - for standard input.")
@click.option(
    "--rate-limit",
    default=20,
    show_default=True,
    type=click.IntRange(0),
    help="Requests per second per key; 0 disables the limit.",
)
@click.option(
    "--callback-secret",
    default=DEFAULT_SECRET,
    envvar="DIDWW_EMULATOR_CALLBACK_SECRET",
    show_default=True,
    show_envvar=True,
    help="Secret to sign callbacks with.",
)
@click.option("--callback-secret-file", metavar="FILE", help="File with the secret; - for standard input.")
@click.option(
    "--callback-host",
    "callback_hosts",
    multiple=True,
    metavar="HOST",
    help="Also deliver callbacks to this host, besides loopback addresses; * allows any host.",
)
@click.option(
    "--objects", type=click.Path(dir_okay=False), help="YAML file of objects to create once, when the state is new."
)
@click.option(
    "--preset",
    "presets",
    multiple=True,
    help="Fault preset: flaky, rate-limited, maintenance, price-files-missing or export-stuck; repeatable.",
)
@click.option("--freeze", help="Freeze the clock at this time (ISO 8601).")
@click.option("--open-control", is_flag=True, help="Allow other machines to use the controls and the console.")
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="HOST",
    help="Also accept this host name, and browser requests from its pages; * allows any.",
)
@click.option("--sip", is_flag=True, help="Let phones register over UDP and TCP.")
@click.option("--sip-tls", is_flag=True, help="Let phones register over TLS, with a self-signed certificate.")
@click.option(
    "--sip-address", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address that phones register at."
)
@click.option(
    "--sip-port",
    type=click.IntRange(0, 65535),
    help="Port of --sip; 0 picks a free one. Defaults to 5060. TLS has the next one.",
)
@click.option("--sip-cert", type=click.Path(dir_okay=False), help="File of the certificate for --sip-tls.")
@click.option("--sip-key", type=click.Path(dir_okay=False), help="File of its key.")
@click.option(
    "--sip-host",
    "sip_hosts",
    multiple=True,
    metavar="HOST",
    help="Also call this host over SIP, besides loopback addresses; * allows any host.",
)
@click.option(
    "--ready-file", type=click.Path(dir_okay=False), help="File to write the base URL to once the server is ready."
)
@click.pass_context
def emulator(
    context: click.Context,
    host: str,
    port: int,
    db: str | None,
    seed: int,
    api_key: str | None,
    api_key_file: str | None,
    rate_limit: int,
    callback_secret: str,
    callback_secret_file: str | None,
    callback_hosts: tuple[str, ...],
    objects: str | None,
    presets: tuple[str, ...],
    freeze: str | None,
    open_control: bool,
    hosts: tuple[str, ...],
    sip: bool,
    sip_tls: bool,
    sip_address: str,
    sip_port: int | None,
    sip_cert: str | None,
    sip_key: str | None,
    sip_hosts: tuple[str, ...],
    ready_file: str | None,
) -> None:
    """Run the DIDWW emulator.

    Serves the API at the printed address; nothing is really purchased. Stop with Ctrl-C.

    In the list of processes, other users can see a key or a secret that is an option: prefer the variable or a file.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    from didww._server.asgi_server import wait_until_started
    from didww.cli.emulator_file import fault_of
    from didww.cli.emulator_sip import SipOptions, introduce_sip, listen
    from didww.cli.secret_files import read_secret
    from didww.emulator import Emulator
    from didww.emulator.http.server import Server, write_ready_file

    sip_options = SipOptions(sip, sip_tls, sip_address, sip_port, sip_cert, sip_key)
    sip_options.ports()
    if api_key_file is not None:
        api_key = read_secret(api_key_file, "--api-key-file")
    if callback_secret_file is not None:
        callback_secret = read_secret(callback_secret_file, "--callback-secret-file")
    if db is not None and (fault := fault_of(Path(db))):
        raise click.ClickException(f"{fault} Pass another file with --db.")
    if ready_file is not None:  # may be left over from a killed server
        Path(ready_file).unlink(missing_ok=True)
    try:
        local = Emulator(
            path=db,
            seed=seed,
            api_key=api_key,
            callback_secret=callback_secret,
            rate_limit=rate_limit or None,
            callback_hosts=callback_hosts,
            sip_hosts=sip_hosts,
        )
        for preset in presets:
            local.faults.preset(preset)
        if freeze is not None:
            local.clock.freeze(freeze)
        if objects is not None:
            local.state.seed_file(objects, once=True)
    except ValueError as error:
        message = str(error)
        raise click.ClickException(message if message.endswith((".", "?", "!")) else f"{message}.") from None
    except sqlite3.Error as error:
        raise click.ClickException(f"Cannot store the state in {db}: {error}.") from None
    listen(local, sip_options)
    local.callbacks.on_attempt = _log_callback
    try:
        server = Server(local, host=host, port=port, log=_log, open_control=open_control, hosts=hosts)
    except DidwwClientError as error:
        raise click.ClickException(str(error)) from None
    write_errors: list[OSError] = []

    def announce() -> None:
        wait_until_started(server)
        try:
            write_ready_file(Path(str(ready_file)), server.base_url)
        except OSError as error:
            write_errors.append(error)
            server.stop()

    try:
        with server.until_stopped():
            _introduce(server, local, host=host, db=db, own_key=api_key is not None)
            introduce_sip(local)
            if ready_file is not None:
                threading.Thread(target=announce, daemon=True).start()
            server.run()
    finally:
        local.close()
        if ready_file is not None and not write_errors:
            with suppress(PermissionError):  # on Windows, while another program reads it
                Path(ready_file).unlink(missing_ok=True)
    if write_errors:
        raise click.ClickException(f"Cannot write {ready_file}: {write_errors[0].strerror}.")
    click.echo("Stopped.")


def _refuse_options(context: click.Context) -> None:
    """Refuse options of the server in front of a command, which would have no effect."""
    for param in context.command.params:
        if context.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"{param.opts[0]} is an option of the server: `{context.command_path} {context.invoked_subcommand}` "
                "uses an emulator that runs.",
                context,
            )


def _introduce(server: Server, local: Emulator, *, host: str, db: str | None, own_key: bool) -> None:
    """Print the address of the emulator and how to use it."""
    from didww._server.asgi_server import LOOPBACK

    if host not in LOOPBACK:
        address = "all addresses of this machine" if host in ("0.0.0.0", "::") else host  # noqa: S104 warns about it
        end = "" if own_key else ", and any API key is accepted"
        click.echo(f"Warning: other machines can reach {address}. There is no TLS{end}.", err=True)
    click.echo(f"DIDWW emulator (API {' and '.join(API_VERSIONS)}) listening on {server.base_url}")
    click.echo("To use it, set in the shell of your program:\n")
    click.echo(f"  {set_variable('DIDWW_BASE_URL', server.base_url)}")
    key = "# DIDWW_API_KEY: the key that the emulator was started with"
    click.echo(f"  {key if own_key else set_variable('DIDWW_API_KEY', local.key)}\n")
    if on_windows():
        click.echo("That is for PowerShell; in cmd:\n")
        click.echo(f"  set DIDWW_BASE_URL={server.base_url}")
        click.echo("" if own_key else f"  set DIDWW_API_KEY={local.key}\n")
    storage = f"stored in {db}" if db else "in memory, lost on exit"
    own = local.balance.show().total_balance
    if own_key:
        accounts = f"One account, with a balance of {own} USD"
    else:
        accounts = f"Each API key has its own account, with a balance of {FIRST_BALANCE} USD"
        accounts += "" if own == FIRST_BALANCE else f"; {local.key} has {own} USD"
    click.echo(f"{accounts}. State: {storage}. Press Ctrl-C to stop.")
    root = server.base_url.removesuffix("/v3")
    click.echo(f"Tokens (API {TOKENS_SINCE}): {root}/token")
    click.echo(f"Console: {root}/_emulator/console/   Controls: {root}/_emulator/openapi.json")


def _log_callback(delivery: Delivery, state: str, attempt: Attempt) -> None:
    result = attempt.status if attempt.error is None else attempt.error
    outcome = state if state != "waiting" else "failed, will be tried again"
    text = f"{time.strftime('%H:%M:%S')} callback to {mask_url(delivery.url)}: {outcome} ({result})"
    tell(printable(text), None if attempt.error is None else "yellow")


def _log(method: str, path: str, status: int, seconds: float) -> None:
    masked = printable(mask_url(path))
    text = f"{time.strftime('%H:%M:%S')} {method:<6} {status} {seconds * 1000:6.1f} ms  {masked}"
    tell(text, None if status < 400 else "yellow" if status < 500 else "red")
