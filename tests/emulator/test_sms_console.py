"""The console shows text messages: trunks, groups, sender IDs and exports."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from didww import Did, Export, HttpInConfiguration, SmppEsmeConfiguration, SmsTrunk, SmsTrunkGroup
from support.console_account import get

if TYPE_CHECKING:
    from didww.emulator import Emulator

VERSION = "2026-11-19"


def test_pages_of_text_messages(emulator: Emulator) -> None:
    """Lists and records are shown with their columns and relationships; credentials and headers are masked."""
    emulator.clock.freeze("2026-11-20T12:00:00Z")
    client = emulator.client(api_version=VERSION)
    web = HttpInConfiguration(
        url="https://hooks.example.com/sms",
        http_method="post",  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        headers={"Authorization": "token-1"},
        body_type="html_multipart",  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        body={"text": "{SMS_TEXT}"},
    )
    hook = client.sms_trunks().create(SmsTrunk(name="Hook", configuration=web)).data
    esme = SmppEsmeConfiguration(server_location="fra")
    trunk = client.sms_trunks().create(SmsTrunk(name="Both", configuration=esme)).data
    group = client.sms_trunk_groups().create(SmsTrunkGroup(name="Team", sms_trunks=[hook, trunk])).data
    (did,) = emulator.state.seed({"dids": [{"number": "442079460001"}]})["dids"]
    client.dids().update(Did.build(did, sms_trunk_group=group))
    sender = emulator.sender_ids.add("Shop", sender_ids=["SHOP"], countries=["GB"], trunk=trunk.id)
    period = {"from": "2026-11-19 00:00:00", "to": "2026-11-20 00:00:00"}
    export = client.exports().create(Export(export_type="sms_in", filters=period)).data  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

    for page, words in (
        ("resources", ("sms_trunks", "sms_trunk_groups", "sender_id_verifications")),
        ("resources/sms_trunks", ("Hook", "https://hooks.example.com/sms", "smpp_esme", "Team")),
        (f"resources/sms_trunks/{hook.id}", ("Hook", "Team", "html_multipart")),
        (f"resources/sms_trunks/{trunk.id}", ("Both", "Shop")),
        (f"resources/sms_trunk_groups/{group.id}", ("Team", "Hook", "Both", "442079460001")),
        (f"resources/sender_id_verifications/{sender.id}", ("Shop", "SHOP", "United Kingdom", "Both")),
        ("resources/sender_id_verifications", ("Shop", "active", sender.reference)),
        (f"resources/exports/{export.id}", ("sms_in",)),
        (f"resources/dids/{did}", ("442079460001", group.id)),
        ("journal", ("/v3/sms_trunks",)),
    ):
        text = html.unescape(get(emulator, page))
        assert all(word in text for word in words), (page, [word for word in words if word not in text])
        assert isinstance(trunk.configuration, SmppEsmeConfiguration)
        secrets = ("token-1", trunk.configuration.password, trunk.configuration.system_id)
        assert not any(secret in text for secret in secrets), page
    entries = emulator.journal.entries()
    for entry in entries:
        assert "token-1" not in get(emulator, f"journal/{entry.id}")
