"""Files and output do not depend on the encoding of the system, which on Windows is not UTF-8."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from didww.cli import app
from didww.cli.secret_files import read_secret
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.voice_in_trunk import VoiceInTrunk
from support.command import PROGRAM, Command

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted(
    path
    for folder in ("src", "tests", "scripts", "examples", "parity", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)
NAME = "Köln \u2500 東京"


TEXT_MODES = {"r", "w", "a", "x", "rt", "wt", "at", "r+", "w+", "a+"}


def in_the_encoding_of_the_system(call: ast.Call) -> bool:
    """Whether a call reads or writes text without naming the encoding."""
    name = ast.unparse(call.func)
    options = {option.arg: ast.unparse(option.value) for option in call.keywords}
    arguments = call.args[1:] if name in ("open", "os.fdopen") else call.args
    arguments = [*arguments, *(option.value for option in call.keywords if option.arg == "mode")]
    constants = [each.value for argument in arguments for each in ast.walk(argument) if isinstance(each, ast.Constant)]
    modes = [each for each in constants if isinstance(each, str)]
    if {"encoding", None} & options.keys() or name == "formatter.write_text":  # of click
        return False
    if name.endswith(".read_text"):
        return not call.args
    if name.endswith(".write_text"):
        return len(call.args) < 2
    if name in ("open", "os.fdopen"):
        return not any("b" in mode for mode in modes)
    if name.endswith(".open"):
        return "newline" in options or not TEXT_MODES.isdisjoint(modes)
    return options.get("text") == "True" or "universal_newlines" in options


def without_encoding(path: Path) -> Iterator[str]:
    """Yield the calls that read or write text in the encoding of the system."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and in_the_encoding_of_the_system(node):
            yield f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node):.80}"


def test_text_is_never_read_in_the_encoding_of_the_system() -> None:
    """Each call names its encoding."""
    assert [fault for path in CODE for fault in without_encoding(path)] == []


def output(didww: Command, *arguments: str, encoding: str) -> str:
    """Return what the command prints in an encoding."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        env=didww._env({"PYTHONIOENCODING": encoding}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode(encoding)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "cp437"])
@pytest.mark.parametrize("format", ["table", "csv", "json", "jsonl", "yaml"])
def test_output_in_another_encoding(didww: Command, encoding: str, format: str) -> None:
    """Characters that it lacks are escaped; nothing ends in a traceback."""
    configuration = PstnConfiguration(dst="442079460999")
    didww.client.voice_in_trunks().create(VoiceInTrunk(name=NAME, configuration=configuration))
    told = output(didww, "trunks", "list", "-o", format, encoding=encoding)
    assert NAME.encode(encoding, "backslashreplace").decode(encoding) in told


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict", newline="\r\n")


def written(stream: io.TextIOWrapper) -> bytes:
    app._make_portable(stream)
    print("ö\u2500", file=stream, flush=True)
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue()


def test_output_to_a_file_is_utf_8_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line ends of Unix, so that cells with line breaks stay as they are."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    assert written(stream("cp1252")) == "ö\u2500\n".encode()


def test_user_may_choose_the_encoding_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has set it from the variable."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    assert written(stream("cp1252")) == b"\xf6\\u2500\n"


def test_encoding_of_the_locale_is_kept_on_unix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other programs use it, too."""
    monkeypatch.setattr(sys, "platform", "linux")
    assert written(stream("latin-1")) == b"\xf6\\u2500\r\n"


def test_files_of_windows_editors_are_read(didww: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They begin with a byte order mark: a profile, a secret, a text and a JSON document."""
    profile = tmp_path / "profiles.ini"
    profile.write_text(f"[shop]\napi_key = {didww.env['DIDWW_API_KEY']}\n", encoding="utf-8-sig", newline="\r\n")
    profile.chmod(0o600)
    didww.env["DIDWW_CONFIG_FILE"] = str(profile)
    assert "10000.00" in didww.ok(f"balance --profile shop --base-url {didww.base_url}")

    secret = tmp_path / "secret.txt"
    secret.write_bytes("\ufeffan example secret\r\n".encode())
    assert read_secret(str(secret), "--secret-file") == "an example secret"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(secret.read_bytes()), encoding="cp1252"))
    assert read_secret("-", "--secret-file") == "an example secret"

    name, document = tmp_path / "name.txt", tmp_path / "trunk.json"
    name.write_text("Köln", encoding="utf-8-sig")
    attributes = {
        "name": "Paris",
        "configuration": {"type": "pstn_configurations", "attributes": {"dst": "442079460999"}},
    }
    data = {"data": {"type": "voice_in_trunks", "attributes": attributes}}
    document.write_text(json.dumps(data), encoding="utf-8-sig")
    created = json.loads(didww.ok(f"api POST /voice_in_trunks --yes --input {document.as_posix()}"))
    path = f"/voice_in_trunks/{created['data']['id']}"
    changed = json.loads(didww.ok(f"api PATCH {path} --yes -F name=@{name.as_posix()}"))
    assert changed["data"]["attributes"]["name"] == "Köln"
