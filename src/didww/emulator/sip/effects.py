"""The effects of a call: what it asks of whatever runs it, over sockets in real time or in a simulation at once.

A call is a generator. It yields effects and receives their results; it does no I/O and has no clock. Times are seconds
since its start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from didww.emulator.sip.messages import SipMessage
    from didww.emulator.sip.model import AttemptResult, Destination, Outgoing, Target

__all__ = [
    "Contact",
    "Contacts",
    "Done",
    "Effect",
    "Event",
    "Failure",
    "HangUp",
    "Local",
    "Media",
    "Open",
    "Phone",
    "Progress",
    "Received",
    "Resolve",
    "TimedOut",
    "Transmit",
    "Unreachable",
    "Wait",
]

# Effects


class Resolve(NamedTuple):
    """Begin to look up where a destination is. A `Done` event has the targets, in their order. Result: None."""

    task: int
    destination: Destination


class Contacts(NamedTuple):
    """Look up the registered contacts of a trunk. Result: a list of `Contact`, which may be empty."""

    trunk_id: str


class Phone(NamedTuple):
    """Ask for the script of a phone number that a trunk forwards to. Result: a `FarEnd`."""

    trunk: str


class Open(NamedTuple):
    """Begin to make a socket or connection to a target. A `Done` event has the `Local` address. Result: None."""

    task: int
    target: Target


class Transmit(NamedTuple):
    """Send a message; nothing is waited for. Failures come as `Unreachable` events. Result: None."""

    outgoing: Outgoing


class Wait(NamedTuple):
    """Wait for the next event. Result: an `Event`; `TimedOut` at the time `until`, None for ever.

    `call_ids` are the Call-IDs whose messages belong to this call.
    """

    until: float | None
    call_ids: frozenset[str]


class Media(NamedTuple):
    """Start sending silence to an address, `None` to stop. Result: None."""

    sip_call_id: str
    remote: tuple[str, int] | None
    payload_type: int = 0


class Progress(NamedTuple):
    """Tell what has happened: `started`, `attempt`, `ringing`, `answered`, `attempt_ended`, `ended`. Result: None."""

    event: str
    at: float
    attempt: AttemptResult | None = None


Effect: TypeAlias = Resolve | Contacts | Phone | Open | Transmit | Wait | Media | Progress

# Results


class Failure(NamedTuple):
    """Why a look-up or a connection failed, as a sentence without a period."""

    reason: str


class Local(NamedTuple):
    """The own address toward a target, for Via and Contact, and that of the media socket."""

    host: str
    port: int
    media_host: str
    media_port: int


class Contact(NamedTuple):
    """A registered contact: its URI, where to send, and how many seconds it is still valid."""

    uri: str
    target: Target
    expires_in: float


# Events; each says when


class Received(NamedTuple):
    """A message came from an address."""

    at: float
    message: SipMessage
    source: Target


class Unreachable(NamedTuple):
    """A message could not be sent to a target, or its connection was lost."""

    at: float
    target: Target
    reason: str


class Done(NamedTuple):
    """A `Resolve` or an `Open` has come to its end."""

    at: float
    task: int
    result: list[Target] | Local | Failure


class HangUp(NamedTuple):
    """The caller hangs up, while it rings or talks."""

    at: float


class TimedOut(NamedTuple):
    """The time of a `Wait` has come."""

    at: float


Event: TypeAlias = Received | Unreachable | Done | HangUp | TimedOut
