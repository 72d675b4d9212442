"""A PostgreSQL server of its own for the tests: Debian's, in a temporary folder, on the loopback interface."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["postgres_server"]


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server and yield its address; skip the test where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("needs PostgreSQL: install Debian's package postgresql")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="didww-"))
    data = folder / "data"
    as_user: dict[str, Any] = {"cwd": folder, "capture_output": True}
    if os.geteuid() == 0:  # the server refuses to run as root
        import pwd

        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        as_user.update(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    initialize = ["-A", "trust", "-U", "didww", "-E", "UTF8", "--locale=C", "--no-sync"]
    try:
        done = subprocess.run([programs / "initdb", "-D", data, *initialize], check=False, **as_user)
        assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")
        subprocess.run(
            [programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"], check=True, **as_user
        )
        try:
            yield f"postgresql://didww:unused@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=True, **as_user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
