"""`didww trunks` and `didww groups`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from didww.cli.trunk_groups import groups
from didww.cli.trunks import trunks
from didww.cli.trunks.options import ALL_OPTIONS
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.voice_in_trunk import VoiceInTrunk
from support.cli_account import buy_numbers, examples_of, route, run_example, writes

if TYPE_CHECKING:
    from support.command import Command


@pytest.fixture
def office(didww: Command) -> Command:
    """Return the command with trunks Office, Backup and Mobile."""
    for line in ("Office --sip sip.example.com", "Backup --sip 192.0.2.10", "Mobile --pstn 442079460000"):
        didww.ok(f"trunks create {line}")
    return didww


def configuration(didww: Command, name: str) -> SipConfiguration:
    found = didww.client.voice_in_trunks().one(filter={"name": name}).configuration
    assert isinstance(found, SipConfiguration)
    return found


def test_each_writable_field_has_an_option():
    """A field that is added to the declarations needs an option."""
    options = {(option.cls, option.field.name) for option in ALL_OPTIONS}
    by_commands = {"name", "configuration", "voice_in_trunk_group", "pop", "pop_code", "auth_password"}
    for cls in (VoiceInTrunk, SipConfiguration, PstnConfiguration):
        for name, field in cls._field_map.items():
            assert not field.create or name in by_commands or (cls, name) in options


EXAMPLES = [
    (name, command, example)
    for group in (trunks, groups)
    for name, (command, examples) in examples_of(group).items()
    for example in examples
]


@pytest.mark.parametrize(
    ("name", "command", "example"), EXAMPLES, ids=[example.removeprefix("didww ") for *_, example in EXAMPLES]
)
def test_examples_run(didww, name, command, example):
    """Each example of the help works, in an account with the records that it names."""
    made = {"Office", "Backup", "Mobile"} if not (name == "create" and " trunks " in example) else {"Second"}
    for trunk in sorted(made):
        didww.ok(f"trunks create {trunk} --sip sip.example.com")
    if " groups " in example and name != "create":
        didww.ok("groups create Support Office Backup --yes")
    elif name == "list":
        didww.ok("groups create Support Office --yes")
    if name == "remove":
        didww.ok("groups add Support Mobile --yes")
    run_example(didww, command, example)


def test_create_to_a_host(didww):
    """Options are in words; the codecs have a default."""
    record = json.loads(
        didww.ok(
            "trunks create Office --sip sip.example.com --port 5061 --transport TLS --codec pcmu,G729 --codec pcma "
            "--ringing-timeout 20 --cli-format e164 --cli-prefix + --dtmf-in rfc2833 --encryption srtp_sdes "
            "--reroute-on 486,503,ringing-timeout --diversion as-is --priority 2 --weight 10 --rtp-ping -o json"
        )
    )
    assert (record["priority"], record["weight"], record["ringing_timeout"]) == (2, 10, 20)
    sip = configuration(didww, "Office")
    assert [codec.name for codec in sip.codec_ids] == ["PCMU", "G729", "PCMA"]
    assert [int(code) for code in sip.rerouting_disconnect_code_ids or []] == [90, 100, 1505]
    assert (sip.host, sip.port, sip.transport_protocol_id.name, sip.rtp_ping) == ("sip.example.com", 5061, "TLS", True)
    didww.ok("trunks create Other --sip 2001:db8::1")
    assert [codec.name for codec in configuration(didww, "Other").codec_ids] == ["PCMU", "PCMA", "TELEPHONE_EVENT"]


def test_create_to_a_phone_number(didww):
    """The number can have a plus and spaces."""
    record = json.loads(didww.ok("trunks create Mobile --pstn '+44 20 7946 0000' -o json"))
    assert record["configuration"]["dst"] == "442079460000"


def test_registration_credentials_are_shown_on_demand(didww):
    """Without `--show-credentials` they are masked, in each format."""
    hidden = didww("trunks create Desk --register")
    assert "--show-credentials" in hidden.err
    sip = configuration(didww, "Desk")
    assert sip.incoming_auth_password
    assert sip.incoming_auth_username
    for line in ("trunks show Desk", "trunks show Desk -o json", "trunks list", "trunks list -o csv"):
        shown = didww.ok(line)
        assert sip.incoming_auth_password not in shown
        assert sip.incoming_auth_username not in shown
    assert sip.incoming_auth_password in didww.ok("trunks show Desk --show-credentials")
    assert sip.incoming_auth_password in didww.ok("trunks show Desk --show-credentials -o json")


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("", ["--sip", "--pstn", "--register", "--for"]),
        ("--sip sip.example.com --pstn 442079460000", ["--sip", "--pstn"]),
        ("--sip sip:100@sip.example.com", ["--sip"]),
        ("--sip sip.example.com:5060", ["--sip", "--port"]),
        ("--sip sip.example.com --port 70000", ["--port", "65535"]),
        ("--sip sip.example.com --port many", ["--port", "an int"]),
        ("--sip sip.example.com --codec g711", ["--codec", "pcmu"]),
        ("--sip sip.example.com --codec pcmu,pcmu", ["--codec", "duplicate"]),
        ("--sip sip.example.com --reroute-on 487,999", ["--reroute-on", "999"]),
        ("--sip sip.example.com --cli-prefix +++++++++", ["--cli-prefix", "7"]),
        ("--sip sip.example.com --session-timers --session-min 900 --session-max 600", ["--session-min"]),
        ("--sip sip.example.com --did-as-user", ["--did-as-user"]),
        ("--sip sip.example.com --auth-user bob", ["--auth-password-file"]),
        ("--sip sip.example.com --auth-password-file -", ["--auth-user"]),
        ("--sip sip.example.com --auth", ["--auth-user"]),
        ("--sip sip.example.com --set project=x", ["--for"]),
        ("--pstn 442079460000 --codec pcmu", ["--codec"]),
        ("--pstn 123", ["--pstn"]),
        ("--pstn 442079460000 --for openai", ["--pstn", "--for"]),
    ],
)
def test_bad_input_names_the_option(didww, line, names):
    """Exit code 2, one or two lines that name the option, and nothing is sent."""
    result = didww(f"trunks create Office {line}")
    assert (result.code, result.out) == (2, ""), result
    assert all(name in result.err for name in names), result.err
    assert len(result.err.splitlines()) <= 2
    assert not writes(didww)


def test_unknown_place_and_group(didww):
    """Exit code 4."""
    for option in ("--pop Atlantis", "--group Nobody"):
        assert didww(f"trunks create Office --sip sip.example.com {option}").code == 4
    assert not writes(didww)


def test_taken_name_is_refused(office):
    """Exit code 3, with the reason of the service."""
    result = office("trunks create Office --sip sip.example.com")
    assert result.code == 3
    assert "name" in result.err


def test_password_comes_from_standard_input_or_a_file(didww, tmp_path):
    """It is in no argument, and a dry run masks it."""
    didww.ok("trunks create A --sip sip.example.com --auth-user bob --auth-password-file -", input="s3cret\n")
    assert configuration(didww, "A").auth_password == "s3cret"
    file = tmp_path / "password"
    file.write_text("other\n", encoding="utf-8")
    didww.ok("trunks update A --auth-user eve --yes --auth-password-file", str(file))
    assert (configuration(didww, "A").auth_user, configuration(didww, "A").auth_password) == ("eve", "other")
    dry = didww.ok("trunks update A --dry-run --auth-user eve --auth-password-file -", input="third\n")
    assert "third" not in dry
    result = didww("trunks update A --auth-user eve --auth-password-file", str(tmp_path / "missing"))
    assert result.code == 2
    didww.ok("trunks update A --no-auth --yes")
    assert configuration(didww, "A").auth_user is None


@pytest.mark.slow
def test_password_is_asked_for_without_echo(didww):
    """At a terminal there is a question."""
    with didww.terminal("trunks create A --sip sip.example.com --auth-user bob") as terminal:
        terminal.expect("Password of bob")
        terminal.send("s3cret\n")
        assert terminal.wait() == 0
    assert "s3cret" not in terminal.text
    assert configuration(didww, "A").auth_password == "s3cret"


def test_show_lists_the_numbers(office):
    """How many, and which, of the trunk and of its group."""
    first, second, _ = buy_numbers(office)
    office.ok("groups create Support Office --yes")
    route(office, first, trunk="Office")
    route(office, second, group="Support")
    record = json.loads(office.ok("trunks show Office -o json"))
    assert (record["numbers"], record["numbers_count"]) == ([first], 1)
    text = office("trunks show Office").err
    assert first in text
    assert second in text
    assert "Support" in text


def test_update_shows_from_what_to_what_and_asks(office):
    """Without a terminal and `--yes`, nothing is sent."""
    (number, *_) = buy_numbers(office, 1)
    route(office, number, trunk="Office")
    before = writes(office)
    result = office("trunks update Office --ringing-timeout 20 --sip sip2.example.com --reroute-on 486")
    assert result.code == 2
    for text in ("sip.example.com -> sip2.example.com", "none -> 20", "none -> 486", number, "--yes"):
        assert text in result.err
    dry = office("trunks update Office --ringing-timeout 20 --dry-run")
    assert dry.code == 0
    assert '"ringing_timeout": 20' in dry.out
    assert writes(office) == before
    office.ok("trunks update Office --ringing-timeout 20 --rename 'Head office' --capacity-limit 5 --yes")
    office.ok("trunks update 'Head office' --ringing-timeout none --capacity-limit none --yes")
    trunk = office.client.voice_in_trunks().one(filter={"name": "Head office"})
    assert (trunk.ringing_timeout, trunk.capacity_limit) == (None, None)


def test_update_without_a_change_sends_nothing(office):
    """The values are compared first."""
    before = writes(office)
    result = office("trunks update Office --sip sip.example.com")
    assert result.code == 0
    assert "Nothing to change" in result.err
    assert writes(office) == before


def test_update_to_registration_and_back(office):
    """Host and port are unset, and back."""
    office.ok("trunks update Office --register --yes")
    assert configuration(office, "Office").host is None
    office.ok("trunks update Office --sip 192.0.2.1 --yes")
    assert configuration(office, "Office").enabled_sip_registration is False


@pytest.mark.parametrize("line", ["--host none", "--session-timers --session-min none", "--auth"])
def test_settings_that_do_not_fit_are_refused_before_the_question(office, line):
    """The option is named."""
    result = office(f"trunks update Office {line}")
    assert (result.code, "must be set while" in result.err) == (2, True)
    assert "Account:" not in result.err


@pytest.mark.parametrize("line", ["Office --pstn 442079460000", "Mobile --sip sip.example.com", "Mobile --codec pcmu"])
def test_the_type_cannot_change(office, line):
    """Another trunk is needed."""
    result = office(f"trunks update {line}")
    assert result.code == 2
    assert "another trunk" in result.err


def test_a_new_trunk_of_a_group_with_numbers_asks(office):
    """It would get calls at once."""
    (number, *_) = buy_numbers(office, 1)
    office.ok("groups create Support Office --yes")
    assert office("trunks create Second --sip 192.0.2.1 --group Support").code == 0
    route(office, number, group="Support")
    result = office("trunks create Third --sip 192.0.2.1 --group Support")
    assert (result.code, number in result.err) == (2, True)


def test_delete_refuses_a_trunk_in_use(office):
    """Numbers or a group: exit code 3, and the way out."""
    number, *_ = buy_numbers(office)
    route(office, number, trunk="Office")
    office.ok("groups create Support Backup --yes")
    before = writes(office)
    for name, text in (("Office", number), ("Backup", "groups remove Support Backup")):
        result = office(f"trunks delete {name} --yes")
        assert (result.code, text in result.err) == (3, True)
    assert office("trunks delete Mobile").code == 2
    assert writes(office) == before
    office.ok("trunks delete Mobile --yes")
    assert office("trunks show Mobile").code == 4


def test_list_by_group_and_type(office):
    """The filters work together with a limit."""
    office.ok("groups create Support Office Backup --yes")
    query = "--query '[].name'"
    assert office.ok(f"trunks list --group Support --sort priority {query}").split() == ["Office", "Backup"]
    assert office.ok(f"trunks list --group none {query}").split() == ["Mobile"]
    assert office.ok(f"trunks list --type pstn {query}").split() == ["Mobile"]
    assert office.ok(f"trunks list --limit 1 {query}").split() == ["Backup"]
    assert office("trunks list --group Nobody").code == 4


# Groups


def test_group_order_is_the_priority(office):
    """The trunks ring in the order that they are named in; that changes the trunks, so it asks."""
    result = office("groups create Support Mobile Office Backup")
    assert (result.code, "setting of the trunk" in result.err) == (2, True)
    assert not any("trunk_groups" in each for each in writes(office))
    made = office("groups create Support Mobile Office Backup --yes -o json")
    assert made.code == 0, made
    trunks = json.loads(made.out)["trunks"]
    assert [(each["trunk"], each["priority"]) for each in trunks] == [("Mobile", 1), ("Office", 2), ("Backup", 3)]


def test_dry_run_of_a_group_prints_all_requests(office):
    """The group and each priority."""
    before = writes(office)
    out = office.ok("groups create Support Mobile Office --dry-run")
    assert [line.split()[0] for line in out.splitlines() if line.startswith(("POST", "PATCH"))] == ["POST", "PATCH"]
    assert writes(office) == before


def test_priorities_of_a_group(office):
    """Equal ones share the calls; `keep` leaves them."""
    office.ok("groups create Sales Office Backup --priorities 1,1")
    text = office("groups show Sales").err
    assert "share the calls" in text
    office.ok("groups update Sales --order Backup,Office --yes")
    assert "First (priority 1): Backup" in office("groups show Sales").err
    office.ok("groups add Sales Mobile --priorities keep --yes")
    for bad in ("1", "1,2,3,x", "1,2,70000"):
        assert office(f"groups update Sales --priorities {bad}").code == 2


def test_failover_is_in_words(office):
    """Which codes lead to the next trunk, and after how many seconds."""
    office.ok("trunks update Office --reroute-on 486,ringing-timeout --ringing-timeout 15 --yes")
    office.ok("groups create Support Office Backup --yes")
    result = office("groups show Support")
    assert "Office: the next trunk follows after 486, ringing-timeout; rings 15 seconds." in result.err
    assert "Then (priority 2): Backup" in result.err


def test_a_trunk_leaves_its_former_group(office):
    """The plan says so."""
    office.ok("groups create Support Office Backup --yes")
    result = office("groups create Sales Backup")
    assert (result.code, "leaves group 'Support'" in result.err) == (2, True)
    office.ok("groups create Sales Backup --yes")
    assert json.loads(office.ok("groups show Support -o json"))["trunks"][0]["trunk"] == "Office"


def test_add_and_remove(office):
    """A new trunk rings last; numbers of the group are named."""
    (number, *_) = buy_numbers(office, 1)
    office.ok("groups create Support Office --yes")
    route(office, number, group="Support")
    result = office("groups add Support Backup")
    assert (result.code, number in result.err, "priority 2" in result.err) == (2, True, True)
    office.ok("groups add Support Backup --yes")
    assert office("groups add Support Backup --yes").code == 2
    office.ok("groups remove Support Office --yes")
    assert office("groups remove Support Office --yes").code == 2
    last = office("groups remove Support Backup")
    assert "No trunk is left" in last.err


def test_deleting_a_group_keeps_its_trunks(office):
    """The service would delete them; `--with-trunks` lets it."""
    office.ok("groups create Support Office Backup --yes")
    office.ok("groups delete Support --yes")
    assert office("trunks show Office").code == 0
    office.ok("groups create Support Office Backup --yes")
    office.ok("groups delete Support --with-trunks --yes")
    assert office("trunks show Office").code == 4


def test_a_group_with_numbers_is_not_deleted(office):
    """Exit code 3, and the number is named."""
    (number, *_) = buy_numbers(office, 1)
    office.ok("groups create Support Office --yes")
    route(office, number, group="Support")
    result = office("groups delete Support --yes")
    assert (result.code, number in result.err) == (3, True)


def test_group_names_are_suggested(office):
    """A misspelled name gets a suggestion and exit code 4."""
    office.ok("groups create Support Office --yes")
    result = office("groups show Suport")
    assert (result.code, "'Support'" in result.err) == (4, True)
    assert office("groups create Twice Office Office").code == 2


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 140])
def test_tables_fit_the_terminal(office, columns):
    """No line of a table is wider than the terminal."""
    office.ok("groups create Support Office Backup Mobile --yes")
    for line in ("trunks list", "groups list", "trunks show Office", "trunks create --help"):
        out = office.screen(line, columns=columns).out.partition("Examples:")[0]
        assert max(len(each) for each in out.splitlines()) <= columns


@pytest.mark.slow
def test_answer_no_changes_nothing(office):
    """Exit code 1."""
    before = writes(office)
    with office.terminal("trunks update Office --port 5080") as terminal:
        terminal.expect("Change the trunk?")
        terminal.send("n\n")
        assert terminal.wait() == 1
    assert "Nothing was changed" in terminal.text
    assert writes(office) == before


def test_create_prints_what_was_given(didww):
    """Id, name, destination and group, and the given values; `show` prints all."""
    made = didww("trunks create Office --sip sip.example.com --port 5061 --ringing-timeout 20")
    names = [line.split("  ")[0] for line in made.out.splitlines()]
    assert names == ["id", "name", "calls go to", "group", "ringing timeout", "port"]
    assert "All settings: didww trunks show Office" in made.err
    assert len(didww.ok("trunks show Office").splitlines()) > 20


def test_advice_is_for_the_same_account(didww):
    """The options of the account are in the commands, and names are quoted for a shell."""
    account = f"--base-url {didww.base_url}"
    made = didww(f"{account} trunks create 'On call' --register")
    assert f"didww {account} trunks show 'On call' --show-credentials" in made.err
    assert f"didww {account} numbers route NUMBER --trunk 'On call'" in made.err
    made = didww(f"{account} groups create Support 'On call' --yes")
    assert f"didww {account} numbers route NUMBER --group Support" in made.err
    refused = didww(f"{account} trunks delete 'On call'")
    assert f"didww {account} groups remove Support 'On call'" in refused.err
    short = didww(f"{account} capacity share S --pool Europe --channels 2")
    assert f"didww {account} capacity buy Europe --channels 2" in short.err
    made = didww(f"{account} out-trunks create Out --allow 192.0.2.10")
    assert f"didww {account} out-trunks credentials Out --show" in made.err


NAMED = (
    "trunks create {} --sip 192.0.2.10",
    "trunks update Office --rename {}",
    "groups create {} Office",
    "groups update Group --rename {}",
    "out-trunks create {} --allow 192.0.2.10",
    "out-trunks update Out --rename {}",
    "capacity share {} --pool Europe --channels 0",
    "voice-in-trunks create --dst 442079460000 --name {}",
    "voice-in-trunk-groups update Group --name {}",
)


@pytest.mark.parametrize("line", NAMED)
def test_names_are_told_from_none(office, line):
    """Blanks around a name are left out; `none` and an empty name are refused."""
    office.ok("groups create Group Mobile --yes")
    office.ok("out-trunks create Out --allow 192.0.2.10")
    before = writes(office)
    for name in ("none", "' '"):
        result = office(f"{line.format(name)} --yes")
        assert result.code == 2, result
        assert "nor the word none" in result.err or "name cannot be cleared" in result.err
    assert writes(office) == before
    assert "' Padded '" not in repr(
        json.loads(office.ok(f"{line.format(chr(39) + ' Padded ' + chr(39))} --yes -o json"))
    )
