"""`didww out-trunks update` and `delete`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import lookups
from didww.cli.field_options import FieldOption, differences, given, in_words, naming_options, values_of
from didww.cli.framework import Command
from didww.cli.out_trunks.create import new_method
from didww.cli.out_trunks.list import INCLUDES, load, print_trunk, trunk_argument
from didww.cli.out_trunks.options import NUMBER_OPTIONS, OPTIONS, linked, number_options, warnings
from didww.cli.plans import confirm_plan
from didww.resources.authentication_method import CredentialsAndIpAuthenticationMethod
from didww.resources.voice_out_trunk import VoiceOutTrunk

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["delete", "update"]

ALL = [FieldOption("--rename", VoiceOutTrunk, "name", "New name.", section="Trunk", convert=lookups.new_name), *OPTIONS]


@click.command(
    cls=Command,
    changes=True,
    params=[*ALL],
    examples=(
        "didww out-trunks update Outbound --spending-limit 200",
        "didww out-trunks update Outbound --allow 192.0.2.10,192.0.2.11",
        "didww out-trunks update Outbound --status blocked --yes",
    ),
)
@trunk_argument
@number_options
@click.pass_obj
def update(session: Session, /, trunk: str, **fields: Any) -> None:
    """Change an outbound trunk: show from what to what, and ask. Lists are replaced as a whole."""
    client = session.client
    record = load(session, trunk)
    name, before = record.name, _values(record)
    numbers = linked(client, fields)
    with naming_options(ALL, **NUMBER_OPTIONS):
        record._assign({**given(ALL, fields, VoiceOutTrunk), **numbers})
        lines = _set_method(record, fields)
        record._check_rules(creating=False)
    after = _values(record)
    lines += [*differences(ALL, before, after), *_numbers(before, after)]
    if not lines:
        session.say("Nothing to change: these are the values already.")
        return
    networks: list[str] = after.get("allowed_sip_ips") or []

    def read() -> dict[str, Any]:
        now = _values(load(session, record.id))
        return _in_words({field: now.get(field) for field in planned})

    planned = [field for field in before | after if before.get(field) != after.get(field)]
    confirm_plan(
        session,
        f"Outbound trunk {name!r}:",
        *(f"  {line}" for line in lines),
        *warnings(network for network in networks if network not in (before.get("allowed_sip_ips") or [])),
        question="Change the trunk?",
        seen=_in_words({field: before.get(field) for field in planned}),
        read=read,
    )
    with naming_options(ALL, **NUMBER_OPTIONS):
        client.voice_out_trunks().update(record)
    print_trunk(session, client.voice_out_trunks().find(record.id, include=INCLUDES).data)


def _values(record: VoiceOutTrunk) -> dict[str, Any]:
    """Return all values that options set, and the numbers by relationship."""
    default = record.default_did
    return {
        "method": record.authentication_method.type,
        **values_of(ALL, record),
        **values_of(ALL, record.authentication_method),
        "number": sorted(did.number for did in record.dids),
        "replace with": [] if default is None else [default.number],
        "emergency number": sorted(did.number for did in record.emergency_dids),
    }


def _in_words(values: dict[str, Any]) -> dict[str, Any]:
    """Return values by the labels of their options, for a comparison."""
    options = {option.field.name: option for option in ALL}
    words: dict[str, Any] = {}
    for name, value in values.items():
        option = options.get(name)
        words[name if option is None else option.label] = value if option is None else in_words(option.field, value)
    return words


def _numbers(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return a line for each relationship to numbers that changes."""
    labels = ("number", "replace with", "emergency number")
    return [
        f"{label}: {', '.join(before[label]) or 'none'} -> {', '.join(after[label]) or 'none'}"
        for label in labels
        if before[label] != after[label]
    ]


def _set_method(record: VoiceOutTrunk, fields: dict[str, Any]) -> list[str]:
    """Set who may call; return a line if the method is replaced by another one."""
    method = record.authentication_method
    if isinstance(method, CredentialsAndIpAuthenticationMethod):
        values = given(ALL, fields, CredentialsAndIpAuthenticationMethod)
        if values and "twilio_account_sid" not in {name for name, value in fields.items() if value is not None}:
            method._assign(values)
            return []
    wanted = new_method(fields)
    if wanted is None:
        return []
    record.authentication_method = wanted
    if wanted.type == method.type:
        return []
    lost = " The credentials stop working." if isinstance(method, CredentialsAndIpAuthenticationMethod) else ""
    return [f"method: {method.type} -> {wanted.type}.{lost}"]


@click.command(cls=Command, output=False, changes=True, examples=("didww out-trunks delete Outbound",))
@trunk_argument
@click.pass_obj
def delete(session: Session, trunk: str) -> None:
    """Delete an outbound trunk. Its calls end at once; its numbers stay."""
    record = load(session, trunk)
    numbers = ", ".join(did.number for did in record.dids) or "none"
    session.confirm(
        f"Outbound trunk {record.name!r} will be deleted: its calls end at once, and its credentials stop working.",
        f"Its caller IDs, which stay in the account: {numbers}.",
        question="Delete the trunk?",
    )
    session.client.voice_out_trunks().delete(record)
    session.say(f"Outbound trunk {record.name!r} was deleted.")
