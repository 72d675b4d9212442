"""The commands of every resource type, made from the declarations."""

from __future__ import annotations

import itertools
import json
import re

import click
import pytest

from didww._schema.filter_rules import filter_rules, sort_keys
from didww._schema.registry import all_classes, class_of
from didww.cli.app import command
from didww.cli.records.slots import slots
from didww.cli.resource_commands import ResourceGroup, group_for
from didww.resources.order import Order
from didww.version import API_VERSION
from support.account import buy, create_trunk, sku

GROUPS = [group for cls in all_classes() if (group := group_for(cls._type_name)) is not None]
COMMANDS = [(group, name) for group in GROUPS for name in group.list_commands(None)]
IDS = [f"{group.name}-{name}" for group, name in COMMANDS]


def context(group, name):
    """Return a command and its context."""
    made = group.get_command(None, name)
    return made, click.Context(made, info_name=name, parent=click.Context(group, info_name=f"didww {group.name}"))


def changes(didww):
    """Return the requests that would have changed something."""
    return [entry for entry in didww.emulator.journal.entries(limit=1000) if entry.method != "GET"]


@pytest.fixture
def account(didww):
    """Return the command; its account has the trunk Berlin."""
    create_trunk(didww.client, "Berlin")
    return didww


# The declarations


def test_every_operation_of_every_type_is_a_command():
    """As far as the resource has it; names with underscores and hyphens."""
    for cls in all_classes():
        offered = cls._operations | cls._extra_operations
        group = group_for(cls._type_name)
        assert group is None or group_for(cls._type_name.replace("_", "-")) is not None
        assert set(group.list_commands(None) if group is not None else ()) == offered
    assert group_for("nothing") is None


@pytest.mark.parametrize(("group", "name"), COMMANDS, ids=IDS)
def test_options_of_each_command(group, name):
    """No two options share a name, each has a help text, and each help has an example and an option for each field."""
    made, ctx = context(group, name)
    options = [option for option in made.get_params(ctx) if isinstance(option, click.Option)]
    names = [text for option in options for text in (*option.opts, *option.secondary_opts)]
    assert len(names) == len(set(names))
    assert all(option.help or option.hidden for option in options)
    keys = [option.name for option in options]
    assert len(keys) == len(set(keys))
    assert made.examples
    made.get_help(ctx)
    own = [option.help or "" for option in options if option.name.startswith(("field_", "filter_"))]
    assert not [text for text in own if "None" in text or "`" in text or not text.endswith(".")]
    cls = class_of(group.name.replace("-", "_"))
    if name in ("create", "update"):
        for slot in slots(cls, creating=name == "create").values():
            assert slot.option in names
    if name == "list":
        offered = [key for key, rule in filter_rules(cls).items() if not (rule.alias or rule.ignored)]
        for key in offered:
            assert f"--{key.removesuffix('.id').replace('.', '-').replace('_', '-')}" in names
        assert ("--sort" in names) == bool(sort_keys(cls))


@pytest.mark.parametrize("group", [group for group in GROUPS if "list" in group.list_commands(None)], ids=str)
def test_examples_of_lists_run(didww, group):
    """Against a fresh emulator, in an API version that has the type."""
    made, _ = context(group, "list")
    didww.env["DIDWW_API_VERSION"] = group.versions.since or API_VERSION
    for example in made.examples:
        if "Berlin" not in example and "voice-in-trunk" not in example.removeprefix(f"didww {group.name}"):
            didww.ok(example.removeprefix("didww ").replace(group.name, f"resources {group.name}", 1))


def test_examples_of_numbers_and_trunks_run(didww):
    """Against an account with a number and a trunk."""
    account = didww
    account.ok("voice-in-trunks create --name Berlin --host sip.example.com --codec-ids pcmu")
    (number,) = buy(account.client, 1)
    for group, name in itertools.product(
        ("voice-in-trunks", "voice-in-trunk-groups", "dids"), ("create", "find", "update")
    ):
        made = group_for(group).get_command(None, name)
        for example in made.examples if made is not None else ():
            if ".json" not in example and ".csv" not in example and " ID" not in example:
                line = example.removeprefix("didww ").replace("442079460001", number)
                account.ok(line if name == "find" else f"{line} --yes")


def test_commands_that_only_one_type_has_are_imported_late():
    """The help of the program makes no group of a type."""
    assert not any(isinstance(each, ResourceGroup) for each in command.commands.values())


# resources


def test_resources_lists_types_with_operations(didww):
    """One row for each type, with its commands and a description."""
    rows = {row["type"]: row for row in json.loads(didww.ok("resources -o json"))}
    assert len(rows) == len([cls for cls in all_classes() if cls._versions.includes(API_VERSION)])
    assert rows["dids"]["commands"] == "list, find, update, delete"
    assert rows["dids"]["description"] == "A phone number (DID) that the account owns."
    assert didww.ok("resources").splitlines()[0].split("\t") == ["type", "commands", "description"]


@pytest.mark.slow
def test_resources_fit_the_terminal(didww):
    """Two short lines for each type."""
    screen = didww.screen("resources", columns=120).out
    assert "dids: list, find, update, delete\n    A phone number (DID) that the account owns.\n" in screen


def test_a_type_whose_name_is_taken_is_below_resources(didww):
    """`didww orders` is a command of its own, and has the commands of the type besides its own."""
    assert json.loads(didww.ok("resources orders list -o json")) == []
    assert "--items" in didww.ok("orders create --help")
    assert didww("orders frobnicate").code == 2


# list and find


def test_list_filters_by_names(account):
    """Trunks by name, countries by code, numbers with a plus; none for records without."""
    one, two = buy(account.client, 2)
    account.ok(f"dids update {one} --voice-in-trunk Berlin --yes")
    query = "--query [].number -o json"
    assert json.loads(account.ok(f"dids list --voice-in-trunk Berlin {query}")) == [one]
    assert json.loads(account.ok(f"dids list --voice-in-trunk none {query}")) == [two]
    assert json.loads(account.ok(f"dids list --number +{one} --number {two} --sort -number {query}")) == [two, one]
    assert account.ok("dids list --country GB --no-terminated --count") == "2\n"
    assert account.ok("dids list --country FR --count") == "0\n"
    assert account.ok("resources orders list --created-at-gteq 2020-01-01T00:00:00Z --count") == "1\n"
    assert account.ok("resources orders list --status pending --status canceled --count") == "0\n"
    assert json.loads(account.ok(f"dids list -f number={two} {query}")) == [two]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("dids list --sort nmber", 2, "There is no 'nmber'. Did you mean 'number'?"),
        ("dids list --include ordr", 2, "Did you mean 'order'?"),
        ("dids list --voice-in-trunk Berlim", 4, "Did you mean 'Berlin'?"),
        ("dids list --number hello", 2, "'hello'"),
        ("dids find +442079460999", 4, "442079460999"),
        ("voice-in-trunks find Nowhere", 4, "There is no inbound trunk 'Nowhere'"),
        ("resources exports find hello", 2, "Exports are given by id"),
        ("resources exports find 8d1a3c5e-0000-4000-8000-000000000001", 4, "404"),
        ("dids create", 2, "There is no command 'create'"),
        ("did list", 2, "There is no command 'did'"),
    ],
)
def test_wrong_names_are_explained(account, line, code, words):
    """With a suggestion, and the exit code for it."""
    result = account(line)
    assert (result.code, result.out) == (code, "")
    assert words in result.err


def test_find_shows_a_record(account):
    """By name, code or number; with related records; a singleton without an id."""
    (number,) = buy(account.client, 1)
    did = json.loads(account.ok(f"dids find +{number} --include order -o json"))
    assert (did["number"], did["order"]["status"]) == (number, "completed")
    assert account.ok("countries find GB --query name") == "United Kingdom\n"
    assert account.ok("voice-in-trunks find Berlin --query configuration.dst") == "442079460990\n"
    assert "total" in account.ok("balances find")


# create


def test_members_of_the_configuration_are_options(account):
    """The type follows from them; enums by name or value, lists with commas."""
    line = "voice-in-trunks create --name Rome --host sip.example.com --codec-ids pcmu,10 --transport-protocol-id tls"
    trunk = json.loads(account.ok(f"{line} --cli-format e164 --capacity-limit 5 --no-rtp-ping -o json"))
    configuration = trunk["configuration"]
    assert (configuration["type"], configuration["codec_ids"]) == ("sip_configurations", [9, 10])
    assert (configuration["transport_protocol_id"], trunk["capacity_limit"]) == (3, 5)
    account.ok("voice-in-trunk-groups create --name Both --voice-in-trunks Rome --voice-in-trunks Berlin --yes")
    assert (
        account.client.voice_in_trunks()
        .one(filter={"name": "Rome"}, include="voice_in_trunk_group")
        .voice_in_trunk_group
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", "Missing NAME and --configuration-type"),
        ("--name A", "Missing --configuration-type"),
        ("--name A --dst 442079460001 --host sip.example.com", "--configuration-type is needed: sip or pstn"),
        ("--name A --configuration-type pstn --host sip.example.com", "needs the configuration type sip"),
        ("--name A --configuration-type fax", "must be one of sip, pstn"),
        ("--name A --dst 442079460001 --cli-format fax", "'--cli-format': 'fax' must be one of raw, e164, local"),
        ("--name A --dst 442079460001 --capacity-limit 0", "'--capacity-limit': It must be 1 to 32767"),
        ("--name A --dst 442079460001 --pop 'Nowhere'", "There is no POP 'Nowhere'"),
        ("--name A --host sip.example.com", "Missing --codec-ids"),
        ("A --name B --dst 442079460001", "NAME and --name exclude each other"),
    ],
)
def test_faults_of_a_new_record_are_named_by_their_options(account, options, words):
    """Before anything is sent."""
    before = len(changes(account))
    result = account(f"voice-in-trunks create {options}")
    assert result.code in (2, 4), result
    assert words in result.err
    assert len(changes(account)) == before


def test_json_input(account, tmp_path):
    """A JSON:API document, an object of fields, a list of them, and what `-o json` prints."""
    configuration = {"type": "pstn_configurations", "attributes": {"dst": "442079460001"}}
    document = {"data": {"type": "voice_in_trunks", "attributes": {"name": "Bonn", "configuration": configuration}}}
    account.ok("voice-in-trunks create --json -", input=json.dumps(document))
    flat = {"name": "Oslo", "configuration": {"type": "pstn", "dst": "442079460002"}, "cli_format": "raw"}
    path = tmp_path / "trunks.json"
    path.write_text(
        json.dumps([flat, {**flat, "name": "Riga", "created_at": "2026-01-01T00:00:00Z"}]), encoding="utf-8"
    )
    result = account("voice-in-trunks create --yes --json", str(path))
    assert "Not writable, left out: created_at" in result.err
    names = {trunk.name for trunk in account.client.voice_in_trunks().iterate()}
    assert names == {"Berlin", "Bonn", "Oslo", "Riga"}
    printed = json.loads(account.ok("voice-in-trunks find Oslo -o json"))
    printed["configuration"]["dst"] = "442079460003"
    result = account("voice-in-trunks update --yes --json -", input=json.dumps(printed))
    assert result.code == 0, result
    assert "dst: 442079460002 -> 442079460003" in result.err
    account.ok(
        "voice-in-trunk-groups create --yes --json -",
        input=json.dumps({"name": "G", "voice_in_trunks": ["Oslo", "Riga"]}),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "standard input is not JSON"),
        ("5", "an object of fields is needed"),
        ("[]", "the list is empty"),
        ('{"nme": "A"}', "Did you mean 'name'?"),
        ('{"name": 5}', "name: It must be a str, got 5"),
        ('[{"name": "A"}, {"name": 5}]', "[1] name"),
        ('{"type": "dids", "attributes": {}}', "the type must be voice_in_trunks"),
        ('{"name": "A", "configuration": {"type": "fax"}}', "must be one of sip, pstn"),
        ('{"name": "A", "configuration": {"hst": "x"}}', "Did you mean 'host'?"),
        ('{"name": "A", "configuration": 5}', "configuration must be an object"),
        ('{"name": null}', "name"),
    ],
)
def test_faults_of_json_are_named(account, text, words):
    """Before anything is sent."""
    before = len(changes(account))
    result = account("voice-in-trunks create --json - --yes", input=text)
    assert result.code == 2, result
    assert words in result.err
    assert len(changes(account)) == before


def test_an_order_is_confirmed_with_its_cost(didww):
    """Without a terminal and without --yes it is not placed; a dry run prints it."""
    pool = next(iter(didww.client.capacity_pools().iterate()))
    line = f"resources orders create --items capacity_pool={pool.id},qty=2 --external-reference-id PO-1"
    result = didww(line)
    assert result.code == 2
    assert f"channels of {pool.name} x 2" in result.err
    assert "Balance: 10000.00 USD" in result.err
    result = didww(f"{line} --dry-run")
    assert (
        result.code,
        json.loads(result.out.partition("\n")[2])["data"]["attributes"]["items"][0]["attributes"]["qty"],
    ) == (0, 2)
    assert changes(didww) == []
    didww.ok(f"resources orders create --items sku={sku(didww.client)},qty=2 --yes")
    assert didww.client.orders().count() == 1
    result = didww("resources orders create --items sku=8d1a3c5e-0000-4000-8000-000000000001,qyt=2 --yes")
    assert "there is no 'qyt' in an item" in result.err


def test_cost_of_one_number_is_known(didww):
    """For a number in stock, the price is that of its SKU."""
    number = didww.client.available_dids().first(include="did_group.stock_keeping_units")
    offer = number.did_group.stock_keeping_units[0]
    result = didww(f"resources orders create --items sku={offer.id},available_did={number.id}")
    assert f"number {number.number} x 1: {offer.setup_price} USD setup, {offer.monthly_price} USD a month" in result.err
    assert f"Cost: {offer.setup_price + offer.monthly_price} USD now" in result.err


def test_cost_of_a_sku_is_known(didww):
    """It is found by the DID groups."""
    result = didww(f"resources orders create --items sku={sku(didww.client)},qty=2")
    assert (result.code, "number in London x 2: " in result.err) == (2, True)
    assert "unknown" not in result.err


def test_an_order_at_an_unknown_price_needs_an_answer(didww):
    """--yes does not place it; the question names the reason."""
    line = "resources orders create --items sku=8d1a3c5e-0000-4000-8000-000000000001,qty=1"
    result = didww(line)
    assert (result.code, "Place this order although the price is unknown?" in result.err) == (2, True)
    result = didww(f"{line} --yes")
    assert (result.code, "The price is unknown, so --yes does not place this order." in result.err) == (3, True)
    assert changes(didww) == []
    assert didww.ok(f"{line} --yes --dry-run").startswith("POST ")


def test_a_reference_is_used_once(didww):
    """Neither the order of another run nor one of the same run has it."""
    item = {"sku_id": sku(didww.client), "qty": 1}
    orders = [{"items": [item], "external_reference_id": "PO-17"}] * 2
    result = didww("resources orders create --yes --json -", input=json.dumps(orders))
    assert (result.code, changes(didww)) == (2, [])
    didww.ok("resources orders create --yes --json -", input=json.dumps(orders[0]))
    result = didww("resources orders create --yes --json -", input=json.dumps(orders[0]))
    assert (result.code, "'PO-17' belongs to order" in result.err) == (3, True)
    assert didww.client.orders().count() == 1


def test_failure_in_the_middle_says_what_was_created(account):
    """Exit code 7, and the records that exist now."""
    rows = [{"name": name, "configuration": {"type": "pstn", "dst": "442079460001"}} for name in ("Oslo", "Berlin")]
    path = account.home / "rows.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    result = account("voice-in-trunks create --yes --json", str(path))
    assert result.code == 7, result
    assert "The inbound trunk Oslo was created." in result.err


# update and delete


def test_json_finds_records_by_number_or_name(account):
    """As CSV files do; a name beside an argument is a new one."""
    one, two = buy(account.client, 2)
    rows = [{"number": one, "description": "First"}, {"number": f"+{two}", "description": "Second"}]
    result = account("dids update --yes --json -", input=json.dumps(rows))
    assert (result.code, "left out" in result.err) == (0, False), result
    assert [did.description for did in account.client.dids().iterate(sort="number")] == ["First", "Second"]
    account.ok("voice-in-trunks update --yes --json -", input='{"name": "Berlin", "priority": 7}')
    account.ok("voice-in-trunks update Berlin --yes --json -", input='{"name": "Bern"}')
    assert account.client.voice_in_trunks().one(filter={"name": "Bern"}).priority == 7


def test_none_clears_a_field(account):
    """In options and in CSV files, except where it is a value of the field."""
    (number,) = buy(account.client, 1)
    account.ok(f"dids update {number} --voice-in-trunk Berlin --capacity-limit 5 --description Desk --yes")
    account.ok(f"dids update {number} --voice-in-trunk none --capacity-limit None --yes")
    did = account.client.dids().find(account.client.dids().one().id, include="voice_in_trunk").data
    assert (did.voice_in_trunk, did.capacity_limit) == (None, None)
    path = account.home / "rows.csv"
    path.write_text(f"number,description\n{number},none\n", encoding="utf-8")
    account.ok("dids update --yes --from-csv", str(path))
    assert account.client.dids().one().description is None
    account.ok("trunks create Sip --sip 192.0.2.10 --diversion as-is")
    account.ok("voice-in-trunks update Sip --diversion-relay-policy none --yes")
    policy = account.client.voice_in_trunks().one(filter={"name": "Sip"}).configuration.diversion_relay_policy
    assert policy == "none"


def test_choices_have_one_language(account):
    """The words of the plan are those of the options."""
    line = "voice-in-trunks create --name Sip --host 192.0.2.10 --codec-ids pcmu --rerouting-disconnect-code-ids"
    account.ok(f"{line} 486,ringing-timeout --transport-protocol-id TLS")
    result = account("voice-in-trunks update Sip --rerouting-disconnect-code-ids 503 --codec-ids telephone-event,g729")
    assert "486, ringing-timeout -> 503" in result.err
    assert "pcmu -> telephone-event, g729" in result.err


def test_update_shows_the_change_and_asks(account):
    """What reroutes calls is confirmed; a note is not."""
    (number,) = buy(account.client, 1)
    before = len(changes(account))
    result = account(f"dids update +{number} --voice-in-trunk Berlin")
    assert (result.code, len(changes(account))) == (2, before)
    assert f"DID {number}: inbound trunk: none -> Berlin" in result.err
    assert account(f"dids update {number} --voice-in-trunk Berlin --dry-run").out.startswith("PATCH ")
    assert len(changes(account)) == before
    result = account(f"dids update {number} --description 'Front desk'")
    assert result.code == 0
    assert "description: none -> Front desk" in result.err
    account.ok("voice-in-trunk-groups create --name Both --voice-in-trunks Berlin --yes")
    account.ok(f"dids update {number} --voice-in-trunk-group Both --yes")
    result = account(f"dids update {number} --voice-in-trunk Berlin --yes")
    assert "inbound trunk: none -> Berlin, inbound trunk group: Both -> none" in result.err


def test_update_that_changes_nothing_is_not_sent(account):
    """It prints the record and says so."""
    before = len(changes(account))
    result = account("voice-in-trunks update Berlin --dst 442079460990 -o json")
    assert (result.code, len(changes(account))) == (0, before)
    assert "nothing changes" in result.err


def test_fields_are_cleared(account):
    """With --no-FIELD or an empty value, where the field may be empty."""
    account.ok("voice-in-trunks update Berlin --capacity-limit 5 --description x --yes")
    account.ok("voice-in-trunks update Berlin --no-capacity-limit --description '' --yes")
    trunk = account.client.voice_in_trunks().one(filter={"name": "Berlin"})
    assert (trunk.capacity_limit, trunk.description) == (None, None)
    assert "cannot be cleared" in account("voice-in-trunks update Berlin --weight ''").err
    result = account("voice-in-trunks update Berlin --no-capacity-limit --capacity-limit 5")
    assert "exclude each other" in result.err


def test_update_needs_a_record_and_a_change(account):
    """Exit code 2 otherwise."""
    assert "nothing to change" in account("voice-in-trunks update Berlin").err
    assert "Missing argument" in account("voice-in-trunks update --priority 2").err
    assert "--from-csv goes without" in account("voice-in-trunks update Berlin --from-csv x.csv").err
    assert (
        "needs the configuration type sip, got pstn"
        in account("voice-in-trunks update Berlin --host a.example.com").err
    )


def test_secrets_are_masked(account):
    """In the change and in the output, unless they are asked for."""
    account.ok("voice-in-trunks create --name Rome --host sip.example.com --codec-ids pcmu")
    line = "voice-in-trunks update Rome --auth-enabled --auth-user bob --auth-password hunter22 -o json"
    result = account(f"{line} --yes")
    assert result.code == 0, result
    assert "hunter22" not in result.out + result.err
    assert "hunter22" not in account(f"{line.replace('22', '23')} --dry-run").out
    assert "hunter22" in account.ok("voice-in-trunks find Rome --show-credentials")


def test_a_secret_is_read_from_a_file(account):
    """An option would show in the list of processes."""
    account.ok("voice-in-trunks create --name Rome --host sip.example.com --codec-ids pcmu")
    line = "voice-in-trunks update Rome --auth-enabled --auth-user bob --auth-password-file - --yes"
    account.ok(line, input="hunter22\n")
    assert account.client.voice_in_trunks().one(filter={"name": "Rome"}).configuration.auth_password == "hunter22"
    assert account(f"{line} --auth-password x", input="y\n").code == 2


def test_delete_asks_and_deletes_several(account):
    """Each is named first; all are looked up before the first is deleted."""
    create_trunk(account.client, "Oslo")
    result = account("voice-in-trunks delete Berlin Oslo")
    assert result.code == 2
    assert "Inbound trunk Oslo" in result.err
    assert account("voice-in-trunks delete Berlin Nowhere --yes").code == 4
    assert account.client.voice_in_trunks().count() == 2
    assert account("voice-in-trunks delete Berlin Oslo --dry-run").out.count("DELETE ") == 2
    assert "Deleted: Berlin, Oslo." in account("voice-in-trunks delete Berlin Oslo --yes").err
    assert account.client.voice_in_trunks().count() == 0


def test_lost_response_of_an_order_is_looked_up(didww):
    """It is placed once."""
    didww.emulator.faults.add(method="POST", resource="orders", lost_response=True, times=1)
    didww.ok(f"resources orders create --items sku={sku(didww.client)},qty=1 --yes")
    assert didww.client.orders().count() == 1


@pytest.mark.slow
def test_question_in_a_terminal(account):
    """Yes changes the record, no leaves it alone with exit code 1."""
    with account.terminal("voice-in-trunks update Berlin --dst 442079460001") as terminal:
        terminal.expect("[y/N]")
        terminal.send("n\n")
        assert terminal.wait() == 1
    assert "Nothing was changed." in terminal.text
    with account.terminal("voice-in-trunks update Berlin --dst 442079460001") as terminal:
        terminal.expect("dst: 442079460990 -> 442079460001")
        terminal.expect("[y/N]")
        terminal.send("y\n")
        assert terminal.wait() == 0
    assert re.search(r"to +442079460001", terminal.text)


def test_orders_are_never_updated_by_a_list_of_ids_without_one(didww):
    """Each record of a list needs its id."""
    result = didww("resources orders update --json - --yes", input='[{"external_reference_id": "a"}]')
    assert (result.code, Order._path) == (2, "orders")
