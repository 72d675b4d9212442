"""The interface of interface.md holds: each of its blocks runs as written, with both clients, and each table is true.

Identifiers such as "uuid" are replaced by those of records that are there, before a block is compiled. The asynchronous
program is made from the same block by awaiting the calls of the client; both must send the same requests.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import enum
import gzip
import hashlib
import hmac
import importlib
import inspect
import io
import json
import re
import types
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

import pytest
import requests

from didww import AsyncDidwwClient, DidwwClient, configuration, enums
from didww._schema.filter_rules import include_paths
from didww._schema.registry import all_classes, class_named, class_of
from didww.configuration import Environment
from didww.emulator import Clock, Engine
from didww.emulator.http.server import running
from didww.encrypt import Encrypt
from didww.exceptions import DidwwClientError
from didww.resources.address import Address
from didww.resources.available_did import AvailableDid
from didww.resources.did_reservation import DidReservation
from didww.resources.emergency_verification import EmergencyVerification
from didww.resources.export import Export
from didww.resources.identity import Identity
from didww.resources.order import Order
from didww.resources.order_item.capacity_order_item import CapacityOrderItem
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.version import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww._core.effects import Request, Response
    from didww._schema.resource import Resource
    from didww.emulator.engine.session import AccountSession

PAGE = (Path(__file__).parent / "interface.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
PLACEHOLDER = re.compile(r'"(?:[a-z-]+-)?uuid"')
KEY = "YOUR_API_KEY"
NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)

Mode: TypeAlias = Literal["sync", "async"]
Sent: TypeAlias = "tuple[str, str, Any]"
"""Method, path with its query, and the JSON of the body."""


# The place where a block runs


# What the client adds to a creation that has no identifier of the caller's own.
MARKER = re.compile(rb',?"external_reference_id":"didww-[0-9a-f]{32}"')


class Stage:
    """An emulator on loopback with the account of the blocks, and what has to be there before a block can run."""

    def __init__(self, base_url: str, clock: Clock, engines: list[Engine]) -> None:
        self.clock = clock
        self.client = DidwwClient(KEY, base_url=base_url, rate_limit=None)
        self._engines = engines

    @property
    def world(self) -> AccountSession:
        """The account behind the API, for what only time would bring."""
        self.client.balance().find()
        return self._engines[-1].session(KEY)

    def pause(self) -> None:
        """Let the service finish what it has begun."""
        self.clock.advance(2)

    def country(self, iso: str) -> str:
        """The id of a country."""
        return self.client.countries().list(filter={"iso": iso}).data[0].id

    def sku(self, **filter: Any) -> str:
        """What to buy of a group in the United States that has what is asked for."""
        query: Any = {"country.id": self.country("US"), "is_available": True, "needs_registration": False, **filter}
        group = self.client.did_groups().list(filter=query, include="stock_keeping_units", page=(1, 1)).data[0]
        return group.stock_keeping_units[0].id

    def number(self) -> str:
        """The id of a number in stock."""
        query: Any = {"country.id": self.country("US")}
        return self.client.available_dids().list(filter=query).data[0].id

    def did(self) -> str:
        """The id of a number that was bought, and can have emergency calling."""
        order = Order(items=[DidOrderItem(sku_id=self.sku(features="emergency"), qty=1)])
        bought = self.client.orders().create(order).data
        self.pause()
        return self.client.dids().list(filter={"order.id": bought.id}).data[0].id

    def trunk(self) -> str:
        """The id of an inbound trunk."""
        from didww.resources.configuration.pstn import PstnConfiguration

        forwarded = VoiceInTrunk(name="Front desk", configuration=PstnConfiguration(dst="12125550100"))
        return self.client.voice_in_trunks().create(forwarded).data.id

    def pool(self, qty: int) -> str:
        """The id of a capacity pool that has channels."""
        pool = self.client.capacity_pools().list().data[0]
        qty = max(qty, pool.minimum_qty_per_order)
        self.client.orders().create(Order(items=[CapacityOrderItem(capacity_pool_id=pool.id, qty=qty)]))
        self.pause()
        return pool.id

    def identity(self) -> str:
        """The id of a person."""
        country: Any = self.client.countries().find(self.country("US")).data
        person = Identity(first_name="Jane", last_name="Roe", phone_number="12125550101", country=country)
        person.identity_type = enums.IdentityType.PERSONAL
        return self.client.identities().create(person).data.id

    def address(self, identity: str) -> str:
        """The id of the person's address."""
        country: Any = self.client.countries().find(self.country("US")).data
        place = Address(address="1 Example St", city_name="New York", postal_code="10001", country=country)
        place.identity = Identity.build(identity)
        return self.client.addresses().create(place).data.id

    def service(self, address: str, did: str) -> str:
        """The id of an active emergency calling service."""
        dids: Any = [self.client.dids().find(did).data]
        self.client.emergency_verifications().create(EmergencyVerification(address=Address.build(address), dids=dids))
        self.pause()
        return self.client.emergency_calling_services().list().data[0].id


# A block as a program


@dataclass
class Run:
    """What came of a block.

    Attributes:
        names: Its variables.
        sent: What it sent.
        headers: The headers of each request.
        printed: What it printed.
        stage: Where it ran.
        ids: The identifiers that took the place of the ones on the page, by place.
    """

    names: dict[str, Any]
    stage: Stage
    ids: dict[str, str]
    sent: list[Sent] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    printed: str = ""

    def bodies(self, method: str) -> list[Any]:
        """The `data` of the documents that were sent with a method."""
        return [body["data"] for verb, _, body in self.sent if verb == method and body]


@dataclass
class Block:
    """A block of the page: what its identifiers stand for, and what it promises.

    Attributes:
        ids: Text of the block that holds an identifier, and the record that it stands for.
        names: Variables that the block finds there.
        before: Lines of the block, and what happens before them: what the block leaves to its reader.
        check: Holds what came of it against what it promises.
        clock: The time at its beginning.
        modes: The clients that it is for.
    """

    check: Callable[[Run], None]
    ids: Callable[[Stage], dict[str, str]] = lambda _: {}
    names: Callable[[Stage], dict[str, Any]] = lambda _: {}
    before: Callable[[dict[str, str]], dict[str, str]] = lambda _: {}
    clock: datetime = NOON
    modes: tuple[Mode, ...] = ("sync", "async")


class Awaiting(ast.NodeTransformer):
    """Turns a program for the synchronous client into one for the asynchronous client."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.module == "didww.client":
            node.module, node.names = "didww.async_client", [ast.alias("AsyncDidwwClient")]
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = "AsyncDidwwClient" if node.id == "DidwwClient" else node.id
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Await what an accessor does, `client.dids().list()`, and what the client itself does, `client.upload_file()`."""
        self.generic_visit(node)
        at = node.func.value if isinstance(node.func, ast.Attribute) else None
        by_accessor = isinstance(at, ast.Call) and isinstance(at.func, ast.Attribute) and _is_client(at.func.value)
        method = getattr(AsyncDidwwClient, node.func.attr, None) if isinstance(node.func, ast.Attribute) else None
        by_client = _is_client(at) and inspect.iscoroutinefunction(method)
        return ast.Await(node) if by_accessor or by_client else node


def _is_client(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Name) and node.id == "client"


def program(code: str, mode: Mode) -> types.CodeType:
    """A block as code for one of the clients."""
    tree = ast.parse(code)
    if mode == "async":
        tree = ast.fix_missing_locations(Awaiting().visit(tree))
    return compile(tree, "interface.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def imports_before(number: int) -> str:
    """The imports of the blocks before; on the page a name is imported where it is first used."""
    nodes = [node for code in BLOCKS[:number] for node in ast.parse(code).body]
    return "\n".join(ast.unparse(node) for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)))


def run(number: int, mode: Mode, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Run:
    """Run a block in an emulator of its own."""
    block, code = EXPECTED[number], BLOCKS[number]
    clock = Clock(block.clock, running=False)
    seen: list[tuple[Request, dict[str, str]]] = []
    engines: list[Engine] = []
    handle = Engine.handle

    def heard(self: Engine, request: Request, **options: Any) -> Response:
        engines.append(self)
        seen.append((request, {name.lower(): value for name, value in request.headers.items()}))
        return handle(self, request, **options)

    folder.mkdir()
    with monkeypatch.context() as patch, running(clock=clock) as base_url, contextlib.ExitStack() as open_ones:
        patch.chdir(folder)
        patch.setattr(Engine, "handle", heard)
        patch.setenv("DIDWW_API_KEY", KEY)
        patch.setenv("DIDWW_BASE_URL", base_url)
        for environment in Environment:
            patch.setitem(configuration._BASE_URLS, environment, base_url)
        stage = Stage(base_url, clock, engines)
        open_ones.enter_context(stage.client)
        ids = block.ids(stage)
        names: dict[str, Any] = {}
        exec(program(imports_before(number), mode), names)
        names |= {"clock": clock, **block.names(stage)}
        for place, id in ids.items():
            assert place in code, place
            code = code.replace(place, PLACEHOLDER.sub(f'"{id}"', place))
        assert not PLACEHOLDER.search(code)
        for line, extra in block.before(ids).items():
            assert f"{line}" in code, line
            code = code.replace(line, f"{extra}\n{line}")
        seen.clear()
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if mode == "sync":
                names["client"] = open_ones.enter_context(DidwwClient(KEY, base_url=base_url, rate_limit=None))
                exec(program(code, mode), names)
                open_ones.callback(names["client"].close)  # it may be another one now
            else:
                asyncio.run(_main(program(code, mode), names, base_url))
        result = Run(names, stage, ids, printed=printed.getvalue())
        for request, headers in seen:
            form = headers.get("content-type", "").startswith("multipart")
            assert request.body is None or isinstance(request.body, bytes)
            body = json.loads(MARKER.sub(b"", request.body)) if request.body and not form else None
            result.sent.append((request.method, unquote(request.url.removeprefix(base_url)), body))
            result.headers.append(headers)
        block.check(result)
    return result


async def _main(code: types.CodeType, names: dict[str, Any], base_url: str) -> None:
    client = names["client"] = AsyncDidwwClient(KEY, base_url=base_url, rate_limit=None)
    coroutine = eval(code, names)
    if coroutine is not None:
        await coroutine
    await names["client"].close()
    await client.close()


# What the blocks are expected to do


def _client(run: Run) -> None:
    assert run.printed == "Balance: 10000.00\n"
    assert run.names["did_groups"] == []  # nothing is sold in Acapulco
    assert [(method, path) for method, path, _ in run.sent] == [
        ("GET", "/balance"),
        ("GET", "/did_groups?include=stock_keeping_units&filter[area_name]=Acapulco"),
    ]


def _session(run: Run) -> None:
    session, client = run.names["session"], run.names["client"]
    assert client.balance().find().data.total_balance == 10_000
    client.close()
    assert session.proxies == {"https": "http://proxy.example.com:8080"}
    assert session.get(f"{client.base_url}/public_keys").status_code == 200  # not closed
    session.close()


READ = {
    "countries": "Country",
    "regions": "Region",
    "cities": "City",
    "areas": "Area",
    "prefixes": "NanpaPrefix",
    "pops": "Pop",
    "types": "DidGroupType",
    "groups": "DidGroup",
    "available": "AvailableDid",
    "proof_types": "ProofType",
    "public_keys": "PublicKey",
    "requirements": "AddressRequirement",
    "templates": "SupportingDocumentTemplate",
}


def _reading(run: Run) -> None:
    for name, cls in READ.items():
        assert {type(one).__name__ for one in run.names[name]} == {cls}
    assert run.names["country"].iso == "US"
    assert run.names["groups"][0].stock_keeping_units[0].monthly_price > 0
    assert run.names["available"][0].did_group.stock_keeping_units[0].monthly_price > 0
    assert run.names["balance"].total_balance == 10_000


def _dids(run: Run) -> None:
    did, trunk = run.ids['client.dids().find("uuid")'], run.ids['"trunk-uuid"']
    linked = {
        "voice_in_trunk": {"data": {"type": "voice_in_trunks", "id": trunk}},
        "voice_in_trunk_group": {"data": None},
    }
    first, second, third, fourth = run.bodies("PATCH")
    assert first == {
        "type": "dids",
        "id": did,
        "attributes": {"description": "Updated", "capacity_limit": 20},
        "relationships": linked,
    }
    assert second == {"type": "dids", "id": did, "attributes": {"description": None}}
    # The document that the block itself shows.
    shown = re.search(r"^# (\{.*(?:\n#.*)*)", BLOCKS[3], re.MULTILINE)
    assert shown is not None
    document = json.loads(
        shown[1].replace("\n#", "\n").replace('"uuid"', f'"{did}"').replace('"trunk-uuid"', f'"{trunk}"')
    )
    assert third == document["data"]
    assert fourth == {"type": "voice_in_trunks", "id": trunk, "attributes": {"description": "Updated via include"}}
    found = run.stage.client.dids().find(did, include="voice_in_trunk").data
    assert (found.description, found.capacity_limit) == (None, 20)
    assert found.voice_in_trunk is not None
    assert found.voice_in_trunk.description == "Updated via include"


def _in_trunks(run: Run) -> None:
    trunk, group = run.bodies("POST")
    (changed,) = run.bodies("PATCH")
    assert trunk == {
        "type": "voice_in_trunks",
        "attributes": {
            "name": "My SIP Trunk",
            "priority": 1,
            "weight": 100,
            "cli_format": "e164",
            "ringing_timeout": 30,
            "configuration": {
                "type": "sip_configurations",
                "attributes": {
                    "host": "sip.example.com",
                    "enabled_sip_registration": False,  # they go with a host
                    "use_did_in_ruri": False,
                    "port": 5060,
                    "codec_ids": [9, 10],
                    "transport_protocol_id": 1,
                },
            },
        },
    }
    assert changed["attributes"] == {"description": "Updated"}
    assert ("DELETE", f"/voice_in_trunks/{changed['id']}", None) in run.sent
    assert group["attributes"] == {"name": "Primary Group", "capacity_limit": 50}
    created = run.names["created"]
    assert created.id
    assert (created.name, created.capacity_limit) == ("Primary Group", 50)
    importlib.import_module("didww.resources.configuration.pstn").PstnConfiguration(dst="12125550100")


def _out_trunks(run: Run) -> None:
    (sent,) = run.bodies("POST")
    method = {"type": "credentials_and_ip", "attributes": {"allowed_sip_ips": ["203.0.113.0/24"]}}
    assert sent["attributes"] == {
        "name": "My Outbound Trunk",
        "authentication_method": method,
        "default_dst_action": "allow_all",
        "on_cli_mismatch_action": "reject_call",
    }
    made = run.names["created"].authentication_method
    assert made.username
    assert made.password


def _orders(run: Run) -> None:
    order, reservation, group = run.bodies("POST")
    sku = run.ids['item.sku_id = "sku-uuid"']
    assert order["attributes"]["items"] == [{"type": "did_order_items", "attributes": {"sku_id": sku, "qty": 2}}]
    number = run.ids['AvailableDid.build("available-did-uuid")']
    assert reservation["attributes"] == {"description": "Reserved for client"}
    assert reservation["relationships"] == {"available_did": {"data": {"type": "available_dids", "id": number}}}
    deleted = [path.rsplit("/", 1) for method, path, _ in run.sent if method == "DELETE"]
    assert [path for path, _ in deleted] == ["/did_reservations"]
    assert group["attributes"] == {"name": "Shared Group", "shared_channels_count": 20, "metered_channels_count": 5}
    created = run.names["created"]
    assert (created.type, created.name, created.shared_channels_count) == ("shared_capacity_groups", "Shared Group", 20)
    run.stage.pause()
    assert run.stage.client.dids().list().total_records == 2
    assert isinstance(run.names["item"], CapacityOrderItem)


def _regulation(run: Run) -> None:
    identity, address, verification, emergency = run.bodies("POST")
    assert identity["attributes"] == {
        "first_name": "John",
        "last_name": "Doe",
        "phone_number": "12125551234",
        "identity_type": "personal",
    }
    assert set(identity["relationships"]) == {"country"}
    assert address["attributes"] == {"city_name": "New York", "postal_code": "10001", "address": "123 Main St"}
    assert set(address["relationships"]) == {"identity", "country"}
    for document, type in ((verification, "address_verifications"), (emergency, "emergency_verifications")):
        assert document["type"] == type
        assert set(document["relationships"]) == {"address", "dids"}
    changed = [(one["type"], one["attributes"]) for one in run.bodies("PATCH")]
    assert changed == [
        ("address_verifications", {"external_reference_id": "my-ref-123"}),
        ("emergency_verifications", {"external_reference_id": "ext-ref-456"}),
    ]
    assert run.names["created"].external_reference_id == "ext-ref-456"
    printed = run.printed.splitlines()
    assert {line.partition(": ")[0] for line in printed[:-2]} == {"None"}  # no name, as the note says
    assert {line.partition(": ")[2] for line in printed[:-2]} == {"1", "7-14 days", "3 business days"}
    # One that is there before, and the one that comes of the verification.
    assert printed[-2:] == ["Status: active, Renew: 2026-04-15", "Status: in_process, Renew: None"]
    service = run.ids['client.emergency_calling_services().find("uuid")']
    assert run.names["service"].id == service
    assert run.stage.client.emergency_calling_services().find(service).data.status == "canceled"


def _history(run: Run) -> None:
    assert run.printed == "12125551234 assigned 2026-03-14 12:00:00+00:00\n"
    record = run.names["record"]
    assert (record.number, record.order_created_at) == (record.did_number, None)
    assert run.sent[0][1] == "/did_history?filter[did_number]=12125551234"


def _exports(run: Run) -> None:
    (sent,) = run.bodies("POST")
    assert sent["attributes"] == {
        "export_type": "cdr_in",
        "filters": {"from": "2025-01-01T00:00:00", "to": "2025-02-01T00:00:00"},
    }
    assert run.names["created"].status == "completed"


def _query(run: Run) -> None:
    (region,) = run.names["regions"]
    assert (region.name, region.country.iso) == ("Arizona", "US")
    country = run.ids['filter("country.id", "uuid")']
    query = f"include=country&filter[country.id]={country}&filter[name]=Arizona&sort=name&page[number]=1&page[size]=25"
    assert [path for _, path, _ in run.sent] == [f"/regions?{query}"]


def _files(run: Run) -> None:
    (id,) = run.names["file_ids"]
    assert run.stage.client.encrypted_files().find(id).data.description == "document.pdf"
    assert run.names["valid"] is True
    assert run.names["validator"].validate("https://hooks.example.com/other", {}, run.names["signature"]) is False
    first, second = run.printed.splitlines()
    assert first == "HTTP Status: 404"
    assert re.fullmatch(r"Error: .*nonexistent.*", second)


def _programs(run: Run) -> None:
    did, trunk = run.ids['"did-uuid"'], run.ids['"trunk-uuid"']
    assert run.sent[:2] == [
        ("GET", f"/dids/{did}", None),
        ("GET", f"/did_history?filter[did_number]={run.stage.client.dids().find(did).data.number}", None),
    ]
    assert run.names["params"].to_dict() == {"page[size]": 100}
    (changed,) = run.bodies("PATCH")
    assert changed == {"type": "voice_in_trunks", "id": trunk, "attributes": {"description": "x"}}
    configuration = run.names["trunk"].configuration
    assert isinstance(configuration, run.names["TrunkConfiguration"])
    assert (type(configuration).__name__, configuration.host) == ("SipConfiguration", "sip2.example.com")
    document = run.names["document"]
    assert document.raw["data"][0]["id"] == did
    (ordered,) = run.bodies("POST")
    assert ordered["type"] == "orders"


def _for_programs(stage: Stage) -> dict[str, Any]:
    client = stage.client
    now = stage.clock.now()
    export = Export(
        export_type=enums.ExportType.CDR_IN,
        filters={"from": f"{now - timedelta(days=1):%Y-%m-%d %H:%M:%S}", "to": f"{now:%Y-%m-%d %H:%M:%S}"},
    )
    made = client.exports().create(export).data
    stage.pause()
    keys = [one.key for one in client.public_keys().list().data]
    return {
        **_callback(stage),
        "order": Order(items=[DidOrderItem(sku_id=stage.sku(), qty=1)]),
        "service": client.emergency_calling_services().list().data[0],
        "url": client.exports().find(made.id).data.url,
        "fingerprint": Encrypt.calculate_fingerprint(keys),
        "data": Encrypt.encrypt_with_keys(b"%PDF-1.7", keys),
    }


def _programs_ids(stage: Stage) -> dict[str, str]:
    did = stage.did()
    stage.service(stage.address(stage.identity()), did)
    return {'"did-uuid"': did, '"trunk-uuid"': stage.trunk(), 'resource_id="uuid"': stage.country("US")}


def _callback(_: Stage) -> dict[str, Any]:
    """A callback, signed as DIDWW signs: the address with its port, and the fields sorted."""
    url, fields = "https://hooks.example.com/didww", {"type": "orders", "id": "1", "status": "completed"}
    text = "https://hooks.example.com:443/didww" + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    signature = hmac.new(KEY.encode(), text.encode(), hashlib.sha1).hexdigest()
    return {"request_url": url, "payload_dict": fields, "signature": signature}


def _keys(stage: Stage) -> dict[str, Any]:
    first, second = (one.key for one in stage.client.public_keys().list().data)
    return {"public_key_pem_1": first, "public_key_pem_2": second, "file_bytes": b"%PDF-1.7"}


def _happened(stage: Stage) -> dict[str, str]:
    """What time brings: an event of a number."""
    event = {
        "did_number": "12125551234",
        "action": "assigned",
        "method": "api3",
        "created_at": "2026-03-14T12:00:00.000Z",
    }
    return {'"uuid"': stage.world.insert("did_history", event)["id"]}


def _reserved(stage: Stage) -> str:
    number = AvailableDid.build(stage.number())
    return stage.client.did_reservations().create(DidReservation(available_did=number)).data.id


def _registered(stage: Stage) -> dict[str, str]:
    identity, did = stage.identity(), stage.did()
    address = stage.address(identity)
    requirement: Any = {"country.id": stage.country("US")}
    service = stage.service(address, did)
    return {
        '"country-uuid"': stage.country("US"),
        '"identity-uuid"': identity,
        '"address-uuid"': address,
        'client.emergency_requirements().find("uuid")': stage.client.emergency_requirements()
        .list(filter=requirement)
        .data[0]
        .id,
        'client.emergency_calling_services().find("uuid")': service,
        'client.emergency_calling_services().delete("uuid")': service,
    }


def _with_numbers(_: dict[str, str]) -> dict[str, str]:
    """The numbers, which the contract demands and the block leaves out (see the note on the page)."""
    numbers = "from didww.resources.did import Did\nverification.dids = [Did.build(number)]"
    kinds = ("address", "emergency")
    return {f"created = client.{kind}_verifications().create(verification).data": numbers for kind in kinds}


EXPECTED = [
    Block(_client),
    Block(_session, modes=("sync",)),  # a session of requests is for the synchronous client
    Block(_reading, ids=lambda stage: {'"uuid"': stage.country("US")}),
    Block(
        _dids,
        ids=lambda stage: (
            (did := stage.did())
            and {
                'client.dids().find("uuid")': did,
                'client.dids().find("uuid", ': did,
                'Did.build("uuid")': did,
                '"id": "uuid"': did,
                '"trunk-uuid"': stage.trunk(),
            }
        ),
    ),
    Block(_in_trunks),
    Block(_out_trunks),
    Block(
        _orders,
        ids=lambda stage: {
            'item.sku_id = "sku-uuid"': stage.sku(),
            'AvailableDid.build("available-did-uuid")': (number := stage.number()),
            'item.available_did_id = "available-did-uuid"': number,
            'item.did_reservation_id = "reservation-uuid"': _reserved(stage),
            '"pool-uuid"': stage.pool(20),
        },
    ),
    Block(_regulation, ids=_registered, names=lambda stage: {"number": stage.did()}, before=_with_numbers),
    Block(_history, ids=_happened),
    Block(
        _exports,
        clock=datetime(2025, 2, 10, 12, tzinfo=UTC),
        # Once completed, as the line says.
        before=lambda _: {
            "client.download_export(": "clock.advance(2)\ncreated = client.exports().find(created.id).data"
        },
    ),
    Block(_query, ids=lambda stage: {'filter("country.id", "uuid")': stage.country("US")}),
    Block(_files, names=lambda stage: {**_keys(stage), **_callback(stage)}),
    Block(_programs, ids=_programs_ids, names=_for_programs),
]


def test_every_block_is_tested() -> None:
    """No block of the page is left out."""
    assert len(BLOCKS) == len(EXPECTED) == PAGE.count("```python")


@pytest.mark.parametrize("number", range(len(EXPECTED)), ids=lambda number: EXPECTED[number].check.__name__.strip("_"))
def test_blocks_work_with_both_clients(number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The block runs as written and its assertions hold; the asynchronous program sends identical requests."""
    runs = [run(number, mode, monkeypatch, tmp_path / mode) for mode in EXPECTED[number].modes]
    for one in runs:
        assert {headers["x-didww-api-version"] for headers in one.headers} <= {API_VERSION}
        assert all(headers["api-key"] == KEY for headers in one.headers if "api-key" in headers)
    assert all(one.sent == runs[0].sent for one in runs)
    assert all(one.printed == runs[0].printed for one in runs)


def test_downloaded_export_is_a_compressed_csv_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The export block leaves a gzip file with a CSV header row."""
    number = next(n for n, block in enumerate(EXPECTED) if block.check is _exports)
    for mode in EXPECTED[number].modes:
        run(number, mode, monkeypatch, tmp_path / mode)
        text = gzip.decompress((tmp_path / mode / "export.csv.gz").read_bytes()).decode()
        assert text.startswith("Date/Time Start (UTC),")


# The tables and lists


def rows(heading: str) -> list[list[str]]:
    """The rows of the table whose first column is headed so."""
    table = re.search(rf"^\| {heading} \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", f"{PAGE}\n", re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def quoted(cell: str) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize(("name", "address"), [[quoted(cell)[0] for cell in row] for row in rows("Environment")])
def test_environments_have_their_base_urls(name: str, address: str) -> None:
    """An environment sets the base URL, and `base_url` overrides it."""
    environment = Environment[name.removeprefix("Environment.")]
    for cls in (DidwwClient, AsyncDidwwClient):
        assert cls(KEY, environment=environment).base_url == address
        given = "https://didww.example.com/v3"
        assert cls(KEY, environment=environment, base_url=given).base_url == given


def test_sandbox_is_the_default_environment() -> None:
    """Omitting the environment never spends real money, and a missing key raises immediately."""
    assert DidwwClient(KEY).base_url == Environment.SANDBOX.base_url
    for key in ("", " ", None):
        with pytest.raises(DidwwClientError):
            DidwwClient(key)  # type: ignore[arg-type]
    with requests.Session() as session:
        assert DidwwClient(KEY, Environment.SANDBOX, None, session).base_url == Environment.SANDBOX.base_url


RESOURCES = rows("Resource")
OPERATIONS = ("list", "find", "create", "update", "delete")


def module_of(name: str) -> str:
    """The module of a resource class."""
    return "didww.resources." + re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: row[0])
@pytest.mark.parametrize("client", [DidwwClient(KEY), AsyncDidwwClient(KEY)], ids=["sync", "async"])
def test_each_resource_has_the_documented_module_accessor_and_operations(row: list[str], client: Any) -> None:
    """Module and class follow from the name; the accessor has exactly the operations of the row."""
    name, accessor, operations, further = row
    cls: type[Resource] = getattr(importlib.import_module(module_of(name)), name)
    assert cls.__name__ == name
    if accessor.startswith("none"):
        assert not hasattr(client, cls._type_name)
        for holder in re.findall(r"\w+s\b", accessor.partition("with")[2]):
            assert cls in _included_with(holder)
        return
    endpoint = getattr(client, quoted(accessor)[0].removesuffix("()"))()
    offered = {one for one in OPERATIONS if hasattr(endpoint, one)}
    told = set(re.findall(r"[a-z]+", re.sub(r"\([^)]*\)", "", f"{operations} {further}")))
    # An encrypted file is created by the client's upload_encrypted_files.
    assert offered == told - ({"create"} if "(upload)" in further else set())
    for one in offered:
        method = getattr(endpoint, one)
        assert inspect.iscoroutinefunction(method) == isinstance(client, AsyncDidwwClient)


def _included_with(type: str) -> set[type[Resource]]:
    """The classes of what can be included with a type."""
    found: set[Any] = set()
    for path in include_paths(class_of(type)):
        cls: Any = class_of(type)
        for name in path.split("."):
            cls = class_named(cls._field_map[name].kind.detail.names[0])
        found.add(cls)
    return found


def test_resource_table_is_complete() -> None:
    """Each resource class and each accessor of the client has its row, but for those of later API versions."""
    later = [cls for cls in all_classes() if not cls._versions.includes(API_VERSION)]
    assert sorted(row[0] for row in RESOURCES) == sorted(cls.__name__ for cls in all_classes() if cls not in later)
    accessors = {quoted(row[1])[0].removesuffix("()") for row in RESOURCES if not row[1].startswith("none")}
    for cls in (DidwwClient, AsyncDidwwClient):
        public = {name for name, one in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_")}
        own = {"with_options", "close", "download_export", "download_and_decompress_export"}
        own |= {"upload_file", "upload_encrypted_file", "upload_encrypted_files"}
        own |= {"request", "get", "post", "patch", "delete"}
        own |= {"prices", *(cls._path for cls in later)}
        assert public - own == accessors


def words_after(beginning: str) -> list[str]:
    """The names that a sentence of the page lists, up to its full stop."""
    _, _, rest = PAGE.partition(beginning)
    assert rest, beginning
    return re.findall(r"\b[A-Z]\w+", re.split(r"\.\s", rest, maxsplit=1)[0])


@pytest.mark.parametrize("name", words_after("Enum classes in `didww.enums`: "))
def test_listed_enums_exist(name: str) -> None:
    """Each listed enum is a class of didww.enums with members."""
    cls = getattr(enums, name)
    assert issubclass(cls, enum.Enum)
    assert len(cls) > 1


def test_enum_list_is_parsed() -> None:
    """The test found all of them, and the members that the page names."""
    names = words_after("Enum classes in `didww.enums`: ")
    assert Counter(names).most_common(1)[0][1] == 1
    assert len(names) == 25
    assert {"REPLACE_CLI", "RANDOMIZE_CLI"} <= enums.OnCliMismatchAction.__members__.keys()


HOMES = {"Configuration": "configuration", "OrderItem": "order_item"}


@pytest.mark.parametrize("name", [*words_after("Trunk configurations: "), *words_after("Order items: ")])
def test_configuration_and_order_item_classes_exist(name: str) -> None:
    """Each is a class in its own module; an order accepts every purchasable item."""
    ending, folder = next((ending, folder) for ending, folder in HOMES.items() if name.endswith(ending))
    stem = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    module = stem.removesuffix("_configuration") if ending == "Configuration" else stem
    cls = getattr(importlib.import_module(f"didww.resources.{folder}.{module}"), name)
    made = cls()
    if not cls.writable:  # made by the service
        assert cls in Order._field_map["items"].kind.detail.detail
        return
    taker = VoiceInTrunk(configuration=made) if ending == "Configuration" else Order(items=[made])
    assert made in (taker.configuration if ending == "Configuration" else None, *getattr(taker, "items", ()))


def _field_of(name: str) -> Any:
    cls, _, attribute = name.partition(".")
    return getattr(getattr(importlib.import_module(module_of(cls)), cls), attribute)


DATED = {
    "datetime": {
        "Did.expires_at": True,
        "DidReservation.expires_at": True,
        "Proof.expires_at": True,
        "EncryptedFile.expires_at": True,
        "EmergencyCallingService.activated_at": True,
        "EmergencyCallingService.canceled_at": True,
    },
    "date": {
        "Identity.birth_date": True,
        "CapacityPool.renew_date": False,
        "EmergencyCallingService.renew_date": True,
    },
    "text": {
        "EmergencyRequirement.estimate_setup_time": False,
        "EmergencyRequirement.requirement_restriction_message": True,
    },
}
"""The fields of the table, and whether None is one of their values."""


@pytest.mark.parametrize(
    ("kind", "name", "nullable"),
    [(kind, name, nullable) for kind, names in DATED.items() for name, nullable in names.items()],
)
def test_date_and_time_fields_have_the_documented_types(kind: str, name: str, nullable: bool) -> None:
    """A field has the type of the table: a UTC datetime, a date as text, or text."""
    one = _field_of(name)
    assert (one.kind.name, one.nullable) == (kind, nullable)
    python = datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01", "7-14 days"
    wire = "2026-03-01T12:00:00.000Z", "2026-03-01", "7-14 days"
    value = dict(zip(DATED, python, strict=True))[kind]
    raw = dict(zip(DATED, wire, strict=True))[kind]
    read = one.kind.load(raw) if one.kind.load else raw
    assert read == value
    assert type(read) is type(value)
    assert kind != "datetime" or read.tzinfo is UTC


def test_date_table_is_parsed() -> None:
    """Each field in it is tested; order items have both of their dates as text."""
    cells = " ".join(row[2] for row in rows("FieldType"))
    for names in DATED.values():
        for name in names:
            cls, _, attribute = name.partition(".")
            assert attribute in cells
            assert cls in cells
    for name in ("billed_from", "billed_to"):
        assert f"`{name}`" in cells
        assert (DidOrderItem._field_map[name].kind.name, DidOrderItem._field_map[name].nullable) == ("date", True)
    named = {one.rsplit(".", maxsplit=1)[-1] for one in quoted(cells) if re.fullmatch(r"[\w.]+", one)}
    tested = {name.partition(".")[2] for names in DATED.values() for name in names}
    assert named == {*tested, "created_at", "billed_from", "billed_to"}


@pytest.mark.parametrize(
    "cls", [cls for cls in all_classes() if "created_at" in cls._field_map], ids=lambda cls: cls.__name__
)
def test_every_created_at_is_a_datetime(cls: type[Resource]) -> None:
    """The creation time is a datetime on every resource."""
    assert cls._field_map["created_at"].kind.name == "datetime"


def test_several_files_are_uploaded_in_separate_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each container takes one request, ids come in order, and upload_encrypted_file returns the single id."""
    paths: list[str] = []
    handle = Engine.handle

    def heard(self: Engine, request: Request, **options: Any) -> Response:
        paths.append(f"{request.method} {urlsplit(request.url).path}")
        return handle(self, request, **options)

    monkeypatch.setattr(Engine, "handle", heard)
    with running() as base_url, DidwwClient(KEY, base_url=base_url, rate_limit=None) as client:
        keys = [one.key for one in client.public_keys().list().data]
        container, mark = Encrypt.encrypt_with_keys(b"%PDF-1.7", keys), Encrypt.calculate_fingerprint(keys)
        files: Any = [{"data": container, "description": name} for name in ("one", "two")]
        ids = client.upload_encrypted_files(fingerprint=mark, files=files)
        assert paths.count("POST /v3/encrypted_files") == 2
        assert [client.encrypted_files().find(id).data.description for id in ids] == ["one", "two"]
        alone = client.upload_encrypted_file(fingerprint=mark, data=container)
        assert client.encrypted_files().find(alone).data.description is None
