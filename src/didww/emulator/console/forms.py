"""Forms: each runs an operation of the control API, or an action of the console, and returns to its page.

A refused form is shown again with what was typed, except keys.
"""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

import msgspec

from didww.emulator.console import queries
from didww.emulator.console.actions import ACTIONS
from didww.emulator.engine.accounts import KeyHash
from didww.emulator.http import control_api

if TYPE_CHECKING:
    from didww.emulator.emulator import Emulator

__all__ = ["CONFIRMATIONS", "Form", "read", "run"]

# The page of each group of forms, for forms that do not name theirs.
_PAGES: Final[dict[str, str]] = {
    "journal": "journal",
    "transitions": "pending",
    "clock": "clock",
    "faults": "faults",
    "callbacks": "callbacks",
    "calls": "calls",
    "sip": "sip",
    "state": "state",
    "balance": "state",
    "stock": "resources/did_groups",
}
# The operations that forms can call, and their confirmation messages.
CONFIRMATIONS: Final[dict[str, str]] = {
    "journal/clear": "Journal cleared.",
    "transitions/set": "Transition rule set for new records.",
    "transitions/reset": "Transition rule reset to default.",
    "transitions/approve": "Approved.",
    "transitions/reject": "Rejected.",
    "transitions/complete": "Completed. An order stays pending while its numbers are out of stock.",
    "transitions/cancel": "Canceled.",
    "clock/advance": "Clock advanced.",
    "clock/freeze": "Clock frozen.",
    "clock/run": "Clock running.",
    "faults/add": "Rule added.",
    "faults/preset": "Rules added.",
    "faults/remove": "Rule removed.",
    "faults/clear": "All rules removed.",
    "callbacks/fire": "Callback queued.",
    "callbacks/replay": "Callback queued for replay.",
    "callbacks/sign": "Signature setting updated.",
    "callbacks/allow": "Allowed hosts updated.",
    "calls/inbound": "Calls simulated.",
    "calls/outbound": "Calls simulated. A blocked trunk places none.",
    "calls/ring": "Call placed.",
    "calls/hang_up": "Hung up.",
    "calls/rate": "Average number of calls updated.",
    "sip/listen": "Listening.",
    "sip/allow": "Allowed hosts updated.",
    "sip/limit": "Limits updated.",
    "sip/forget": "Registrations removed.",
    "state/reset": "Emulator reset.",
    "state/snapshot": "Snapshot taken.",
    "state/restore": "Snapshot restored.",
    "balance/put": "Balance updated.",
    "balance/top_up": "Balance updated.",
    "stock/put": "Stock updated.",
}
_OF_THE_PAGE: Final = ("page", "account")
_PAGE: Final = re.compile(r"[\w./?=&%+-]{0,500}", re.ASCII)
# The type of the record whose account an operation concerns, and the field with its id.
_CONCERNS: Final = {
    "calls/inbound": ("dids", "did"),
    "calls/ring": ("dids", "did"),
    "calls/outbound": ("voice_out_trunks", "trunk"),
}


class Form:
    """A submitted form.

    Attributes:
        place: The operation, such as `clock/advance`.
        page: The page to return to.
        pairs: The fields that are not empty, without those of the page itself.
        account: The beginning of the hash of the selected account's key; empty for the default account.
    """

    def __init__(self, place: str, pairs: list[tuple[str, str]], page: str, account: str) -> None:
        self.place = place
        self.page = page
        self.pairs = pairs
        self.account = account

    def kept(self, place: str, name: str, default: Any = "", *, at: int = 0, **record: Any) -> Any:
        """Return what was typed into a field of the form of `place`, or `default` if another form was submitted.

        Args:
            place: The operation of the form that is rendered.
            name: The field; keys are never kept.
            default: The initial value.
            at: The position among fields of the same name.
            **record: Fields that tell this form from others of the same operation.
        """
        if not self.submitted(place, **record) or name == "api_key":
            return default
        values = [value for field, value in self.pairs if field == name]
        return values[at] if at < len(values) else ""

    def submitted(self, place: str, **record: Any) -> bool:
        """Return whether it is the form of `place`, of the same record."""
        fields = {**dict(self.pairs), "account": self.account}
        return place == self.place and all(fields.get(name) == str(value) for name, value in record.items())


def read(place: str, body: bytes) -> Form | None:
    """Return a submitted form, or None if there is no such form."""
    page = _PAGES.get(place.partition("/")[0])
    if page is None or place not in CONFIRMATIONS:
        return None
    # Empty fields are omitted; the field `hosts` can hold several.
    fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    pairs = [
        (name, part)
        for name, value in fields
        for part in (value.split() if name == "hosts" else [value.strip()])
        if part
    ]
    own = dict(fields).get("page", page)  # empty for the overview
    kept = [(name, value) for name, value in pairs if name not in _OF_THE_PAGE]
    return Form(place, kept, own if _PAGE.fullmatch(own) and ".." not in own else page, dict(pairs).get("account", ""))


def run(emulator: Emulator, form: Form) -> str:
    """Run the operation of a form; return the error message, empty if it succeeded."""
    try:
        action = ACTIONS.get(form.place)
        if action is not None:
            parameters: Any = msgspec.convert(dict(form.pairs), action[0], strict=False)
        else:
            parameters = control_api.parse_parameters(form.place, form.pairs)
        key = _key(emulator, form)
        if key is not None and "api_key" in parameters.__struct_fields__ and not dict(form.pairs).get("api_key"):
            parameters.api_key = key
        if action is not None:
            form.page = action[1](emulator, parameters) or form.page
        else:
            control_api.call(emulator, form.place, parameters)
    # OperationalError: the disk is full
    except (LookupError, ValueError, TimeoutError, ArithmeticError, sqlite3.OperationalError) as error:
        return control_api.error_message(error)
    return ""


def _key(emulator: Emulator, form: Form) -> KeyHash | None:
    """Return the key of the account that a form concerns: the selected one, or that of its record; else None.

    Raises:
        LookupError: The selected account does not exist any more.
    """
    type, name = _CONCERNS.get(form.place, ("", ""))
    id = dict(form.pairs).get(name, "")
    with emulator.engine.locked() as runtime:
        if form.account:
            key = queries.key_beginning_with(runtime, form.account)
            if key is None:
                raise LookupError(f"There is no account {form.account!r}.")
            return KeyHash(key)
        owner = queries.owner_of_record(runtime, type, id) if id else None
        key = None if owner is None else queries.key_of_owner(runtime, owner)
        return None if key is None else KeyHash(key)
