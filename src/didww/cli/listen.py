"""`didww listen`: print callbacks as they arrive."""

from __future__ import annotations

import click

from didww.cli.framework import Command
from didww.cli.printing import tell
from didww.exceptions import DidwwClientError

__all__ = ["listen"]

_SECRET = "DIDWW_CALLBACK_SECRET"  # noqa: S105 the name of a variable


@click.command(cls=Command, common=False, examples=("didww listen", "didww listen --secret-file secret.txt"))
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    envvar=_SECRET,
    show_envvar=True,
    help="Callback secret; repeatable. In the list of processes, others can see it: prefer the variable or a file.",
)
@click.option(
    "--secret-file",
    "secret_files",
    multiple=True,
    metavar="FILE",
    help="File with a callback secret; - for standard input; repeatable.",
)
@click.option("--public-url", help="Public URL that DIDWW calls, if behind a proxy or tunnel.")
@click.option("--forward", metavar="URL", help="Forward verified callbacks to this URL and return its response.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8751, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 picks a free one."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def listen(
    secrets: tuple[str, ...],
    secret_files: tuple[str, ...],
    public_url: str | None,
    forward: str | None,
    host: str,
    port: int,
    as_json: bool,
) -> None:
    """Print verified callbacks as they arrive.

    Accepts any path. Set the printed address as the callback URL of your records. Stop with Ctrl-C.
    """
    from didww._server.asgi_server import LOOPBACK, AppServer
    from didww.callback.asgi import AsgiApp
    from didww.callback.incoming import Rejections
    from didww.callback.verifier import CallbackVerifier
    from didww.cli.listener import Listener
    from didww.cli.secret_files import read_secret

    secrets += tuple(read_secret(file, "--secret-file") for file in secret_files)
    if not secrets:
        raise click.ClickException(
            f"The callback secret is missing. Set {_SECRET}, or pass --secret-file. The secret of `didww emulator` is "
            "emulator-callback-secret."
        )

    def show(line: str, color: str | None) -> bool:
        printed = tell(line, color)
        if not printed:
            server.stop()
        return printed

    try:
        verifier = CallbackVerifier(secrets=secrets, public_url=public_url)
        listener = Listener(verifier, show, forward=forward, json=as_json)
        app = AsgiApp(listener.handle, max_bytes=verifier.max_bytes, read_timeout=10, rejections=Rejections())
        server = AppServer(app, host=host, port=port)
    except DidwwClientError as error:
        raise click.ClickException(str(error)) from None
    if host not in LOOPBACK:
        click.echo("Warning: other machines can reach this address, without TLS.", err=True)
    with server.until_stopped():
        click.echo(f"Listening on {server.address}/   Press Ctrl-C to stop.", err=as_json)
        if public_url:
            click.echo(f"DIDWW calls {public_url}", err=as_json)
        if forward:
            click.echo(f"Forwarding to {forward}", err=as_json)
        server.run()
    click.echo("Stopped.", err=as_json)
