"""The caller ID that a trunk gets: its format, its prefix, and the headers that carry it."""

from __future__ import annotations

import re
from typing import Final

from didww.enums import StirShakenMode

__all__ = ["ANONYMOUS", "attestation_headers", "caller_user", "quoted", "safe_domain", "safe_user"]

ANONYMOUS: Final = "anonymous"
_NOT_USER: Final = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9%_.!~*'()&=+$,;?/-]")
_NOT_HOST: Final = re.compile(r"[^A-Za-z0-9_.:\[\]-]")


def safe_user(text: str) -> str:
    """Return the user part of a SIP URI, with other characters escaped (RFC 3261, section 25.1)."""
    return _NOT_USER.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def safe_domain(text: str) -> str:
    """Return the host of a SIP URI, without characters that no host has."""
    return _NOT_HOST.sub("", text)


def caller_user(caller: str, cli_format: str | None, cli_prefix: str | None, country_prefix: str) -> str:
    """Return the caller's number as a trunk gets it.

    `local` takes the country's prefix off if the number has it: callers of other countries are unchanged, as DIDWW
    documents. Callers who withhold their number have no prefix.
    """
    if not caller or caller == ANONYMOUS:
        return ANONYMOUS
    if cli_format == "local" and country_prefix and caller.startswith(country_prefix):
        caller = caller[len(country_prefix) :]
    return safe_user(f"{cli_prefix or ''}{caller}")


def quoted(name: str) -> str:
    """Return a display name, quoted; without what would end it."""
    kept = "".join(char for char in name if char.isprintable()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{kept}" ' if kept else ""


def attestation_headers(
    mode: StirShakenMode, attestation: str | None, uri: str | None, origin: str
) -> tuple[list[tuple[str, str]], str]:
    """Return the headers that hand over the attestation of the caller's number, and a note if one is missing.

    A caller who withholds the number has no `uri`, and so no P-Asserted-Identity.

    Source: `tests/contract/facts/voice_in_trunks.yaml`.
    """
    if attestation is None or mode == StirShakenMode.DISABLED:
        return [], ""
    headers: list[tuple[str, str]] = []
    if mode in (StirShakenMode.PAI, StirShakenMode.ORIGINAL_PAI):
        headers += [("P-Asserted-Identity", f"<{uri}>")] if uri else []
    if mode == StirShakenMode.VERSTAT:
        headers.append(("P-Stir-Verstat", "TN-Validation-Passed"))
    if mode != StirShakenMode.ORIGINAL:
        headers += [("P-Attestation-Indicator", attestation), ("P-Origination-ID", origin)]
    signed = mode in (StirShakenMode.ORIGINAL, StirShakenMode.ORIGINAL_PAI)
    note = "The emulator sends no Identity header: it has no certificate to sign one." if signed else ""
    return headers, note
