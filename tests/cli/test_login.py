"""`didww login`, `logout`, `profiles`, and which account commands use."""

from __future__ import annotations

import json
import os
import stat
import sys
from typing import TYPE_CHECKING

import keyring
import keyring.backend
import pytest

from didww.cli.profiles import Account
from didww.version import API_VERSIONS
from support.cli_account import writes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command

KEY = "example-key-of-the-shop"


class Backend(keyring.backend.KeyringBackend):
    """A key store in memory."""

    priority = 1  # type: ignore[assignment] a property of the class in keyring

    def __init__(self) -> None:
        self.keys: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        """Return a key."""
        self._check()
        return self.keys.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a key."""
        self._check()
        self.keys[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Delete a key."""
        self._check()
        del self.keys[service, username]

    def _check(self) -> None:
        if self.locked:
            raise RuntimeError("locked")


@pytest.fixture(autouse=True)
def no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run without a key store, and without an account in the environment."""
    monkeypatch.setattr(keyring, "get_password", lambda *_: None)
    monkeypatch.setattr(keyring, "set_password", lambda *_: None)


@pytest.fixture
def key_store() -> Iterator[Backend]:
    """Use a key store in memory."""
    before = keyring.get_keyring()
    backend = Backend()
    keyring.set_keyring(backend)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyring, "get_password", backend.get_password)
        patch.setattr(keyring, "set_password", backend.set_password)
        patch.setattr(keyring, "delete_password", backend.delete_password)
        yield backend
    keyring.set_keyring(before)


@pytest.fixture
def bare(didww: Command) -> Command:
    """Return the command without an account in the environment."""
    del didww.env["DIDWW_API_KEY"], didww.env["DIDWW_BASE_URL"]
    return didww


def profile_file(didww: Command) -> Path:
    """Return the file of the profiles."""
    return didww.home / "config" / "didww" / "profiles.ini"


def login(didww: Command, *options: str, key: str = KEY) -> None:
    """Log in at the emulator."""
    result = didww("login --base-url", didww.base_url, *options, input=f"{key}\n")
    assert result.code == 0, result


def test_key_is_checked_stored_and_used(bare):
    """Without `--profile`, the profile is used by all commands."""
    result = bare("login --base-url", bare.base_url, input=f"{KEY}\n")
    assert (result.code, result.out) == (0, "")
    assert "Balance: 10000.00 USD" in result.err
    assert str(profile_file(bare)) in result.err
    assert KEY not in result.err
    assert json.loads(bare.ok("balance -o json"))["total"] == "10000.00"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_file_is_only_for_its_user(bare):
    """File 0600, directory 0700, and no scratch file is left."""
    os.umask(os.umask(0o022))
    login(bare)
    path = profile_file(bare)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    path.chmod(0o644)
    login(bare, "--profile", "other")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_key_store_is_preferred(bare, key_store):
    """The file does not have the key then."""
    login(bare, "--profile", "shop")
    assert KEY not in profile_file(bare).read_text(encoding="utf-8")
    assert list(key_store.keys.values()) == [KEY]
    assert bare("balance --profile shop").code == 0
    assert "key store" in bare.ok("profiles")
    assert bare("logout --profile shop").code == 0
    assert key_store.keys == {}


def test_file_on_demand(bare, key_store):
    """`--in-file` also removes the key from the store."""
    login(bare)
    login(bare, "--in-file")
    assert KEY in profile_file(bare).read_text(encoding="utf-8")
    assert key_store.keys == {}


def test_locked_key_store(bare, key_store):
    """The file is used instead; a key that cannot be read any more is an error with the way out."""
    login(bare)
    key_store.locked = True
    result = bare("balance")
    assert result.code == 2
    assert "didww login" in result.err
    login(bare)
    assert KEY in profile_file(bare).read_text(encoding="utf-8")
    assert bare("balance").code == 0


def test_refused_key_is_not_stored(bare):
    """Exit code 3; `--no-check` stores it nevertheless."""
    bare.emulator.faults.add(method="GET", path="/balance", status=401)
    result = bare("login --base-url", bare.base_url, input=f"{KEY}\n")
    assert result.code == 3
    assert KEY not in result.err
    assert not profile_file(bare).exists()
    login(bare, "--no-check")
    assert profile_file(bare).exists()


def test_key_without_permission_for_the_balance(bare):
    """It is a valid key."""
    bare.emulator.faults.add(method="GET", path="/balance", status=403)
    login(bare)


@pytest.mark.parametrize(
    ("line", "typed", "said"),
    [
        ("login", KEY, "--environment"),
        ("login --environment sandbox", "", "API key"),
        ("login --environment sandbox --no-check", "two words", "without spaces"),
        ("login --environment sandbox --no-check", "ключ", "ASCII"),
        ("login --environment sandbox --no-check --profile 'a b'", KEY, "profile"),
        ("login --environment sandbox --no-check --profile ../x", KEY, "profile"),
        ("login --environment moon", KEY, "production"),
        ("login --base-url nonsense --no-check", KEY, "--base-url"),
        ("login --base-url http://didww.example.com/v3", KEY, "https"),
        ("login --emulator", KEY, "no login"),
    ],
)
def test_wrong_use(bare, line, typed, said):
    """Nothing is stored, and the message says what is wrong."""
    result = bare(line, input=typed)
    assert result.code in (1, 2), result
    assert said in result.err
    assert not profile_file(bare).exists()


def test_profiles_do_not_show_keys(bare):
    """The profile in use is marked."""
    login(bare, "--profile", "shop")
    login(bare, key="second-key")
    out = bare.ok("profiles -o json")
    assert [(row["profile"], row["in_use"]) for row in json.loads(out)] == [("shop", False), ("default", True)]
    assert KEY not in out
    assert json.loads(bare.ok("profiles --profile shop -o json"))[0]["in_use"]


def test_no_profiles(bare):
    """The message says how to make one; JSON is an empty list."""
    assert "didww login" in bare("profiles").err
    assert bare.ok("profiles -o json").strip() == "[]"


def test_unknown_profile(bare):
    """Exit code 2, with the names of those that exist."""
    login(bare, "--profile", "shop")
    result = bare("balance --profile shopp")
    assert result.code == 2
    assert "shop." in result.err
    assert bare("logout --profile shopp").code == 2


def test_logout_removes_the_profile(bare):
    """Also the key, from the file."""
    login(bare)
    assert bare("logout").code == 0
    assert KEY not in profile_file(bare).read_text(encoding="utf-8")
    assert bare("logout").code == 2


def used(didww: Command, line: str = "doctor") -> dict[str, str]:
    """Return what is used, by what `didww doctor` finds."""
    result = didww(f"{line} -o json")
    return {row["check"]: row["finding"] for row in json.loads(result.out)}


def test_order_of_accounts(didww):
    """Options, then a named profile, then the environment, then the default profile."""
    login(didww)
    login(didww, "--profile", "shop")
    assert "DIDWW_API_KEY" in used(didww)["API key"]
    assert "profile shop" in used(didww, "doctor --profile shop")["API key"]
    assert "profile shop" in used(didww, "doctor --profile shop")["environment"]
    didww.env["DIDWW_PROFILE"] = "shop"
    assert "profile shop" in used(didww)["API key"]
    assert "from --base-url" in used(didww, f"doctor --base-url {didww.base_url}")["environment"]
    assert "http://127.0.0.1:8750/v3" in used(didww, "doctor --environment local")["environment"]
    del didww.env["DIDWW_PROFILE"], didww.env["DIDWW_API_KEY"]
    assert "profile default" in used(didww)["API key"]
    assert "from DIDWW_BASE_URL" in used(didww)["environment"]
    del didww.env["DIDWW_BASE_URL"]
    assert "from profile default" in used(didww)["environment"]


def test_environment_of_a_named_profile_is_not_replaced(didww):
    """DIDWW_BASE_URL does not send the key of a profile elsewhere."""
    didww.env["DIDWW_BASE_URL"] = "http://127.0.0.1:9/v3"
    login(didww, "--profile", "shop")
    assert didww("balance --profile shop").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_symbolic_link_is_not_written(bare):
    """The message names it."""
    path = profile_file(bare)
    path.parent.mkdir(parents=True)
    path.symlink_to(bare.home / "elsewhere.ini")
    result = bare("login --no-check --environment sandbox", input=KEY)
    assert result.code == 1
    assert str(path) in result.err
    assert not (bare.home / "elsewhere.ini").exists()


def test_directory_that_cannot_be_made(bare):
    """The message names the file."""
    (bare.home / "config").write_text("no directory", encoding="utf-8")
    result = bare("login --no-check --environment sandbox", input=KEY)
    assert result.code == 1
    assert str(profile_file(bare)) in result.err
    assert KEY not in result.err


@pytest.mark.parametrize(
    ("text", "line_number"),
    [
        ("no profile file", 1),
        (f"[shop]\n{KEY}\n", 2),
        (f"[shop]\napi_key = {KEY}\n[shop]\n", 3),
        ("[a\n", 1),
    ],
)
def test_damaged_file(bare, text, line_number):
    """The message names the file and the line, and shows nothing of it."""
    path = profile_file(bare)
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    for line in ("profiles", "balance", "login --no-check --environment sandbox"):
        result = bare(line, input="other-key")
        assert result.code == 1
        assert f"{path}, line {line_number}: this is not a profile file." in result.err
        assert KEY not in result.err
        assert path.read_text(encoding="utf-8") == text


def test_file_that_is_not_text(bare):
    """The message names the line."""
    path = profile_file(bare)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"[shop]\n\xff\n")
    assert f"{path}, line 2: " in bare("profiles").err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_file_that_others_can_read(bare):
    """Each command that uses a key of it warns."""
    bare("login --in-file --base-url", bare.base_url, input=KEY)
    path = profile_file(bare)
    assert "Warning" not in bare("balance").err
    path.chmod(0o644)
    result = bare("balance")
    assert result.code == 0
    assert result.err.count(f"Warning: others can read {path}") == 1
    assert "chmod 600" in result.err


def test_file_that_is_a_directory(bare):
    """It is no regular file."""
    profile_file(bare).mkdir(parents=True)
    result = bare("profiles")
    assert result.code == 1
    assert "not a regular file" in result.err


def test_no_account_at_all(bare):
    """The message names the ways out."""
    result = bare("balance")
    assert result.code == 2
    assert "didww login" in result.err
    assert "didww --emulator" in result.err


@pytest.mark.slow
def test_key_is_typed_without_an_echo(bare):
    """The environment is asked for; sandbox is the default."""
    with bare.terminal("login --no-check") as terminal:
        terminal.expect("Environment")
        terminal.send("\n")
        terminal.expect("API key")
        terminal.send(f"{KEY}\n")
        assert terminal.wait() == 0
        assert KEY not in terminal.text
    assert "environment = sandbox" in profile_file(bare).read_text(encoding="utf-8")
    assert KEY in profile_file(bare).read_text(encoding="utf-8")


@pytest.mark.slow
def test_interrupted_login_stores_nothing(bare):
    """Ctrl-C at the question."""
    with bare.terminal("login --environment sandbox") as terminal:
        terminal.expect("API key")
        terminal.send("\x03")
        assert terminal.wait() == 130
    assert not profile_file(bare).exists()


def test_repr_of_an_account_has_no_key():
    """What the client is created with is never shown."""
    account = Account({"api_key": "a-key-of-nobody"}, "profile shop", "")
    assert repr(account) == "Account(key_from='profile shop', place_from='')"


@pytest.mark.parametrize("version", API_VERSIONS)
def test_read_only_profile_refuses_changes(bare, version):
    """Exit code 3 before a question and before a request, with the ways out; reads go on."""
    login(bare, "--profile", "reports", "--read-only", "--api-version", version)
    bare.ok("numbers list --profile reports")
    for line in (
        "trunks create Office --sip sip.example.com",
        "numbers buy GB --city London --channels 0 --yes",
        "resources voice-in-trunks create --name A --dst 442079460000",
        "api POST /voice_in_trunks -f name=A --yes",
        "exports create cdr_in --last 7d --no-wait",
    ):
        result = bare(f"{line} --profile reports")
        assert result.code == 3, (line, result)
        assert "profile 'reports' can only read" in result.err
        assert "didww login --profile reports" in result.err
        assert KEY not in result.err
    assert [line for line in writes(bare) if "/token" not in line] == []
    login(bare, "--profile", "reports", "--api-version", version)
    bare.ok("trunks create Office --sip sip.example.com --profile reports")


def test_read_only_profile_has_tokens_that_only_read(bare):
    """Doctor says so."""
    login(bare, "--read-only", "--api-version", "2026-11-19")
    report = {row["check"]: row["finding"] for row in json.loads(bare.ok("doctor -o json"))}
    assert "scope read" in report["token service"]
    assert "can only read" in report["API key"]


def test_version_is_stored_with_the_profile(bare):
    """A named profile comes before the variable, an option before both."""
    login(bare, "--profile", "new", "--api-version", "2026-11-19")
    login(bare)
    listed = {row["profile"]: row for row in json.loads(bare.ok("profiles -o json"))}
    assert (listed["new"]["api_version"], listed["new"]["access"]) == ("2026-11-19", "full")
    assert listed["default"]["api_version"] == "2026-04-16"

    def used(line: str) -> str:
        report = json.loads(bare.ok(f"doctor {line} -o json"))
        found: str = next(row["finding"] for row in report if row["check"] == "API version")
        return found

    assert used("--profile new") == "2026-11-19, from profile new."
    assert used("") == "2026-04-16, from profile default."
    bare.env["DIDWW_API_VERSION"] = "2026-04-16"
    later = "2026-11-19, from profile new, which comes before DIDWW_API_VERSION (2026-04-16)."
    assert used("--profile new") == later
    assert later in bare("profiles --profile new").err
    bare.env["DIDWW_API_VERSION"] = "2026-11-19"
    later = "2026-11-19, from DIDWW_API_VERSION, which comes before that of profile default (2026-04-16)."
    assert used("") == later
    assert later in bare("profiles").err
    assert used("--api-version 2026-04-16").startswith("2026-04-16, from --api-version, which comes before DIDWW_API")


def test_login_again_keeps_what_no_option_replaces(bare):
    """Environment and API version of the profile, which is said; --read-only is not kept."""
    login(bare, "--profile", "reports", "--api-version", "2026-11-19", "--read-only")
    result = bare("login --profile reports", input=f"{KEY}\n")
    assert result.code == 0, result
    assert f"keeps the URL {bare.base_url} and the API version 2026-11-19" in result.err
    listed = json.loads(bare.ok("profiles -o json"))[0]
    assert (listed["base_url"], listed["api_version"], listed["access"]) == (bare.base_url, "2026-11-19", "full")
    result = bare("login --profile reports --api-version 2026-04-16 --no-check --environment local", input="third\n")
    assert "To change that" not in result.err
    listed = json.loads(bare.ok("profiles -o json"))[0]
    assert (listed["environment"], listed["base_url"], listed["api_version"]) == ("local", None, "2026-04-16")


@pytest.mark.parametrize("options", ["--api-version 2026-04-16 --read-only", ""])
def test_advice_of_a_read_only_profile_works(bare, options):
    """The command of the message makes changes possible."""
    login(bare, "--profile", "reports", "--api-version", "2026-11-19", "--read-only")
    result = bare("trunks create Office --sip sip.example.com --profile reports")
    advice = result.err.strip().rpartition("didww ")[2]
    bare(f"{advice} {options}", input=f"{KEY}\n")
    result = bare("trunks create Office --sip sip.example.com --profile reports")
    assert result.code == (3 if options else 0), result


def test_invalid_variable_is_an_error_with_a_profile(bare):
    """Doctor says so, too."""
    login(bare, "--profile", "shop")
    bare.env["DIDWW_API_VERSION"] = "2025-01-01"
    result = bare("balance --profile shop")
    assert result.code == 2
    assert "DIDWW_API_VERSION" in result.err
    report = {row["check"]: row["state"] for row in json.loads(bare("doctor --profile shop -o json").out)}
    assert report["API version"] == "problem"


@pytest.mark.parametrize("version", API_VERSIONS)
def test_dry_run_of_a_read_only_profile(bare, version):
    """The plan and the request are shown; only sending is refused."""
    login(bare, "--profile", "full", "--api-version", version)
    bare.ok("trunks create Office --sip sip.example.com --profile full")
    login(bare, "--profile", "reports", "--read-only", "--api-version", version)
    before = [line for line in writes(bare) if "/token" not in line]
    result = bare("trunks update Office --sip other.example.com --profile reports --dry-run")
    assert result.code == 0, result
    assert "sip.example.com -> other.example.com" in result.err
    assert "can only read" in result.err
    assert "PATCH" in result.out
    assert [line for line in writes(bare) if "/token" not in line] == before


def test_stored_version_that_is_not_supported(bare):
    """A profile of a later release of the command; the way out is named."""
    login(bare)
    file = profile_file(bare)
    file.write_text(file.read_text(encoding="utf-8").replace("2026-04-16", "2031-01-01"), encoding="utf-8")
    result = bare("balance")
    assert result.code == 2
    assert "2031-01-01" in result.err
    assert "didww login --profile default" in result.err


def test_key_that_the_token_service_refuses(bare):
    """It is not stored."""
    bare.emulator.faults.add(method="POST", path="/token", status=401)
    result = bare("login --api-version 2026-11-19 --base-url", bare.base_url, input=f"{KEY}\n")
    assert result.code == 3
    assert KEY not in result.err
    assert not profile_file(bare).exists()


@pytest.mark.parametrize(("scope", "code"), [("full", 0), ("read", 3), ("bogus", 2)])
def test_scope_that_was_edited(bare, scope, code):
    """The profile is named if its scope is not valid."""
    login(bare, "--profile", "edited", "--read-only")
    file = profile_file(bare)
    file.write_text(file.read_text(encoding="utf-8").replace("scope = read", f"scope = {scope}"), encoding="utf-8")
    bare.ok("profiles")
    for line in ("trunks create Office --sip sip.example.com", "capacity buy Europe --channels 2 --yes"):
        result = bare(f"{line} --profile edited")
        assert result.code == code, result
        assert code == 0 or "profile 'edited'" in result.err
