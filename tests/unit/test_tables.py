"""Records as rows of tables: for CSV files, data frames and notebooks."""

from __future__ import annotations

import copy
import csv
import io
import pickle
import pydoc
from typing import TYPE_CHECKING

import pytest

from didww import Codec, Did, SipConfiguration, VoiceInTrunk, VoiceOutTrunk
from didww.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from didww import DidwwClient

PASSWORD = "correct-horse-battery"


@pytest.fixture
def client() -> Iterator[DidwwClient]:
    with Emulator() as emulator, emulator.client() as client:
        configuration = SipConfiguration(
            host="198.51.100.7",
            username="pbx",
            codec_ids=[Codec.PCMU],
            auth_enabled=True,
            auth_user="pbx",
            auth_password=PASSWORD,
        )
        client.voice_in_trunks().create(VoiceInTrunk(name="<Office & home>", configuration=configuration))
        yield client


def test_a_flat_dict_has_one_level_with_dotted_names(client: DidwwClient) -> None:
    trunk = client.voice_in_trunks().list(include=["pop"]).data[0]
    row = trunk.to_dict(flat=True)
    assert row["id"] == trunk.id
    assert row["name"] == "<Office & home>"
    assert row["configuration.type"] == "sip_configurations"
    assert row["configuration.host"] == "198.51.100.7"
    assert row["created_at"] == trunk.to_dict()["attributes"]["created_at"]  # values of the wire
    assert row["pop.id"] is None
    assert not [name for name, value in row.items() if isinstance(value, dict)]


def test_included_records_are_columns_of_a_flat_dict(client: DidwwClient) -> None:
    did = client.available_dids().list(include=["did_group.city", "did_group.country"]).data[0]
    row = did.to_dict(flat=True)
    assert row["did_group.area_name"] == did.did_group.area_name
    assert row["did_group.country.iso"] == did.did_group.country.iso
    assert "did_group.country.iso" not in client.available_dids().list().data[0].to_dict(flat=True)


def test_a_record_inside_itself_ends() -> None:
    number = {"type": "dids", "id": "1", "attributes": {"number": "442079460000"}}
    group = {"type": "did_groups", "id": "2", "attributes": {"area_name": "London"}}
    number["relationships"] = {"did_group": {"data": {"type": "did_groups", "id": "2"}}}
    group["relationships"] = {
        "dids": {"data": [{"type": "dids", "id": "1"}]},
        "did": {"data": {"type": "dids", "id": "1"}},
    }
    row = Did.from_dict(number, included=[group]).to_dict(flat=True)
    assert row == {
        "id": "1",
        "number": "442079460000",
        "did_group.id": "2",
        "did_group.area_name": "London",
        "did_group.dids": ["1"],
        "did_group.did.id": "1",
    }


def test_rows_are_written_as_csv(client: DidwwClient) -> None:
    rows = [country.to_dict(flat=True) for country in client.countries().list().data]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    assert [row["iso"] for row in csv.DictReader(io.StringIO(text.getvalue()))] == [row["iso"] for row in rows]


def test_notebooks_show_records_as_escaped_tables_without_secrets(client: DidwwClient) -> None:
    response = client.voice_in_trunks().list()
    for shown in (response, response.data, response.data[0]):
        page = shown._repr_html_()
        assert page is not None
        assert page.startswith("<table>")
        assert "&lt;Office &amp; home&gt;" in page
        assert "<Office" not in page
        assert "***" in page
        assert PASSWORD not in page


def test_a_table_shows_included_records_by_name(client: DidwwClient) -> None:
    numbers = client.available_dids().list(include=["did_group"]).data
    group = numbers[0].did_group
    assert f"<td>{group.id}</td>" in numbers._repr_html_()  # type: ignore[attr-defined] # a group has no name
    assert "<th>did_group</th>" in numbers._repr_html_()  # type: ignore[attr-defined]


def test_a_response_without_data_has_no_table(client: DidwwClient) -> None:
    trunk = client.voice_in_trunks().list().data[0]
    assert client.voice_in_trunks().delete(trunk.id)._repr_html_() is None
    assert "no records" in (client.voice_in_trunks().list()._repr_html_() or "")


def test_a_list_of_records_is_a_list_in_all_else(client: DidwwClient) -> None:
    data = client.countries().list().data
    assert isinstance(data, list)
    assert data == list(data)
    assert repr(data) == repr(list(data))
    for twin in (pickle.loads(pickle.dumps(data)), copy.deepcopy(data), data[:]):
        assert twin == data


def test_help_shows_the_fields_and_nothing_of_the_library() -> None:
    for cls in (Did, VoiceOutTrunk, SipConfiguration):
        page = pydoc.render_doc(cls, renderer=pydoc.plaintext)
        names = [
            line.split()[1].partition("(")[0] for line in page.splitlines() if line[:4] == " |  " and line[4:5].strip()
        ]
        assert not [name for name in names if name.startswith("_") and not name.endswith("__")]
        assert "Writable on update only." in page or cls is not Did
