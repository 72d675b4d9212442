"""Examples in the help of the commands of resource types."""

from __future__ import annotations

from typing import Final

__all__ = ["examples"]

_GIVEN: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("dids", "list"): ("list --country GB --voice-in-trunk none", "list --sort -expires_at --limit 5 -o json"),
    ("dids", "find"): ("find +442079460001 --include order",),
    ("dids", "update"): (
        "update +442079460001 --voice-in-trunk Berlin --capacity-limit 10",
        "update +442079460001 --no-description",
        "update --from-csv changes.csv",
    ),
    ("dids", "delete"): ("delete +442079460001",),
    ("countries", "find"): ("find GB",),
    ("voice_in_trunks", "find"): ("find Berlin",),
    ("voice_in_trunks", "create"): (
        "create --name Paris --host sip.example.com --codec-ids pcmu,pcma",
        "create --name Office --dst 442079460001",
    ),
    ("voice_in_trunks", "update"): ("update Berlin --host sip2.example.com --port 5062",),
    ("voice_in_trunks", "delete"): ("delete Berlin",),
    ("voice_in_trunk_groups", "create"): ("create --name Europe --voice-in-trunks Berlin",),
    ("exports", "create"): (
        "create --export-type cdr_in --filters 'from=2026-11-01 00:00:00' --filters 'to=2026-11-02 00:00:00'",
    ),
    ("sms_trunks", "list"): ("list", "list -o json --query '[].name'"),
    ("sms_trunks", "create"): (
        "create Inbox --send-to inbox@example.com --subject 'SMS from {SMS_SRC_ADDR}' --message '{SMS_TEXT}'",
        "create Hook --url https://example.com/sms --http-method post --body-type raw --body '{SMS_TEXT}'",
        "create Gateway --type smpp_esme --server-location fra --allowed-ips 192.0.2.10",
        "create --json trunk.json",
    ),
    ("sms_trunks", "update"): (
        "update Inbox --send-to office@example.com",
        "update Inbox --blocked",
        "update --from-csv trunks.csv",
    ),
    ("sms_trunks", "delete"): ("delete Inbox",),
    ("orders", "create"): ("create --items sku=ID,qty=2 --external-reference-id PO-17",),
}
_USUAL: Final[dict[str, tuple[str, ...]]] = {
    "list": ("list --limit 5", "list -o json --query '[].id'", "list --count"),
    "find": ("find ID",),
    "create": ("create --json record.json",),
    "update": ("update ID --json changes.json", "update --from-csv changes.csv"),
    "delete": ("delete ID",),
}


def examples(type: str, operation: str, path: str) -> tuple[str, ...]:
    """Return the examples of a command.

    Args:
        type: The resource type.
        operation: The operation.
        path: The command of the type, such as `didww dids`.
    """
    lines = ("find",) if (type, operation) == ("balances", "find") else _GIVEN.get((type, operation), _USUAL[operation])
    return tuple(f"{path} {line}" for line in lines)
