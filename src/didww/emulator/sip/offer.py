"""The SDP that a trunk is offered: codecs, DTMF and encryption as its configuration says."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww.enums import Codec, MediaEncryptionMode, RxDtmfFormat, TxDtmfFormat

if TYPE_CHECKING:
    from random import Random

__all__ = ["make_offer"]


class _Format(NamedTuple):
    """A codec in SDP: its name and rate, and its payload type if that is fixed (RFC 3551)."""

    name: str
    payload: int | None = None


_FORMATS: Final = {
    Codec.TELEPHONE_EVENT: _Format("telephone-event/8000", 101),
    Codec.G723: _Format("G723/8000", 4),
    Codec.G729: _Format("G729/8000", 18),
    Codec.PCMU: _Format("PCMU/8000", 0),
    Codec.PCMA: _Format("PCMA/8000", 8),
    Codec.SPEEX: _Format("speex/8000"),
    Codec.GSM: _Format("GSM/8000", 3),
    Codec.G726_32: _Format("G726-32/8000"),
    Codec.G721: _Format("G721/8000"),
    Codec.G726_24: _Format("G726-24/8000"),
    Codec.G726_40: _Format("G726-40/8000"),
    Codec.G726_16: _Format("G726-16/8000"),
    Codec.L16: _Format("L16/8000"),
}
_FIRST_DYNAMIC: Final = 96
_NOT_EMULATED: Final = {
    MediaEncryptionMode.SRTP_DTLS: "DTLS",
    MediaEncryptionMode.ZRTP: "ZRTP",
}


def make_offer(configuration: dict[str, Any], random: Random) -> tuple[str, list[str]]:
    """Return the SDP of a trunk, with `{address}` and `{port}` for those of the media socket, and notes.

    Telephone events are offered if they are among the codecs, and DTMF is sent or received as RFC 2833.
    """
    notes: list[str] = []
    ids: list[int] = configuration["codec_ids"] or []
    codecs = [Codec(number) for number in ids]
    if (
        configuration["tx_dtmf_format_id"] != TxDtmfFormat.RFC_2833
        and configuration["rx_dtmf_format_id"] == RxDtmfFormat.SIP_INFO
    ):
        codecs = [codec for codec in codecs if codec is not Codec.TELEPHONE_EVENT]
    payloads: list[tuple[int, str]] = []
    free = iter(number for number in range(_FIRST_DYNAMIC, 128) if number != 101)
    for codec in codecs:
        form = _FORMATS.get(codec)
        if form is None:
            notes.append(f"The codec {int(codec)} is not known, and was not offered.")
            continue
        payloads.append((next(free) if form.payload is None else form.payload, form.name))
    mode = configuration["media_encryption_mode"]
    profile, extra = "RTP/AVP", list[str]()
    if mode == MediaEncryptionMode.SRTP_SDES:
        key = base64.b64encode(random.randbytes(30)).decode()
        profile, extra = "RTP/SAVP", [f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}"]
        notes.append("The offer has SRTP, but the silence is sent without encryption.")
    elif mode in _NOT_EMULATED:
        notes.append(f"{_NOT_EMULATED[mode]} is not emulated: the offer has plain RTP.")
    session = random.getrandbits(31)
    lines = [
        "v=0",
        f"o=- {session} {session} IN IP4 {{address}}",
        "s=-",
        "c=IN IP4 {address}",
        "t=0 0",
        f"m=audio {{port}} {profile} {' '.join(str(payload) for payload, _ in payloads)}",
        *(f"a=rtpmap:{payload} {name}" for payload, name in payloads),
        *(f"a=fmtp:{payload} 0-16" for payload, name in payloads if name.startswith("telephone-event")),
        "a=ptime:20",
        "a=sendrecv",
        *extra,
        "",
    ]
    return "\r\n".join(lines), notes
