"""How the emulator differs from the service, by endpoint, and what it does where DIDWW's documentation is silent.

`page()` generates `docs/explanation/emulator-parity.md`. The operations come from the declarations, so the page lists
all of them. To write the page, run `python -m didww.emulator.parity > docs/explanation/emulator-parity.md`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from didww._schema.registry import all_classes, class_of
from didww.emulator.sip.undocumented import SIP_CALLS
from didww.version import API_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DECIDED", "DIFFERS", "UNSUPPORTED", "operations", "page"]

_METHODS: Final = {"list": "GET", "find": "GET", "create": "POST", "update": "PATCH", "delete": "DELETE"}

UNSUPPORTED: Final = ("`POST`, `PATCH`, `DELETE` on `/{type}/{id}/relationships/{name}`",)
"""Requests that the API documents and the emulator answers with 501."""

DIFFERS: Final[dict[tuple[str, str], str]] = {
    ("available_dids", "list"): "returns at most 100 numbers; the service has a different limit",
    ("encrypted_files", "create"): "the two private keys are part of this package, so nothing you upload is secret",
    (
        "exports",
        "create",
    ): "calls are generated, also for days before the purchase; `calls.fail` makes a trunk fail at some hours",
    ("orders", "create"): (
        "complete after 0.4 s on the emulator's clock by default (channel orders: immediately); VAT defaults to 0"
    ),
    ("address_verifications", "create"): "approved after 0.5 s on the emulator's clock by default",
    ("emergency_verifications", "create"): "approved after 0.5 s on the emulator's clock by default",
    ("did_groups", "list"): "own catalog: real places, fictional numbers, prices from the seed",
    ("countries", "list"): "DIDWW's own IDs only where they are known; the same applies to regions and DID group types",
    ("nanpa_prefixes", "list"): "555 is the only NXX of each area code",
    ("balances", "find"): "starts at 10,000 USD",
    ("capacity_pools", "list"): "three pools with the emulator's own prices, empty until you order channels",
    ("address_requirements", "list"): "drawn from the seed; one in four is for persons only or for companies only",
    ("emergency_requirements", "list"): "drawn from the seed, in the documented format; each has a rate",
    ("identities", "create"): "a VAT number is not checked against its country",
    ("sms_trunks", "create"): "`meta.host` of `http_out` is a URL where nothing listens; no message is delivered",
    ("sender_id_verifications", "list"): "empty; `sender_ids` adds verifications, and sets their status",
    ("proof_types", "list"): "some of the service's proof types",
    ("supporting_document_templates", "list"): "the emulator's own templates; their URLs do not work",
}
"""Operations that differ from the service's, and how."""

DECIDED: Final = (
    (
        "Do orders and verifications complete without action?",
        "Yes, shortly after they are created. `transitions` changes this.",
    ),
    ("Headers of a 429, version 2026-04-16", "None. A fault rule can add `Retry-After`."),
    (
        "The budget of an account, version 2026-11-19",
        "The same limit per second as in version 2026-04-16, for the key, its tokens and all services together.",
    ),
    ("A token request without `api_version`", "The default version of the account; `versions` changes it."),
    ("A token for version 2026-04-16", "Granted. Its requests are of that version; prices are served as well."),
    ("`aud` of a granted token", "As it was asked for: a text or a list, without duplicates."),
    ("Scopes `read:...`", "None is known: each is granted as `read`. Any other scope is an `invalid_scope`."),
    (
        "A token request with null, a wrong type or another media type",
        "400 `invalid_request`; of `scope`, 400 `invalid_scope`. Unknown members are ignored.",
    ),
    ("Another method than `POST` on `/token`", "405 `invalid_request`."),
    ("The IP list of a key", "None: a token works from any address."),
    ("The titles of a refused token", "The emulator's own, such as `Token has expired`."),
    (
        "The environment of a token",
        "`local`, and the signing key is of one emulator: tokens of DIDWW and of other emulators are refused.",
    ),
    ("`X-DIDWW-API-Version` beside a token", "Ignored: the token selects the version."),
    ("An API key beside a token", "Ignored: the token decides."),
    (
        "An API key on an ordinary call of version 2026-11-19, or of an account that was moved to it",
        "401 without a body. `versions` moves an account.",
    ),
    (
        "No credentials at all",
        "401 with a document, as in version 2026-04-16; without a body if the header asks for 2026-11-19.",
    ),
    ("`WWW-Authenticate` of a 401 without a token", "None, except on the prices services."),
    ("`/pops` and `/did_group_types` in version 2026-11-19, new resources in 2026-04-16", "404 with the versions."),
    ("`number_type` of a DID group type", "Its name in lower case with underscores: `toll_free` for `Toll-free`."),
    (
        "A trunk pinned to a point of presence that version 2026-11-19 does not list",
        "`pop` is null, and the trunk stays pinned until `pop` is set.",
    ),
    ("A value that only the newer version has, in version 2026-04-16", "Shown, but refused with 422 when written."),
    ("Demo groups (`is_demo`)", "One DID group in 64, drawn from the seed. Their numbers are like any other."),
    (
        "Names of mandatory fields of emergency requirements, version 2026-11-19",
        "The attributes of identities and addresses that the labels of version 2026-04-16 stand for.",
    ),
    ("`If-None-Match`", "304 if nothing changed."),
    ("`OPTIONS`", "200 without a body, on any path, without a key."),
    ("Web pages (CORS)", "Only pages of this machine and of allowed hosts. The service allows any page."),
    ("A full disk", "507."),
    ("A page size above the documented maximum", "400, code 118."),
    ("A page after the last one", "200 with no records."),
    (
        "An order without back ordering, when nothing is left in stock",
        "422 `exceeds available DIDs count` on `qty`.",
    ),
    ("DID groups that do not accept back orders", "One in eight, drawn from the seed: immediate 422 on `qty`."),
    ("A number that was sold in the meantime", "422 `is invalid` on `available_did_id` or `did_reservation_id`."),
    ("Numbers and channels in one order", "422 on `items`."),
    ("An item without its SKU or pool, or with two ways to choose a number", "400, codes 106 and 105."),
    ("An uploaded file that is already attached", "422 `is invalid` on the relationship."),
    ("A filter `on_cli_mismatch_action` for an action whose feature is disabled", "400, code 107."),
    ("The range of `threshold_amount`", "0 to 100,000."),
    ("Unknown members of a request body, at any level", "400, code 105. `jsonapi` is allowed next to `data`."),
    ("A reservation that was bought", "Removed: 404."),
    ("An eleventh reservation", "422 on the whole object."),
    ("Unknown path, wrong method", "404 and 405 with an error document that says what to use instead."),
    (
        "Unknown include, sort key or field; invalid page; wrong type or ID in a body",
        "The messages of the service's JSON:API library.",
    ),
    ("Malformed JSON", "400, code 400, `Bad Request`."),
    ("The body of a 403", "`Forbidden`, code 403, and the disabled feature. `features` shows what is enabled."),
    ("The credentials when an `authentication_method` is sent", "Kept if the type stays the same."),
    (
        "A change that excludes a stored value, such as `host` with registration, or `default_did` with another action",
        "422 until a request sets that value to null, or to an empty list.",
    ),
    ("`tx_dtmf_format_id`", "Any integer is stored as sent."),
    ("SIP registration disabled and enabled again", "The credentials become null, and new ones are generated."),
    (
        "A DID that awaits registration in `dids` of a voice OUT trunk",
        "Refused with 422 in API version 2026-11-19, accepted before.",
    ),
    ("A DID with a trunk and a trunk group", "Setting one clears the other. Both in one request are refused."),
    (
        "Deleting a trunk or trunk group that is in use",
        "422 on the whole object. The messages are the emulator's own.",
    ),
    ("Adding a trunk to a group of ten", "422 on `voice_in_trunk_group`."),
    ("The prefix of a DID group that covers a whole country", "Empty."),
    ("External references", "Need not be unique."),
    ("The price of an emergency calling service", "Charged for each number. `qty` of the order is their count."),
    (
        "A monthly renewal",
        "Charges the monthly price of the SKU, plus VAT, to the balance. It does not create an order.",
    ),
    (
        "A renewal that the balance does not cover",
        "A DID is removed, an emergency calling service is canceled, unused channels are removed.",
    ),
    (
        "A number whose `address_verification` is detached",
        "Stays registered: it is not blocked, and its identity stays `verified`.",
    ),
    (
        "The method in the history of a DID",
        "`api3` for API requests, `system` for events of the clock, `staff` for initial objects.",
    ),
    ("Deleting an identity with an address under review", "409, as for the address itself."),
    ("A verification whose address was deleted", "Stays. Its address is null."),
    ("The messages of a 409, and of a 422 on `DELETE`", "The emulator's own."),
    ("`callback_url` without `callback_method`, or the reverse", "422 on the missing one."),
    ("A validation without identity and address", "422 on `identity`."),
    ("The callback secret of an account", "Enabled from the start. `features` changes this."),
    (
        "Events of outbound trunks while a delivery fails",
        "Collected by account and URL. The next attempt sends all of them.",
    ),
    ("A number that already has an emergency calling service", "422 on the number. No number is charged twice."),
    (
        "An emergency calling service that the balance does not cover",
        "Its verification is rejected, and the service becomes `changes_required`.",
    ),
    (
        "A rejected change of an active emergency calling service",
        "The service stays active with its previous address.",
    ),
    ("The callback for an emergency order", "Sent to the callback URL of the verification."),
    ("A callback receiver that responds with 3xx", "The redirect is not followed; the attempt failed."),
    ("Filters by a word that is no value of the enum, such as `number_type`", "Match nothing."),
    ("A price lookup without a plan, and with wrong filters", "404, whatever the filters are."),
    ("`renew_date` of a sender ID", "Stays as it was set. Nothing is charged."),
    ("`sender_ids` of a sender ID whose DID is gone", "Keep the number."),
    ("Ports of SMPP trunks", "Any integer is accepted."),
    (
        "An inbound call that fails at a trunk of a group",
        "The next trunk is tried after the codes 404, 480 and 486, and after each failure of `calls.fail`.",
    ),
    (
        "The columns of an export of inbound calls, version 2026-11-19",
        "`Source Number`, `Source Number Out`, `Source Country` and `Source Network` instead of `Source`.",
    ),
    ("An export whose `to` is the current time", "Accepted. The clock uses UTC."),
    ("The messages for an invalid `to`, and for `from` after `to`", "`to not valid`, `from not valid`."),
    ("An export one month after it completed", "Removed with its file: 404."),
    ("An outbound trunk that is unblocked", "`threshold_reached` becomes false, and a new 24 hours begin."),
    ("Canceling an order for channels only", "422 `Order not pending`, as for any completed order."),
    ("A free number when the balance is negative", "Renewed, because it costs nothing."),
    (
        "An encrypted file larger than 20 MB (20,971,520 bytes)",
        "422 on `file`. 413 if the whole form is larger than 21 MiB.",
    ),
    (
        "Paths and names of the price files of text messages",
        "`/sms_out/{domain}/prices.csv.gz` with the name `sms_out_{domain}_prices.csv.gz`, `/sms_in/prices.csv.gz`.",
    ),
    (
        "Columns of the price file of outbound calls after the increments",
        "`Reject calls`, the same names with `Next` before them, `Effective at`, `Comment`.",
    ),
    (
        "Attributes of a scheduled change of an outbound price",
        "The names of the price with `next_` before them. `effective_at` is a date and time.",
    ),
    (
        "Price lists",
        "The emulator's own, drawn from the seed. Some prices of outbound calls change on each first of a month.",
    ),
    (
        "`Last-Modified` of a price file",
        "The first of the month, or the time when the plan was assigned if that is later.",
    ),
    (
        "Numbers in lookups of outbound calls and of text messages",
        "8 to 15 digits, as for inbound calls; else 400, code 107.",
    ),
    ("A country code that does not exist, in a lookup", "400, code 107."),
    ("Other query parameters of a lookup", "400, code 105; filters that it does not have: 400, code 102."),
    ("A lookup without its filter", "400, code 106."),
    ("Query parameters of a price file", "Ignored."),
    ("True and false in price files", "`true` and `false`."),
    ("The columns of exports of text messages", "The emulator's own."),
    ("Which text messages are generated", "Of numbers with an SMS route, and of the sources of trunks that send."),
    ("`source_number_out` of an export", "Compared with the caller's number, like `source_number`."),
    ("`source_country_iso` of an export", "The caller's number begins with the prefix of the country."),
    ("A text message to a group", "Received by the trunk with the highest priority that is not blocked."),
    ("The priority of an SMS trunk that is set to null", "100, if the trunk can be in a group."),
    (
        "Defaults of an SMS configuration, except the ports",
        "Certificates are verified, the connection timeout is 30 seconds, everything else is off or null.",
    ),
    ("A generated credential in a request for an SMS trunk", "400, code 105, as for any unknown member."),
    ("An address in `allowed_ips` of an SMS trunk", "Must be an IP address or network: otherwise 422. Stored as sent."),
    ("`transceiver_mode` with the default ports", "422 on `rx_port`, because the default ports differ."),
    ("A body of an `http_in` trunk in the wrong form for its type", "422 on `body`."),
    ("`outgoing_dids` of an SMS trunk that does not send", "422. The same applies to `allow_any_did_as_source`."),
    ("Deleting an SMS trunk that is in a group", "Allowed."),
    ("The filter `name` of sender ID verifications", "The whole name."),
    ("The charges in `meta` of a sender ID verification", "`setup_price` and `monthly_price`, always the same."),
    ("A sender ID verification that is closed", "Loses its trunk and its renewal date. It can be renamed."),
    ("The renewal date of a sender ID verification", "One month after it became active."),
)
"""Cases that DIDWW's documentation leaves open, and what the emulator does."""


def operations() -> Iterator[tuple[str, str, str, str]]:
    """Yield type, operation, method and path of every operation of the API."""
    for cls in sorted(all_classes(), key=lambda candidate: candidate._type_name):
        offered = cls._operations | cls._extra_operations
        for name in _METHODS:
            if name in offered:
                whole = name in ("list", "create") or cls._singleton
                yield cls._type_name, name, _METHODS[name], f"/{cls._path}" if whole else f"/{cls._path}/{{id}}"


def _versions(type: str) -> str:
    cls = class_of(type)
    words = "" if cls is None else cls._versions.in_words()
    return f" ({words})" if words else ""


def page() -> str:
    """Return the page as Markdown."""
    lines = [
        "# Emulator parity",
        "",
        "How the [emulator](../how-to/emulator.md) differs from DIDWW. It serves API versions",
        f"{' and '.join(API_VERSIONS)} at once.",
        "",
        "- [Endpoints](#endpoints)",
        "- [Undocumented behavior](#undocumented-behavior)",
        "- [SIP calls](#sip-calls)",
        "",
        "<!-- generated by python -m didww.emulator.parity -->",
        "",
        "## Endpoints",
        "",
        "All filters, sort keys, includes and sparse fieldsets of the API are supported. Unsupported requests get a",
        "501, never an invented response.",
        "",
        "| Endpoint | Support |",
        "| --- | --- |",
    ]
    for type, name, method, path in operations():
        how = DIFFERS.get((type, name))
        versions = _versions(type)
        lines.append(f"| `{method} {path}` | {'yes' if how is None else f'differs: {how}'}{versions} |")
    lines += [
        "| `GET /{type}/{id}/{name}`, `GET /{type}/{id}/relationships/{name}` | yes; 404 for emergency types |",
        *(f"| {what} | no: 501 |" for what in UNSUPPORTED),
        "",
        "## Undocumented behavior",
        "",
        "What the emulator does where DIDWW's documentation is silent or contradicts itself.",
        "",
        "| Case | Emulator |",
        "| --- | --- |",
        *(f"| {what} | {how} |" for what, how in DECIDED),
        "",
        "## SIP calls",
        "",
        "The same for calls that the emulator places with `emulator.calls.ring`.",
        "",
        "| Case | Emulator |",
        "| --- | --- |",
        *(f"| {what} | {how} |" for what, how in SIP_CALLS),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
