"""Spool files: locks, complete lines, failures of the disk."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from didww import DidwwClientError
from didww.cdr.spool import Spool
from support.unix import unix_only


def test_lines_are_read_back_once(tmp_path: Path) -> None:
    """Complete lines come back in order, repeated ones once; what follows the last line break is left out."""
    file = Spool(tmp_path / "a" / "spool").create()
    file.write([b'{"a":1}', b'{"b":2}'])
    file.write([b'{"a":1}', b'{"c":3}'])
    with file.path.open("ab") as torn:
        torn.write(b'{"d":')
    assert file.lines == 4
    assert file.read() == [b'{"a":1}', b'{"b":2}', b'{"c":3}']
    file.delete()
    assert not file.path.exists()
    file.delete()  # no error if another process deleted it


@pytest.mark.parametrize("content", [b"", b"{", b"\n", b"{}\n\n{}\n"])
def test_odd_files_are_read(tmp_path: Path, content: bytes) -> None:
    """An empty file, a torn line and empty lines are no error."""
    spool = Spool(tmp_path)
    (tmp_path / "x.jsonl").write_bytes(content)
    (file,) = spool.abandoned()
    assert [line for line in file.read() if line] == [b"{}"] * (content.count(b"{}") > 0)
    file.let_go()


def test_only_abandoned_files_are_taken_over(tmp_path: Path) -> None:
    """A locked file is in use; an unlocked one can be taken over once; rejected records are neither."""
    spool, other = Spool(tmp_path), Spool(tmp_path)
    file, used = spool.create(), spool.create()
    file.write([b"{}"])
    file.set_aside([b"{}"])
    assert list(other.abandoned()) == []
    file.let_go()
    (taken,) = other.abandoned()
    assert taken.path == file.path
    assert list(spool.abandoned()) == []
    assert [path.name for path in spool.rejected()] == [f"{file.path.stem}.rejected.jsonl"]
    taken.delete()
    used.let_go()


@unix_only
def test_only_the_owner_can_read(tmp_path: Path) -> None:
    """Call records are personal data."""
    file = Spool(tmp_path / "spool").create()
    rejected = file.set_aside([b"{}"])
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file.path, rejected, tmp_path / "spool")] == [
        0o600,
        0o600,
        0o700,
    ]
    file.let_go()


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """If the disk fails, lines of that write are removed, and those before it stay."""
    file = Spool(tmp_path).create()
    file.write([b'{"a":1}'])
    real = os.write

    def fails(descriptor: int, data: Any = b"") -> int:
        real(descriptor, bytes(data)[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fails)
        with pytest.raises(OSError, match="No space left"):
            file.write([b'{"b":2}'])
    assert file.path.read_bytes() == b'{"a":1}\n'
    file.write([b'{"c":3}'])
    assert file.read() == [b'{"a":1}', b'{"c":3}']
    file.let_go()


def test_partial_writes_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that writes a part of the data gets the rest in another call."""
    file = Spool(tmp_path).create()
    real = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:3]))
        file.write([b'{"a":1}', b'{"b":2}'])
    assert file.read() == [b'{"a":1}', b'{"b":2}']
    file.let_go()


def test_unusable_folder_is_an_error_with_the_way_out(tmp_path: Path) -> None:
    """A file in place of the folder is reported with its path."""
    (tmp_path / "spool").write_text("", "utf-8")
    with pytest.raises(DidwwClientError, match=r"Cannot write to the spool .*spool: File exists.*spool="):
        Spool(tmp_path / "spool")
    spool = Spool(tmp_path / "other")
    (tmp_path / "other").rmdir()
    with pytest.raises(DidwwClientError, match="No such file"):
        spool.create()


@unix_only
def test_file_taken_over_before_it_was_locked_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new file is visible before it is locked: if another process locks or deletes it first, another is created."""
    spool, other = Spool(tmp_path), Spool(tmp_path)
    taken: list[Any] = []
    real = os.open

    def opened(path: Any, flags: int, *more: Any) -> int:
        descriptor = real(path, flags, *more)
        if flags & os.O_EXCL and len(taken) < 2:
            patched.setattr(os, "open", real)
            taken.extend(other.abandoned())
            if len(taken) == 2:
                taken[1].delete()
            patched.setattr(os, "open", opened)
        return descriptor

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", opened)
        file = spool.create()
    assert len(taken) == 2
    assert file.path not in [one.path for one in taken]
    assert file.path.exists()
    file.let_go()
    taken[0].let_go()
