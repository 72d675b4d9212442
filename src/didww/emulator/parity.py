"""How the emulator compares with the service, and its choices where the documentation is silent.

`page()` is `docs/emulator-parity.md`; operations come from the declarations, so none is missing. Write it with
`python -m didww.emulator.parity > docs/emulator-parity.md`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from didww._schema.registry import all_classes
from didww.version import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DECIDED", "DIFFERS", "UNSUPPORTED", "operations", "page"]

_METHODS: Final = {"list": "GET", "find": "GET", "create": "POST", "update": "PATCH", "delete": "DELETE"}

UNSUPPORTED: Final = ("POST, PATCH and DELETE of /{type}/{id}/relationships/{name}",)
"""Documented endpoints to which the emulator responds with 501."""

DIFFERS: Final[dict[tuple[str, str], str]] = {
    ("available_dids", "list"): "at most 100 numbers in a response; the service has a cap of its own",
    (
        "encrypted_files",
        "create",
    ): "containers are opened with two keys that are in this package: nothing is secret here",
    ("exports", "create"): "calls are made up, for days before the purchase too",
    (
        "orders",
        "create",
    ): "completed after 0.4 s of the emulator's clock by default (orders of channels: at once); VAT defaults to 0",
    ("address_verifications", "create"): "approved after 0.5 s of the emulator's clock by default",
    ("emergency_verifications", "create"): "approved after 0.5 s of the emulator's clock by default",
    ("did_groups", "list"): "a catalog of its own: real places, numbers that belong to nobody, prices from the seed",
    ("countries", "list"): "ids are the service's where they are known; as those of regions and kinds of numbers",
    ("nanpa_prefixes", "list"): "555 is the one NXX of each area code",
    ("balances", "find"): "10,000 USD to begin with",
    ("capacity_pools", "list"): "three pools with prices of the emulator's own, empty until channels are ordered",
    ("address_requirements", "list"): "drawn from the seed; one in four is for persons or companies alone",
    ("emergency_requirements", "list"): "drawn from the seed, in the contract's form; each of them has a rate",
    ("identities", "create"): "a VAT number is not checked against its country",
    ("proof_types", "list"): "some of the service's kinds",
    ("supporting_document_templates", "list"): "forms of the emulator's own; their addresses lead nowhere",
}
"""Operations that behave differently from the service, and how."""

DECIDED: Final = (
    (
        "Whether orders and verifications complete by themselves",
        "They do, shortly after; `transitions` says otherwise.",
    ),
    ("Headers of 429", "None; a fault rule can add `Retry-After`."),
    ("`If-None-Match`", "304 if nothing changed."),
    ("`OPTIONS`", "200 without a body or a key, on any path."),
    ("Pages in browsers", "Those of this machine and of allowed hosts alone; the service lets any in."),
    ("A full disk", "507."),
    ("A page larger than the documented maximum", "Refused with 400, code 118."),
    ("A page beyond the end", "200 with no records."),
    ("An order of which nothing is left when back ordering is off", "422 `exceeds available DIDs count` on `qty`."),
    ("Groups that cannot be ordered without stock", "One in eight, drawn from the seed: 422 on `qty` at once."),
    ("A number that is taken meanwhile", "422 `is invalid` on `available_did_id` or `did_reservation_id`."),
    ("Numbers and channels in one order", "422 on `items`."),
    ("An item without its SKU or pool, or with two ways to choose", "400, codes 106 and 105."),
    ("A staged file that was attached before", "422 `is invalid` on the relationship."),
    ("A filter `on_cli_mismatch_action` of an action without its feature", "400, code 107."),
    ("The range of `threshold_amount`", "0 to 100,000."),
    ("Members of a body that are not known, at any level", "400, code 105; beside `data`, `jsonapi` is let in."),
    ("A reservation that was bought", "Gone: 404."),
    ("An eleventh reservation", "422 on the whole object."),
    ("Unknown path, wrong method", "404 and 405 with an error document that names the way out."),
    ("Unknown include, sort, field; bad page; wrong type or id in a body", "The texts of the JSON:API library."),
    ("Broken JSON", "400, code 400, `Bad Request`."),
    ("The body of 403", "`Forbidden`, code 403, and what is not enabled; `features` says what is."),
    ("The credentials in a sent `authentication_method`", "Stay while the kind does."),
    (
        "What is stored and excluded by a change, as `host` by registration or `default_did` by another action",
        "422 until a request sends null, or an empty list.",
    ),
    ("`tx_dtmf_format_id`", "Any integer is stored as it was sent."),
    ("SIP registration switched off and on", "The credentials become null; new ones are made."),
    ("A DID with a trunk and a group", "Setting one unsets the other; both in one request are refused."),
    ("A trunk, or a trunk group, in use is deleted", "422 on the whole object; the texts are the emulator's own."),
    ("A trunk that is put into a group of ten", "422 on `voice_in_trunk_group`."),
    ("The prefix of a group that covers a whole country", "Empty."),
    ("External references", "Need not be unique."),
    ("The price of an emergency service", "For each of its numbers; the order's `qty` counts them."),
    ("A renewal", "Takes the monthly price of the SKU, with VAT, from the balance; there is no order of it."),
    ("A renewal that cannot be paid", "A DID is removed, an emergency service canceled, unused channels are given up."),
    ("A number whose `address_verification` is detached", "Stays registered: not blocked, its identity `verified`."),
    ("The history of a DID", "`api3` for what a request did, `system` for the clock, `staff` for first objects."),
    ("An identity is deleted while an address of it is under review", "409, as for the address alone."),
    ("A verification whose address was deleted", "Stays; its address is null."),
    ("The texts of 409, and of 422 on `DELETE`", "The emulator's own."),
    ("One of `callback_url` and `callback_method` alone", "422 at the other one."),
    ("A validation without identity and address", "422 at `identity`."),
    ("An account's callback secret", "Enabled from the start; `features` says otherwise."),
    ("Trunk events while a delivery fails", "Collected by account and URL; all go out in its next attempt."),
    ("A number that is in an emergency service already", "422 at the number; none is charged twice."),
    ("An emergency service that cannot be paid", "Its verification is rejected, it needs changes."),
    ("A rejected change of an active emergency service", "It stays active with the old address."),
    ("The callback of an emergency order", "To the address that the verification gave."),
    ("A 3xx response to a callback", "Not followed: failed."),
    ("`to` of an export at the present moment", "Taken; the clock is UTC."),
    ("An export's texts for `to`, and for from after to", "`to not valid`, `from not valid`."),
    ("An export a month after its completion", "Gone with its file: 404."),
    ("An unblocked outbound trunk", "`threshold_reached` false, its 24 hours begin anew."),
    ("An order of channels alone is canceled", "422 `Order not pending`, as of one that is completed."),
    ("A free number when the balance is below zero", "Renewed: it costs nothing."),
    ("An encrypted file above 20 MB (20,971,520 bytes)", "422 on `file`; 413 if the whole form has more than 21 MiB."),
)
"""Points that the service's documentation leaves open, and what the emulator does."""


def operations() -> Iterator[tuple[str, str, str, str]]:
    """Yield type, operation, method and path of every operation in the contract."""
    for cls in sorted(all_classes(), key=lambda one: one._type_name):
        offered = cls._operations | cls._extra_operations
        for name in _METHODS:
            if name in offered:
                whole = name in ("list", "create") or cls._singleton
                yield cls._type_name, name, _METHODS[name], f"/{cls._path}" if whole else f"/{cls._path}/{{id}}"


def page() -> str:
    """Return the page as Markdown."""
    lines = [
        "# The emulator beside the service",
        "",
        f"API version {API_VERSION}. This page is written from the code (`python -m didww.emulator.parity`); a test",
        "compares the two. What is not implemented returns 501, never made-up data.",
        "",
        "## Endpoints",
        "",
        "| Endpoint | |",
        "| --- | --- |",
    ]
    for type, name, method, path in operations():
        how = DIFFERS.get((type, name))
        lines.append(f"| `{method} {path}` | {'done' if how is None else f'differs: {how}'} |")
    lines += [
        "| `GET /{type}/{id}/{name}`, `GET /{type}/{id}/relationships/{name}` | done; 404 for emergency types |",
        *(f"| {what} | 501 |" for what in UNSUPPORTED),
        "",
        "Filters, sort keys, includes and fieldsets are those of the contract, all of them.",
        "",
        "## Decided",
        "",
        "Where the service's documents say nothing, or contradict each other.",
        "",
        "| Open | Here |",
        "| --- | --- |",
        *(f"| {what} | {how} |" for what, how in DECIDED),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
