"""Each program of examples/ runs against an emulator: what it prints, and what it leaves in the account."""

from __future__ import annotations

import ast
import csv
import functools
import gzip
import os
import re
import runpy
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from didww import (
    Did,
    DidwwClient,
    HttpInConfiguration,
    SipConfiguration,
    VoiceInTrunk,
    VoiceOutPrice,
    read_prices,
)
from didww._server.asgi_server import served
from didww.cli.presets import reader
from didww.emulator import Emulator, running
from didww.emulator.http import server
from support.calls import talkative_seed
from support.receivers import free_port
from support.unix import unix_only

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PROGRAMS = sorted(path.name for path in EXAMPLES.glob("*.py"))
SMS_NUMBERS = ("442079460101", "442079460102")
SELF_CONTAINED = "demo.py"
"""It brings its own emulator, and is longer, because it explains each step."""


@dataclass
class Scene:
    """An account of the served emulator, and the programs that run in it."""

    emulator: Emulator
    client: DidwwClient
    key: str
    base_url: str
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    answers: list[str] = field(default_factory=list)

    def run(self, name: str, *args: str, code: int = 0) -> str:
        """Run a program in this process, check its exit code, and return what it printed."""
        self.monkeypatch.setattr(sys, "argv", [name, *args])
        self.capsys.readouterr()
        message, ended = "", 0
        try:
            runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        except SystemExit as exit:
            message, ended = (exit.code, 1) if isinstance(exit.code, str) else ("", exit.code or 0)
        printed = self.capsys.readouterr()
        assert ended == code, printed.out + message
        return printed.out + message

    def numbers(self) -> list[Did]:
        """The numbers of the account."""
        return list(self.client.dids().iterate(sort="number", include=["voice_in_trunk", "voice_in_trunk_group"]))


@pytest.fixture(scope="module")
def site() -> Generator[tuple[Emulator, str]]:
    """An emulator on loopback whose orders, exports and reviews are done at once."""
    with Emulator(rate_limit=None) as emulator:
        for kind in ("orders", "exports", "address_verifications", "emergency_verifications"):
            emulator.transitions.set(kind, after=0)
        web = server.Server(emulator)
        with served(web):
            yield emulator, web.base_url


@pytest.fixture
def scene(
    site: tuple[Emulator, str],
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Scene]:
    """A new account, an empty working directory, and nobody who answers questions."""
    emulator, base_url = site
    key = f"key-of-{request.node.name}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIDWW_API_KEY", key)
    monkeypatch.setenv("DIDWW_BASE_URL", base_url)
    monkeypatch.delenv("DIDWW_ENVIRONMENT", raising=False)
    with DidwwClient(key, base_url=base_url) as client:
        scene = Scene(emulator, client, key, base_url, capsys, monkeypatch)

        def answer(question: str = "") -> str:
            sys.stdout.write(f"{question}\n")
            if not scene.answers:
                raise EOFError
            return scene.answers.pop(0)

        monkeypatch.setattr("builtins.input", answer)
        yield scene


def password_file(path: str) -> str:
    """The text of a file that only its owner can read."""
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    return Path(path).read_text(encoding="utf-8")


# --- all of them -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_is_short_and_says_how_to_run_it(name: str) -> None:
    """Less than 80 lines; the docstring has the command, the variables and the cost."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text)) or ""
    if name == SELF_CONTAINED:
        assert "make demo" in docstring
        return
    assert len(text.splitlines()) < 80
    assert f"{name}" in docstring
    assert "\nRun: " in docstring
    assert "\nVariables: " in docstring
    assert "\nCost: " in docstring
    assert "DIDWW_API_KEY" in docstring
    assert "DIDWW_ENVIRONMENT or DIDWW_BASE_URL" in docstring


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_that_orders_asks_first(name: str) -> None:
    """A program that places orders says that it asks, has a question, and takes --yes."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    if name in (SELF_CONTAINED, "test_with_pytest.py"):
        return
    spends = "orders().create(" in text or "emergency_verifications().create(" in text
    assert ("--yes does not ask" in text) is ("input(" in text)
    assert not spends or "input(" in text
    assert ("--yes" in text) is ("input(" in text)


def test_readme_lists_every_program_once() -> None:
    """Each program has one row in the table, and the cost says whether it asks."""
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\S+\.py)\]\((\S+\.py)\) \| .+ \| (.+) \|$", readme, re.MULTILINE)
    assert sorted(name for name, _, _ in rows) == PROGRAMS
    assert all(name == link for name, link, _ in rows)
    assert all((EXAMPLES / link).exists() for link in re.findall(r"\]\(([^)]+)\)", readme))
    for name, _, cost in rows:
        assert ("asks" in cost) is ("input(" in (EXAMPLES / name).read_text(encoding="utf-8")), name


@pytest.mark.parametrize(
    "name", [name for name in PROGRAMS if "argparse" in (EXAMPLES / name).read_text(encoding="utf-8")]
)
def test_help_describes_each_argument(name: str, scene: Scene) -> None:
    """--help works without an account, and no argument lacks a description."""
    scene.monkeypatch.delenv("DIDWW_API_KEY")
    scene.monkeypatch.setenv("COLUMNS", "200")
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    told = scene.run(name, "--help")
    for option in re.findall(r'add_argument\("(--[\w-]+)"', text):
        assert re.search(rf"^  {option}( \S+)?\s\s+\w", told, re.MULTILINE), option


def test_missing_key_is_explained(scene: Scene) -> None:
    """The message names the variable; there is no traceback."""
    scene.monkeypatch.delenv("DIDWW_API_KEY")
    assert "DIDWW_API_KEY" in scene.run("price_list.py", code=1)


# --- buy numbers -----------------------------------------------------------------------------------------------------


def test_price_list(scene: Scene) -> None:
    """The file has one row for each price; nothing is changed in the account."""
    told = scene.run("price_list.py", "--country", "gb", "--out", "gb.csv")
    with Path("gb.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert f"United Kingdom: {len(rows)} prices written to gb.csv" in told
    assert {row["country"] for row in rows} == {"GB"}
    country = scene.client.countries().one(filter={"iso": "GB"})
    groups = list(scene.client.did_groups().iterate(filter={"country.id": country.id}, include="stock_keeping_units"))
    assert len(rows) == sum(len(group.stock_keeping_units) for group in groups)
    assert sorted(Decimal(row["monthly"]) for row in rows) == sorted(
        sku.monthly_price for group in groups for sku in group.stock_keeping_units
    )
    assert scene.run("price_list.py", "--country", "XX", code=1) == "There is no country XX."


def test_prices(scene: Scene) -> None:
    """The list is downloaded once, and again when it has changed; then the differences are printed."""
    path = Path("voice_out_prices.csv.gz")
    told = scene.run("prices.py")
    count = len(list(read_prices(path, VoiceOutPrice)))
    assert f"{path}: {count} prices\n442079460001: International, " in told
    assert scene.run("prices.py").startswith(f"{path} has not changed.\n")
    (first, *_) = (price for price in read_prices(path, VoiceOutPrice) if price.rate is not None)
    cells = f"{first.prefix},{first.rate},"
    path.write_bytes(
        gzip.compress(gzip.decompress(path.read_bytes()).replace(cells.encode(), b"%d,9.9," % int(first.prefix), 1))
    )
    os.utime(path, (0, 0))
    told = scene.run("prices.py")
    assert f"  {first.category} {first.prefix}: 9.9 -> {first.rate}\n" in told
    assert told.count(" -> ") == 1
    assert scene.run("prices.py", "--number", "99999999", code=1).endswith("There is no price for 99999999.")


def test_order_numbers(scene: Scene) -> None:
    """It buys what it says, for what it says."""
    scene.answers = ["y"]
    told = scene.run("order_numbers.py", "--qty", "2")
    assert "Buy 2 for 2.50 USD" in told
    assert [did.number for did in scene.numbers()] == re.findall(r"^  (\d+), paid until", told, re.MULTILINE)
    assert "Balance: 9997.50 USD" in told
    assert scene.client.balance().find().data.total_balance == Decimal("9997.50")


@pytest.mark.parametrize(
    "name",
    [
        "order_numbers.py",
        "order_specific_number.py",
        "order_nanpa.py",
        "order_once.py",
        "reserve_number.py",
        "quickstart.py",
    ],
)
def test_nothing_is_bought_without_consent(name: str, scene: Scene) -> None:
    """Neither after "no" nor if nobody can be asked."""
    scene.answers = ["n"]
    assert "Nothing was bought." in scene.run(name, code=1)
    if name != "quickstart.py":
        assert "There is nobody to ask. Use --yes." in scene.run(name, code=1)
    assert scene.client.orders().count() == 0
    assert scene.client.did_reservations().count() == 0
    assert scene.client.balance().find().data.total_balance == 10_000


@pytest.mark.parametrize(
    "name", ["order_numbers.py", "order_specific_number.py", "order_nanpa.py", "order_once.py", "reserve_number.py"]
)
def test_low_balance_is_explained(name: str, scene: Scene) -> None:
    """The message has both amounts, and nothing is bought."""
    scene.emulator.balance.put("0.50", api_key=scene.key)
    told = scene.run(name, "--yes", code=1)
    assert re.search(r"Top up first: 1\.\d\d USD needed, 0\.50 left\.$", told, re.MULTILINE)
    assert scene.numbers() == []
    assert scene.client.did_reservations().count() == 0


def test_order_numbers_out_of_stock(scene: Scene) -> None:
    """The order is refused instead of waiting for stock."""
    told = scene.run("order_numbers.py", "--yes", "--area", "Nottingham", "--qty", "900", code=1)
    assert "nothing was bought" in told
    assert "exceeds available DIDs count" in told
    for area in ("Nowhere", "Edinburgh"):
        told = scene.run("order_numbers.py", "--area", area, code=1)
        assert f"No numbers of {area}, United Kingdom are in stock." in told
    assert scene.client.orders().count() == 0


def test_order_specific_number(scene: Scene) -> None:
    """The number that was chosen is the one that is bought."""
    told = scene.run("order_specific_number.py", "--yes", "--number", "442079460007")
    assert re.search(r"^Order \w{3}-\d{6}: 1\.25 USD, number 442079460007$", told, re.MULTILINE)
    assert [did.number for did in scene.numbers()] == ["442079460007"]
    assert (
        scene.run("order_specific_number.py", "--yes", "--number", "442079460007", code=1)
        == "No such number is in stock."
    )


def test_order_nanpa(scene: Scene) -> None:
    """The number has the area code and the exchange."""
    scene.run("order_nanpa.py", "--yes", "212555")
    (did,) = scene.numbers()
    assert did.number.startswith("1212555")
    assert "no numbers that start with 999999" in scene.run("order_nanpa.py", "999999", code=1)
    assert "six digits" in scene.run("order_nanpa.py", "212", code=1)


def test_reserve_number(scene: Scene) -> None:
    """The reserved number is bought, and no reservation is left."""
    told = scene.run("reserve_number.py", "--yes")
    (did,) = scene.numbers()
    assert f"{did.number} is reserved for you until" in told
    assert told.endswith(f"number {did.number}\n")
    assert scene.client.did_reservations().count() == 0


def test_reserve_number_keeps_what_may_be_bought(scene: Scene) -> None:
    """If the outcome of the order is unknown, the error says so, and the reservation is not released."""
    scene.emulator.faults.add(method="POST", resource="orders", lost_response=True, times=1)
    scene.emulator.faults.add(method="GET", resource="orders", status=400, times=1)
    told = scene.run("reserve_number.py", "--yes", code=1)
    assert "It is unknown whether the Order was created. Look it up: " in told
    assert "is released" not in told
    assert len(scene.numbers()) == 1


def test_order_once(scene: Scene) -> None:
    """The second run spends nothing, and does not ask."""
    first = scene.run("order_once.py", "PO-1", "--yes")
    second = scene.run("order_once.py", "PO-1")
    assert second == first.replace("is placed", "was placed before")
    assert scene.client.orders().count() == len(scene.numbers()) == 1


def test_order_once_canceled(scene: Scene) -> None:
    """An order that was canceled is not placed again."""
    scene.run("order_once.py", "PO-1", "--yes")
    scene.emulator.transitions.set("orders", after=0, outcome="cancel")
    try:
        assert "use another reference" in scene.run("order_once.py", "PO-2", "--yes", code=1)
    finally:
        scene.emulator.transitions.set("orders", after=0)
    assert "use another reference" in scene.run("order_once.py", "PO-2", "--yes", code=1)
    assert scene.client.orders().count() == 2


def test_check_balance(scene: Scene) -> None:
    """Exit codes 0, 1 and 3."""
    assert scene.run("check_balance.py").startswith("OK: 10000.00 USD")
    assert "less than 10000.01 USD" in scene.run("check_balance.py", "--minimum", "10000.01", code=1)
    scene.monkeypatch.setenv("DIDWW_BASE_URL", f"http://127.0.0.1:{free_port()}/v3")
    assert scene.run("check_balance.py", code=3).startswith("UNKNOWN: Cannot connect")


# --- register numbers ------------------------------------------------------------------------------------------------


def test_register_number(scene: Scene) -> None:
    """The number is no longer blocked."""
    assert "No number awaits registration." in scene.run("register_number.py", code=1)
    scene.run("order_numbers.py", "--yes", "--country", "DE", "--area", "Cologne")
    assert scene.numbers()[0].blocked
    scene.answers = ["n"]
    assert "Nothing was sent." in scene.run("register_number.py", code=1)
    assert scene.client.identities().count() == 0
    told = scene.run("register_number.py", "--yes")
    (did,) = scene.numbers()
    assert re.search(rf"^AV-\d+ is approved: {did.number} is registered\.$", told, re.MULTILINE)
    assert not did.blocked
    assert scene.client.proofs().count() == told.count("Sending a proof")


def test_register_number_rejected(scene: Scene) -> None:
    """The reasons are printed, and nothing of the rejected registration is left."""
    scene.run("order_numbers.py", "--yes", "--country", "DE", "--area", "Cologne")
    scene.emulator.transitions.set(
        "address_verifications", after=0, outcome="reject", reasons=["Document expired"], comment="Send a new one"
    )
    try:
        told = scene.run("register_number.py", "--yes", code=1)
    finally:
        scene.emulator.transitions.set("address_verifications", after=0)
    assert told.endswith("Correct this, and run the program again:\n- Document expired\n- Send a new one")
    assert scene.numbers()[0].blocked
    assert scene.client.identities().count() == scene.client.addresses().count() == 0
    assert "is registered" in scene.run("register_number.py", "--yes")


PLACE = ("--first-name=Alex", "--last-name=Example", "--street=1 Example Street", "--city=New York")
PLACE = (*PLACE, "--postal-code=10001")


def test_enable_emergency(scene: Scene) -> None:
    """The number can call emergency services, and the address is the given one, which is shown before."""
    assert "No such number can have emergency calling." in scene.run("enable_emergency.py", *PLACE, code=1)
    scene.run("order_numbers.py", "--yes", "--country", "US", "--area", "New York")
    scene.answers = ["n"]
    told = scene.run("enable_emergency.py", *PLACE, code=1)
    assert "sent to: Alex Example, 1 Example Street, 10001 New York, United States" in told
    assert "Nothing was ordered." in told
    told = scene.run("enable_emergency.py", *PLACE, "--yes")
    assert scene.client.addresses().one().address == "1 Example Street"
    assert re.search(r"^\d+: \d+\.\d\d USD setup, \d+\.\d\d USD a month; ", told)
    assert told.endswith("is active.\n")
    assert scene.numbers()[0].emergency_enabled
    assert scene.client.emergency_calling_services().count() == 1


def test_enable_emergency_not_allowed(scene: Scene) -> None:
    """The message for an account without emergency calling says whom to ask."""
    scene.run("order_numbers.py", "--yes", "--country", "US", "--area", "New York")
    scene.emulator.features.put({"emergency_calling": False}, api_key=scene.key)
    assert "Ask DIDWW's support." in scene.run("enable_emergency.py", *PLACE, "--yes", code=1)


# --- route calls -----------------------------------------------------------------------------------------------------


def test_failover_group(scene: Scene) -> None:
    """The group has both trunks in order, and the number is routed to it."""
    scene.run("order_numbers.py", "--yes")
    (did,) = scene.numbers()
    told = scene.run("failover_group.py", "--number", did.number)
    assert "  1  Support main  sip1.example.com\n  2  Support backup  sip2.example.com\n" in told
    group = scene.client.voice_in_trunk_groups().first(include="voice_in_trunks")
    assert group is not None
    assert sorted(trunk.priority for trunk in group.voice_in_trunks) == [1, 2]
    assert scene.numbers()[0].voice_in_trunk_group == group
    assert "Use another --name." in scene.run("failover_group.py", code=1)
    assert "no number 1" in scene.run("failover_group.py", "--name", "Other", "--number", "1", code=1)
    assert scene.client.voice_in_trunks().count() == 2


def test_sip_registration(scene: Scene) -> None:
    """The password is in the file, and is not printed."""
    scene.run("order_numbers.py", "--yes")
    (did,) = scene.numbers()
    told = scene.run("sip_registration.py", "--number", did.number)
    (trunk,) = scene.client.voice_in_trunks().list().data
    assert isinstance(trunk.configuration, SipConfiguration)
    login = trunk.configuration
    assert f"password = {login.incoming_auth_password}\n" in password_file("sip-account.ini")
    assert str(login.incoming_auth_password) not in told
    assert str(login.incoming_auth_username) in told
    assert scene.numbers()[0].voice_in_trunk == trunk
    assert "File exists" in scene.run("sip_registration.py", "--name", "Other", code=1)
    assert "already been taken" in scene.run("sip_registration.py", "--out", "other.ini", code=1)
    assert not Path("other.ini").exists()
    assert scene.client.voice_in_trunks().count() == 1


def test_voice_ai_trunk(scene: Scene) -> None:
    """The trunk has the settings of the preset of the command."""
    told = scene.run("voice_ai_trunk.py", "proj_1", "--region", "eu")
    assert told == "Trunk OpenAI: sip:proj_1@sip-eu.api.openai.com:5061, TLS, SRTP\n"
    (trunk,) = scene.client.voice_in_trunks().list().data
    assert isinstance(trunk.configuration, SipConfiguration)
    sip = trunk.configuration
    assert (sip.host, sip.port, sip.username, sip.resolve_ruri) == ("sip-eu.api.openai.com", 5061, "proj_1", False)
    preset = {name: setting.value for name, setting in reader.load("openai").settings.items()}
    assert str(sip.transport_protocol_id.name).lower() == preset["transport_protocol_id"]
    assert sip.media_encryption_mode == preset["media_encryption_mode"]
    assert [codec.name.lower().replace("_", "-") for codec in sip.codec_ids or []] == preset["codec_ids"]
    assert "already been taken" in scene.run("voice_ai_trunk.py", code=1)


def test_outbound_trunk(scene: Scene) -> None:
    """The trunk has the limit; the password is in the file, and is not printed."""
    told = scene.run("outbound_trunk.py", "--limit", "60")
    assert "at most 60.00 USD in 24 hours" in told
    (trunk,) = scene.client.voice_out_trunks().list().data
    login: Any = trunk.authentication_method
    assert trunk.threshold_amount == 60
    assert login.allowed_sip_ips == ["192.0.2.10/32"]
    assert f"password = {login.password}\n" in password_file("outbound-trunk.ini")
    assert login.password not in told
    scene.emulator.features.put({"outbound_trunks": False}, api_key=scene.key)
    assert "Ask DIDWW's support." in scene.run("outbound_trunk.py", "--out", "other.ini", code=1)
    assert not Path("other.ini").exists()


def test_sms_trunk(scene: Scene) -> None:
    """The messages of the numbers go to the address; a number of others changes nothing."""
    scene.emulator.state.seed({"dids": [{"number": number} for number in SMS_NUMBERS]}, api_key=scene.key)
    with DidwwClient(scene.key, base_url=scene.base_url, api_version="2026-11-19") as client:
        told = scene.run("sms_trunk.py", SMS_NUMBERS[0], "442079460199", "--to", "sms@example.com", code=1)
        assert "does not have 442079460199" in told
        assert client.sms_trunks().count() == 0
        told = scene.run("sms_trunk.py", *SMS_NUMBERS, "--to", "https://hooks.example.com/sms")
        assert f"{SMS_NUMBERS[1]}: text messages go to https://hooks.example.com/sms" in told
        trunk = client.sms_trunks().one(include="incoming_dids")
        assert {did.id for did in trunk.incoming_dids} == {did.id for did in client.dids().list().data}
        assert isinstance(trunk.configuration, HttpInConfiguration)
        scene.run("sms_trunk.py", SMS_NUMBERS[0], "--to", "sms@example.com", "--name", "Mail")
        assert client.sms_trunks().one(filter={"configuration.type": "sms_to_email"}).name == "Mail"
    assert "already been taken" in scene.run("sms_trunk.py", SMS_NUMBERS[0], "--to", "sms@example.com", code=1)


def test_share_channels(scene: Scene) -> None:
    """The channels are bought once, and both numbers share them."""
    assert "Buy some: order_numbers.py" in scene.run("share_channels.py", code=1)
    scene.run("order_numbers.py", "--yes", "--qty", "2")
    scene.answers = ["n"]
    assert "Nothing was bought." in scene.run("share_channels.py", code=1)
    assert "2 numbers share 3 channels." in scene.run("share_channels.py", "--yes", "--channels", "3")
    group = scene.client.shared_capacity_groups().one(include=["dids", "capacity_pool"])
    assert (len(group.dids), group.shared_channels_count) == (2, 3)
    assert group.capacity_pool is not None
    assert group.capacity_pool.total_channels_count == 3
    assert "Use another --name." in scene.run("share_channels.py", "--yes", code=1)


def routes(*rows: str) -> str:
    Path("routes.csv").write_text("\n".join(("number,route,description", *rows)), encoding="utf-8")
    return "routes.csv"


def test_route_from_csv(scene: Scene) -> None:
    """A dry run changes nothing; the run changes what it can, and reports each row."""
    scene.run("order_numbers.py", "--yes", "--qty", "3")
    scene.run("failover_group.py")
    first, second, third = (did.number for did in scene.numbers())
    file = routes(f"{first},Support,One", f"{second},Support main,Two", f"{third},Nowhere,", "12125550199,Support,")
    told = scene.run("route_from_csv.py", file, "--dry-run", code=1)
    assert told.count("would change") == 2
    assert [did.description for did in scene.numbers()] == [None, None, None]
    scene.run("route_from_csv.py", file, code=1)
    with Path("report.csv").open(encoding="utf-8", newline="") as report:
        results = [row["result"] for row in csv.DictReader(report)]
    assert results[0] == "changed"
    assert results[2:] == ["no trunk or trunk group named Nowhere", "not in this account, or twice in the file"]
    assert scene.numbers()[0].description == "One"
    group = scene.numbers()[0].voice_in_trunk_group
    assert group is not None
    assert group.name == "Support"
    assert "unchanged" in scene.run("route_from_csv.py", routes(f"{first},Support,One"))


def test_route_from_csv_to_a_trunk(scene: Scene) -> None:
    """Routing to a trunk clears the group; the sample file works after its own steps."""
    scene.run("order_numbers.py", "--yes")
    trunk = VoiceInTrunk(name="Desk", configuration=SipConfiguration(host="sip.example.com", codec_ids=[9]))
    scene.client.voice_in_trunks().create(trunk)
    (did,) = scene.numbers()
    assert "1 of 1 rows have no error" in scene.run("route_from_csv.py", routes(f"{did.number},Desk,Desk"))
    (did,) = scene.numbers()
    assert did.voice_in_trunk is not None
    assert (did.voice_in_trunk.name, did.description) == ("Desk", "Desk")
    assert "0 of 2 rows have no error" in scene.run("route_from_csv.py", code=1)
    Path("bad.csv").write_text("phone\n1\n", encoding="utf-8")
    assert "needs the columns" in scene.run("route_from_csv.py", "bad.csv", code=1)
    assert "No such file" in scene.run("route_from_csv.py", "missing.csv", code=1)


# --- reports and callbacks -------------------------------------------------------------------------------------------


def test_export_calls(scene: Scene) -> None:
    """The file has the simulated calls of the number, and only its owner can read it."""
    scene.run("order_numbers.py", "--yes")
    scene.run("failover_group.py")
    (did,) = scene.numbers()
    scene.emulator.calls.inbound(did.number, count=3, duration=60, api_key=scene.key)
    told = scene.run("export_calls.py", "--days", "6", "--number", did.number)
    with Path("calls.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 3
    assert {row["Destination DID"] for row in rows} == {did.number}
    assert told.startswith(f"{len(rows)} calls in 6 days, written to calls.csv\n  {did.number} ")
    password_file("calls.csv")
    assert scene.client.exports().one().status == "completed"


def test_expiring_numbers(scene: Scene) -> None:
    """A canceled number ends; the others are renewed."""
    scene.run("order_numbers.py", "--yes", "--qty", "5")
    first, second, last, once, _ = scene.numbers()
    first.terminated = True
    scene.client.dids().update(first)
    second.billing_cycles_count = 4
    last.billing_cycles_count, once.billing_cycles_count = 0, 1
    scene.client.dids().update_many([second, last, once]).raise_for_failures()
    told = scene.run("expiring_numbers.py")
    assert told.startswith("5 numbers; the paid period of 5 ends within 35 days; 2 end for good.\n")
    assert re.search(rf"{last.number} +ENDS: no renewals left$", told, re.MULTILINE)
    assert re.search(rf"{once.number} +renewed, 1 renewals left$", told, re.MULTILINE)
    assert re.search(rf"{first.number} +ENDS: canceled$", told, re.MULTILINE)
    assert re.search(rf"{second.number} +renewed, 4 renewals left$", told, re.MULTILINE)
    assert len(re.findall(r" renewed$", told, re.MULTILINE)) == 1
    assert "of 0 ends within 1 days; 0 end for good." in scene.run("expiring_numbers.py", "--days", "1")


def test_sync_to_sqlite(scene: Scene) -> None:
    """The database has the numbers with their routes; a number that was removed leaves it."""
    scene.run("order_numbers.py", "--yes", "--qty", "2")
    first, second = scene.numbers()
    scene.run("failover_group.py", "--number", first.number)
    assert "2 numbers are new, 0 were removed." in scene.run("sync_to_sqlite.py")
    with closing(sqlite3.connect("inventory.sqlite")) as database:
        query = "SELECT number, country, name, kind FROM numbers LEFT JOIN trunks ON route = trunks.id ORDER BY number"
        assert database.execute(query).fetchall() == [
            (first.number, "GB", "Support", "group"),
            (second.number, "GB", None, None),
        ]
    scene.client.dids().delete(second)
    told = scene.run("sync_to_sqlite.py")
    assert "1 numbers, 3 trunks and groups" in told
    assert "0 numbers are new, 1 were removed." in told


def test_call_events(scene: Scene) -> None:
    """An event names the number by its description, and needs the password."""
    program = runpy.run_path(str(EXAMPLES / "call_events.py"))
    receiver = program["create_receiver"]("YOUR_PASSWORD", {"442079460001": "Front desk"})

    def send(password: str, type: str, attributes: str) -> int:
        body = f'{{"type": "{type}", "id": "{type}", "attributes": {attributes}}}'.encode()
        headers = {"Authorization": "Basic " + b64encode(f"didww:{password}".encode()).decode()}
        return int(receiver.handle(method="POST", url="/", headers=headers, body=body).status)

    call = '{"did_number": "442079460001", "src_number": "12025550101", "duration": 42}'
    assert send("wrong", "inbound-cdr", call) == 401
    for type in ("incoming-call-start-event", "inbound-cdr", "outbound-cdr", "incoming-call-end-event"):
        assert send("YOUR_PASSWORD", type, call) == 200
    assert send("YOUR_PASSWORD", "inbound-cdr", "{}") in (200, 400)
    told = scene.capsys.readouterr().out.splitlines()
    assert told[:4] == [
        "12025550101 calls Front desk",
        "call to Front desk ended after 42 s",
        "outbound call ended after 42 s",
        "incoming-call-end-event incoming-call-end-event",
    ]


@pytest.mark.parametrize(
    ("name", "variable"),
    [("callbacks_fastapi.py", "DIDWW_CALLBACK_SECRET"), ("call_events.py", "DIDWW_EVENTS_PASSWORD")],
)
def test_receiver_needs_its_secret(name: str, variable: str, scene: Scene) -> None:
    """A receiver does not start without the secret that protects it."""
    scene.monkeypatch.delenv(variable, raising=False)
    assert f"Set {variable}" in scene.run(name, code=1)


# --- as processes ----------------------------------------------------------------------------------------------------


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), **more}


def answers(port: int) -> bool:
    """Whether something listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Start a program that serves until the test ends; return the file of its output once it listens."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(name: str, port: int, **variables: str) -> Path:
        output = tmp_path / f"{name}.log"
        with output.open("wb") as file:
            command = [sys.executable, str(EXAMPLES / name), "--port", str(port)]
            processes.append(
                subprocess.Popen(command, cwd=tmp_path, env=environment(**variables), stdout=file, stderr=file)
            )
        until(lambda: answers(port), processes[-1], output)
        return output

    yield start
    for process in processes:
        process.send_signal(signal.SIGINT)
        assert process.wait(120) in (0, 130, -2)


def until(done: Callable[[], bool], process: subprocess.Popen[bytes] | None = None, output: Path | None = None) -> None:
    """Wait, for minutes on a busy machine, until something is done."""
    deadline = time.monotonic() + 120
    while not done():
        told = output.read_text(encoding="utf-8") if output else ""
        assert process is None or process.poll() is None, told
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


@pytest.mark.slow
def test_callbacks_fastapi(scene: Scene, started: Callable[..., Path]) -> None:
    """The emulator calls the served application when an order of another program is completed."""
    port = free_port()
    output = started("callbacks_fastapi.py", port, DIDWW_CALLBACK_SECRET="emulator-callback-secret")
    scene.run("order_numbers.py", "--yes", "--qty", "2", "--callback-url", f"http://127.0.0.1:{port}/didww")
    until(lambda: "is completed" in output.read_text(encoding="utf-8"), output=output)
    numbers = [did.number for did in scene.numbers()]
    order = scene.client.orders().one()
    (line,) = [line for line in output.read_text(encoding="utf-8").splitlines() if line.startswith("Order")]
    assert line.startswith(f"Order {order.reference} is completed: ")
    assert sorted(line.rpartition(": ")[2].split(", ")) == numbers
    scene.emulator.callbacks.settle()
    assert [one.state for one in scene.emulator.callbacks.deliveries(record=order.id)] == ["delivered"]


@pytest.mark.slow
def test_call_events_served(scene: Scene, started: Callable[..., Path]) -> None:
    """The served receiver knows the descriptions of the account's numbers."""
    scene.run("order_numbers.py", "--yes")
    (did,) = scene.numbers()
    did.description = "Front desk"
    scene.client.dids().update(did)
    port = free_port()
    output = started("call_events.py", port, DIDWW_EVENTS_PASSWORD="YOUR_PASSWORD")
    event = {"type": "inbound-cdr", "id": "1", "attributes": {"did_number": did.number, "duration": 42}}
    response = requests.post(f"http://127.0.0.1:{port}/", json=event, auth=("didww", "YOUR_PASSWORD"), timeout=60)
    assert response.status_code == 200
    until(lambda: "call to Front desk ended after 42 s" in output.read_text(encoding="utf-8"), output=output)


@pytest.mark.slow
def test_quickstart_buys_a_number_and_prints_its_calls(tmp_path: Path) -> None:
    """The quickstart runs as a program with the two variables, buys a London number and prints its calls."""
    with running(seed=talkative_seed()) as base_url:
        done = subprocess.run(
            [sys.executable, "-W", "error", str(EXAMPLES / "quickstart.py"), "--yes"],
            cwd=tmp_path,
            env=environment(DIDWW_BASE_URL=base_url, DIDWW_API_KEY="local-key"),
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        with DidwwClient("local-key", base_url=base_url) as client:
            did = client.dids().one(include="voice_in_trunk")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^Order \w{3}-\d{6}: \d+\.\d\d USD, number 442079460000$", done.stdout, re.MULTILINE)
    calls = re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d.* \d+ s$", done.stdout, re.MULTILINE)
    assert 1 <= len(calls) <= 3
    assert did.number == "442079460000"
    assert did.voice_in_trunk is not None


@pytest.mark.slow
def test_pytest_example_passes(tmp_path: Path) -> None:
    """The tests of the example run as a user runs them."""
    program = EXAMPLES / "test_with_pytest.py"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(program)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout


@pytest.mark.slow
def test_demo_prints_each_step(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`make demo` prints numbered steps, the bought numbers and a table of calls."""
    monkeypatch.setattr(server, "running", functools.partial(running, seed=talkative_seed()))
    runpy.run_path(str(EXAMPLES / "demo.py"))["main"]()
    told = capsys.readouterr().out
    assert re.findall(r"^(\d+)\. ", told, re.MULTILINE) == [str(number) for number in range(1, 7)]
    assert re.search(r"new numbers: 442079460\d{3}, 442079460\d{3}, paid until", told)
    assert "2 numbers ring at Front desk" in told
    assert re.search(r"^   \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  .*442079460\d{3}", told, re.MULTILINE)


@unix_only
@pytest.mark.slow
def test_demo_output_can_be_truncated() -> None:
    """`python examples/demo.py | head -1` ends without a traceback."""
    demo = f"{sys.executable} -u {EXAMPLES / 'demo.py'}"
    done = subprocess.run(
        ["bash", "-c", f"{demo} | head -1"],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
