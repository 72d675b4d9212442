"""Test create, update and delete as declared, and the hooks of behaviors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import pytest

from didww._core.effects import Request, Response
from didww.emulator import Behavior, Clock, HttpError
from didww.emulator.engine.engine import Engine
from didww.emulator.engine.session import AccountSession
from support.api_caller import Caller, Scene, document, filled

Record = dict[str, Any]
PSTN = {"type": "pstn_configurations", "attributes": {"dst": "4420000"}}


@pytest.fixture
def stage() -> Scene:
    return Scene()


def engine_with(**behaviors: Behavior) -> Engine:
    engine = Engine(clock=Clock(running=False))
    engine._runtime.behaviors = {"balances": engine._runtime.behaviors["balances"], **behaviors}
    return engine


def test_created_records_can_be_read(stage: Scene) -> None:
    """201 with every attribute: null where none was sent, created_at from the clock."""
    created = stage.caller.write("POST", "/voice_in_trunk_groups", document("voice_in_trunk_groups", name="new"), 201)
    data = created["data"]
    assert data["attributes"] == {
        "name": "new",
        "capacity_limit": None,
        "external_reference_id": None,
        "created_at": data["attributes"]["created_at"],
    }
    assert data["attributes"]["created_at"].endswith("Z")
    assert len(data["id"]) == 36
    assert stage.caller.get(f"/voice_in_trunk_groups/{data['id']}") == created


def test_update_changes_only_the_sent_attributes(stage: Scene) -> None:
    """PATCH, or PUT as its alias; null is a value."""
    id = next(
        id for id in stage.ids["identities"] if stage.session.get("identities", id)["identity_type"] == "business"
    )
    before = stage.caller.get(f"/identities/{id}")["data"]
    for method in ("PATCH", "PUT"):
        after = stage.caller.write(
            method, f"/identities/{id}", document("identities", id, vat_id=None, last_name=method)
        )
        expected = {**before["attributes"], "vat_id": None, "last_name": method}
        assert after["data"]["attributes"] == expected
        assert stage.caller.get(f"/identities/{id}")["data"]["attributes"] == expected


def test_empty_update_returns_the_record(stage: Scene) -> None:
    """The record stays unchanged."""
    id = stage.ids["identities"][0]
    before = stage.caller.get(f"/identities/{id}")
    assert stage.caller.write("PATCH", f"/identities/{id}", document("identities", id)) == before


def test_delete_returns_204_and_removes_the_record(stage: Scene) -> None:
    """Reading or deleting it again returns 404."""
    id = stage.ids["voice_out_trunks"][0]
    response = stage.caller.send("DELETE", f"/voice_out_trunks/{id}")
    assert (response.status, response.body) == (204, b"")
    assert stage.caller.send("GET", f"/voice_out_trunks/{id}").status == 404
    assert stage.caller.send("DELETE", f"/voice_out_trunks/{id}").status == 404


def test_to_many_relationships_are_replaced(stage: Scene) -> None:
    """Records that are not listed are unlinked, whichever side stores the link."""
    trunks, group = stage.ids["voice_in_trunks"], stage.ids["voice_in_trunk_groups"][0]
    cases: list[tuple[str, str, str, str, list[str]]] = [
        ("voice_in_trunk_groups", group, "voice_in_trunks", "voice_in_trunks", trunks),
        ("voice_out_trunks", stage.ids["voice_out_trunks"][0], "dids", "dids", stage.ids["dids"]),
    ]
    for type, id, name, other, ids in cases:
        repeat = [[ids[2], ids[2]]] if type == "voice_in_trunk_groups" else []
        switch: dict[str, Any] = {} if repeat else {"allow_any_did_as_cli": False}
        for wanted in (ids[1:], [ids[0]], [], *repeat):
            body = document(type, id, {name: [{"type": other, "id": linked_id} for linked_id in wanted]}, **switch)
            response = stage.caller.write("PATCH", f"/{type}/{id}", body, include=name)
            linked = response["data"]["relationships"][name]["data"]
            assert {link["id"] for link in linked} == set(wanted)
            assert len(linked) == len(set(wanted))


def test_duplicates_in_a_relationship_are_rejected_or_ignored(stage: Scene) -> None:
    """A trunk group ignores duplicates, other lists reject them."""
    id, did = stage.ids["voice_out_trunks"][0], stage.ids["dids"][2]
    body = document("voice_out_trunks", id, {"dids": [{"type": "dids", "id": did}] * 2}, allow_any_did_as_cli=False)
    assert (
        stage.caller.error("PATCH", f"/voice_out_trunks/{id}", body)["source"]["pointer"] == "/data/relationships/dids"
    )


def test_listed_trunks_move_out_of_other_groups(stage: Scene) -> None:
    """A trunk belongs to one group at a time."""
    first, second = stage.ids["voice_in_trunk_groups"][:2]
    trunk = stage.ids["voice_in_trunks"][1]
    assert stage.session.related("voice_in_trunk_groups", second, "voice_in_trunks") == [trunk]
    body = document("voice_in_trunk_groups", first, {"voice_in_trunks": [{"type": "voice_in_trunks", "id": trunk}]})
    stage.caller.write("PATCH", f"/voice_in_trunk_groups/{first}", body)
    assert stage.session.related("voice_in_trunk_groups", second, "voice_in_trunks") == []


def test_setting_a_route_clears_the_other(stage: Scene) -> None:
    """A DID is routed to a trunk or to a group; both at once are invalid."""
    id = stage.ids["dids"][0]
    trunk = {"type": "voice_in_trunks", "id": stage.ids["voice_in_trunks"][0]}
    group = {"type": "voice_in_trunk_groups", "id": stage.ids["voice_in_trunk_groups"][0]}
    stage.caller.write("PATCH", f"/dids/{id}", document("dids", id, {"voice_in_trunk": trunk}))
    record = stage.session.get("dids", id)
    assert record is not None
    assert (record["voice_in_trunk"], record["voice_in_trunk_group"]) == (trunk["id"], None)
    both = document("dids", id, {"voice_in_trunk": trunk, "voice_in_trunk_group": group})
    assert stage.caller.send("PATCH", f"/dids/{id}", both).status == 422
    none = document("dids", id, {"voice_in_trunk": None, "voice_in_trunk_group": None})
    stage.caller.write("PATCH", f"/dids/{id}", none)


def test_delete_clears_links_to_the_record(stage: Scene) -> None:
    """Deletions that the service rejects are up to behaviors, see test_main_path.py."""
    stage.caller.write("DELETE", f"/voice_in_trunks/{stage.ids['voice_in_trunks'][0]}", status=204)
    did = stage.session.get("dids", stage.ids["dids"][0])
    assert did is not None
    assert did["voice_in_trunk"] is None


def test_deleting_an_identity_deletes_its_addresses_and_documents(stage: Scene) -> None:
    """See the contract file identities; those of other identities stay."""
    stage.caller.write("DELETE", f"/identities/{stage.ids['identities'][0]}", status=204)
    for type in ("addresses", "permanent_supporting_documents", "proofs"):
        assert stage.session.get(type, stage.ids[type][0]) is None, type
    assert stage.session.get("addresses", stage.ids["addresses"][1]) is not None


def test_polymorphic_relationships_keep_the_type(stage: Scene) -> None:
    """A proof's entity is an identity or an address."""
    file = {"type": "encrypted_files", "id": stage.ids["encrypted_files"][0]}
    kind = {"type": "proof_types", "id": stage.ids["proof_types"][0]}
    for type in ("identities", "addresses"):
        entity = {"type": type, "id": stage.ids[type][0]}
        body = document("proofs", None, {"entity": entity, "proof_type": kind, "files": [file]})
        created = stage.caller.write("POST", "/proofs", body, 201, include="entity")
        assert created["data"]["relationships"]["entity"]["data"] == entity
        assert [(resource["type"], resource["id"]) for resource in created["included"]] == [tuple(entity.values())]


def test_nested_objects_have_all_members(stage: Scene) -> None:
    """Members not sent are null or empty; write-only members are not returned."""
    body = document(
        "voice_in_trunks",
        name="sip",
        configuration={"type": "sip_configurations", "attributes": {"host": "sip.example.com", "codec_ids": [9]}},
    )
    returned = stage.caller.write("POST", "/voice_in_trunks", body, 201)["data"]["attributes"]["configuration"]
    assert returned["type"] == "sip_configurations"
    assert returned["attributes"]["host"] == "sip.example.com"
    assert returned["attributes"]["port"] is None
    assert returned["attributes"]["enabled_sip_registration"] is False
    assert "incoming_auth_password" in returned["attributes"]
    item = {"type": "did_order_items", "attributes": {"qty": 2, "sku_id": "8d1a3c5e-0000-4000-8000-000000000001"}}
    order = stage.caller.write("POST", "/orders", document("orders", items=[item]), 201)
    inside = order["data"]["attributes"]["items"][0]["attributes"]
    assert inside["qty"] == 2
    assert "sku_id" not in inside
    assert inside["billed_from"] is None


def test_money_is_stored_as_a_decimal_string(stage: Scene) -> None:
    """JSON numbers are accepted too."""
    id = stage.ids["voice_out_trunks"][0]
    for value, expected in (("12.50", "12.50"), (7, "7.0"), ("7", "7.0")):
        body = document("voice_out_trunks", id, threshold_amount=value)
        attributes = stage.caller.write("PATCH", f"/voice_out_trunks/{id}", body)["data"]["attributes"]
        assert attributes["threshold_amount"] == expected
    for value in ("many", "1e5", "NaN", "", True, 1e300):
        body = document("voice_out_trunks", id, threshold_amount=value)
        assert stage.caller.send("PATCH", f"/voice_out_trunks/{id}", body).status == 422


def test_invalid_dates_return_422(stage: Scene) -> None:
    """The format is YYYY-MM-DD, and the day must exist."""
    id = stage.ids["identities"][0]
    assert (
        stage.caller.send("PATCH", f"/identities/{id}", document("identities", id, birth_date="2024-02-29")).status
        == 200
    )
    for value in ("2023-02-29", "yesterday", 20230101, "2023-1-1"):
        body = document("identities", id, birth_date=value)
        assert stage.caller.send("PATCH", f"/identities/{id}", body).status == 422


class Full(Behavior):
    """Use every hook of a behavior."""

    defaults: ClassVar[Mapping[str, Any]] = {"capacity_limit": 9}

    def __init__(self) -> None:
        self.seen: list[str] = []

    def before_create(self, session: AccountSession, record: Record) -> None:
        self.seen.append(f"before_create {record['name']} {record['capacity_limit']} {record['voice_in_trunks']}")
        if record["name"] == "no":
            raise HttpError.combine([HttpError(422, "no"), HttpError(422, "never", pointer="/data")])
        record["private"] = {"secret": 1}

    def after_create(self, session: AccountSession, record: Record) -> None:
        self.seen.append("after_create")
        session.schedule(60, "voice_in_trunk_groups", "later", {"id": record["id"]})

    def before_update(self, session: AccountSession, record: Record, changes: Record) -> None:
        self.seen.append(f"before_update {record['name']} {changes}")
        changes["capacity_limit"] = 10

    def after_update(self, session: AccountSession, record: Record, changes: Record) -> None:
        self.seen.append(f"after_update {record['name']} {record['capacity_limit']}")

    def before_delete(self, session: AccountSession, record: Record) -> None:
        self.seen.append("before_delete")
        if record["name"] == "keep":
            raise HttpError(422, "is kept", pointer="/data")

    def delete(self, session: AccountSession, record: Record) -> bool:
        if record["name"] == "mark":
            session.update("voice_in_trunk_groups", record["id"], {"name": "marked"})
            return True
        return False

    def after_delete(self, session: AccountSession, record: Record) -> None:
        self.seen.append("after_delete")

    def attributes(self, session: AccountSession, record: Record) -> None:
        record["name"] = record["name"].upper()

    def meta(self, session: AccountSession, record: Record) -> dict[str, Any] | None:
        return {"trunks_count": len(session.related("voice_in_trunk_groups", record["id"], "voice_in_trunks"))}

    def document_meta(self, session: AccountSession, operation: str) -> dict[str, Any]:
        return {"available_count": len(operation)}

    def due(self, session: AccountSession, name: str, payload: Any) -> None:
        session.update("voice_in_trunk_groups", payload["id"], {"external_reference_id": f"{name} {session.stamp()}"})

    def serve(self, session: AccountSession, request: Request, rest: str) -> Response | None:
        return Response(200, {"content-type": "text/plain"}, rest.encode()) if rest.endswith(".txt") else None

    def account_rows(self, session: AccountSession) -> Iterable[Record]:
        return ({"name": "first"},)


@pytest.mark.unchecked
def test_all_behavior_hooks_are_called() -> None:
    """Hooks run in order, can change their arguments, and their errors roll back."""
    full = Full()
    engine = engine_with(voice_in_trunk_groups=full)
    caller = Caller(engine)
    (first,) = caller.get("/voice_in_trunk_groups")["data"]
    assert first["attributes"]["name"] == "FIRST"

    body = document("voice_in_trunk_groups", name="a")
    created = caller.write("POST", "/voice_in_trunk_groups", body, 201)
    id = created["data"]["id"]
    assert created["data"]["attributes"]["capacity_limit"] == 9
    assert created["data"]["meta"] == {"trunks_count": 0}
    assert created["meta"]["available_count"] == len("create")
    record = engine.session("key").get("voice_in_trunk_groups", id)
    assert record is not None
    assert record["private"] == {"secret": 1}

    changed = caller.write("PATCH", f"/voice_in_trunk_groups/{id}", document("voice_in_trunk_groups", id, name="b"))
    assert changed["data"]["attributes"]["capacity_limit"] == 10
    assert full.seen == [
        "before_create a 9 []",
        "after_create",
        "before_update a {'name': 'b'}",
        "after_update a 9",
    ]

    refused = caller.send("POST", "/voice_in_trunk_groups", document("voice_in_trunk_groups", name="no"))
    assert refused.status == 422
    assert [error["title"] for error in json.loads(refused.body)["errors"]] == ["no", "never"]
    assert len(caller.ids("/voice_in_trunk_groups")) == 2

    assert caller.send("GET", "/voice_in_trunk_groups/x.txt").body == b"x.txt"
    assert caller.send("GET", f"/voice_in_trunk_groups/{id}").status == 200


def test_behavior_can_replace_a_deletion() -> None:
    """Reject it, replace it, or run it."""
    full = Full()
    caller = Caller(engine_with(voice_in_trunk_groups=full))
    for name, status, remaining in (("keep", 422, "KEEP"), ("mark", 204, "MARKED"), ("go", 204, None)):
        body = document("voice_in_trunk_groups", name=name)
        id = caller.write("POST", "/voice_in_trunk_groups", body, 201)["data"]["id"]
        assert caller.send("DELETE", f"/voice_in_trunk_groups/{id}").status == status
        response = caller.send("GET", f"/voice_in_trunk_groups/{id}")
        assert (
            json.loads(response.body)["data"]["attributes"]["name"] if response.status == 200 else None
        ) == remaining


def test_scheduled_events_run_at_their_time() -> None:
    """They run before the next request, with the time for which they were scheduled."""
    engine = engine_with(voice_in_trunk_groups=Full())
    caller = Caller(engine)
    created = caller.write("POST", "/voice_in_trunk_groups", document("voice_in_trunk_groups", name="a"), 201)["data"]
    path = f"/voice_in_trunk_groups/{created['id']}"
    engine.clock.advance(59)
    assert caller.get(path)["data"]["attributes"]["external_reference_id"] is None
    expected = engine.session("key").stamp(engine.clock.now())
    engine.clock.advance(1000)
    noted = caller.get(path)["data"]["attributes"]["external_reference_id"]
    assert noted.startswith("later ")
    assert noted[6:] > expected
    assert noted[6:] < engine.session("key").stamp()


@pytest.mark.unchecked
def test_failed_events_are_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """The error is logged, changes are rolled back, and other events run."""

    class Failing(Behavior):
        def due(self, session: AccountSession, name: str, payload: Any) -> None:
            session.insert("voice_in_trunk_groups", {"name": name})
            if name == "bad":
                raise ZeroDivisionError

    engine = engine_with(voice_in_trunk_groups=Failing())
    session = engine.session("key")
    session.schedule(1, "voice_in_trunk_groups", "bad")
    session.schedule(2, "voice_in_trunk_groups", "good")
    engine.clock.advance(3)
    data = Caller(engine).get("/voice_in_trunk_groups")["data"]
    assert [resource["attributes"]["name"] for resource in data] == ["good"]
    assert "ZeroDivisionError" in caplog.text


def test_validations_are_not_stored() -> None:
    """With stored = False the response has the id, and nothing can be found later."""

    class Validation(Behavior):
        stored = False

        def before_create(self, session: AccountSession, record: Record) -> None:
            record["id"] = record["voice_out_trunk"]

    engine = engine_with(voice_out_trunk_regenerate_credentials=Validation())
    session = engine.session("key")
    trunk = session.insert("voice_out_trunks", filled("voice_out_trunks"))["id"]
    body = document(
        "voice_out_trunk_regenerate_credentials", None, {"voice_out_trunk": {"type": "voice_out_trunks", "id": trunk}}
    )
    created = Caller(engine).write("POST", "/voice_out_trunk_regenerate_credentials", body, 201)
    assert created["data"]["id"] == trunk
    assert created["data"]["attributes"] == {}
    assert session.count("voice_out_trunk_regenerate_credentials") == 0


def test_behavior_can_handle_uploads() -> None:
    """It creates a record from a request of another media type."""

    class Uploads(Behavior):
        def create(self, session: AccountSession, content_type: str, body: bytes) -> Record | None:
            assert content_type == "multipart/form-data; boundary=x"
            return {"description": body.decode(), "expires_at": session.stamp()}

    caller = Caller(engine_with(encrypted_files=Uploads()))
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Accept": "application/json"}
    response = caller.send("POST", "/encrypted_files", raw=b"a file", headers=headers)
    assert response.status == 201
    assert json.loads(response.body)["data"]["attributes"]["description"] == "a file"
    assert caller.send("POST", "/encrypted_files", raw=b"x" * (2 << 20), headers=headers).status == 201


def test_balance_is_charged_and_refunded() -> None:
    """The balance resource shows it at once."""
    from decimal import Decimal

    engine = engine_with()
    session = engine.session("key")
    session.charge(Decimal("2.50"))
    assert Caller(engine).get("/balance")["data"]["attributes"] == {
        "balance": "9997.50",
        "credit": "0.00",
        "total_balance": "9997.50",
    }
    session.charge(Decimal("-2.50"))
    assert session.balance() == Decimal("10000.00")
