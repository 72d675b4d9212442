"""A SIP dialog: what requests in it look like, and where they go (RFC 3261, section 12)."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from didww.emulator.sip.messages import cseq_of, new_request, tag_of, uri_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from didww.emulator.sip.messages import SipRequest, SipResponse
    from didww.emulator.sip.model import Target

__all__ = ["Dialog", "next_hop"]

_MAX_FORWARDS = "70"


class Dialog:
    """The dialog that a response to an INVITE establishes.

    Args:
        invite: The INVITE.
        response: Its response, which has a tag.
        target: Where the INVITE went.
        contact: The own Contact header.
    """

    def __init__(self, invite: SipRequest, response: SipResponse, target: Target, contact: str) -> None:
        self.call_id = invite.call_id or ""
        self.local = invite.get_header("From") or ""
        self.remote = response.get_header("To") or ""
        self.remote_tag = tag_of(self.remote)
        self.local_tag = tag_of(self.local)
        self.remote_uri = _contact_of(response) or invite.uri
        self.routes = list(reversed(response.get_header_values("Record-Route")))
        self.invite_cseq = cseq_of(response)[0]
        self._cseq = cseq_of(invite)[0]
        self._remote_cseq: int | None = None
        self._first_target = target
        self._contact = contact

    @property
    def target(self) -> Target:
        """Where its requests go."""
        return next_hop(uri_in(self.routes[0]) if self.routes else self.remote_uri, self._first_target)

    def request(
        self, method: str, via: str, *, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> SipRequest:
        """Make the next request in the dialog; an ACK has the number of the INVITE."""
        if method != "ACK":
            self._cseq += 1
        cseq = self.invite_cseq if method == "ACK" else self._cseq
        uri, routes = self.remote_uri, list(self.routes)
        if routes and ";lr" not in routes[0].lower():  # a strict router
            uri, routes = uri_in(routes[0]), [*routes[1:], f"<{uri}>"]
        made = [
            ("Via", via),
            *(("Route", route) for route in routes),
            ("Max-Forwards", _MAX_FORWARDS),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
            ("Contact", self._contact),
            *headers,
        ]
        if method == "INVITE":
            self.invite_cseq = cseq
        return new_request(method, uri, made, body)

    def owns(self, request: SipRequest) -> bool:
        """Return whether a request belongs to the dialog."""
        return (
            tag_of(request.get_header("To")) == self.local_tag and tag_of(request.get_header("From")) == self.remote_tag
        )

    def owns_response(self, response: SipResponse) -> bool:
        """Return whether a response belongs to the dialog."""
        return tag_of(response.get_header("To")) == self.remote_tag

    def in_order(self, request: SipRequest) -> bool:
        """Take the number of a request, and return whether none before was higher."""
        number = cseq_of(request)[0]
        if self._remote_cseq is not None and number < self._remote_cseq:
            return False
        self._remote_cseq = number
        return True

    def refresh(self, message: SipRequest | SipResponse) -> None:
        """Take over the Contact of a message that refreshes the target, such as a re-INVITE."""
        self.remote_uri = _contact_of(message) or self.remote_uri


def next_hop(uri: str, first: Target) -> Target:
    """Return where a request to a URI goes, if the far end of the dialog is at `first`.

    Connections are kept. Over UDP, another port is taken from the URI, and another address only between loopback
    addresses: the far end must not direct messages to hosts that were not asked for.
    """
    if first.transport != "udp":
        return first
    rest = uri.partition(":")[2].rpartition("@")[2].partition(";")[0].partition("?")[0]
    if rest.startswith("["):
        host, _, port = rest[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = rest.partition(":")
    try:
        address = ip_address(host)
        number = int(port) if port else 5060
    except ValueError:
        return first
    origin = ip_address(first.host)
    # A socket sends to addresses of its own IP version only.
    both_loopback = address.is_loopback and origin.is_loopback and address.version == origin.version
    same = host == first.host or both_loopback
    return first._replace(host=host, port=number) if same and 1 <= number <= 65_535 else first


def _contact_of(message: SipRequest | SipResponse) -> str:
    values = message.get_header_values("Contact")
    uri = uri_in(values[0]) if values else ""
    return uri if uri.lower().startswith(("sip:", "sips:")) and not any(c.isspace() for c in uri) else ""
