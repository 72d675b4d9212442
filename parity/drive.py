"""Drives a served emulator with the PyPI package `didww`, in an environment of that package's own.

    drive.py <base_url> <api key>

A black box: only its public client is used. Prints a row for each flow; what differed is followed by the last request
and its response. The exit code is 1 if a flow differed.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from didww.client import DidwwClient
from didww.encrypt import Encrypt
from didww.enums import (
    CliFormat,
    Codec,
    DefaultDstAction,
    ExportType,
    Feature,
    IdentityType,
    OnCliMismatchAction,
    TransportProtocol,
)
from didww.exceptions import DidwwApiError
from didww.query_params import QueryParams
from didww.resources.address import Address
from didww.resources.address_requirement import AddressRequirement
from didww.resources.address_requirement_validation import AddressRequirementValidation
from didww.resources.address_verification import AddressVerification
from didww.resources.authentication_method import CredentialsAndIpAuthenticationMethod, TwilioAuthenticationMethod
from didww.resources.available_did import AvailableDid
from didww.resources.capacity_pool import CapacityPool
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.country import Country
from didww.resources.did import Did
from didww.resources.did_reservation import DidReservation
from didww.resources.emergency_requirement import EmergencyRequirement
from didww.resources.emergency_requirement_validation import EmergencyRequirementValidation
from didww.resources.emergency_verification import EmergencyVerification
from didww.resources.encrypted_file import EncryptedFile
from didww.resources.export import Export
from didww.resources.identity import Identity
from didww.resources.order import Order
from didww.resources.order_item.available_did_order_item import AvailableDidOrderItem
from didww.resources.order_item.capacity_order_item import CapacityOrderItem
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.order_item.reservation_did_order_item import ReservationDidOrderItem
from didww.resources.permanent_supporting_document import PermanentSupportingDocument
from didww.resources.proof import Proof
from didww.resources.proof_type import ProofType
from didww.resources.shared_capacity_group import SharedCapacityGroup
from didww.resources.supporting_document_template import SupportingDocumentTemplate
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup
from didww.resources.voice_out_trunk import VoiceOutTrunk
from didww.resources.voice_out_trunk_regenerate_credential import VoiceOutTrunkRegenerateCredential

PATIENCE = 15  # seconds for what happens in the background


class DifferenceError(Exception):
    """What came is not what was expected."""


# Steps that several flows share


def same(what, came, expected):
    if came != expected:
        raise DifferenceError(f"{what}: {came!r} came, {expected!r} was expected")


def first(what, found):
    if not found:
        raise DifferenceError(f"{what}: the list is empty")
    return found[0]


def refused(call, status, **expected):
    """The call is refused with this status; of its first error `detail` and `pointer` are compared if given."""
    try:
        call()
    except DidwwApiError as error:
        came = {"detail": error.errors[0].get("detail"), "pointer": error.errors[0].get("source", {}).get("pointer")}
        same("status", error.status_code, status)
        same("error", {name: came[name] for name in expected}, expected)
    else:
        raise DifferenceError(f"no refusal came, {status} was expected")


def until(accessor, id, status, *include):
    """The record once it has the status; it is asked for again and again."""
    deadline = time.monotonic() + PATIENCE
    while True:
        record = accessor.find(id, QueryParams().include(*include) if include else None).data
        if record.status.value == status:
            return record
        if time.monotonic() > deadline:
            raise DifferenceError(f"status: still {record.status.value!r} after {PATIENCE} s, {status!r} was expected")
        time.sleep(0.1)


def made(cls, **values):
    """A record with these values, as the package's README makes one."""
    record = cls()
    for name, value in values.items():
        setattr(record, name, value)
    return record


def country(client, iso):
    return first(iso, client.countries().list(QueryParams().filter("iso", iso)).data)


def group(client, iso, **filters):
    """The first group of the country that passes, with its SKUs."""
    query = QueryParams().filter("country.id", country(client, iso).id).include("stock_keeping_units", "did_group_type")
    for name, value in filters.items():
        query = query.filter(name, value)
    return first(f"groups of {iso}", client.did_groups().list(query).data)


def london(client):
    return group(client, "GB", area_name="London")


def ordered(client, item, **values):
    """The order of this item, sent and completed; checks both states."""
    order = client.orders().create(made(Order, items=[item], **values)).data
    if order.status.value not in {"pending", "completed"}:
        raise DifferenceError(f"status of a new order: {order.status.value!r}")
    return until(client.orders(), order.id, "completed")


def numbers(client, order, count=1):
    dids = client.dids().list(QueryParams().filter("order.id", order.id).include("did_group")).data
    same("numbers of the order", len(dids), count)
    return dids


def bought(client, of, count=1):
    """So many numbers of the group."""
    item = made(DidOrderItem, sku_id=of.stock_keeping_units[0].id, qty=count)
    return numbers(client, ordered(client, item), count)


def unlink(client, did, relationship):
    """Sends null for a relationship of the number. Assigned as None it is a TypeError of the package."""
    document = {"type": "dids", "id": did, "relationships": {relationship: {"data": None}}}
    client.patch(f"dids/{did}", {"data": document})


def available(client, of):
    """An available number of the group."""
    query = QueryParams().filter("did_group.id", of.id).include("did_group.stock_keeping_units")
    return first("available numbers", client.available_dids().list(query).data)


def requiring(client):
    """A group and its requirement that asks for proofs and a permanent document, and for no one-time document.

    The package has no field for one-time documents.
    """
    lacking = {"personal_onetime_document", "personal_permanent_document"}
    query = QueryParams().include("country", "did_group_type", "personal_proof_types", "address_proof_types", *lacking)
    for requirement in client.address_requirements().list(query.page(1, 100)).data:
        document = client.get(f"address_requirements/{requirement.id}", {"include": ",".join(sorted(lacking))})
        linked = {name: document["data"]["relationships"][name]["data"] for name in lacking}
        if (
            linked["personal_onetime_document"] is None
            and linked["personal_permanent_document"] is not None
            and requirement.identity_type.value in {"any", "personal"}
            and requirement.personal_proof_qty
        ):
            wanted = QueryParams().include("stock_keeping_units", "did_group_type").filter("is_available", "true")
            wanted = wanted.filter("needs_registration", "true").filter("country.id", requirement.country.id)
            groups = client.did_groups().list(wanted.filter("did_group_type.id", requirement.did_group_type.id)).data
            if groups:
                return groups[0], requirement
    raise DifferenceError("no requirement without a one-time document")


def customer(client, where):
    """The ids of a person and of the person's address in the country of this id."""
    identity = made(
        Identity,
        identity_type=IdentityType.PERSONAL,
        first_name="Alex",
        last_name="Example",
        phone_number="12125550100",
        birth_date="1980-01-31",
        country=Country.build(where),
    )
    identity = client.identities().create(identity).data
    address = made(
        Address,
        city_name="Example",
        postal_code="10115",
        address="1 Example Street",
        identity=Identity.build(identity.id),
        country=Country.build(where),
    )
    return identity.id, client.addresses().create(address).data.id


def uploaded(client):
    """The id of an encrypted file, sent to the service."""
    keys = [key.key for key in client.public_keys().list().data]
    same("public keys", len(keys), 2)
    content = Encrypt.encrypt_with_keys(b"%PDF-1.7 an example", keys)
    return client.upload_encrypted_file(Encrypt.calculate_fingerprint(keys), content, "scan", "scan.pdf.enc")


# The flows


def coverage(client):
    kind = first("types", client.did_group_types().list(QueryParams().filter("name", "Local")).data)
    britain = country(client, "GB")
    same("country", (britain.name, britain.prefix), ("United Kingdom", "44"))
    query = QueryParams().filter("name", "London").filter("country.id", britain.id)
    city = first("cities", client.cities().list(query).data)
    query = QueryParams().include("stock_keeping_units", "city", "country").filter("is_available", "true")
    query = query.filter("country.id", britain.id).filter("city.id", city.id).filter("did_group_type.id", kind.id)
    found = client.did_groups().list(query.page(1, 10))
    same("total_records", found.meta["total_records"], 1)
    of = first("groups", found.data)
    same("group", (of.area_name, of.city.id, of.country.iso), ("London", city.id, "GB"))
    same("channels of its SKUs", sorted(sku.channels_included_count for sku in of.stock_keeping_units), [0, 2])
    same("voice_in among its features", Feature.VOICE_IN in of.features, expected=True)
    same("available", of.meta["is_available"], expected=True)
    names = [place.name for place in client.cities().list(QueryParams().sort("-name").page(2, 3)).data]
    same("cities of the page", len(names), 3)
    same("cities by name, backwards", names, sorted(names, reverse=True))


def random_number(client):
    before = float(client.balance().find().data.total_balance)
    of = london(client)
    sku = of.stock_keeping_units[0]
    item = made(DidOrderItem, sku_id=sku.id, qty=2)
    order = ordered(client, item, allow_back_ordering=False, external_reference_id="parity")
    same("group of the item", order.items[0].did_group_id, of.id)
    same("external_reference_id", order.external_reference_id, "parity")
    price = 2 * (float(sku.setup_price) + float(sku.monthly_price))
    same("amount", float(order.amount), price)
    same("balance", round(before - float(client.balance().find().data.total_balance), 2), price)
    for did in numbers(client, order, 2):
        same("group of the number", did.did_group.id, of.id)
        same("blocked, awaiting_registration", (did.blocked, did.awaiting_registration), (False, False))
        did.description = "parity"
        client.dids().update(did)
        same("description", client.dids().find(did.id).data.description, "parity")


def specific_number(client):
    wanted = available(client, london(client))
    item = made(AvailableDidOrderItem, available_did_id=wanted.id, sku_id=wanted.did_group.stock_keeping_units[0].id)
    did = numbers(client, ordered(client, item))[0]
    same("number", did.number, wanted.number)


def reserved_number(client):
    wanted = available(client, london(client))
    reservation = made(DidReservation, description="parity", available_did=AvailableDid.build(wanted.id))
    reservation = client.did_reservations().create(reservation).data
    minutes = (reservation.expires_at - reservation.created_at) / timedelta(minutes=1)
    same("minutes of the reservation", round(minutes), 10)
    query = QueryParams().include("available_did")
    same("reserved", client.did_reservations().find(reservation.id, query).data.available_did.number, wanted.number)
    sku = wanted.did_group.stock_keeping_units[0]
    item = made(ReservationDidOrderItem, did_reservation_id=reservation.id, sku_id=sku.id)
    same("number", numbers(client, ordered(client, item))[0].number, wanted.number)

    other = available(client, london(client))
    given_up = made(DidReservation, available_did=AvailableDid.build(other.id))
    given_up = client.did_reservations().create(given_up).data
    client.did_reservations().delete(given_up.id)
    gone = f"The record identified by {given_up.id} could not be found."
    refused(lambda: client.did_reservations().find(given_up.id), 404, detail=gone)


def nanpa(client):
    usa = country(client, "US")
    query = QueryParams().filter("name", "new york").filter("country.id", usa.id)
    region = first("regions", client.regions().list(query).data)
    query = QueryParams().filter("npanxx", "212555").filter("country.id", usa.id).filter("region.id", region.id)
    prefix = first("prefixes", client.nanpa_prefixes().list(query.filter("did_group.is_available", "true")).data)
    same("prefix", (prefix.npa, prefix.nxx), ("212", "555"))
    query = QueryParams().include("stock_keeping_units").filter("nanpa_prefix.id", prefix.id)
    of = first("groups", client.did_groups().list(query).data)
    item = made(DidOrderItem, sku_id=of.stock_keeping_units[0].id, nanpa_prefix_id=prefix.id, qty=1)
    did = numbers(client, ordered(client, item, allow_back_ordering=False))[0]
    same("number", did.number[:7], "1212555")


def trunks(client):
    did = bought(client, london(client))[0]
    pop = first("pops", client.pops().list().data)
    sip = made(
        SipConfiguration,
        host="sip.example.com",
        port=5060,
        username="{DID}",
        codec_ids=[Codec.PCMU, Codec.PCMA],
        transport_protocol_id=TransportProtocol.UDP,
    )
    trunk = made(
        VoiceInTrunk,
        name="Parity office",
        priority=1,
        weight=100,
        cli_format=CliFormat.E164,
        ringing_timeout=30,
        configuration=sip,
        pop=pop,
    )
    trunk = client.voice_in_trunks().create(trunk).data
    same("host, codecs", (trunk.configuration.host, trunk.configuration.codec_ids), ("sip.example.com", sip.codec_ids))
    members = made(
        VoiceInTrunkGroup, name="Parity group", capacity_limit=50, voice_in_trunks=[VoiceInTrunk.build(trunk.id)]
    )
    members = client.voice_in_trunk_groups().create(members).data
    found = client.voice_in_trunk_groups().find(members.id, QueryParams().include("voice_in_trunks")).data
    same("members", [member.id for member in found.voice_in_trunks], [trunk.id])
    same("trunks_count", found.meta["trunks_count"], 1)

    def route():
        found = client.dids().find(did.id, QueryParams().include("voice_in_trunk", "voice_in_trunk_group")).data
        return found.voice_in_trunk and found.voice_in_trunk.id, found.voice_in_trunk_group and (
            found.voice_in_trunk_group.id
        )

    change = Did.build(did.id)
    change.voice_in_trunk = VoiceInTrunk.build(trunk.id)
    client.dids().update(change)
    same("route to the trunk", route(), (trunk.id, None))
    change = Did.build(did.id)
    change.voice_in_trunk_group = VoiceInTrunkGroup.build(members.id)
    client.dids().update(change)
    same("route to the group", route(), (None, members.id))
    trunk.description = "changed"
    same("description", client.voice_in_trunks().update(trunk).data.description, "changed")
    unlink(client, did.id, "voice_in_trunk_group")
    same("no route", route(), (None, None))
    refused(lambda: client.voice_in_trunks().delete(trunk.id), 422)  # it is in a group
    client.voice_in_trunk_groups().delete(members.id)  # takes its trunks along
    gone = f"The record identified by {trunk.id} could not be found."
    refused(lambda: client.voice_in_trunks().find(trunk.id), 404, detail=gone)


def registration_of_devices(client):
    sip = made(SipConfiguration, enabled_sip_registration=True, use_did_in_ruri=True, codec_ids=[Codec.PCMU])
    trunk = client.voice_in_trunks().create(made(VoiceInTrunk, name="Parity phone", configuration=sip)).data
    login = trunk.configuration
    same("host, port", (login.host, login.port), (None, None))
    same("credentials", bool(login.incoming_auth_username and login.incoming_auth_password), expected=True)

    def changed(configuration):
        change = VoiceInTrunk.build(trunk.id)
        change.configuration = configuration
        client.voice_in_trunks().update(change)
        return client.voice_in_trunks().find(trunk.id).data.configuration

    fixed = changed(made(SipConfiguration, host="192.0.2.10"))
    same(
        "host, registration, DID in the R-URI",
        (fixed.host, fixed.enabled_sip_registration, fixed.use_did_in_ruri),
        ("192.0.2.10", False, False),
    )
    again = changed(made(SipConfiguration, enabled_sip_registration=True, host=None, port=None))
    same("registration, host", (again.enabled_sip_registration, again.host), (True, None))
    same("credentials", bool(again.incoming_auth_username and again.incoming_auth_password), expected=True)


def outbound(client):
    method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["192.0.2.10", "198.51.100.0/24"])
    trunk = made(
        VoiceOutTrunk,
        name="Parity outbound",
        authentication_method=method,
        default_dst_action=DefaultDstAction.ALLOW_ALL,
        on_cli_mismatch_action=OnCliMismatchAction.REJECT_CALL,
        allowed_rtp_ips=["192.0.2.10"],
    )
    trunk = client.voice_out_trunks().create(trunk).data
    same("status", trunk.status.value, "active")
    came = trunk.authentication_method
    same("credentials", bool(came.username and came.password), expected=True)
    same("allowed_sip_ips", came.allowed_sip_ips, ["192.0.2.10/32", "198.51.100.0/24"])
    renewal = made(VoiceOutTrunkRegenerateCredential, voice_out_trunk=VoiceOutTrunk.build(trunk.id))
    client.voice_out_trunk_regenerate_credentials().create(renewal)
    renewed = client.voice_out_trunks().find(trunk.id).data
    same("another password", renewed.authentication_method.password != came.password, expected=True)
    change = VoiceOutTrunk.build(trunk.id)
    change.authentication_method = TwilioAuthenticationMethod(twilio_account_sid="AC" + 32 * "0")
    client.voice_out_trunks().update(change)
    found = client.voice_out_trunks().find(trunk.id).data
    same("method", found.authentication_method.type, "twilio")
    client.voice_out_trunks().delete(trunk.id)


def capacity(client):
    did = bought(client, london(client))[0]
    pools = client.capacity_pools().list(QueryParams().include("countries", "qty_based_pricings")).data
    pool = first("pools of GB", [pool for pool in pools if "GB" in {place.iso for place in pool.countries}])
    before = pool.total_channels_count
    qty = max(2, pool.minimum_qty_per_order)
    order = ordered(client, made(CapacityOrderItem, capacity_pool_id=pool.id, qty=qty))
    same("channels ordered", order.items[0].qty, qty)
    found = client.capacity_pools().find(pool.id).data
    same("channels of the pool", found.total_channels_count, before + qty)
    shared = made(
        SharedCapacityGroup,
        name="Parity shared",
        shared_channels_count=2,
        metered_channels_count=0,
        capacity_pool=CapacityPool.build(pool.id),
        dids=[Did.build(did.id)],
    )
    shared = client.shared_capacity_groups().create(shared).data
    query = QueryParams().include("dids", "capacity_pool")
    found = client.shared_capacity_groups().find(shared.id, query).data
    same("numbers of the group", [member.id for member in found.dids], [did.id])
    same("channels assigned", found.capacity_pool.assigned_channels_count, pool.assigned_channels_count + 2)
    refused(
        lambda: client.shared_capacity_groups().delete(shared.id),
        422,
        detail="The capacity group cannot be removed while active numbers are assigned to it",
        pointer="/data",
    )
    unlink(client, did.id, "shared_capacity_group")
    client.shared_capacity_groups().delete(shared.id)
    found = client.capacity_pools().find(pool.id).data
    same("channels assigned", found.assigned_channels_count, pool.assigned_channels_count)


def upload(client):
    file = uploaded(client)
    found = client.encrypted_files().find(file).data
    same("description", found.description, "scan")
    same("hours that it is kept", round((found.expires_at - datetime.now(UTC)) / timedelta(hours=1)), 24)
    client.encrypted_files().delete(file)
    refused(
        lambda: client.encrypted_files().find(file), 404, detail=f"The record identified by {file} could not be found."
    )
    # Of the refusal of an upload the package keeps the status only.
    stale = "0" * 40 + ":::" + "0" * 40
    refused(lambda: client.upload_encrypted_file(stale, b"an example"), 422)


def regulation(client):
    of, requirement = requiring(client)
    did = bought(client, of)[0]
    same("blocked, awaiting_registration", (did.blocked, did.awaiting_registration), (True, True))
    identity, address = customer(client, requirement.country.id)

    def validate():
        validation = made(
            AddressRequirementValidation,
            address_requirement=AddressRequirement.build(requirement.id),
            identity=Identity.build(identity),
            address=Address.build(address),
        )
        return client.address_requirement_validations().create(validation).data

    refused(validate, 422, pointer="/data")
    personal = requirement.personal_proof_types[: requirement.personal_proof_qty]
    of_address = requirement.address_proof_types[: requirement.address_proof_qty]
    entities = [(Identity.build(identity), personal), (Address.build(address), of_address)]
    for entity, kinds in entities:
        for kind in kinds:
            files = [EncryptedFile.build(uploaded(client))]
            client.proofs().create(made(Proof, proof_type=ProofType.build(kind.id), entity=entity, files=files))
    document = made(
        PermanentSupportingDocument,
        template=SupportingDocumentTemplate.build(requirement.personal_permanent_document.id),
        identity=Identity.build(identity),
        files=[EncryptedFile.build(uploaded(client))],
    )
    client.permanent_supporting_documents().create(document)
    same("id of the validation", validate().id, requirement.id)
    verification = made(
        AddressVerification,
        address=Address.build(address),
        dids=[Did.build(did.id)],
        service_description="Support line of a shop",
    )
    verification = client.address_verifications().create(verification).data
    same("status", verification.status.value, "pending")
    until(client.address_verifications(), verification.id, "approved")
    found = client.dids().find(did.id).data
    same("blocked, awaiting_registration", (found.blocked, found.awaiting_registration), (False, False))
    same("identity verified", client.identities().find(identity).data.verified, expected=True)


def emergency(client):
    of = group(client, "US", features="emergency", needs_registration="false", is_available="true")
    bought(client, of, 2)
    query = QueryParams().filter("did_group.features", "emergency").filter("emergency_enabled", "false")
    dids = (
        client.dids().list(query.filter("did_group.id", of.id).include("did_group", "emergency_calling_service")).data
    )
    same("numbers without a service", [did.emergency_calling_service for did in dids], [None] * len(dids))
    dids = [Did.build(did.id) for did in dids[:2]]
    query = (
        QueryParams().filter("country.id", country(client, "US").id).filter("did_group_type.id", of.did_group_type.id)
    )
    requirement = first("requirements", client.emergency_requirements().list(query).data)
    identity, address = customer(client, country(client, "US").id)
    validation = made(
        EmergencyRequirementValidation,
        emergency_requirement=EmergencyRequirement.build(requirement.id),
        identity=Identity.build(identity),
        address=Address.build(address),
    )
    same("id of the validation", client.emergency_requirement_validations().create(validation).data.id, requirement.id)
    verification = made(EmergencyVerification, address=Address.build(address), dids=dids)
    verification = client.emergency_verifications().create(verification).data
    same("status", verification.status.value, "pending")
    approved = until(client.emergency_verifications(), verification.id, "approved", "emergency_calling_service")
    service = until(
        client.emergency_calling_services(), approved.emergency_calling_service.id, "active", "order", "dids"
    )
    same("numbers of the service", {did.id for did in service.dids}, {did.id for did in dids})
    item = client.orders().find(service.order.id).data.items[0]
    same("item of its order", (item.emergency_calling_service_id, item.qty), (service.id, 2))
    same("emergency_enabled", client.dids().find(dids[0].id).data.emergency_enabled, expected=True)
    client.emergency_calling_services().delete(service.id)
    found = client.emergency_calling_services().find(service.id).data
    same("status, renew_date", (found.status.value, found.renew_date), ("canceled", None))


def export(client):
    did = bought(client, london(client))[0]
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = (today - timedelta(days=28)).strftime("%Y-%m-%d %H:%M:%S")
    wanted = {"from": start, "to": today.strftime("%Y-%m-%d %H:%M:%S"), "did_number": did.number}
    made_of = client.exports().create(made(Export, export_type=ExportType.CDR_IN, filters=wanted)).data
    same("status", made_of.status.value, "pending")
    done = until(client.exports(), made_of.id, "completed")
    with tempfile.TemporaryDirectory() as folder:
        packed, unpacked = Path(folder, "calls.csv.gz"), Path(folder, "calls.csv")
        client.download_export(done.url, str(packed))
        same("first bytes", packed.read_bytes()[:2], b"\x1f\x8b")
        client.download_and_decompress_export(done.url, str(unpacked))
        with unpacked.open(encoding="utf-8", newline="") as lines:
            calls = list(csv.DictReader(lines))
    same("columns", len(first("calls", calls)), 22)
    same("called numbers", {call["Destination DID"] for call in calls}, {did.number})


def cancel(client):
    of = group(client, "GB", area_name="Edinburgh")
    item = made(DidOrderItem, sku_id=of.stock_keeping_units[0].id, qty=1)
    before = client.balance().find().data.total_balance
    order = client.orders().create(made(Order, items=[item], allow_back_ordering=True)).data
    same("status of the back order", order.status.value, "pending")
    client.orders().delete(order.id)
    same("status", client.orders().find(order.id).data.status.value, "canceled")
    same("balance", client.balance().find().data.total_balance, before)
    refused(
        lambda: client.orders().delete(order.id),
        422,
        detail="base - Order not pending",
        pointer="/data/attributes/base",
    )


def unauthorized(client):  # noqa: ARG001 it needs another one
    other = DidwwClient(api_key="wrong", base_url=client_address())
    refused(lambda: other.balance().find(), 401, detail="Authorization failed")
    same("public keys without the right key", len(other.public_keys().list().data), 2)


def not_found(client):
    unknown = str(uuid.uuid4())
    gone = f"The record identified by {unknown} could not be found."
    for accessor in (client.dids(), client.orders(), client.voice_in_trunks(), client.countries()):
        refused(lambda accessor=accessor: accessor.find(unknown), 404, detail=gone)
    refused(lambda: client.voice_in_trunks().delete(unknown), 404, detail=gone)


def invalid(client):
    client.voice_in_trunk_groups().create(made(VoiceInTrunkGroup, name="Parity once"))
    twice = made(VoiceInTrunkGroup, name="Parity once")
    place = "/data/attributes/name"
    refused(
        lambda: client.voice_in_trunk_groups().create(twice), 422, detail="name - has already been taken", pointer=place
    )
    item = made(DidOrderItem, sku_id=group(client, "GB", area_name="Edinburgh").stock_keeping_units[0].id, qty=1)
    order = made(Order, items=[item], allow_back_ordering=False)
    place = "/data/attributes/items/0/qty"
    refused(
        lambda: client.orders().create(order), 422, detail="items/0/qty - exceeds available DIDs count", pointer=place
    )


FLOWS = {
    "search coverage": coverage,
    "order a random number": random_number,
    "order a specific number": specific_number,
    "reserve and order": reserved_number,
    "order by NPA-NXX": nanpa,
    "trunk, group, assignment": trunks,
    "SIP registration": registration_of_devices,
    "voice out trunk": outbound,
    "capacity pool, shared group": capacity,
    "encrypted upload": upload,
    "registration of a number": regulation,
    "emergency calling": emergency,
    "export and download": export,
    "order canceled": cancel,
    "error 401": unauthorized,
    "error 404": not_found,
    "error 422": invalid,
}


def client_address():
    return sys.argv[1]


def recorded():
    """The last exchange over the wire, kept up to date from now on: what was sent, and what came."""
    exchange = {}
    send = requests.adapters.HTTPAdapter.send

    def kept(self, request, **options):
        exchange.clear()
        body = request.body.decode(errors="replace") if isinstance(request.body, bytes) else request.body
        exchange["request"] = f"{request.method} {request.url} {body or ''}".rstrip()
        response = send(self, request, **options)
        exchange["response"] = f"{response.status_code}"
        if not options.get("stream"):
            exchange["response"] += f" {response.text}"
        return response

    requests.adapters.HTTPAdapter.send = kept
    return exchange


def main() -> int:
    client = DidwwClient(api_key=sys.argv[2], base_url=client_address())
    exchange = recorded()
    width = max(map(len, FLOWS))
    differing = 0
    for name, flow in FLOWS.items():
        exchange.clear()
        try:
            flow(client)
        except Exception as error:  # noqa: BLE001 whatever the other package raises is a row
            differing += 1
            reason = str(error) if isinstance(error, DifferenceError) else f"{type(error).__name__}: {error}"
            print(f"{name:<{width}}  differs because {reason}")
            for part, text in exchange.items():
                print(f"{'':<{width}}    last {part}: {text[:2000]}")
        else:
            print(f"{name:<{width}}  ok", flush=True)
    print(f"\n{len(FLOWS) - differing} of {len(FLOWS)} flows ok")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main())
