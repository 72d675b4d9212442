"""`didww api`."""

from __future__ import annotations

import json

import pytest

from didww.cli.api import api
from support.account import buy, create_trunk


def changes(didww):
    return [entry for entry in didww.emulator.journal.entries(limit=1000) if entry.method != "GET"]


def test_examples_run(didww):
    """Each example of the help, with the id of a number."""
    (number,) = buy(didww.client, 1)
    id = didww.client.dids().one(filter={"number": number}).id
    for example in api.examples:
        if "--input" not in example:
            didww.ok(f"{example.removeprefix('didww ').replace('/ID', f'/{id}')} --yes")


def test_get_prints_the_document(didww):
    """-f is the query; the output is the JSON of the response."""
    document = json.loads(didww.ok("api GET /countries -f 'filter[iso]=GB'"))
    assert document["data"][0]["attributes"]["name"] == "United Kingdom"
    assert didww.ok("api get countries -f 'filter[iso]=GB' --query data[0].attributes.prefix") == "44\n"
    assert didww.ok("api GET '/countries?filter[iso]=GB' --query 'length(data)'") == "1\n"


def test_pages_are_one_list(didww):
    """All pages are followed, as one array or as lines."""
    numbers = buy(didww.client, 5)
    line = "api GET /dids -f 'page[size]=2' -f sort=number --paginate"
    assert [record["attributes"]["number"] for record in json.loads(didww.ok(line))] == numbers
    lines = didww.ok(f"{line} -o jsonl").splitlines()
    assert [json.loads(text)["attributes"]["number"] for text in lines] == numbers
    assert "--paginate needs GET" in didww("api POST /dids --paginate").err


def test_fields_become_a_document(didww):
    """-f is text, -F has types; the type and the id are those of the path."""
    (number,) = buy(didww.client, 1)
    did = didww.client.dids().one(filter={"number": number})
    result = didww(f"api PATCH /dids/{did.id} -f description=5 -F capacity_limit=5 --yes")
    assert result.code == 0, result
    did = didww.client.dids().find(did.id).data
    assert (did.description, did.capacity_limit) == ("5", 5)
    didww.ok(f"api PATCH /dids/{did.id} -F description=null --yes")
    assert didww.client.dids().find(did.id).data.description is None


def test_input_is_sent_as_it_is(didww):
    """From a file or standard input; DELETE has no output."""
    configuration = {"type": "pstn_configurations", "attributes": {"dst": "442079460001"}}
    document = {"data": {"type": "voice_in_trunks", "attributes": {"name": "Bonn", "configuration": configuration}}}
    path = didww.home / "trunk.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    id = didww.ok("api POST /voice_in_trunks --yes --query data.id --input", str(path)).strip()
    assert didww.client.voice_in_trunks().find(id).data.name == "Bonn"
    assert didww.ok(f"api DELETE /voice_in_trunks/{id} --yes") == ""
    assert didww.client.voice_in_trunks().count() == 0
    assert didww("api POST /voice_in_trunks --yes --input -", input="[]").code == 2
    assert didww("api POST /voice_in_trunks --yes --input", str(didww.home / "none")).code == 2


def test_changes_are_confirmed(didww):
    """Without a terminal and without --yes nothing is sent; a dry run prints the request, with secrets masked."""
    trunk = create_trunk(didww.client, "Berlin")
    before = len(changes(didww))
    result = didww(f"api DELETE /voice_in_trunks/{trunk.id}")
    assert result.code == 2
    assert f"DELETE /voice_in_trunks/{trunk.id}" in result.err
    result = didww(f"api PATCH /voice_in_trunks/{trunk.id} -f auth_password=hunter22 --dry-run")
    assert result.out.startswith("PATCH ")
    assert "hunter22" not in result.out + result.err
    assert "hunter22" not in didww(f"api PATCH /voice_in_trunks/{trunk.id} -f auth_password=hunter22").err
    assert len(changes(didww)) == before


def test_head_goes_to_standard_error(didww):
    """Status and headers; the data alone is on standard output."""
    result = didww("api GET /balance -i -H 'X-Request-Source: test'")
    assert result.err.startswith("HTTP 200\n")
    assert "x-request-id: " in result.err
    assert json.loads(result.out)["data"]["type"] == "balances"
    (entry,) = didww.emulator.journal.entries(path="/balance")
    assert {name.lower(): value for name, value in entry.headers.items()}.get("x-request-source") == "test"


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("api GET /nothing", 4, "404"),
        ("api GET /dids -f 'filter[nothing]=1'", 3, "400"),
        ("api GET https://example.com/v3/dids", 2, "the only origin that gets the credentials"),
        ("api GET /../dids", 2, "path"),
        ("api PUT /dids", 2, "PUT"),
        ("api GET /dids -f name", 2, "must be NAME=VALUE"),
        ("api GET /dids -H name", 2, "must be NAME:VALUE"),
        ("api GET /dids --input x", 2, "--input needs"),
        ("api PATCH /dids -f a=b --yes", 2, "must name a type and an id"),
        ("api PATCH /dids/X -f a=b -f a=c --yes", 2, "given twice"),
        ("api PATCH /dids/X -F a=@/nothing/here --yes", 2, "cannot be read"),
    ],
)
def test_faults_are_explained(didww, line, code, words):
    """With the exit code for it, and nothing on standard output."""
    result = didww(line)
    assert (result.code, result.out) == (code, ""), result
    assert words in result.err


def test_lost_response_of_a_post_is_an_unknown_outcome(didww):
    """It is not sent again; exit code 6."""
    didww.emulator.faults.add(method="POST", lost_response=True)
    result = didww("api POST /voice_in_trunk_groups -f name=Both --yes")
    assert result.code == 6, result
    assert didww.client.voice_in_trunk_groups().count() == 1


def test_plan_shows_the_query(didww):
    """What is confirmed is the whole request; secrets in it are masked."""
    result = didww("api DELETE /dids/X -f force=true -f api_key=hunter22")
    assert result.code == 2
    assert "DELETE /dids/X?force=true&api_key=***" in result.err
    path = didww.home / "did.json"
    path.write_text('{"data": {}}', encoding="utf-8")
    result = didww("api PATCH '/dids/X?a=b' -f include=order --input", str(path))
    assert "PATCH /dids/X?a=b&include=order" in result.err
    assert changes(didww) == []


def test_paths_of_errors_and_dry_runs_are_accepted(didww):
    """`/v3/dids` is `/dids`; without a method it is read."""
    for line in ("api GET /v3/countries", "api /countries", "api v3/countries", "api '/v3/countries?page[size]=1'"):
        assert json.loads(didww.ok(line))["data"], line
    assert didww("api GET").code == 2
    assert didww("api").code == 2
    assert didww("api GET /dids /dids").code == 2


def test_a_file_that_is_too_large_is_refused(didww):
    """Instead of sending its beginning."""
    path = didww.home / "large.txt"
    path.write_text("x" * 1_000_001, encoding="utf-8")
    result = didww(f"api PATCH /dids/X -F description=@{path} --yes")
    assert result.code == 2
    assert "more than 1000000 characters" in result.err
    assert changes(didww) == []


def test_headers_are_made_printable(capsys):
    """A terminal does not obey what a server sends."""
    from didww._core.raw import RawResponse
    from didww.cli.api import _print_head

    response = RawResponse({}, status_code=200, headers={"x-evil": "\x1b]0;pwned\x07"}, attempts=1)
    _print_head(response, show_head=True)
    assert capsys.readouterr().err == "HTTP 200\nx-evil: \\x1b]0;pwned\\x07\n\n"


def test_keys_are_masked_in_dry_runs(didww):
    """Whatever they are called."""
    result = didww(
        "api PATCH /dids/X -f api_key=hunter22 -f access-key=hunter22 -f auth_user=hunter22 -f username=sip-user --dry-run"
    )
    assert "hunter22" not in result.out + result.err
    assert '"api_key": "***"' in result.out
    assert '"username": "sip-user"' in result.out
