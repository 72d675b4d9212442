"""Properties of change tracking, for every declared resource."""

from __future__ import annotations

import copy
import pickle
import threading
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww._jsonapi.document import decode
from didww._jsonapi.encode import encode, resource_document
from didww._jsonapi.graph import Graph
from didww._schema.registry import all_classes
from didww._schema.resource import Resource, load
from didww.enums import Codec, Feature
from didww.exceptions import InvalidValueError, NotLoadedError, ReadOnlyFieldError
from didww.query_params import QueryParams
from didww.resources.address_verification import AddressVerification
from didww.resources.authentication_method import CredentialsAndIpAuthenticationMethod, TwilioAuthenticationMethod
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.did import Did
from didww.resources.did_group import DidGroup
from didww.resources.did_reservation import DidReservation
from didww.resources.export import Export
from didww.resources.identity import Identity
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup
from didww.resources.voice_out_trunk import VoiceOutTrunk
from support import record_strategies as make
from support.hypothesis_profiles import law

CLASSES = [cls for cls in all_classes() if any(field.place == "attributes" for field in cls._field_map.values())]
every_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
few = law(25)

ID = "8d1a3c5e-0000-4000-8000-000000000001"
OTHER_ID = "8d1a3c5e-0000-4000-8000-000000000002"
SID = "AC0123456789abcdef0123456789abcdef"


def loaded(cls: type[Resource], attributes: dict[str, Any]) -> Any:
    body = encode({"data": {"type": cls._type_name, "id": ID, "attributes": attributes}})
    return Graph(decode(body), load).nodes[0]


def read_all(record: Any) -> None:
    for name, field in type(record)._field_map.items():
        if field.place == "attributes" and name in record._attributes:
            getattr(record, name)


@every_class
@few
@given(data=st.data())
def test_reading_fields_creates_no_changes(cls: type[Resource], data: st.DataObject) -> None:
    """After reading every field of any loaded record, there is nothing to send and nothing is lost."""
    attributes = data.draw(make.raw_attributes(cls))
    record = loaded(cls, attributes)
    assert record.changes == {}
    read_all(record)
    assert record.changes == {}
    assert record.to_dict()["attributes"] == attributes
    for name in attributes:
        if name.startswith("zz_"):
            assert getattr(record, name) == attributes[name], "an unknown attribute reads as it came"


@every_class
@few
@given(data=st.data())
def test_only_assigned_fields_are_sent(cls: type[Resource], data: st.DataObject) -> None:
    """Assigning some fields, including None, sends exactly these; reading others in between adds nothing."""
    record = loaded(cls, data.draw(make.raw_attributes(cls)))
    fields = [field for field in make.writable_fields(cls, exists=True) if field.on_set is None]
    chosen = data.draw(st.lists(st.sampled_from(fields), unique=True)) if fields else []
    expected = {}
    for field in chosen:
        value = data.draw(make.values_for(field))
        read_all(record)
        setattr(record, field.name, value)
        expected[field.member] = field.dump(value)
    assert record.changes.get("attributes", {}) == expected
    assert record.to_dict()["attributes"].items() >= expected.items()


@every_class
@few
@given(data=st.data())
def test_only_fields_changed_in_place_are_sent(cls: type[Resource], data: st.DataObject) -> None:
    """Adding and removing list items, or setting fields of a nested object, changes exactly that attribute."""
    fields = [field for field in make.writable_fields(cls, exists=True) if field.kind.name in ("list", "object", "map")]
    if not fields:
        return
    field = data.draw(st.sampled_from(fields))
    attributes = data.draw(make.raw_attributes(cls))
    attributes[field.member] = data.draw(make.known_values(field))
    record = loaded(cls, attributes)
    read_all(record)
    value = getattr(record, field.name)
    before = field.dump(getattr(loaded(cls, attributes), field.name))
    if field.kind.name == "list":
        value.append(data.draw(make.items_for(field).filter(lambda one: one not in value)))
        if data.draw(st.booleans()):
            del value[0]
    elif field.kind.name == "map":
        value["added"] = "x"
    else:
        inner = data.draw(st.sampled_from(make.writable_members(type(value))))
        setattr(value, inner.name, data.draw(make.values_for(inner)))
    after = field.dump(value)
    if getattr(value, "merges", False):  # the service keeps the members that are not sent
        members = {name: one for name, one in after["attributes"].items() if one != before["attributes"].get(name, ...)}
        after = {**after, "attributes": members} if members else before
    assert record.changes.get("attributes", {}) == ({} if after == before else {field.member: after})


@pytest.mark.parametrize("cls", all_classes(), ids=lambda cls: cls.__name__)
def test_repr_masks_secrets(cls: type[Resource]) -> None:
    """The repr of a resource or nested object shows that a secret is set, but not its value."""
    for owner in [
        cls,
        *(
            one
            for field in cls._field_map.values()
            if field.place == "attributes" and field.kind.name == "object"
            for one in field.kind.detail
        ),
    ]:
        for name, field in owner._field_map.items():
            if field.secret:
                raw = {name: "hidden-value"}
                shown = loaded(cls, raw) if owner is cls else owner._loaded(owner._type_name, raw)
                assert "hidden-value" not in repr(shown)
                assert f"{name}='***'" in repr(shown)
                assert getattr(shown, name) == "hidden-value"


@every_class
@few
@given(data=st.data())
def test_new_record_round_trips_through_its_document(cls: type[Resource], data: st.DataObject) -> None:
    """A create document reads back as the values that were set."""
    fields = [field for field in make.writable_fields(cls, exists=False) if field.on_set is None]
    values = {field.name: data.draw(make.values_for(field)) for field in fields}
    record = cls(**values)
    document = resource_document(cls._type_name, ID, cls._to_members(record._pending()), {})
    back = Graph(decode(encode(document)), load).nodes[0]
    assert back.to_dict()["attributes"] == record.to_dict()["attributes"]
    for field in fields:
        if field.kind.name != "object" and not (field.kind.name == "list" and field.kind.detail.mutable):
            assert getattr(back, field.name) == getattr(record, field.name)


@every_class
@few
@given(data=st.data())
def test_copies_and_pickles_are_equal_and_independent(cls: type[Resource], data: st.DataObject) -> None:
    """A copy and a pickle are equal to the record; changing one does not change the other."""
    attributes = data.draw(make.raw_attributes(cls))
    record = loaded(cls, attributes)
    read_all(record)
    for twin in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
        assert twin == record
        assert twin.to_dict() == record.to_dict()
        assert twin.changes == {}
        for field in make.writable_fields(cls, exists=True):
            if field.on_set is None:
                setattr(twin, field.name, data.draw(make.values_for(field)))
        for value in list(twin._state.values.values() if twin._state else []):
            if isinstance(value, list):
                value.clear()
        assert record.changes == {}
        assert record.to_dict()["attributes"] == attributes


@every_class
@few
@given(junk=st.data())
def test_unexpected_response_values_are_kept(cls: type[Resource], junk: st.DataObject) -> None:
    """Members of the wrong type are returned as received, and repr, to_dict and reading never fail."""
    names = [field.member for field in cls._field_map.values() if field.place == "attributes"]
    attributes = junk.draw(st.dictionaries(st.sampled_from(names), make.json_values, max_size=5))
    record = loaded(cls, attributes)
    read_all(record)
    assert repr(record)
    assert record.to_dict()["attributes"] == attributes
    assert record.changes == {}


@few
@given(body=st.binary(max_size=200) | make.json_values.map(lambda value: encode({"data": value})))
def test_decoding_any_bytes_succeeds_or_raises_not_json_api(body: bytes) -> None:
    """Decoding returns a document or raises NotJsonApiError, never another error."""
    from didww._jsonapi.document import NotJsonApiError

    try:
        document = decode(body)
    except NotJsonApiError:
        return
    for node in Graph(document, load).nodes:
        assert repr(node)


def out_trunk(**attributes: Any) -> Any:
    return loaded(VoiceOutTrunk, {"dst_prefixes": ["1"], **attributes})


def linked_did(**linkage: Any) -> Any:
    """A DID with the linkage of its routes, as a response has it."""
    relationships = {name: {"data": data and {"type": f"{name}s", "id": data}} for name, data in linkage.items()}
    body = encode({"data": {"type": "dids", "id": ID, "attributes": {}, "relationships": relationships}})
    return Graph(decode(body), load).nodes[0]


def test_one_shot_iterables_are_read_completely() -> None:
    """A generator or `map` sends all of its items, to a list and to a relationship."""
    trunk = out_trunk()
    trunk.dst_prefixes = (str(number) for number in range(3))
    trunk.dids = map(Did.build, (ID, OTHER_ID))
    assert trunk.dst_prefixes == ["0", "1", "2"]
    order = Order(items=(DidOrderItem(sku_id=ID, qty=qty) for qty in (1, 2)))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert trunk.changes["attributes"] == {"dst_prefixes": ["0", "1", "2"]}
    assert len(trunk.changes["relationships"]["dids"]) == 2
    assert [item["attributes"]["qty"] for item in order.changes["attributes"]["items"]] == [1, 2]


def test_clearing_one_route_keeps_the_other() -> None:
    """Assigning a trunk and then None sends no null for the trunk group."""
    did = linked_did(voice_in_trunk=None, voice_in_trunk_group="group")
    did.voice_in_trunk = VoiceInTrunk.build("trunk")
    assert did.voice_in_trunk_group is None
    assert set(did.changes["relationships"]) == {"voice_in_trunk", "voice_in_trunk_group"}
    did.voice_in_trunk = None
    assert did.changes == {"relationships": {"voice_in_trunk": None}}
    assert did.voice_in_trunk_group.id == "group"
    did.voice_in_trunk = VoiceInTrunk.build("trunk")
    did.voice_in_trunk_group = VoiceInTrunkGroup.build("other")
    assert did.changes["relationships"]["voice_in_trunk"] is None
    assert did.changes["relationships"]["voice_in_trunk_group"]["id"] == "other"


def test_returned_dicts_are_copies() -> None:
    """Changing the result of `to_dict()` or `changes` does not change the record."""
    trunk = out_trunk(authentication_method={"type": "twilio", "attributes": {"twilio_account_sid": SID}})
    for plain in (trunk.to_dict(), trunk.authentication_method.to_dict()):
        plain["attributes"].clear()
        plain.get("meta", {}).clear()
    trunk.to_dict()["attributes"]["dst_prefixes"].append("9")
    trunk.dst_prefixes.append("2")
    trunk.changes["attributes"]["dst_prefixes"].append("9")
    assert trunk.changes == {"attributes": {"dst_prefixes": ["1", "2"]}}
    assert trunk.authentication_method.twilio_account_sid == SID


def test_changes_made_during_an_update_are_kept() -> None:
    """Only what was sent counts as saved; a value that cannot be sent does not fail a finished update."""
    trunk = out_trunk(name="a")
    trunk.dst_prefixes[:] = ["2"]
    trunk.name = "b"
    sent = trunk._to_send()
    trunk.dst_prefixes.append(5)
    trunk.name = "c"
    trunk._settle(sent, {})
    trunk.dst_prefixes[:] = ["1"]  # as it was loaded, and not as it was saved
    assert trunk.changes == {"attributes": {"name": "c", "dst_prefixes": ["1"]}}
    trunk.dst_prefixes[:] = ["2"]
    trunk.name = "b"
    trunk._settle({"name": "b"}, {})
    assert trunk.changes == {}


def sip_trunk(**members: Any) -> Any:
    """A loaded trunk with a SIP configuration."""
    return loaded(VoiceInTrunk, {"configuration": {"type": "sip_configurations", "attributes": members}})


def sent_members(trunk: Any) -> dict[str, Any]:
    """The members of its configuration that an update would send."""
    return dict(trunk.changes["attributes"]["configuration"]["attributes"])


@pytest.mark.parametrize("add", [lambda ones: None, lambda ones: (ones.append(1), ones.clear())])
def test_reading_a_missing_list_is_no_change(add: Any) -> None:
    """A required list that is missing reads as empty; reading it is neither a change nor an error."""
    sip = SipConfiguration(host="sip.example.com")
    order = Order(external_reference_id="a")
    method = CredentialsAndIpAuthenticationMethod(tech_prefix="1")
    for record, name in ((sip, "codec_ids"), (order, "items"), (method, "allowed_sip_ips")):
        before = type(record).from_dict(record.to_dict())
        assert getattr(record, name) == []
        for twin in (record, copy.copy(record), pickle.loads(pickle.dumps(record))):
            assert twin.to_dict() == before.to_dict()
            assert vars(twin) == before.to_dict()
            assert twin == record
    add(sip.codec_ids)
    assert sip == SipConfiguration(host="sip.example.com")
    trunk = sip_trunk(host="a")
    assert trunk.configuration.codec_ids == []
    trunk.name = "b"
    assert trunk._to_send() == {"name": "b"}


def test_emptied_required_list_raises_only_when_sent() -> None:
    """It may still be filled, so inspecting the record raises nothing."""
    trunk = sip_trunk(codec_ids=[9])
    trunk.configuration.codec_ids.clear()
    assert trunk.to_dict()["attributes"]["configuration"]["attributes"] == {"codec_ids": []}
    with pytest.raises(InvalidValueError, match=r"codec_ids must have at least 1 item, got 0"):
        trunk._to_send()
    trunk.configuration.codec_ids.append(Codec.PCMA)
    assert sent_members(trunk) == {"codec_ids": [Codec.PCMA.value]}
    trunk._to_send()


def test_only_changed_configuration_members_are_sent() -> None:
    """The other members may have been changed by someone else, or may not be writable."""
    trunk = sip_trunk(host="a", codec_ids=[9], auth_user="u", auth_password="p", rtp_timeout=1, new_member=[1])
    trunk.configuration.cnam_lookup = True
    assert sent_members(trunk) == {"cnam_lookup": True}
    trunk.configuration.codec_ids.append(Codec.PCMA)
    trunk.configuration.host = "b"
    trunk.configuration.host = "a"  # as it was
    members = {"cnam_lookup": True, "codec_ids": [9, 10], "enabled_sip_registration": False, "use_did_in_ruri": False}
    assert sent_members(trunk) == members
    assert trunk.to_dict()["attributes"]["configuration"]["attributes"] == {
        "host": "a",
        "auth_user": "u",
        "auth_password": "p",
        "rtp_timeout": 1,
        "new_member": [1],
        **members,
    }
    trunk._settle(trunk._to_send(), {})
    assert trunk.changes == {}
    assert (trunk.configuration.host, trunk.configuration.rtp_timeout) == ("a", 1)
    trunk.configuration.cnam_lookup = False
    assert sent_members(trunk) == {"cnam_lookup": False}


def test_assigned_configuration_is_sent_completely() -> None:
    """This holds for a new one and for one of another trunk; reassigning the record's own changes nothing."""
    trunk, other = sip_trunk(host="a"), sip_trunk(host="b", codec_ids=[9])
    trunk.configuration = other.configuration
    trunk.configuration.port = 5060
    assert sent_members(trunk) == {"host": "b", "codec_ids": [9], "port": 5060}
    configuration = other.configuration
    configuration.cnam_lookup = True
    other.configuration = configuration
    assert sent_members(other) == {"cnam_lookup": True}


def test_unknown_members_after_an_update_do_not_read_as_none() -> None:
    """After a partial update, the other members are those that were loaded, or unknown."""
    trunk = sip_trunk(host="a", codec_ids=[9])
    trunk.configuration = SipConfiguration(cnam_lookup=True)
    trunk._settle(trunk._to_send(), {})
    assert (trunk.configuration.host, trunk.configuration.codec_ids) == ("a", [Codec.PCMU])
    assert trunk.configuration.cnam_lookup is True
    built: Any = VoiceInTrunk.build(ID, configuration=SipConfiguration(cnam_lookup=True))
    built._settle(built._to_send(), {})
    for twin in (built, copy.copy(built), pickle.loads(pickle.dumps(built))):
        assert twin.configuration.cnam_lookup is True
        assert twin.changes == {}
        with pytest.raises(NotLoadedError, match=r"SipConfiguration\.codec_ids was not loaded.*Find the record"):
            _ = twin.configuration.codec_ids
        assert not hasattr(twin.configuration, "host")
        twin.configuration.port = 5060
        assert sent_members(twin) == {"port": 5060}


def test_nested_changes_made_during_an_update_are_kept() -> None:
    """Nested members behave like the fields of the record."""
    trunk = sip_trunk(host="a", codec_ids=[9])
    trunk.configuration.port = 1
    trunk.configuration.codec_ids.append(Codec.PCMA)
    sent = trunk._to_send()
    trunk.configuration.port = 2
    trunk.configuration.codec_ids.append(Codec.G729)
    trunk._settle(sent, {})
    assert sent_members(trunk) == {"port": 2, "codec_ids": [9, 10, 8]}


def test_item_dict_rejects_members_of_other_item_types() -> None:
    """An available number is one number: a quantity beside it would buy less than intended."""
    both = {"type": "did_order_items", "attributes": {"sku_id": ID, "available_did_id": ID, "qty": 5}}
    with pytest.raises(ReadOnlyFieldError, match=r"AvailableDidOrderItem\.qty cannot be set"):
        Order(items=[both])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]


def test_threads_reading_a_list_get_the_same_object() -> None:
    """When many threads first read a list and append to it, no item is lost."""
    for _ in range(50):
        trunk = out_trunk()
        start = threading.Barrier(8)

        def add(number: int, trunk: Any = trunk, start: threading.Barrier = start) -> None:
            start.wait()
            trunk.dst_prefixes.append(str(number))

        threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(trunk.changes["attributes"]["dst_prefixes"]) == sorted(["1", *map(str, range(8))])


def test_malformed_nested_object_is_masked_and_replaceable() -> None:
    """It reads as received and is masked in the repr; a change in place raises instead of getting lost."""
    trunk: Any = loaded(VoiceInTrunk, {"configuration": {"auth_password": "example-password"}})
    assert trunk.configuration == {"auth_password": "example-password"}
    assert "example-password" not in repr(trunk)
    assert trunk.changes == {}
    trunk.configuration["auth_password"] = "other"
    with pytest.raises(InvalidValueError, match=r"VoiceInTrunk\.configuration expects a dict"):
        _ = trunk.changes


HUGE = 10**5000


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        (VoiceInTrunk, "priority", HUGE),
        (VoiceInTrunk, "priority", -HUGE),
        (VoiceInTrunk, "cli_format", HUGE),
        (Order, "allow_back_ordering", HUGE),
        (Order, "items", HUGE),
        (Identity, "birth_date", HUGE),
        (Identity, "birth_date", "2020-13-45"),
        (Identity, "birth_date", "9" * 100_000),
        (Export, "filters", {"a": HUGE}),
        (Export, "filters", {"a": "\ud800"}),
        (Export, "filters", {"a": object()}),
        (VoiceOutTrunk, "threshold_amount", "1e300000000"),
        (VoiceOutTrunk, "threshold_amount", "1e-300000000"),
        (VoiceOutTrunk, "threshold_amount", HUGE),
        (DidReservation, "description", b"bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else type(value).__name__,
)
def test_unsendable_value_raises_a_short_error(cls: Any, name: str, value: Any) -> None:
    """`InvalidValueError` names the field immediately and does not repeat large values."""
    with pytest.raises(InvalidValueError, match=name) as caught:
        setattr(cls(), name, value)
    assert len(str(caught.value)) < 300


def test_self_referencing_dict_is_rejected() -> None:
    """The error says that the value contains itself."""
    endless: dict[str, Any] = {}
    endless["again"] = endless
    with pytest.raises(InvalidValueError, match=r"Export\.filters must not be nested"):
        Export(filters=endless)


class Nowhere(tzinfo):
    """A time zone that does not know its offset."""

    def utcoffset(self, moment: datetime | None) -> None:
        return None


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 1),
        datetime(2026, 1, 1, tzinfo=Nowhere()),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=12))),
    ],
)
def test_datetime_outside_utc_range_is_rejected(moment: datetime) -> None:
    """A datetime without offset or out of range raises, in attributes and in filters."""
    with pytest.raises(InvalidValueError, match="datetime"):
        Export(filters={"from": moment})
    with pytest.raises(InvalidValueError, match="created_at_gteq"):
        QueryParams().filter("created_at_gteq", moment).encode()


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+12:00", "9999-12-31T23:59:59-12:00"])
def test_unparsable_datetime_reads_as_text(text: str) -> None:
    """The server's text is returned without an error."""
    assert loaded(Did, {"created_at": text}).created_at == text


@pytest.mark.parametrize("value", [12345678, 1.5, True, b"12345678", ["12345678"], {"12345678": 1}])
def test_error_for_a_secret_of_wrong_type_hides_the_value(value: Any) -> None:
    """The error, including its causes, names the field and the type only."""
    with pytest.raises(InvalidValueError, match=r"SipConfiguration\.auth_password must be a str") as caught:
        SipConfiguration(auth_password=value)
    assert "12345678" not in str(caught.value)
    assert caught.value.__context__ is caught.value.__cause__ is None
    with pytest.raises(InvalidValueError) as deeper:
        VoiceInTrunk(configuration=SipConfiguration(auth_password="\ud800 example-password"))
    assert "example-password" not in str(deeper.value)


@pytest.mark.parametrize("name", ["id", "type", "changes", "meta"])
def test_assigning_an_unknown_field_raises(name: str) -> None:
    """The error is a class of its own and suggests no unrelated field."""
    with pytest.raises(ReadOnlyFieldError, match=rf"Did\.{name} cannot be set"):
        setattr(Did.build(ID), name, "x")


def test_assigning_an_id_makes_a_record_existing() -> None:
    """Assigning an id to a new record equals building it by id: all assignments count as changes."""
    trunk = VoiceInTrunk(weight=5)
    trunk.id = ID
    trunk.description = "x"
    assert trunk == VoiceInTrunk.build(ID)
    assert trunk.changes == {"attributes": {"weight": 5, "description": "x"}}
    with pytest.raises(NotLoadedError, match="build"):
        _ = trunk.name
    with pytest.raises(ReadOnlyFieldError, match=r"VoiceInTrunk\.id cannot be set.*VoiceInTrunk\.build"):
        trunk.id = ID
    for wrong in ("a/b", "", None):
        with pytest.raises(InvalidValueError, match=r"VoiceInTrunk\.id expects"):
            VoiceInTrunk().id = wrong  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    order = Order(allow_back_ordering=True)
    order.id = ID
    with pytest.raises(ReadOnlyFieldError, match="set on create only"):
        order._to_send()


def test_build_accepts_fields_as_keywords() -> None:
    """`build` accepts fields and relationships as keywords, and checks them like assignments."""
    did = Did.build(ID, description="x", voice_in_trunk=VoiceInTrunk.build("trunk"))
    assert did.changes["attributes"] == {"description": "x"}
    assert set(did.changes["relationships"]) == {"voice_in_trunk", "voice_in_trunk_group"}
    with pytest.raises(InvalidValueError, match=r"Did has no field 'descripton'"):
        Did.build(ID, descripton="x")
    with pytest.raises(ReadOnlyFieldError, match=r"Did\.number"):
        Did.build(ID, number="442079460000")


def test_nested_object_is_copied_when_assigned() -> None:
    """One object that is changed and assigned to several records in a loop stays different in each."""
    sip, item = SipConfiguration(), DidOrderItem(sku_id=ID)
    trunks, orders, filled = [], [], []
    for number in range(1, 4):
        sip.host = f"h{number}"
        item.qty = number
        trunks.append(VoiceInTrunk(configuration=sip))
        orders.append(Order(items=[item]))
        order = Order()
        order.items.append(item)
        filled.append(order)
    sip.host, item.qty = "later", 9
    assert [trunk.configuration.host for trunk in trunks] == ["h1", "h2", "h3"]  # type: ignore[union-attr] # pyright: ignore[reportAttributeAccessIssue]
    assert [order.items[0].qty for order in orders] == [1, 2, 3]
    assert [order.items[0].qty for order in filled] == [1, 2, 3]


def test_nested_object_belongs_to_one_record() -> None:
    """Assigned to a second record, it is copied: changing one does not change the other."""
    first: Any = loaded(VoiceInTrunk, {"configuration": {"type": "sip_configurations", "attributes": {"host": "a"}}})
    second: Any = loaded(VoiceInTrunk, {"configuration": {"type": "sip_configurations", "attributes": {"host": "b"}}})
    second.configuration = first.configuration
    second.configuration.host = "moved"
    assert first.configuration.host == "a"
    assert first.changes == {}


def _sets(items: Any, item: Any) -> None:
    items[0] = item


def _sets_slice(items: Any, item: Any) -> None:
    items[:] = [item]


def _adds(items: Any, item: Any) -> None:
    items += [item]


@pytest.mark.parametrize(
    "put",
    [
        lambda items, item: items.append(item),
        lambda items, item: items.extend([item]),
        lambda items, item: items.insert(0, item),
        _adds,
        _sets,
        _sets_slice,
    ],
)
@pytest.mark.parametrize("twin", [lambda order: order, copy.copy, lambda order: pickle.loads(pickle.dumps(order))])
def test_list_items_are_checked_and_copied(put: Any, twin: Any) -> None:
    """Every way to add an item copies it, converts dicts and rejects other values."""
    order = twin(Order(items=[DidOrderItem(sku_id=ID, qty=7)]))
    item = DidOrderItem(sku_id=ID, qty=1)
    put(order.items, item)
    item.qty = 2
    assert 1 in [one.qty for one in order.items]
    assert 2 not in [one.qty for one in order.items]
    put(order.items, {"type": "did_order_items", "attributes": {"sku_id": ID, "qty": 3}})
    assert 3 in [one.qty for one in order.items]
    before = order.to_dict()
    for wrong in ("x", SipConfiguration(), {"type": "did_order_items", "attributes": {"qty": 0}}):
        with pytest.raises(InvalidValueError, match="Order"):
            put(order.items, wrong)
    assert order.to_dict() == before


def test_dict_is_converted_to_its_nested_object() -> None:
    """The class's checks apply; where classes share a type, the attributes decide."""
    trunk: Any = VoiceInTrunk(name="a")
    given = {"type": "sip_configurations", "attributes": {"host": "sip.example.com", "codec_ids": [9]}}
    trunk.configuration = given
    given["attributes"] = {}
    assert isinstance(trunk.configuration, SipConfiguration)
    assert trunk.configuration.codec_ids == [Codec.PCMU]
    assert trunk.changes["attributes"]["configuration"]["attributes"]["host"] == "sip.example.com"
    out: Any = VoiceOutTrunk(authentication_method={"type": "twilio", "attributes": {"twilio_account_sid": SID}})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert isinstance(out.authentication_method, TwilioAuthenticationMethod)
    order: Any = Order()
    order.items = [
        {"type": "did_order_items", "attributes": {"sku_id": ID, "qty": 1}},
        {"type": "did_order_items", "attributes": {"sku_id": ID, "available_did_id": ID}},
        {"type": "did_order_items", "attributes": {"did_reservation_id": ID}},
    ]
    assert [type(item).__name__ for item in order.items] == [
        "DidOrderItem",
        "AvailableDidOrderItem",
        "ReservationDidOrderItem",
    ]
    assert list(order._missing()) == ["Order.items[2].sku_id"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"host": "sip.example.com"}, r"configuration expects a dict of type and attributes"),
        ({"type": "sip_configurations", "host": "x"}, r"expects a dict of type and attributes"),
        ({"type": "sip_configuration", "attributes": {}}, r"Did you mean 'sip_configurations'\?"),
        ({"type": "sip_configurations", "attributes": {"hots": "x"}}, r"SipConfiguration.*'hots'.*Did you mean 'host'"),
        (
            {"type": "sip_configurations", "attributes": {"port": 70000}},
            r"SipConfiguration\.port must be 1 to 65535, got 70000",
        ),
        ({"type": "sip_configurations", "attributes": {1: 2}}, r"SipConfiguration has no field '1'"),
    ],
)
def test_invalid_nested_dict_is_rejected(wrong: Any, said: str) -> None:
    """The error says what is wrong with it."""
    with pytest.raises(InvalidValueError, match=said):
        VoiceInTrunk(configuration=wrong)


def test_dict_of_a_read_only_variant_is_rejected() -> None:
    """It is rejected like an object of that class."""
    wrong: Any = {"type": "ip_only", "attributes": {"tech_prefix": "1"}}
    with pytest.raises(ReadOnlyFieldError, match="got IpOnlyAuthenticationMethod, which only the service can create"):
        VoiceOutTrunk(authentication_method=wrong)


def registering() -> SipConfiguration:
    """The configuration of a trunk to which a device registers."""
    return SipConfiguration.from_dict(
        {
            "type": "sip_configurations",
            "attributes": {"host": None, "port": None, "enabled_sip_registration": True, "use_did_in_ruri": True},
        }
    )


def test_setting_a_host_disables_registration() -> None:
    """Setting a host disables registration and its dependent fields; setting None changes nothing else."""
    sip = registering()
    sip.host = "sip.example.com"
    assert (sip.enabled_sip_registration, sip.use_did_in_ruri) == (False, False)
    sip = registering()
    sip.host = None
    assert (sip.enabled_sip_registration, sip.use_did_in_ruri) == (True, True)


def test_registration_flag_resets_dependent_fields() -> None:
    """Enabling it sets host and port to None; disabling it sets the use of the number in the request URI to False."""
    sip = SipConfiguration(host="sip.example.com", port=5060)
    sip.enabled_sip_registration = True
    assert (sip.host, sip.port) == (None, None)
    sip.use_did_in_ruri = True
    sip.enabled_sip_registration = False
    assert sip.use_did_in_ruri is False


def test_explicit_values_override_implied_values() -> None:
    """Fields that are passed together keep their values, in any order."""
    for names in (("host", "enabled_sip_registration"), ("enabled_sip_registration", "host")):
        values = {"host": "sip.example.com", "enabled_sip_registration": True}
        sip = SipConfiguration(**{name: values[name] for name in names})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        assert (sip.host, sip.enabled_sip_registration) == ("sip.example.com", True)
    sip = SipConfiguration(host="sip.example.com", use_did_in_ruri=True)
    assert (sip.enabled_sip_registration, sip.use_did_in_ruri) == (False, True)


def test_single_text_reads_as_a_one_item_list() -> None:
    """Older verifications hold their reasons as one text; reading it is no change."""
    verification = loaded(AddressVerification, {"reject_reasons": "Wrong address"})
    assert verification.reject_reasons == ["Wrong address"]
    assert verification.changes == {}
    assert verification.to_dict()["attributes"] == {"reject_reasons": "Wrong address"}
    assert loaded(AddressVerification, {"reject_reasons": ""}).reject_reasons == []
    assert loaded(DidGroup, {"features": "voice_in"}).features == [Feature.VOICE_IN]


def test_dict_of_a_loaded_object_can_be_assigned() -> None:
    """Members that only the service sets are dropped, as for the object itself."""
    attributes = {
        "enabled_sip_registration": True,
        "incoming_auth_username": "user-1",
        "incoming_auth_password": "secret-1",
        "host": None,
        "port": None,
        "codec_ids": [9, 8],
    }
    trunk = loaded(VoiceInTrunk, {"configuration": {"type": "sip_configurations", "attributes": attributes}})
    first = VoiceInTrunk(name="copy", configuration=trunk.configuration)
    second = VoiceInTrunk(name="copy", configuration=trunk.configuration.to_dict())
    assert first.changes == second.changes
    assert "incoming_auth_username" not in str(second.changes)
    assert second.configuration.enabled_sip_registration is True
