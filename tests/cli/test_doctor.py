"""`didww doctor`."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from didww import Environment, configuration
from didww._server.asgi_server import served
from didww.emulator import Emulator
from didww.emulator.http.server import Server

if TYPE_CHECKING:
    from support.command import Command


class Report(NamedTuple):
    """What doctor found, by check, and its exit code."""

    code: int
    rows: dict[str, dict[str, str]]

    def state(self, check: str) -> str:
        """Return the state of a check."""
        return self.rows[check]["state"]

    def text(self, check: str) -> str:
        """Return what a check found, with the advice."""
        return f"{self.rows[check]['finding']} {self.rows[check]['advice']}"


def examine(didww: Command, line: str = "doctor") -> Report:
    """Run doctor."""
    result = didww(f"{line} -o json")
    return Report(result.code, {row["check"]: row for row in json.loads(result.out)})


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run without proxies and certificate variables of this machine."""
    for name in list(os.environ):
        if name.upper().endswith("_PROXY") or name.startswith(("SSL_CERT", "DIDWW_")):
            monkeypatch.delenv(name)


def test_all_is_well(didww):
    """Exit code 0, and nothing to do."""
    report = examine(didww)
    assert report.code == 0, report
    assert {row["state"] for row in report.rows.values()} == {"ok"}
    assert didww.base_url in report.text("environment")
    assert "DIDWW_API_KEY" in report.text("API key")


def test_key_is_not_shown(didww):
    """Not even a part of it."""
    didww.env["DIDWW_API_KEY"] = "kl7mwx2v9q"
    for line in ("doctor", "doctor -o json", "--debug doctor -o csv"):
        result = didww(line)
        assert "kl7m" not in result.out + result.err
        assert "v9q" not in result.out + result.err


def test_table_has_a_row_for_each_check(didww):
    """The advice is in the same cell as what was found."""
    lines = didww.ok("doctor").splitlines()
    assert lines[0].split("\t") == ["check", "state", "finding"]
    assert all(len(line.split("\t")) == 3 for line in lines)


def test_emulator_in_a_file(didww, tmp_path):
    """No key is needed; nothing is served."""
    del didww.env["DIDWW_API_KEY"], didww.env["DIDWW_BASE_URL"]
    report = examine(didww, f"doctor --emulator-file {tmp_path / 'state.db'}")
    assert report.code == 0
    assert "none" in report.text("API key")
    assert report.state("connection") == "ok"


def test_no_account(didww):
    """The ways to get one are named, and no connection is tried."""
    del didww.env["DIDWW_API_KEY"]
    report = examine(didww)
    assert report.code == 1
    assert "didww login" in report.text("API key")
    assert "connection" not in report.rows


def test_no_connection(didww):
    """The other checks are there too."""
    didww.env["DIDWW_BASE_URL"] = "http://127.0.0.1:9/v3"
    report = examine(didww)
    assert report.code == 1
    assert report.state("connection") == "problem"
    assert "127.0.0.1:9" in report.text("connection")
    assert report.state("package") == "ok"
    assert "API key" not in report.rows


def test_refused_key(didww):
    """The connection is fine then."""
    didww.emulator.faults.add(method="GET", path="/balance", status=401)
    report = examine(didww)
    assert report.code == 1
    assert report.state("connection") == "ok"
    assert report.state("API key") == "problem"
    assert "user panel" in report.text("API key")


def test_key_of_the_other_environment(didww, monkeypatch):
    """The key is tried there, and the option that helps is named."""
    with Emulator(api_key=didww.emulator.key) as other:
        server = Server(other)
        with served(server):
            urls = {Environment.SANDBOX: didww.base_url, Environment.PRODUCTION: server.base_url}
            monkeypatch.setattr(configuration, "_BASE_URLS", {**configuration._BASE_URLS, **urls})
            didww.emulator.faults.add(method="GET", path="/balance", status=401)
            report = examine(didww, "doctor --environment sandbox")
    assert report.code == 1
    assert "--environment production" in report.text("API key")


def test_key_without_permission_for_the_balance(didww):
    """It is accepted."""
    didww.emulator.faults.add(method="GET", path="/balance", status=403)
    report = examine(didww)
    assert report.code == 0
    assert report.state("API key") == "ok"


def test_server_error(didww):
    """The service has the problem."""
    didww.emulator.faults.add(method="GET", path="/balance", status=503)
    report = examine(didww)
    assert report.code == 1
    assert "503" in report.text("connection")


def test_clock(didww):
    """A difference of minutes is a warning, which is no failure."""
    didww.emulator.clock.advance("5 minutes")
    report = examine(didww)
    assert report.code == 0
    assert report.state("clock") == "warning"
    assert "behind" in report.text("clock")


@pytest.mark.parametrize(
    ("name", "value", "check", "state", "said"),
    [
        (
            "HTTPS_PROXY",
            "http://user:example@proxy.example.com:3128",
            "proxy",
            "ok",
            "http://***@proxy.example.com:3128",
        ),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", "certificates", "problem", "/nowhere/ca.pem"),
        ("SSL_CERT_DIR", "/nowhere", "certificates", "problem", "SSL_CERT_DIR"),
        ("DIDWW_APIKEY", "x", "environment variables", "warning", "DIDWW_API_KEY"),
        ("DIDWW_API_VERSION", "2022-05-10", "API version", "problem", "DIDWW_API_VERSION"),
        ("DIDWW_ENVIRONMENT", "moon", "API key", "problem", "moon"),
        ("DIDWW_PROFILE", "nobody", "API key", "problem", "nobody"),
    ],
)
def test_environment_variables(didww, name, value, check, state, said):
    """What is wrong is named; credentials of a proxy are masked."""
    didww.env[name] = value
    report = examine(didww)
    assert report.state(check) == state
    assert said in report.text(check)
    assert "example@" not in report.text(check)
    assert report.code == (1 if state == "problem" else 0)


def test_own_package_of_didww(didww, monkeypatch, tmp_path):
    """It has the same import name."""
    metadata = tmp_path / "didww-1.2.3.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: didww\nVersion: 1.2.3\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    report = examine(didww)
    assert report.code == 1
    assert "1.2.3" in report.text("other package")
    assert "pip uninstall" in report.text("other package")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_profile_file_that_others_can_read(didww):
    """A warning with the command that helps."""
    didww("login --in-file --base-url", didww.base_url, input="example-key")
    path = didww.home / "config" / "didww" / "profiles.ini"
    assert examine(didww).state("profile file") == "ok"
    path.chmod(0o644)
    report = examine(didww)
    assert report.state("profile file") == "warning"
    assert f"chmod 600 {path}" in report.text("profile file")
    path.write_text("damaged", encoding="utf-8")
    assert examine(didww).state("profile file") == "problem"


@pytest.mark.parametrize("content", ["no database", None])
def test_emulator_file_that_cannot_be_used(didww, content):
    """It is named."""
    path = didww.home / "data" / "didww" / "emulator.db"
    path.parent.mkdir(parents=True)
    if content is None:
        path.mkdir()
    else:
        path.write_text(content, encoding="utf-8")
    report = examine(didww)
    assert report.state("emulator file") == "problem"
    assert str(path) in report.text("emulator file")


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 140])
def test_fits_the_terminal(didww, columns):
    """Long findings are wrapped."""
    result = didww.screen("doctor", columns=columns)
    assert result.code == 0
    assert max(len(line) for line in result.out.splitlines()) <= columns
