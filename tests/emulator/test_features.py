"""Test accounts without a feature or in read-only mode, and how features are switched."""

from __future__ import annotations

from typing import Any

import pytest

from didww import DidOrderItem, DidwwApiError, Order
from didww.emulator import Emulator
from support.api_caller import Caller, document

NOWHERE = "00000000-0000-4000-8000-000000000000"
OUTBOUND = ("voice_out_trunks", "voice_out_trunk_regenerate_credentials")
EMERGENCY = (
    "emergency_requirements",
    "emergency_requirement_validations",
    "emergency_calling_services",
    "emergency_verifications",
)


def statuses(caller: Caller, type: str) -> set[int]:
    """Return the response statuses of all operations on a type."""
    requests: tuple[tuple[str, str, Any], ...] = (
        ("GET", f"/{type}", None),
        ("GET", f"/{type}/{NOWHERE}", None),
        ("POST", f"/{type}", document(type)),
        ("PATCH", f"/{type}/{NOWHERE}", document(type, NOWHERE)),
        ("DELETE", f"/{type}/{NOWHERE}", None),
    )
    return {caller.send(method, path, body).status for method, path, body in requests}


@pytest.mark.parametrize(
    ("feature", "types"), [("outbound_trunks", OUTBOUND), ("emergency_calling", EMERGENCY)], ids=str
)
def test_operations_return_403_without_their_feature(feature: str, types: tuple[str, ...]) -> None:
    """Until the feature is switched on; other accounts are not affected."""
    with Emulator() as emulator:
        caller, other = Caller(emulator.engine, emulator.key), Caller(emulator.engine, "another")
        assert emulator.features.put({feature: False})[feature] is False
        for type in types:
            assert statuses(caller, type) == {403}
            assert 403 not in statuses(other, type)
        assert caller.error("GET", f"/{types[0]}")["code"] == "403"
        assert caller.send("GET", "/dids").status == 200
        emulator.features.put({feature: True})
        assert 403 not in statuses(caller, types[0])


def test_orders_return_403_in_read_only_mode() -> None:
    """Only POST /orders returns 403."""
    with Emulator() as emulator, emulator.client() as client:
        emulator.features.put({"ordering": False})
        order = Order(items=[DidOrderItem(sku_id=NOWHERE, qty=1)])
        with pytest.raises(DidwwApiError) as caught:
            client.orders().create(order)
        assert caught.value.status_code == 403
        assert client.orders().list().data == []
        emulator.features.put({"ordering": True})
        with pytest.raises(DidwwApiError) as caught:
            client.orders().create(order)
        assert caught.value.status_code == 422


def test_features_can_be_seeded() -> None:
    """Seed data has `features`; unknown names and invalid values raise an error."""
    with Emulator() as emulator:
        emulator.state.seed({"features": {"outbound_trunks": False}, "balance": "5.00"})
        assert emulator.features.show()["outbound_trunks"] is False
        assert emulator.features.show(api_key="another")["outbound_trunks"] is True
        with pytest.raises(ValueError, match=r"'outbound_trunk' is not a feature.*Did you mean"):
            emulator.state.seed({"features": {"outbound_trunk": False}})
        with pytest.raises(ValueError, match="ordering must be true or false, got 'no'"):
            emulator.state.seed({"features": {"ordering": "no"}})
        emulator.state.reset()
        assert emulator.features.show()["outbound_trunks"] is True


def test_only_uploads_accept_other_media_types() -> None:
    """Other operations return 406, deletions too."""
    with Emulator() as emulator:
        caller = Caller(emulator.engine, emulator.key)
        text = {"Accept": "text/html"}
        for method, path, body in (
            ("GET", "/dids", None),
            ("POST", "/orders", document("orders")),
            ("PATCH", f"/dids/{NOWHERE}", document("dids", NOWHERE)),
            ("DELETE", f"/voice_in_trunks/{NOWHERE}", None),
            ("GET", "/public_keys", None),
        ):
            assert caller.send(method, path, body, headers=text).status == 406
        assert caller.send("POST", "/encrypted_files", raw=b"", headers=text).status != 406
