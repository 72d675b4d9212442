"""A walk over everything that the contract lists, through the public clients, over the emulator.

Each resource type, each operation, each filter, sort key and include, with both clients, in both API versions. What was walked is read off
the requests that were sent, and compared with the contract's facts: nothing can be forgotten. Which records have which
values is found out with a client too; only what no response shows is known from the scene.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import NAMESPACE_URL, uuid5

import pytest

from didww import AsyncDidwwClient, DidwwClient, QueryParams
from didww._schema.filter_rules import filter_rules
from didww._schema.nested import Nested
from didww._schema.registry import class_of
from didww._schema.resource import Resource
from didww.emulator import Clock, Emulator
from didww.emulator.engine.overrides import CATALOG
from didww.encrypt import Encrypt
from didww.enums import (
    CallbackMethod,
    CliFormat,
    Codec,
    DefaultDstAction,
    EmergencyCallingServiceStatus,
    ExportType,
    Feature,
    IdentityType,
    MediaEncryptionMode,
    OnCliMismatchAction,
    OrderStatus,
    PopCode,
    SmsBodyType,
    SmsHttpMethod,
    VoiceOutTrunkStatus,
)
from didww.exceptions import DidwwApiError, InvalidValueError, NotFoundError, NotIncludedError, NotLoadedError
from didww.resources.address import Address
from didww.resources.authentication_method import CredentialsAndIpAuthenticationMethod, TwilioAuthenticationMethod
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.did import Did
from didww.resources.did_reservation import DidReservation
from didww.resources.identity import Identity
from didww.resources.order import Order
from didww.resources.order_item.available_did_order_item import AvailableDidOrderItem
from didww.resources.order_item.capacity_order_item import CapacityOrderItem
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.order_item.reservation_did_order_item import ReservationDidOrderItem
from didww.resources.proof import Proof
from didww.resources.sms_configuration import (
    HttpInConfiguration,
    HttpOutConfiguration,
    SmppEsmeConfiguration,
    SmppSmscConfiguration,
    SmsToEmailConfiguration,
)
from didww.resources.sms_trunk import SmsTrunk
from didww.resources.sms_trunk_group import SmsTrunkGroup
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup
from didww.transport.inprocess import AsyncInProcessTransport, InProcessTransport
from didww.version import API_VERSION, API_VERSIONS
from support.api_caller import Scene
from support.contract_facts import Filter, facts, types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from didww._core.effects import Request, Response
    from didww.emulator import Engine
    from didww.version import ApiVersion

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
OPERATIONS = ("list", "find", "create", "update", "delete")
EXTRA = {("dids", "delete"), ("pops", "find"), ("public_keys", "find")}
"""Operations that the client has and the contract has not; the server decides."""
UPLOADED = {("encrypted_files", "create")}
"""Operations that are no methods of the accessor: files are uploaded by methods of the client."""

TYPES = [(type, version) for version in API_VERSIONS for type in types(version)]


def versions_of(type: str) -> list[ApiVersion]:
    """The versions that have a type."""
    return [version for version in API_VERSIONS if type in types(version)]


LISTED = [(type, version) for type, version in TYPES if "list" in facts(type, version).operations]
FOUND = [(type, version) for type, version in TYPES if "find" in facts(type, version).operations]

Mode: TypeAlias = Literal["sync", "async"]
both_versions = pytest.mark.parametrize("version", API_VERSIONS)
both_clients = pytest.mark.parametrize("mode", ["sync", "async"])


# The wire, and both clients over it


class Wire:
    """The way to an engine: notes what is sent."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.requests: list[Request] = []

    def handle(self, request: Request) -> Response:
        """The engine's answer."""
        if not request.url.endswith("/token"):
            self.requests.append(request)
        return self._engine.handle(request)

    def client(self, version: ApiVersion, mode: Mode = "sync", key: str = "key") -> Any:
        """A client over it."""
        options: dict[str, Any] = {"base_url": "http://127.0.0.1/v3", "rate_limit": None, "api_version": version}
        if mode == "sync":
            return DidwwClient(key, transport=InProcessTransport(self.handle), **options)
        return AsyncDidwwClient(key, transport=AsyncInProcessTransport(self.handle), **options)

    def operations(self, type: str) -> set[str]:
        """The operations on a type that were asked for, by method and path."""
        names = {"POST": "create", "PATCH": "update", "DELETE": "delete"}
        found: set[str] = set()
        for method, path, _ in self._of(type):
            reading = "find" if len(path) > 1 or type == "balances" else "list"
            found.add(names.get(method, reading))
        return found

    def told(self, type: str, family: str, *, one: bool = False) -> set[str]:
        """What stood in the queries of a type: the filters' names, the sort keys, the includes; of lists or of finds."""
        found: set[str] = set()
        for method, path, query in self._of(type):
            if method == "GET" and (len(path) > 1) == one:
                for name, value in query:
                    if name == family:
                        found.update(value.split(","))
                    elif name.startswith(f"{family}["):
                        found.add(name[len(family) + 1 : -1])
        return found

    def _of(self, type: str) -> Iterator[tuple[str, list[str], list[tuple[str, str]]]]:
        for request in self.requests:
            path = _path(request)
            if path[0] == path_of(type):
                yield request.method, path, parse_qsl(urlsplit(request.url).query, keep_blank_values=True)


def _path(request: Request) -> list[str]:
    return unquote(urlsplit(request.url).path).removeprefix("/v3/").split("/")


async def settled(result: Any) -> Any:
    """A response of either client."""
    return await result if inspect.isawaitable(result) else result


async def taken(records: Any) -> list[Any]:
    """All records of an iterator of either client."""
    return [one async for one in records] if hasattr(records, "__aiter__") else list(records)


def path_of(type: str) -> str:
    """The path of a type, which is the same in each version that has the type."""
    (path,) = {facts(type, version).path for version in API_VERSIONS if type in types(version)}
    assert path is not None
    return path


def accessor(client: Any, type: str) -> Any:
    """The accessor of a type; it is called as the path is."""
    return getattr(client, path_of(type))()


def python_name(type: str, member: str, version: ApiVersion) -> str:
    """The name of a member in Python."""
    cls = class_of(type)
    assert cls is not None
    known = cls._field_map.values()
    return next(field.name for field in known if field.member == member and field.versions.includes(version))


# The scene: at least three records of each type, and how a client reads them


@functools.cache
def scene() -> Scene:
    """Records of every type. Time stands shortly after the last of them was made."""
    made = Scene()
    made.engine.clock.freeze(NOON)
    made.engine.clock.run()
    # What all three records have in common, and what a filter distinguishes.
    made.session.update("dids", made.ids["dids"][2], {"billing_cycles_count": 0})
    made.session.update("capacity_pools", made.ids["capacity_pools"][1], {"total_channels_count": 90})
    return made


@functools.cache
def guide(version: ApiVersion = API_VERSION) -> DidwwClient:
    """A client to look around with; what it asks for is not part of the walk."""
    client: DidwwClient = Wire(scene().engine).client(version)
    return client


@functools.cache
def records(type: str, version: ApiVersion) -> list[Any]:
    """Records of a type, with all that can be included."""
    include = sorted(facts(type, version).include)
    endpoint = accessor(guide(version), type)
    if type in CATALOG:
        return list(endpoint.iterate(include=include))
    ids = scene().ids[type]
    if type == "available_dids":  # those of the scene are all of one kind
        kinds = {
            (tuple(one.features), one.meta.needs_registration, version != API_VERSION and one.number_type): one.id
            for one in records("did_groups", version)
        }
        found = (endpoint.list(filter={"did_group.id": id}).data for id in kinds.values())
        ids = [*ids, *(some[0].id for some in found if some)]
    return list(endpoint.list(filter={"id": ids[:100]}, include=include).data)


PLACES = {f"{place}.id": f"did_group.{place}.id" for place in ("country", "region", "city", "did_group_type")}
LEADS: dict[str, dict[str, str]] = {
    "dids": {**PLACES, "trunk.id": "voice_in_trunk.id", "trunk_group.id": "voice_in_trunk_group.id"},
    "available_dids": {**PLACES, "did_group.needs_registration": "did_group.meta.needs_registration"},
    "did_groups": {name: f"meta.{name}" for name in ("available_dids_enabled", "needs_registration", "total_count")},
    "capacity_pools": {"country.id": "countries.id"},
    "did_reservations": {"expire_at": "expires_at"},
    "encrypted_files": {"expire_at": "expires_at"},
}
"""Where a filter or sort key leads, if not where its name says."""


def _any_number(**filter: Any) -> bool:
    """Whether anything is in stock."""
    return bool(guide().did_groups().list(filter={**filter, "is_available": True}, page=(1, 1)).total_records)  # type: ignore[typeddict-item]


def _can_be_ordered(group: Any) -> bool:
    """Whether it is in stock, or can be ordered on back order, which no response shows."""
    row = scene().session.get("did_groups", group.id)
    return bool(group.meta.is_available or (row and row["back_orders"]))


def _prefix_of(group: Any) -> Any:
    found = guide().available_dids().list(filter={"did_group.id": group.id}, include="nanpa_prefix").data
    return found[0].nanpa_prefix if found else None


def _group_of(prefix: Any) -> Any:
    return guide().did_groups().list(filter={"nanpa_prefix.id": prefix.id}).data[0]


def _linked(type: str, to: str) -> Callable[[Any], str]:
    """Of the scene: its record number n is linked to number n of any other type."""
    return lambda record: scene().ids[to][scene().ids[type].index(record.id)]


WORKED_OUT: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("countries", "is_available"): lambda country: _any_number(**{"country.id": country.id}),
    ("cities", "is_available"): lambda city: _any_number(**{"city.id": city.id}),
    ("did_groups", "is_available"): _can_be_ordered,
    ("did_groups", "nanpa_prefix.id"): lambda group: getattr(_prefix_of(group), "id", None),
    ("did_groups", "nanpa_prefix.npanxx"): lambda group: (one := _prefix_of(group)) and one.npa + one.nxx,
    ("nanpa_prefixes", "npanxx"): lambda prefix: prefix.npa + prefix.nxx,
    ("nanpa_prefixes", "did_group.features"): lambda prefix: _group_of(prefix).features,
    ("nanpa_prefixes", "did_group.is_available"): lambda prefix: _group_of(prefix).meta.is_available,
    ("capacity_pools", "has_unassigned_channels"): lambda pool: (
        pool.total_channels_count > pool.assigned_channels_count
    ),
    ("voice_out_trunks", "default_did.id"): _linked("voice_out_trunks", "dids"),
    ("emergency_calling_services", "address.id"): _linked("emergency_calling_services", "addresses"),
    ("emergency_calling_services", "identity.id"): _linked("emergency_calling_services", "identities"),
}
"""Filters over what stands in no member of the record."""


@functools.cache
def loaded(type: str, id: str, name: str, version: ApiVersion) -> Any:
    """A relationship of a record, asked for by itself."""
    return getattr(accessor(guide(version), type).find(id, include=name).data, name)


def follow(record: Any, path: str, version: ApiVersion) -> Any:
    """What a dotted path leads to from a record, related records found on the way; a list from many."""
    name, _, rest = path.partition(".")
    try:
        value = getattr(record, name)
    except NotLoadedError:
        value = loaded(record.type, record.id, name, version)
    if not rest or value is None:
        return value
    return [follow(one, rest, version) for one in value] if isinstance(value, list) else follow(value, rest, version)


@functools.cache
def values_of(type: str, name: str, version: ApiVersion) -> Callable[[Any], Any]:
    """What tells the value that a filter or sort key stands for."""
    found = WORKED_OUT.get((type, name))
    path = LEADS.get(type, {}).get(name, name)
    return found or (lambda record: follow(record, path, version))


ALIKE = {("nanpa_prefixes", "nxx"): "556"}
"""What all records of the catalog have alike, with a value that none has: each NANPA number has the exchange 555."""
ENDINGS = ("_contains", "_gteq", "_lteq", "_in")


def bare(name: str) -> tuple[str, str]:
    """A filter's name without what it says of the comparison, and that."""
    ending = next((one for one in ENDINGS if name.endswith(one)), "")
    return name.removesuffix(ending), ending


def pair(type: str, name: str, version: ApiVersion) -> tuple[Any, Any, Any, Any]:
    """Two records that a filter tells apart, each with its value for it.

    No value for the second if all its values are the first one's too; no second one if there is none.
    """
    name, ending = (name, "") if name in facts(type, version).attributes else bare(name)
    told = values_of(type, name, version)
    seen: list[tuple[Any, Any]] = []
    for record in records(type, version):
        value = told(record)
        if value in (None, []) or value in (one for _, one in seen):
            continue
        for other, theirs in seen:
            if isinstance(value, list):
                for one, two in ((record, other), (other, record)):
                    only, others = _without(told(one), told(two)), _without(told(two), told(one))
                    if only:
                        return one, only[0], two, others[0] if others else None
            # What is at most this much: the record with less is looked for, and else the one with more.
            elif (ending == "_lteq") == (value < theirs):
                return record, value, other, theirs
            else:
                return other, theirs, record, value
        seen.append((record, value))
    if (type, name) in ALIKE:
        return seen[0][0], seen[0][1], None, ALIKE[type, name]
    raise AssertionError(f"no two {type} differ in {name}")


def _without(some: list[Any], others: list[Any]) -> list[Any]:
    return [one for one in some if one not in others]


# Reading


@pytest.mark.parametrize(("type", "version"), LISTED)
@both_clients
def test_list_and_iterate_return_all_records(type: str, version: ApiVersion, mode: Mode) -> None:
    """A list returns one page or, iterated, everything; the only query is the page."""
    wire = Wire(scene().engine)
    ids = [one.id for one in records(type, version)][:3]

    async def walk() -> None:
        endpoint = accessor(wire.client(version, mode), type)
        whole = await settled(endpoint.list())
        assert len(whole.data) >= min(3, len(ids))
        assert all(one.type == type and isinstance(one, class_of(type)) for one in whole.data)
        first = await settled(endpoint.list(page=(1, 2)))
        again = await settled(endpoint.list(QueryParams().page(1, 2)))
        if facts(type, version).paginated:
            assert (
                [one.id for one in first.data] == [one.id for one in again.data] == [one.id for one in whole.data][:2]
            )
            assert first.total_records >= len(whole.data)
        every = await taken(endpoint.iterate(filter={"id": ids}, page=(1, 2)))
        assert {one.id for one in every} == set(ids)

    asyncio.run(walk())
    assert wire.operations(type) == {"list"}


@pytest.mark.parametrize(("type", "version"), FOUND)
@both_clients
def test_find_returns_one_record(type: str, version: ApiVersion, mode: Mode) -> None:
    """A record fetched by id equals the one in the list; an unknown id raises NotFoundError."""
    wire = Wire(scene().engine)

    async def walk() -> None:
        endpoint = accessor(wire.client(version, mode), type)
        if type == "balances":
            assert isinstance((await settled(endpoint.find())).data.total_balance, Decimal)
            return
        listed = records(type, version)[0]
        alone = (await settled(endpoint.find(listed.id))).data
        assert alone == listed
        assert alone.to_dict()["attributes"] == listed.to_dict()["attributes"]
        with pytest.raises(NotFoundError):
            await settled(endpoint.find("8d1a3c5e-0000-4000-8000-000000000001"))

    asyncio.run(walk())
    assert wire.operations(type) == {"find"}


@pytest.mark.parametrize(("type", "version"), LISTED)
@both_clients
def test_every_filter_selects_matching_records(type: str, version: ApiVersion, mode: Mode) -> None:
    """With two records that differ, a filter by one value returns only that record; keywords and QueryParams agree."""
    wire = Wire(scene().engine)
    found: dict[str, list[str]] = defaultdict(list)
    expected: dict[str, list[str]] = defaultdict(list)

    async def walk() -> None:
        endpoint = accessor(wire.client(version, mode), type)
        rules = filter_rules(class_of(type))
        for name, fact in facts(type, version).filters.items():
            if fact.ignored:
                every = (await settled(endpoint.list(filter={name: records(type, version)[0].id}))).data
                assert [one.id for one in every] == [one.id for one in (await settled(endpoint.list())).data]
                continue
            mine, value, other, theirs = pair(type, name, version)
            of = {mine.id: "mine"} | ({other.id: "other"} if other else {})
            for what, given, wanted in _questions(fact, value, theirs):
                wanted = wanted if other else wanted.removeprefix("other").removesuffix(" and other")  # noqa: PLW2901
                # Nothing but these two is asked for, unless the filter is the id itself.
                two = {} if name == "id" else {"id": list(of)}
                fluent = QueryParams().filter(name, given)
                for by, few in two.items():
                    fluent.filter(by, few)
                if given is None and rules[name].never_empty:
                    # The service takes it, and nothing can match: only sent unchecked.
                    with pytest.raises(InvalidValueError, match="must have a value"):
                        await settled(endpoint.list(fluent))
                    del fluent.filters[name]
                    queries = [{"params": fluent.param(f"filter[{name}]", "")}]
                else:
                    queries = [{"filter": {name: given, **two}}, {"params": fluent}]
                for response in (endpoint.list(**query) for query in queries):
                    got = [of.get(one.id, one.id) for one in (await settled(response)).data]
                    found[f"{name} ({what})"].append(" and ".join(sorted(got)))
                    expected[f"{name} ({what})"].append(wanted)

    asyncio.run(walk())
    assert found == expected
    assert wire.told(type, "filter") == set(facts(type, version).filters) | {"id"}


def _questions(fact: Filter, value: Any, theirs: Any) -> Iterator[tuple[str, Any, str]]:
    """What a filter is asked: what for, its value, and which of the two records must come."""
    if fact.compares == "contains":
        value, theirs = _part(value, theirs), _part(theirs, value)
    mine = _typed(fact, value)
    yield "one value", mine, "mine"
    if fact.blank:
        yield "none", None, ""
    if fact.any_case:
        yield "other case", mine.swapcase(), "mine"
    if theirs is None:
        return
    other = _typed(fact, theirs)
    if fact.compares in ("gteq", "lteq", "lteq_day"):
        yield "the limit of both", other, "mine and other"
        return
    yield "another value", other, "other"
    if fact.many:
        yield "several values", [mine, other], "" if fact.every else "mine and other"


def _part(text: str, other: str) -> str:
    """A part of a text that the other has not got; a filter takes three characters at least."""
    return next(
        text[n : n + size] for size in (3, 4, 5, 6) for n in range(len(text)) if text[n : n + size] not in other
    )


def _typed(fact: Filter, value: Any) -> Any:
    """A value as the filter takes it: text, unless the sheet or the value says otherwise."""
    kinds = {"boolean": bool, "integer": int, "date-time": (datetime, str), "string": object, None: object}
    assert isinstance(value, kinds[fact.value])
    return value if isinstance(value, (bool, datetime, str)) or fact.value == "integer" else str(value)


@pytest.mark.parametrize(
    ("type", "version"), [(type, version) for type, version in LISTED if facts(type, version).sort]
)
@both_clients
def test_every_sort_key_orders_records(type: str, version: ApiVersion, mode: Mode) -> None:
    """The values ascend, or descend with a minus; keywords and QueryParams agree."""
    wire = Wire(scene().engine)
    found: dict[str, list[Any]] = {}
    expected: dict[str, list[Any]] = {}

    async def walk() -> None:
        endpoint = accessor(wire.client(version, mode), type)
        for name, minus in itertools.product(facts(type, version).sort, ("", "-")):
            key = f"{minus}{name}"
            told = values_of(type, name, version)
            these = {one.id: told(one) for one in _various(type, name, version)}
            listed = await settled(endpoint.list(sort=key, filter={"id": list(these)}))
            fluent = await settled(endpoint.list(QueryParams().sort(key).filter("id", list(these))))
            assert [one.id for one in listed.data] == [one.id for one in fluent.data]
            assert {one.id for one in listed.data} == set(these)
            found[key] = [these[one.id] for one in listed.data if these[one.id] is not None]
            expected[key] = sorted(found[key], reverse=bool(minus))

    asyncio.run(walk())
    assert found == expected
    assert wire.told(type, "sort") == {f"{minus}{name}" for name in facts(type, version).sort for minus in ("", "-")}


NEVER_SET = {("did_groups", "service_restrictions")}
"""What no group of the catalog has."""


def _various(type: str, name: str, version: ApiVersion) -> list[Any]:
    """Some records that differ in what they are sorted by."""
    told = values_of(type, name, version)
    some = (
        records(type, version)
        if len(records(type, version)) < 10
        else records(type, version)[:: len(records(type, version)) // 10]
    )
    if (type, name) not in NEVER_SET | ALIKE.keys():
        mine, _, other, _ = pair(type, name, version)
        some = list({one.id: one for one in (*some, mine, other)}.values())
        assert len({told(one) for one in some} - {None}) > 1
    return some


@pytest.mark.parametrize(
    ("type", "version"), [(type, version) for type, version in FOUND if facts(type, version).include]
)
@both_clients
def test_every_include_loads_related_records(type: str, version: ApiVersion, mode: Mode) -> None:
    """Included records can be read along the whole path, in a list and alone, and have the contract's type."""
    wire = Wire(scene().engine)
    paths = sorted(facts(type, version).include | facts(type, version).include_nested)

    async def walk() -> None:
        endpoint = accessor(wire.client(version, mode), type)
        for path in paths:
            head = path.split(".", maxsplit=1)[0]
            has = next(one for one in records(type, version) if getattr(one, head))
            (listed,) = (await settled(endpoint.list(include=path, filter={"id": has.id}))).data
            alone = (await settled(endpoint.find(has.id, include=[path]))).data
            fluent = (await settled(endpoint.find(has.id, QueryParams().include(path)))).data
            ends = [{one.id for one in _ends(record, path, version)} for record in (listed, alone, fluent)]
            assert ends[0] == ends[1] == ends[2]
            assert ends[0], f"nothing at {path}"
            for name in {one for one in facts(type, version).relationships if one != head}:
                with pytest.raises(NotIncludedError, match=name):
                    getattr(alone, name)

    asyncio.run(walk())
    assert wire.told(type, "include") == wire.told(type, "include", one=True) == set(paths)


def _ends(record: Any, path: str, version: ApiVersion) -> list[Any]:
    """All that a path of relationships leads to; each step is None, one or a list, of the contract's types."""
    at = [record]
    for name in path.split("."):
        following: list[Any] = []
        for one in at:
            fact = facts(one.type, version).relationships[name]
            value = getattr(one, name)
            assert isinstance(value, list) == (fact.kind == "many")
            reached = value if isinstance(value, list) else [value] if value is not None else []
            assert {each.type for each in reached} <= fact.targets
            following += reached
        at = following
    for one in at:
        for name in facts(one.type, version).attributes:
            getattr(one, python_name(one.type, name, version))  # it is there, not only named
    return at


@pytest.mark.parametrize(("type", "version"), sorted({*LISTED, *FOUND}))
@both_clients
def test_sparse_fieldsets_load_only_requested_fields(type: str, version: ApiVersion, mode: Mode) -> None:
    """Only the requested fields can be read; any other raises a NotLoadedError that names it."""
    wire = Wire(scene().engine)
    wanted, *others = facts(type, version).attributes
    others = [python_name(type, name, version) for name in (*others, *facts(type, version).relationships)]

    async def walk() -> None:
        endpoint = accessor(wire.client(version, mode), type)
        fluent = QueryParams().fields(type, wanted)
        got: list[Any] = []
        if "list" in facts(type, version).operations:
            ids = {"id": [one.id for one in records(type, version)][:2]}
            got += (await settled(endpoint.list(fields={type: [wanted]}, filter=ids))).data
            got += (await settled(endpoint.list(fluent, filter=ids))).data
        if "find" in facts(type, version).operations:
            id = () if type == "balances" else (records(type, version)[0].id,)
            got.append((await settled(endpoint.find(*id, fields={type: [wanted]}))).data)
            got.append((await settled(endpoint.find(*id, fluent))).data)
        assert len(got) >= 2
        for one in got:
            getattr(one, wanted)
            assert list(one.to_dict()["attributes"]) == [wanted]
            for name in others:
                with pytest.raises(NotLoadedError, match=rf"\.{name} "):
                    getattr(one, name)

    asyncio.run(walk())
    assert wire.told(type, "fields") | wire.told(type, "fields", one=True) == {type}


@pytest.mark.parametrize(("type", "version"), TYPES)
@both_clients
def test_undeclared_operations_raise_attribute_error(type: str, version: ApiVersion, mode: Mode) -> None:
    """An operation that the contract lacks raises AttributeError; a type without operations has no accessor."""
    client = Wire(scene().engine).client(version, mode)
    if facts(type, version).path is None:
        with pytest.raises(AttributeError):
            getattr(client, type)
        return
    offered = {name for name in OPERATIONS if hasattr(accessor(client, type), name)}
    extra = {name for other, name in EXTRA if other == type}
    uploaded = {name for other, name in UPLOADED if other == type}
    assert offered == (facts(type, version).operations | extra) - uploaded
    for name in set(OPERATIONS) - offered:
        with pytest.raises(AttributeError, match=name):
            getattr(accessor(client, type), name)


@pytest.mark.unchecked  # the contract does not have such responses
@pytest.mark.parametrize(
    ("type", "version"),
    [(type, version) for type, operation in sorted(EXTRA) if operation == "find" for version in versions_of(type)],
)
@both_clients
def test_find_works_for_list_only_resources(type: str, version: ApiVersion, mode: Mode) -> None:
    """`find` is offered beyond the contract, and the emulator supports it."""
    wire = Wire(scene().engine)
    listed = records(type, version)[0]

    async def walk() -> None:
        assert (await settled(accessor(wire.client(version, mode), type).find(listed.id))).data == listed

    asyncio.run(walk())
    assert wire.operations(type) == {"find"}


# Writing


@functools.cache
def emulator() -> Emulator:
    """The emulator that is written to; each test has a key, and so an account, of its own."""
    return Emulator(clock=Clock(NOON, running=False))


class Stage:
    """An account, and what has to be there before something can be written."""

    def __init__(self, key: str, version: ApiVersion) -> None:
        self.key = f"{key}-{version}"
        self.version = version
        self.is_new = version != API_VERSION
        self.client: DidwwClient = Wire(emulator().engine).client(version, key=self.key)

    def pause(self) -> None:
        """Let the service finish what it has begun."""
        emulator().clock.advance(2)

    @functools.cached_property
    def group(self) -> Any:
        """A group whose numbers need registration with all papers, and can have emergency calling."""
        papers = ("business_permanent_document", "business_onetime_document")
        kind = () if self.is_new else ("did_group_type",)
        include: Any = ["country", *kind, *papers]
        for requirement in self.client.address_requirements().iterate(include=include):
            if not all(getattr(requirement, name) for name in papers):
                continue
            assert requirement.country is not None
            groups = self.client.did_groups().iterate(
                filter={"country.id": requirement.country.id or "", "features": Feature.EMERGENCY},
                include=["country", *kind, "stock_keeping_units", "address_requirement"],  # type: ignore[list-item]
            )
            for group in groups:
                if group.address_requirement == requirement and (group.meta.total_count or 0) > 100:
                    return group
        raise AssertionError("No group needs all papers.")

    @property
    def kind(self) -> dict[str, str]:
        """The filter by the kind of its numbers."""
        return (
            {"number_type": self.group.number_type}
            if self.is_new
            else {"did_group_type.id": self.group.did_group_type.id}
        )

    @functools.cached_property
    def sku(self) -> str:
        """What to buy."""
        return str(self.group.stock_keeping_units[0].id)

    @functools.cached_property
    def numbers(self) -> list[Any]:
        """Numbers that can be bought."""
        return self.client.available_dids().list(filter={"did_group.id": self.group.id}).data

    @functools.cached_property
    def dids(self) -> list[Did]:
        """Numbers that were bought."""
        self.client.orders().create(Order(items=[DidOrderItem(sku_id=self.sku, qty=4)]))
        self.pause()
        return self.client.dids().list().data

    @functools.cached_property
    def registered(self) -> list[Did]:
        """Numbers that were bought and do not await registration: trunks can use them."""
        groups = self.client.did_groups().list(
            filter={"needs_registration": False, "is_available": True}, include="stock_keeping_units", page=(1, 50)
        )
        group = next(group for group in groups.data if (group.meta.total_count or 0) > 10)
        self.client.orders().create(Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=3)]))
        self.pause()
        return self.client.dids().list(filter={"did_group.id": group.id}).data

    @functools.cached_property
    def pool(self) -> Any:
        """A pool with channels for these numbers."""
        pool = self.client.capacity_pools().list(filter={"country.id": self.group.country.id}).data[0]
        qty = max(20, pool.minimum_qty_per_order)
        self.client.orders().create(Order(items=[CapacityOrderItem(capacity_pool_id=pool.id, qty=qty)]))
        self.pause()
        return self.client.capacity_pools().find(pool.id).data

    def file(self) -> Any:
        """An uploaded file."""
        return self.client.upload_file(b"%PDF-1.7 " + self.key.encode(), description="a form")

    @functools.cached_property
    def requirement(self) -> Any:
        """What registering the numbers takes."""
        names = [
            name
            for name in facts("address_requirements", self.version).include
            if "proof_types" in name or "document" in name
        ]
        return self.client.address_requirements().find(self.group.address_requirement.id, include=names).data  # type: ignore[arg-type]

    @functools.cached_property
    def identity(self) -> Any:
        """A company with all its papers."""
        made = self.client.identities().create(Identity(**PERSON, **COMPANY, country=self.group.country)).data
        kind = self.requirement.business_proof_types[0]
        self.client.proofs().create(Proof(entity=made, proof_type=kind, files=[self.file()]))
        cls: Any = class_of("permanent_supporting_documents")
        form = self.requirement.business_permanent_document
        self.client.permanent_supporting_documents().create(cls(identity=made, template=form, files=[self.file()]))
        return made

    @functools.cached_property
    def address(self) -> Any:
        """An address of the company, with its proof."""
        place = Address(**PLACE, identity=self.identity, country=self.group.country)
        made = self.client.addresses().create(place).data
        kind = self.requirement.address_proof_types[0]
        self.client.proofs().create(Proof(entity=made, proof_type=kind, files=[self.file()]))
        return made

    @functools.cached_property
    def service(self) -> Any:
        """An active emergency calling service."""
        cls: Any = class_of("emergency_verifications")
        self.client.emergency_verifications().create(cls(address=self.address, dids=self.dids[:1]))
        self.pause()
        return self.client.emergency_calling_services().list().data[0]

    @functools.cached_property
    def trunk(self) -> Any:
        """An inbound trunk."""
        return self.client.voice_in_trunks().create(VoiceInTrunk(name="One", configuration=sip())).data

    def sms_trunk(self, **fields: Any) -> Any:
        """A new SMS trunk."""
        fields = {"name": f"SMS {len(self.client.sms_trunks().list().data)}", "configuration": esme(), **fields}
        return self.client.sms_trunks().create(SmsTrunk(**fields)).data

    @functools.cached_property
    def sms_group(self) -> Any:
        """A group of SMS trunks."""
        return self.client.sms_trunk_groups().create(SmsTrunkGroup(name="All messages")).data

    @functools.cached_property
    def sender(self) -> Any:
        """A sender ID verification, which no request can create."""
        added = emulator().sender_ids.add("Shop", sender_ids=["SHOP"], api_key=self.key)
        return self.client.sender_id_verifications().find(added.id).data

    @functools.cached_property
    def trunk_group(self) -> Any:
        """A group of trunks."""
        return self.client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="All", capacity_limit=5)).data


REFERENCE = {"external_reference_id": "mine-1"}
CALLBACK = {"callback_url": "https://hooks.example.com/didww", "callback_method": CallbackMethod.POST}
PERSON = {
    "identity_type": IdentityType.BUSINESS,
    "first_name": "Jane",
    "last_name": "Roe",
    "phone_number": "442079460001",
}
COMPANY = {
    "contact_email": "jane@example.com",
    "company_name": "Example Ltd",
    "company_reg_number": "123",
    "vat_id": "GB1",
    "id_number": "P1",
    "personal_tax_id": "T1",
    "birth_date": "1980-02-29",
    "description": "ours",
    **REFERENCE,
}
PLACE = {
    "address": "1 Example Street",
    "city_name": "Genoa",
    "postal_code": "16100",
    "description": "office",
    **REFERENCE,
}
DATES = {"from": "2026-03-01 00:00:00", "to": "2026-03-19 00:00:00"}


def sip(**changes: Any) -> SipConfiguration:
    """A SIP configuration with every field that can be written, as the emulator has them unless said."""
    blank: dict[str, Any] = {
        "text": "x",
        "integer": 7,
        "boolean": False,
        "list": [],
        "enum": None,
    }
    whole: dict[str, Any] = {}
    for name, field in SipConfiguration._field_map.items():
        if field.create:
            value = blank[field.kind.name]
            whole[name] = next(iter(field.kind.detail)) if field.kind.name == "enum" else value
            if field.kind.name == "integer":
                whole[name] = max(7, field.ge or 0)
    whole |= {"auth_enabled": True, "sip_timer_b": 8000}
    return SipConfiguration(**{**whole, "host": "sip.example.com", "port": 5060, "codec_ids": [Codec.PCMA], **changes})


def esme(**fields: Any) -> SmppEsmeConfiguration:
    """A configuration of an SMS trunk."""
    return SmppEsmeConfiguration(**{"server_location": "fra", **fields})


Fields: TypeAlias = "dict[str, Any]"


def _sms_configurations(n: int) -> list[Any]:
    """One configuration of each type, with every field that can be written."""
    return [
        esme(server_location="nyc", system_type=f"VMA{n}", allowed_ips=[f"203.0.113.{n}"]),
        SmsToEmailConfiguration(send_to=f"ann{n}@example.com", subject=f"From {n}", message="{SMS_TEXT}"),
        HttpInConfiguration(
            url=f"https://hooks.example.com/{n}",
            http_method=(SmsHttpMethod.POST, SmsHttpMethod.PUT)[n - 1],
            query_parameters={"from": "{SMS_SRC_ADDR}"},
            headers={"X-Number": f"{n}"},
            body_type=SmsBodyType.RAW,
            body="{SMS_TEXT}",
            follow_redirect=n == 1,
            validate_https_certificate=n == 2,
        ),
        HttpOutConfiguration(callback_url=f"https://hooks.example.com/{n}", allowed_ips=[f"203.0.113.{n}"]),
        SmppSmscConfiguration(
            host="smpp.example.com",
            tx_port=2775 + n,
            rx_port=2775 + n,
            transceiver_mode=True,
            connection_timeout=n,
            use_ssl=True,
            system_id=f"system{n}",
            system_type=None,
            password=f"s3cr3t-{n}",
            server_location="fra",
        ),
    ]


def _sms_trunks(stage: Stage, name: str, n: int) -> list[Fields]:
    first, *others = _sms_configurations(n)
    *others, last = [{"configuration": one} for one in others]
    whole = {
        "external_reference_id": f"mine-{n}",
        "blocked": n == 1,
        "priority": n,
        "configuration": first,
        "outgoing_dids": stage.registered[:n],
        "sms_trunk_group": stage.sms_group if n == 1 else None,
    }
    made = [whole, *others, {**last, "allow_any_did_as_source": True}]
    return [{"name": f"{name} {index}", **fields} for index, fields in enumerate(made)]


def _voice_in_trunk(stage: Stage, name: str, n: int) -> Fields:
    return {
        "name": name,
        "description": f"desk {n}",
        "priority": n,
        "weight": 10 * n,
        "capacity_limit": 5 + n,
        "cli_format": (CliFormat.E164, CliFormat.LOCAL)[n - 1],
        "cli_prefix": f"+{n}",
        "ringing_timeout": 20 + n,
        "configuration": sip(port=5060 + n),
        "voice_in_trunk_group": stage.trunk_group,
        **({"pop_code": list(PopCode)[n]} if stage.is_new else {"pop": stage.client.pops().list().data[n]}),
        "external_reference_id": f"mine-{n}",
    }


def _voice_out_trunk(stage: Stage, name: str, n: int, **more: Any) -> Fields:
    return {
        "name": name,
        "status": (VoiceOutTrunkStatus.ACTIVE, VoiceOutTrunkStatus.BLOCKED)[n - 1],
        "capacity_limit": n,
        "allow_any_did_as_cli": False,
        "on_cli_mismatch_action": OnCliMismatchAction.REPLACE_CLI,
        "default_dst_action": DefaultDstAction.REJECT_ALL,
        "dst_prefixes": ["44", f"39{n}"],
        "media_encryption_mode": MediaEncryptionMode.DISABLED,
        "allowed_rtp_ips": ["203.0.113.0/24"],
        "force_symmetric_rtp": n == 1,
        "rtp_ping": n == 1,
        "rtp_timeout": 60 + n,
        "threshold_amount": Decimal("100.5") * n,
        "callback_url": f"https://hooks.example.com/{n}",
        "emergency_enable_all": False,
        "authentication_method": CredentialsAndIpAuthenticationMethod(
            allowed_sip_ips=["203.0.113.0/24"], tech_prefix=f"{n}#"
        ),
        "default_did": stage.registered[n],
        "dids": stage.registered[:n],
        "emergency_dids": stage.registered[1 : n + 1],
        "external_reference_id": f"mine-{n}",
        **more,
    }


def _twilio(stage: Stage, n: int) -> TwilioAuthenticationMethod:
    """No two trunks have the same Twilio account, whatever account they are of."""
    return TwilioAuthenticationMethod(twilio_account_sid=f"AC{uuid5(NAMESPACE_URL, f'{stage.key}/{n}').hex}")


def _orders(stage: Stage) -> list[Fields]:
    reserved = stage.client.did_reservations().create(DidReservation(available_did=stage.numbers[0])).data
    prefixed = (
        stage.client.did_groups().list(filter={"nanpa_prefix.npanxx": "212555"}, include="stock_keeping_units").data[0]
    )
    prefix = stage.client.nanpa_prefixes().list(filter={"npanxx": "212555"}).data[0]
    sku = prefixed.stock_keeping_units[0].id
    numbers = [
        ReservationDidOrderItem(sku_id=stage.sku, did_reservation_id=reserved.id),
        AvailableDidOrderItem(sku_id=stage.sku, available_did_id=stage.numbers[1].id),
        DidOrderItem(sku_id=sku, qty=1, nanpa_prefix_id=prefix.id, billing_cycles_count=3),
    ]
    channels = CapacityOrderItem(capacity_pool_id=stage.pool.id, qty=max(5, stage.pool.minimum_qty_per_order))
    return [{"items": numbers, "allow_back_ordering": False, **CALLBACK, **REFERENCE}, {"items": [channels]}]


def _identity(stage: Stage, n: int) -> Fields:
    countries = stage.client.countries().list(filter={"iso": ["GB", "IT"]}).data
    return {**PERSON, **COMPANY, "country": countries[n], "birth_country": countries[1 - n]}


def _document(stage: Stage, n: int) -> Fields:
    template = stage.client.supporting_document_templates().list(filter={"permanent": True}).data[n]
    return {
        "template": template,
        "identity": stage.identity,
        "files": [stage.file()],
        "external_reference_id": f"m-{n}",
    }


CREATES: dict[str, Callable[[Stage], list[Fields]]] = {
    "did_reservations": lambda stage: [{"available_did": stage.numbers[0], "description": "for a client"}],
    "orders": _orders,
    "exports": lambda _: [
        {"export_type": ExportType.CDR_IN, "filters": {**DATES, "did_number": "442079460001"}, **CALLBACK, **REFERENCE},
    ],
    "voice_in_trunks": lambda stage: [
        _voice_in_trunk(stage, "First", 1),
        {"name": "Second", "configuration": PstnConfiguration(dst="442079460001")},
    ],
    "voice_in_trunk_groups": lambda stage: [
        {"name": "Group", "capacity_limit": 9, "voice_in_trunks": [stage.trunk], **REFERENCE},
    ],
    "voice_out_trunks": lambda stage: [
        _voice_out_trunk(stage, "First", 1),
        {"name": "Second", "on_cli_mismatch_action": "reject_call", "authentication_method": _twilio(stage, 1)},
    ],
    "sms_trunks": lambda stage: _sms_trunks(stage, "Messages", 1),
    "sms_trunk_groups": lambda stage: [{"name": "Messages", "sms_trunks": [stage.sms_trunk()], **REFERENCE}],
    "sms_trunk_regenerate_credentials": lambda stage: [{"sms_trunk": stage.sms_trunk()}],
    "voice_out_trunk_regenerate_credentials": lambda stage: [{"voice_out_trunk": _out_trunk(stage)}],
    "shared_capacity_groups": lambda stage: [
        {
            "name": "Shared",
            "shared_channels_count": 2,
            "metered_channels_count": 3,
            "capacity_pool": stage.pool,
            "dids": stage.dids[:1],
            **REFERENCE,
        }
    ],
    "identities": lambda stage: [_identity(stage, 0)],
    "addresses": lambda stage: [{**PLACE, "identity": stage.identity, "country": stage.group.country}],
    "address_requirement_validations": lambda stage: [
        {"address_requirement": stage.requirement, "identity": stage.identity, "address": stage.address},
    ],
    "address_verifications": lambda stage: [
        {
            "address": stage.address,
            "dids": stage.dids[:2],
            "service_description": "telephony",
            "onetime_files": [stage.file()],
            **CALLBACK,
            **REFERENCE,
        }
    ],
    "proofs": lambda stage: [
        {
            "entity": stage.identity,
            "proof_type": stage.requirement.business_proof_types[0],
            "files": [stage.file(), stage.file()],
            **REFERENCE,
        },
        {
            "entity": stage.address,
            "proof_type": stage.requirement.address_proof_types[0],
            "files": [stage.file()],
        },
    ],
    "permanent_supporting_documents": lambda stage: [_document(stage, 0)],
    "emergency_requirement_validations": lambda stage: [
        {
            "emergency_requirement": stage.client.emergency_requirements()
            .list(filter={"country.id": stage.group.country.id, **stage.kind})  # type: ignore[typeddict-item]
            .data[0],
            "identity": stage.identity,
            "address": stage.address,
        }
    ],
    "emergency_verifications": lambda stage: [
        {"address": stage.address, "emergency_calling_service": stage.service, **CALLBACK, **REFERENCE},
        {"address": stage.address, "dids": stage.dids[1:2]},
    ],
}
"""What is created of each type, with all that a request may carry; once for each choice that there is."""


def _out_trunk(stage: Stage) -> Any:
    cls: Any = class_of("voice_out_trunks")
    method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["203.0.113.7"])
    return (
        stage.client.voice_out_trunks()
        .create(cls(name="Out", on_cli_mismatch_action="reject_call", authentication_method=method))
        .data
    )


def _did_changes(stage: Stage) -> list[Fields]:
    shared: Any = class_of("shared_capacity_groups")
    group = shared(name="Shared", shared_channels_count=1, capacity_pool=stage.pool)
    return [
        {
            "capacity_limit": 20,
            "description": "front desk",
            "billing_cycles_count": 5,
            "dedicated_channels_count": 2,
            "capacity_pool": stage.pool,
            "voice_in_trunk": stage.trunk,
            "address_verification": None,
            "emergency_calling_service": None,
        },
        {
            "voice_in_trunk_group": stage.trunk_group,
            "shared_capacity_group": stage.client.shared_capacity_groups().create(group).data,
            "terminated": True,
        },
        {"description": None, "capacity_limit": None, "billing_cycles_count": None, "voice_in_trunk_group": None},
        *([{"sms_trunk": stage.sms_trunk()}, {"sms_trunk_group": stage.sms_group}] if stage.is_new else []),
    ]


UPDATES: dict[str, Callable[[Stage], list[Fields]]] = {
    "dids": _did_changes,
    "capacity_pools": lambda stage: [{"total_channels_count": stage.pool.total_channels_count - 1}],
    "voice_in_trunks": lambda stage: [
        _voice_in_trunk(stage, "Renamed", 2),
        {"of": 1, "configuration": PstnConfiguration(dst="442079460002")},
    ],
    "voice_in_trunk_groups": lambda stage: [
        {"name": "Renamed", "capacity_limit": None, "voice_in_trunks": [], "external_reference_id": None}
    ],
    "voice_out_trunks": lambda stage: [
        _voice_out_trunk(stage, "Renamed", 2),
        {"authentication_method": _twilio(stage, 2)},
    ],
    "sms_trunks": lambda stage: [{"of": n, **fields} for n, fields in enumerate(_sms_trunks(stage, "Renamed", 2))],
    "sms_trunk_groups": lambda _: [{"name": "Renamed", "sms_trunks": [], "external_reference_id": None}],
    "sender_id_verifications": lambda stage: [{"name": "Renamed", "sms_trunk": stage.sms_trunk()}],
    "shared_capacity_groups": lambda stage: [
        {
            "name": "Renamed",
            "shared_channels_count": 3,
            "metered_channels_count": 0,
            "capacity_pool": stage.pool,
            "dids": [],
            "external_reference_id": "mine-2",
        }
    ],
    "identities": lambda stage: [
        {name: value for name, value in _identity(stage, 1).items() if name != "identity_type"}
        | {"first_name": "Joan", "vat_id": None}
    ],
    "addresses": lambda _: [{**PLACE, "address": "2 Example Street", "description": None}],
    **{
        type: lambda _: [{"external_reference_id": "mine-2"}]
        for type in (
            "orders",
            "exports",
            "address_verifications",
            "proofs",
            "permanent_supporting_documents",
            "emergency_verifications",
        )
    },
}
"""What is changed of each type, with all that a request may carry; `of` tells which of those created, if not the first."""

OTHERS: dict[str, Callable[[Stage], Any]] = {
    "dids": lambda stage: stage.dids[0],
    "capacity_pools": lambda stage: stage.pool,
    "emergency_calling_services": lambda stage: stage.service,
    "encrypted_files": lambda stage: stage.file(),
    "sender_id_verifications": lambda stage: stage.sender,
}
"""What there is to update or to delete of the types that are not created."""

STAYS: dict[str, tuple[str, object]] = {
    "orders": ("status", OrderStatus.CANCELED),
    "emergency_calling_services": ("status", EmergencyCallingServiceStatus.CANCELED),
}
"""Types of which a deleted record stays, and what it reads then."""

NOT_SENT: dict[str, str] = {
    "authentication_method.ip_only.allowed_sip_ips": "DIDWW's staff sets this method; the server refuses it",
    "authentication_method.ip_only.tech_prefix": "the same",
}
RESPONDED_DIFFERENTLY: dict[tuple[str, str], str] = {
    ("orders", "items"): "a response shows what was bought, with its price, and not what it was chosen by",
    ("orders", "allow_back_ordering"): "a response need not repeat it",
}


def _carried(body: bytes) -> set[str]:
    """The members that a document carries, those inside of objects by their types."""
    data = json.loads(body)["data"]
    found = {*data.get("attributes", ()), *data.get("relationships", ())}
    for name, value in data.get("attributes", {}).items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and "type" in one:
                found.update(f"{name}.{one['type']}.{inner}" for inner in one["attributes"])
    return found


def _may_carry(type: str, operation: str, version: ApiVersion) -> set[str]:
    """The members that the contract lets a request carry."""
    request = facts(type, version).create if operation == "create" else facts(type, version).update
    assert request is not None
    found = {*request.attributes, *request.relationships}
    for name, attribute in request.attributes.items():
        for variant, members in attribute.variants.items():
            found.update(f"{name}.{variant}.{inner}" for inner in members)
    return found - NOT_SENT.keys()


def _agrees(got: Any, wanted: Any) -> bool:
    """Whether what was read is what was written; a nested object may have more in it."""
    if isinstance(wanted, Nested):
        given = wanted.to_dict()["attributes"].items()
        return type(got) is type(wanted) and all(got.to_dict()["attributes"][name] == value for name, value in given)
    if isinstance(wanted, dict):
        return bool(got == wanted)
    if isinstance(wanted, list):
        return sorted(map(_key, got)) == sorted(map(_key, wanted))
    return bool(got == wanted)


def _key(value: Any) -> str:
    return value.id if isinstance(value, Resource) else str(value)


async def _reads(endpoint: Any, type: str, id: str, fields: Fields, version: ApiVersion) -> None:
    """The record reads as it was written, asked for anew."""
    if "find" not in facts(type, version).operations:
        return
    found = (await settled(endpoint.find(id, include=sorted(facts(type, version).include)))).data
    hidden = facts(type, version).attributes.keys() | facts(type, version).include
    cls: Any = class_of(type)
    for name, value in fields.items():
        if cls._field_map[name].member in hidden and (type, name) not in RESPONDED_DIFFERENTLY:
            assert _agrees(getattr(found, name), value), (name, getattr(found, name), value)


@pytest.mark.parametrize(("type", "version"), [(type, version) for type in CREATES for version in versions_of(type)])
@both_clients
def test_records_can_be_created(type: str, version: ApiVersion, mode: Mode) -> None:
    """A record with every field that a request may carry is created, and reads back as written."""
    stage = Stage(f"create-{type}-{mode}", version)
    rounds = CREATES[type](stage)
    wire = Wire(emulator().engine)

    async def walk() -> None:
        endpoint = accessor(wire.client(version, mode, stage.key), type)
        cls: Any = class_of(type)
        for fields in rounds:
            made = (await settled(endpoint.create(cls(**fields)))).data
            assert isinstance(made, cls)
            assert made.id
            await _reads(endpoint, type, made.id, fields, version)

    asyncio.run(walk())
    bodies = [request.body for request in wire.requests if request.method == "POST"]
    assert set().union(*map(_carried, bodies)) == _may_carry(type, "create", version)
    assert "create" in wire.operations(type)


@pytest.mark.parametrize(("type", "version"), [(type, version) for type in UPDATES for version in versions_of(type)])
@both_clients
def test_records_can_be_updated(type: str, version: ApiVersion, mode: Mode) -> None:
    """Every writable field is changed and reads back as written; only changes are sent."""
    stage = Stage(f"update-{type}-{mode}", version)
    rounds = UPDATES[type](stage)
    there = [OTHERS[type](stage)] if type in OTHERS else _created(stage, type)
    records = [there[fields.pop("of", 0)] for fields in rounds]
    wire = Wire(emulator().engine)

    async def walk() -> None:
        endpoint = accessor(wire.client(version, mode, stage.key), type)
        for record, fields in zip(records, rounds, strict=True):
            held: Any = (await settled(endpoint.find(record.id))).data
            for name, value in fields.items():
                setattr(held, name, value)
            updated = (await settled(endpoint.update(held))).data
            assert updated == held
            assert held.changes == {}
            await _reads(endpoint, type, held.id, fields, version)

    asyncio.run(walk())
    bodies = [_carried(request.body) for request in wire.requests if request.method == "PATCH"]
    assert set().union(*bodies) == _may_carry(type, "update", version)
    for carried, fields in zip(bodies, rounds, strict=True):
        top = {name for name in carried if "." not in name}
        assert top - EXCLUSIVE <= {class_of(type)._field_map[name].member for name in fields}  # type: ignore[union-attr]
    assert "update" in wire.operations(type)


EXCLUSIVE = {"voice_in_trunk", "voice_in_trunk_group", "sms_trunk", "sms_trunk_group", "outgoing_dids"}
"""Relationships that an update clears when another field is set."""


def _created(stage: Stage, type: str) -> list[Any]:
    cls: Any = class_of(type)
    return [accessor(stage.client, type).create(cls(**fields)).data for fields in CREATES[type](stage)]


DELETES = [(type, version) for type, version in TYPES if "delete" in facts(type, version).operations or type == "dids"]


@pytest.mark.parametrize(("type", "version"), DELETES)
@both_clients
def test_records_can_be_deleted(type: str, version: ApiVersion, mode: Mode) -> None:
    """A deleted record is gone or reads as ended; deleting it again is an API error."""
    stage = Stage(f"delete-{type}-{mode}", version)
    record = OTHERS[type](stage) if type in OTHERS else _created(stage, type)[0]
    if type == "voice_in_trunks":  # one in a group stays
        record.voice_in_trunk_group = None
        stage.client.voice_in_trunks().update(record)
    if type == "shared_capacity_groups":  # one with numbers stays
        record.dids = []
        stage.client.shared_capacity_groups().update(record)
    wire = Wire(emulator().engine)

    async def walk() -> None:
        endpoint = accessor(wire.client(version, mode, stage.key), type)
        assert (await settled(endpoint.delete(record.id))).data is None
        if type in STAYS:
            name, value = STAYS[type]
            assert getattr((await settled(endpoint.find(record.id))).data, name) == value
        else:
            with pytest.raises(NotFoundError):
                await settled(endpoint.find(record.id))
        with pytest.raises(DidwwApiError):
            await settled(endpoint.delete(record))

    asyncio.run(walk())
    assert "delete" in wire.operations(type)


@both_versions
@both_clients
def test_encrypted_files_can_be_uploaded(mode: Mode, version: ApiVersion) -> None:
    """A file, a container and several containers become encrypted files, one record each."""
    stage = Stage(f"upload-{mode}", version)
    wire = Wire(emulator().engine)

    async def walk() -> None:
        client = wire.client(version, mode, stage.key)
        keys = [one.key for one in (await settled(client.public_keys().list())).data]
        fingerprint = Encrypt.calculate_fingerprint(keys)
        container = Encrypt.encrypt_with_keys(b"%PDF-1.7", keys)
        first = await settled(client.upload_file(b"%PDF-1.7", description="first", filename="first.pdf"))
        second = await settled(client.upload_encrypted_file(fingerprint=fingerprint, data=container))
        files = [{"data": container, "description": name} for name in ("third", "fourth")]
        others = await settled(client.upload_encrypted_files(fingerprint=fingerprint, files=files))
        found = (await settled(client.encrypted_files().list(sort="description"))).data
        expected = {first.id: "first", second: None, others[0]: "third", others[1]: "fourth"}
        assert {one.id: one.description for one in found} == expected
        assert all(one.expires_at == emulator().clock.now() + timedelta(hours=24) for one in found)

    asyncio.run(walk())
    assert wire.operations("encrypted_files") == {"create", "list"}


# All of it


@both_versions
def test_every_contract_operation_is_covered(version: ApiVersion) -> None:
    """The tests cover each operation of the contract, and no others except the known additions."""
    listed = {type for type, one in LISTED if one == version}
    found = {type for type, one in FOUND if one == version}
    walked = {
        *((type, "list") for type in listed),
        *((type, "find") for type in found),
        *((type, "create") for type in CREATES if type in types(version)),
        *((type, "update") for type in UPDATES if type in types(version)),
        *((type, "delete") for type, one in DELETES if one == version),
        *UPLOADED,
        *EXTRA,
    }
    operations = {(type, operation) for type in types(version) for operation in facts(type, version).operations}
    assert walked - EXTRA == operations
    # A filter, sort key or include of what is not listed would be walked nowhere.
    for type in types(version):
        fact = facts(type, version)
        assert not (fact.filters or fact.sort) or type in listed
        assert not fact.include or type in listed & found


@pytest.mark.parametrize("table", [NOT_SENT, RESPONDED_DIFFERENTLY], ids=["not sent", "responded differently"])
def test_skipped_operations_have_reasons(table: dict[Any, str]) -> None:
    """Every skipped operation has a written reason."""
    assert all(table.values())
