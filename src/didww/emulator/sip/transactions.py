"""SIP transactions as tables (RFC 3261, section 17, with RFC 6026): no I/O and no clock.

A transaction keeps the message it sent, repeats it while the transport may lose it, and says which responses are new.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from didww.emulator.sip.timers import TIMERS, seconds

__all__ = ["ClientTransaction", "Kind", "Responded", "ServerTransaction"]

Kind: TypeAlias = Literal["invite", "other"]
Responded: TypeAlias = Literal["answer", "refusal", "other"]
_Action: TypeAlias = Literal["send", "ack", "deliver", "timeout"]


class _Rule(NamedTuple):
    """What an event does in a state: the next state, the actions, and the timers that run from then on."""

    state: str
    actions: tuple[_Action, ...] = ()
    timers: str | None = None
    """Letters of the timers that run; None leaves them as they are."""


# An INVITE that has expired is kept for a while (not in RFC 3261): a far end that rings or answers late is stopped.
_CLIENT: Final[dict[Kind, dict[tuple[str, str], _Rule]]] = {
    "invite": {
        ("calling", "provisional"): _Rule("proceeding", ("deliver",), ""),
        ("calling", "success"): _Rule("accepted", ("deliver",), "M"),
        ("calling", "refusal"): _Rule("completed", ("ack", "deliver"), "D"),
        ("calling", "A"): _Rule("calling", ("send",)),
        ("calling", "B"): _Rule("expired", ("timeout",), "M"),
        ("expired", "provisional"): _Rule("proceeding", ("deliver",), ""),
        ("expired", "success"): _Rule("accepted", ("deliver",), "M"),
        ("expired", "refusal"): _Rule("completed", ("ack",), "D"),
        ("expired", "M"): _Rule("terminated", (), ""),
        ("proceeding", "provisional"): _Rule("proceeding", ("deliver",)),
        ("proceeding", "success"): _Rule("accepted", ("deliver",), "M"),
        ("proceeding", "refusal"): _Rule("completed", ("ack", "deliver"), "D"),
        ("accepted", "success"): _Rule("accepted", ("deliver",)),
        ("accepted", "M"): _Rule("terminated", (), ""),
        ("completed", "refusal"): _Rule("completed", ("ack",)),
        ("completed", "success"): _Rule("completed", ("deliver",)),
        ("completed", "D"): _Rule("terminated", (), ""),
    },
    "other": {
        ("calling", "provisional"): _Rule("proceeding", ("deliver",)),
        ("calling", "success"): _Rule("completed", ("deliver",), "K"),
        ("calling", "refusal"): _Rule("completed", ("deliver",), "K"),
        ("calling", "E"): _Rule("calling", ("send",)),
        ("calling", "F"): _Rule("terminated", ("timeout",), ""),
        ("proceeding", "provisional"): _Rule("proceeding", ("deliver",)),
        ("proceeding", "success"): _Rule("completed", ("deliver",), "K"),
        ("proceeding", "refusal"): _Rule("completed", ("deliver",), "K"),
        ("proceeding", "E"): _Rule("proceeding", ("send",)),
        ("proceeding", "F"): _Rule("terminated", ("timeout",), ""),
        ("completed", "K"): _Rule("terminated", (), ""),
    },
}
_START: Final[dict[Kind, str]] = {"invite": "AB", "other": "EF"}
_INVITED: Final = {
    ("completed", "request"): _Rule("completed", ("send",)),
    ("completed", "G"): _Rule("completed", ("send",)),
    ("completed", "2"): _Rule("completed", ("send",)),
    ("completed", "H"): _Rule("terminated", ("timeout",), ""),
    ("completed", "ack"): _Rule("confirmed", (), "I"),
    ("confirmed", "I"): _Rule("terminated", (), ""),
}
_SERVER: Final[dict[Responded, dict[tuple[str, str], _Rule]]] = {
    "answer": _INVITED,
    "refusal": _INVITED,
    "other": {
        ("completed", "request"): _Rule("completed", ("send",)),
        ("completed", "J"): _Rule("terminated", (), ""),
    },
}
_RESPONDED: Final[dict[Responded, str]] = {"answer": "2H", "refusal": "GH", "other": "J"}


class _Transaction:
    """A state, and the timers that run in it."""

    def __init__(self, rules: dict[tuple[str, str], _Rule], state: str, *, reliable: bool) -> None:
        self._rules = rules
        self._reliable = reliable
        self._timers: dict[str, tuple[float, float]] = {}  # letter: when it is due, and its value
        self._to_send = 0
        self._to_ack = 0
        self.state = state
        self.timed_out = False

    @property
    def terminated(self) -> bool:
        """Whether nothing more can come of it."""
        return self.state == "terminated"

    def next_due(self) -> float | None:
        """Return when the next timer is due."""
        return min((at for at, _ in self._timers.values()), default=None)

    def due(self, now: float) -> None:
        """Run the timers that are due. Of a repeating timer that is late, one repetition is sent."""
        for name in sorted(self._timers):
            timer = self._timers.get(name)
            if timer is None or timer[0] > now:
                continue
            most = TIMERS[name].most
            if most:
                value = min(timer[1] * 2, most)
                self._timers[name] = (now + value, value)
            else:
                del self._timers[name]
            self._handle(name, now)

    def terminate(self) -> None:
        """End it now."""
        self.state = "terminated"
        self._timers.clear()

    def take(self) -> int:
        """Return how often the message is to be sent now."""
        count, self._to_send = self._to_send, 0
        return count

    def _handle(self, event: str, now: float) -> bool:
        """Apply the rule of an event, and return whether the message is new to the user."""
        rule = self._rules.get((self.state, event))
        if rule is None:
            return False
        self.state = rule.state
        if rule.timers is not None:
            self._run(rule.timers, now)
        self._to_send += "send" in rule.actions
        self._to_ack += "ack" in rule.actions
        self.timed_out |= "timeout" in rule.actions
        return "deliver" in rule.actions

    def _run(self, names: str, now: float) -> None:
        self._timers.clear()
        for name in names:
            value = seconds(name, reliable=self._reliable)
            if value == 0:
                self._handle(name, now)
            elif value is not None:
                self._timers[name] = (now + value, value)


class ClientTransaction(_Transaction):
    """A request that was sent.

    Args:
        kind: Whether it is an INVITE.
        now: When it is sent.
        reliable: Whether the transport is TCP or TLS.
        timeout: Seconds without any response after which it fails. Defaults to timer B or F.
    """

    def __init__(self, kind: Kind, now: float, *, reliable: bool, timeout: float | None = None) -> None:
        super().__init__(_CLIENT[kind], "calling", reliable=reliable)
        self._run(_START[kind], now)
        if timeout is not None:
            self._timers["B" if kind == "invite" else "F"] = (now + timeout, timeout)
        self._to_send = 1

    def receive(self, code: int, now: float) -> bool:
        """Take a response, and return whether it is new."""
        event = "provisional" if code < 200 else "success" if code < 300 else "refusal"
        return self._handle(event, now)

    def take_acks(self) -> int:
        """Return how often the refusal of an INVITE is to be acknowledged now."""
        count, self._to_ack = self._to_ack, 0
        return count


class ServerTransaction(_Transaction):
    """A request that was received and responded to.

    Args:
        kind: Whether it is the answer to an INVITE, its refusal, or the response to another request.
        now: When it is sent.
        reliable: Whether the transport is TCP or TLS.
    """

    def __init__(self, kind: Responded, now: float, *, reliable: bool) -> None:
        super().__init__(_SERVER[kind], "completed", reliable=reliable)
        self._run(_RESPONDED[kind], now)
        self._to_send = 1

    def repeated(self, now: float) -> None:
        """Take a repetition of the request."""
        self._handle("request", now)

    def acknowledged(self, now: float) -> None:
        """Take the ACK."""
        self._handle("ack", now)
