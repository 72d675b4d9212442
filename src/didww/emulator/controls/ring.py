"""Calls over SIP: what `emulator.calls` has to place them, follow them and read their reports."""

from __future__ import annotations

import atexit
import contextlib
import logging
import secrets
import weakref
from collections.abc import Mapping  # noqa: TC003 the control API reads the annotations
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from didww.emulator.controls import ring_arguments as arguments
from didww.emulator.controls.account_control import AccountControl
from didww.emulator.controls.call_records import new_call_id, record_inbound, stream_moments
from didww.emulator.controls.durations import Duration  # noqa: TC001 the same
from didww.emulator.controls.own_thread import OwnThread
from didww.emulator.controls.ring_reports import MAX_REPORTS, PlacedCall, PlacedCalls
from didww.emulator.sip.far_end import FarEnd  # noqa: TC001 the same
from didww.emulator.sip.report import RingReport  # noqa: TC001 the same

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future

    from didww.emulator.controls.call_streams import Moment
    from didww.emulator.engine.engine import Engine
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.sip.allowed import Bounds
    from didww.emulator.sip.capacity import Capacity
    from didww.emulator.sip.effects import Contact, Effect, Progress
    from didww.emulator.sip.model import AttemptResult, Route
    from didww.emulator.sip.runner import CallNetwork

__all__ = ["RingControls"]

_LAST_MOMENT: Final = 2.0
_MOMENTS: Final[dict[str, Moment]] = {"started": "start", "answered": "connect"}

log = logging.getLogger("didww.emulator")

_NUMBERS_NAMED: Final = 5
_DEFAULT_CALLER: Final = "12025550123"


class SipSide(Protocol):
    """What calls need of `emulator.sip`."""

    @property
    def _bounds(self) -> Bounds:
        """How many calls there may be."""
        ...

    def _ready(self) -> CallNetwork:
        """Return the network for a call."""
        ...

    def _contacts(self, trunk_id: str) -> list[Contact]:
        """Return where the phones are that have registered with the credentials of a trunk."""
        ...


class RingControls(AccountControl):
    """Calls over SIP: the part of `emulator.calls` that places them.

    Args:
        engine: The engine.
        default_key: The default account.
        sip: The network and the registered phones, for calls that are sent.
    """

    def __init__(self, engine: Engine, default_key: str, sip: SipSide | None = None) -> None:
        super().__init__(engine, default_key)
        self._sip = sip
        self._placed = PlacedCalls()
        self._capacity: Capacity | None = None
        self._at_exit = False
        self._recorder = OwnThread("didww-emulator-records")

    def ring(
        self,
        did: str,
        *,
        caller: str = _DEFAULT_CALLER,
        caller_name: str = "",
        duration: Duration = 5,
        give_up_after: Duration | None = None,
        diversion: str = "",
        attestation: Literal["A", "B", "C"] | None = None,
        instant: bool = False,
        far_ends: Mapping[str, FarEnd | str | int] | None = None,
        wait: bool = True,
        api_key: str | None = None,
    ) -> RingReport:
        """Call a number over SIP, as a caller from the telephone network would, and report what its trunks did.

        The call goes to the trunks that the number is routed to, and takes real time. With `instant`, nothing is sent:
        the far ends are simulated, and nothing waits.

        Args:
            did: The number, or the id of the DID.
            caller: Caller's number, or `anonymous`.
            caller_name: Caller's name.
            duration: How long to talk before the caller hangs up.
            give_up_after: How long to let it ring before the caller hangs up. Defaults to as long as the trunks do.
            diversion: Number that diverted the call.
            attestation: STIR/SHAKEN attestation of the caller's number.
            instant: Whether to simulate the far ends, at once.
            far_ends: With `instant`, what the far end of each trunk does, by its name, `*` for all others: `answers`,
                `busy`, `silent`, `rings`, a SIP code, or a `FarEnd`. Defaults to `answers`.
            wait: Whether to wait until the call has ended; otherwise, the report is that of a call in progress.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            LookupError: The account has no such number.
            ValueError: An argument is invalid, or the extra `sip` is not installed.
        """
        from didww._util.extras import need

        need("aiosipua", "sip")
        from didww.emulator.sip.call import CallOptions, place_call
        from didww.emulator.sip.simulation import run_at_once

        talk = arguments.check_seconds(duration, "duration")
        patience = None if give_up_after is None else arguments.check_seconds(give_up_after, "give_up_after")
        scripts = arguments.make_far_ends(far_ends, instant=instant)
        details = {
            "caller_name": arguments.check_name(caller_name),
            "diversion": arguments.check_phone(diversion, "diversion") if diversion else "",
            "attestation": arguments.check_attestation(attestation),
        }
        caller = arguments.check_phone(caller, "caller", or_anonymous=True)
        key = api_key or self._default_key
        with self._engine.locked():
            session = self._engine.session(key)
            route = _get_route(session, did, caller, details)
            arguments.check_trunks(scripts, route)
            call = self._placed.add(new_call_id(session), route, session.now(), instant=instant)
        options = CallOptions(
            call_id=call.call_id,
            hang_up_after=talk,
            give_up_after=patience,
            capacity=self._shared_capacity(),
            ids=_token,
        )
        try:
            if instant:
                run_at_once(place_call(route, options), scripts, call.follow)
                self._end(call, key)
            else:
                self._send(call, key, place_call(route, options))
        except BaseException as error:
            call.finish(f"The call could not be placed: {error}")
            raise
        if wait:
            try:
                call.wait()
            except BaseException:  # Ctrl-C
                call.hang_up()
                raise
        return call.report()

    def reports(self, *, limit: int = 100) -> list[RingReport]:
        """Return the reports of the last calls over SIP, the newest first.

        Args:
            limit: Maximum number, 1 to 500.

        Raises:
            ValueError: `limit` is out of range.
        """
        wanted: Any = limit
        if not isinstance(wanted, int) or not 1 <= wanted <= MAX_REPORTS:
            raise ValueError(f"limit must be from 1 to {MAX_REPORTS}, got {limit!r:.40}.")
        return [call.report() for call in self._placed.newest(limit)]

    def report(self, id: str) -> RingReport:
        """Return the report of a call over SIP, which may still be in progress.

        Args:
            id: ID of the report.

        Raises:
            LookupError: There is no such report.
        """
        return self._placed.get(str(id)).report()

    def hang_up(self, id: str) -> RingReport:
        """Hang up a call over SIP, as its caller, and return its report; nothing happens if it has ended.

        Args:
            id: ID of the report.

        Raises:
            LookupError: There is no such report.
        """
        call = self._placed.get(str(id))
        call.hang_up()
        return call.report()

    def _hang_up_all(self) -> None:
        """Hang up all calls, and wait a moment until the far ends know."""
        self._placed.hang_up_all(_LAST_MOMENT)

    def _close(self) -> None:
        """Wait until the records of calls that have ended are stored."""
        self._recorder.close(wait=True)

    def _forget(self) -> None:
        """Hang up all calls and drop their reports."""
        self._placed.clear()

    def _shared_capacity(self) -> Capacity:
        """Return what counts the calls against the limits of trunks, groups and numbers."""
        from didww.emulator.sip.capacity import Capacity

        with self._engine.locked():
            self._capacity = self._capacity or Capacity()
            return self._capacity

    def _send(self, call: PlacedCall, key: str, generator: Generator[Effect, Any, list[AttemptResult]]) -> None:
        """Start a call over the network."""
        from didww.emulator.sip.runner import start_call

        if self._sip is None:
            raise RuntimeError("These calls have no network. Use the calls of an Emulator.")
        sip, follow = self._sip, partial(self._follow, call, key)
        sip._bounds.begin()
        try:
            future, hang_up = start_call(sip._ready(), generator, follow, contacts=sip._contacts)
        except BaseException:
            sip._bounds.end()
            raise
        call.started(hang_up)
        if not self._at_exit:
            self._at_exit = True
            atexit.register(_hang_up_at_exit, weakref.ref(self._placed))
        future.add_done_callback(lambda _: sip._bounds.end())
        future.add_done_callback(partial(self._over, call, key))

    def _follow(self, call: PlacedCall, key: str, progress: Progress) -> None:
        """Take in what has happened; in the thread of the network, which must not wait for the engine."""
        call.follow(progress)
        moment = _MOMENTS.get(progress.event)
        if moment is not None and moment not in call.announced:
            call.announced.add(moment)
            with contextlib.suppress(RuntimeError):  # the emulator is closed
                self._recorder.submit(self._announce, call, key, moment)

    def _announce(self, call: PlacedCall, key: str, moment: Moment) -> None:
        """Stream an event of a call that is in progress."""
        with self._engine.locked() as runtime:
            if call.forgotten:
                return
            session = self._engine.session(key)
            runtime.run_in_transaction(
                lambda: stream_moments(
                    session,
                    call.route.number,
                    call_id=call.call_id,
                    start=call.started_at,
                    caller=call.route.caller,
                    attempts=call.attempts(),
                    moments=(moment,),
                    live=True,
                )
            )
        self._engine.wake()

    def _over(self, call: PlacedCall, key: str, future: Future[list[AttemptResult]]) -> None:
        """Take in that a call is over; in the thread of the network, which must not wait for the engine."""
        if future.cancelled():
            self._record(call, key, "The emulator was closed during the call.")
        elif error := future.exception():
            log.error("emulator: the call %s failed", call.call_id, exc_info=error)
            self._record(call, key, f"The emulator failed: {type(error).__name__}. Its log has the reason.")
        else:
            self._record(call, key)

    def _record(self, call: PlacedCall, key: str, why: str = "") -> None:
        """Store the records of a call in the thread that does so."""
        try:
            self._recorder.submit(self._end, call, key, why)
        except RuntimeError:  # the emulator is closed
            call.finish(why)

    def _end(self, call: PlacedCall, key: str, why: str = "") -> None:
        """Store the records of a call, then end its report."""
        try:
            self._store(call, key)
        except Exception:  # the report must end: somebody may wait for it
            log.exception("emulator: the records of the call %s could not be stored", call.call_id)
        finally:
            call.finish(why)
        self._engine.wake()

    def _store(self, call: PlacedCall, key: str) -> None:
        """Store a record for each attempt."""
        from didww.emulator.behaviors.exports import get_lines
        from didww.emulator.data.cdr import Line

        attempts, route = call.attempts(), call.route
        with self._engine.locked() as runtime:
            session = self._engine.session(key)
            if not attempts or call.forgotten:
                return
            lines = get_lines(session, route.number)
            line = lines[0] if lines else Line(route.number, group=route.group)  # removed during the call
            runtime.run_in_transaction(
                lambda: record_inbound(
                    session,
                    line,
                    call_id=call.call_id,
                    start=call.started_at,
                    caller=route.caller,
                    caller_name=route.caller_name,
                    attempts=attempts,
                    announced=call.announced,
                    live=not call.instant,
                )
            )


def _hang_up_at_exit(placed: weakref.ref[PlacedCalls]) -> None:
    """Hang up, so that far ends are not left in calls of a program that ends without closing its emulator."""
    calls = placed()
    if calls is not None:
        calls.hang_up_all(_LAST_MOMENT)


def _token(length: int) -> str:
    """Return random hexadecimal digits."""
    return secrets.token_hex(length // 2 + 1)[:length]


def _get_route(session: AccountSession, did: str, caller: str, details: dict[str, Any]) -> Route:
    """Return the route of a call.

    Raises:
        LookupError: The account has no such number.
    """
    from didww.emulator.sip.routing import get_route

    try:
        return get_route(session, str(did).removeprefix("+"), caller, random=Random(session.new_id()), **details)  # noqa: S311 a seeded generator
    except LookupError:
        numbers = [record["number"] for record in session.find("dids", limit=_NUMBERS_NAMED + 1)]
        more = " and others" if len(numbers) > _NUMBERS_NAMED else ""
        have = f"It has {', '.join(numbers[:_NUMBERS_NAMED])}{more}." if numbers else "It has none: buy one first."
        raise LookupError(f"The account has no number {str(did)[:40]!r}. {have}") from None
