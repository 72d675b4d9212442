"""`didww sms-trunks`: SMS trunks."""

from __future__ import annotations

from typing import Final

import click

from didww.cli.framework import SINCE_TOKENS, LazyGroup

__all__ = ["sms_trunks"]

SECTIONS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "": {
        "list": ("sms_trunks.records:list_", "List SMS trunks."),
        "show": ("sms_trunks.show:show", "Show an SMS trunk and the numbers that use it."),
        "create": ("sms_trunks.records:create", "Create an SMS trunk."),
        "update": ("sms_trunks.records:update", "Change an SMS trunk."),
        "delete": ("sms_trunks.records:delete", "Delete SMS trunks that no number is routed to."),
        "credentials": ("sms_trunks.credentials:credentials", "Show or save the generated credentials."),
        "rotate": ("sms_trunks.credentials:rotate", "Replace the generated credentials."),
    },
}


@click.group(
    "sms-trunks",
    cls=LazyGroup,
    sections=SECTIONS,
    versions=SINCE_TOKENS,
    examples=(
        "didww sms-trunks list",
        "didww sms-trunks rotate Gateway --save smpp.json",
    ),
)
def sms_trunks() -> None:
    """SMS trunks: where text messages to your numbers go, and how your messages are sent.

    The type of a trunk cannot be changed. sms_to_email and http_in receive messages, http_out sends them, smpp_esme and
    smpp_smsc do both. Numbers are routed with didww numbers route NUMBER --sms-trunk TRUNK.
    """
