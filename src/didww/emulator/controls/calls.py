"""Calls: simulated ones to a number or from an outbound trunk, failing trunks, and the ledger; exports agree."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from didww.emulator.controls.call_records import Call, network_name, new_call_id, record_inbound, record_outbound
from didww.emulator.controls.clock import parse_datetime
from didww.emulator.controls.durations import Duration, parse_duration
from didww.emulator.controls.ledger import Charges, Ledger
from didww.emulator.controls.outages import FailingTrunk, get_failing, make_outage, set_outage
from didww.emulator.controls.ring import RingControls
from didww.emulator.controls.stored_calls import TIME_FORMAT as _FORMAT
from didww.emulator.controls.stored_calls import get_calls_per_day
from didww.emulator.sip.model import AttemptResult
from didww.enums import DisconnectInitiator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from didww.emulator.data.cdr import Line

__all__ = ["Call", "Calls"]

_MONTHS_EXPORTED: Final = 2  # before the current one
_LONGEST: Final = timedelta(days=366)
_RATE: Final = Decimal("0.010")
_MAX_CALLS: Final = 10_000


class Calls(RingControls):
    """Simulated calls: `emulator.calls`.

    Args:
        engine: The engine.
        default_key: The default account.
        sip: The network and the registered phones, for calls that are sent.
    """

    def rate(self, a_day: float) -> float:
        """Set the average number of calls of a number per weekday; a trunk has eight times as many.

        Args:
            a_day: 0 to 5000. Completed exports are unchanged.

        Raises:
            ValueError: `a_day` is out of range.
        """
        return self._set_rate("calls_per_day", a_day)

    def inbound(
        self,
        did: str,
        *,
        count: int = 1,
        source: str = "442079460000",
        duration: Duration = 60,
        code: str = "200",
        api_key: str | None = None,
    ) -> list[Call]:
        """Simulate calls to a number, now.

        Args:
            did: The number, or the id of the DID.
            count: Number of calls, 1 to 10000.
            source: Caller's number.
            duration: Duration of each call; 0 for an unanswered call.
            code: SIP code at the end of the calls.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            LookupError: The account has no such number.
            ValueError: `count` or `duration` is invalid.
        """
        from didww.emulator.behaviors.exports import get_lines

        seconds = _check_arguments(count, duration)
        with self._engine.locked() as runtime:
            session = self._session(api_key)
            dids = session.find("dids", number=did) or session.find("dids", id=did)
            if not dids:
                raise LookupError(f"The account has no number {did!r}.")
            line = get_lines(session, dids[0]["number"])[0]
            return runtime.run_in_transaction(
                lambda: [
                    record_inbound(
                        session,
                        line,
                        call_id=new_call_id(session),
                        start=session.now(),
                        caller=source,
                        attempts=[_made_up(line, seconds, code)],
                    )
                    for _ in range(count)
                ]
            )

    def outbound(
        self,
        trunk: str,
        *,
        count: int = 1,
        destination: str = "442079460001",
        duration: Duration = 60,
        rate: str | float | Decimal = _RATE,
        api_key: str | None = None,
    ) -> list[Call]:
        """Simulate calls from an outbound trunk, now; their price counts toward its threshold.

        Args:
            trunk: The id of the trunk.
            count: Number of calls, 1 to 10000. A blocked trunk places none.
            destination: Called number.
            duration: Duration of each call; billed by the minute.
            rate: US dollars per minute.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            LookupError: The account has no such trunk.
            ValueError: `count` or `duration` is invalid.
        """
        seconds, price = _check_arguments(count, duration), _price(rate)
        with self._engine.locked() as runtime:
            session = self._session(api_key)
            if session.get("voice_out_trunks", trunk) is None:
                raise LookupError(f"The account has no outbound trunk {trunk!r}.")

            def place() -> list[Call]:
                where = network_name(session, destination)
                calls = [record_outbound(session, trunk, destination, where, seconds, price) for _ in range(count)]
                return [call for call in calls if call is not None]

            placed = runtime.run_in_transaction(place)
        self._engine.wake()
        return placed

    def fail(
        self,
        trunk: str,
        *,
        hours: Sequence[int] = (0, 24),
        share: float = 1.0,
        code: str = "503",
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        api_key: str | None = None,
    ) -> FailingTrunk:
        """Make a trunk fail at some hours of the day, in the generated calls of exports.

        Which attempts fail depends only on the seed. Those that do not fail so end as usual. An inbound call goes on to
        the next trunk of its group. Completed exports and simulated calls are unchanged. Setting a trunk again replaces
        what was set; a share of 0 removes it.

        Args:
            trunk: The id of an inbound or outbound trunk.
            hours: First hour, 0 to 23, and the hour before which the failures end, 0 to 24, in UTC: `(22, 6)` for the
                night. Defaults to the whole day.
            share: Share of the attempts that fail, 0 to 1.
            code: SIP code of the failed attempts, 400 to 699.
            start: First moment of the failures. Defaults to always.
            end: End of the failures, exclusive. Defaults to never.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            LookupError: The account has no such trunk.
            ValueError: An argument is invalid.
        """
        outage = make_outage(hours, share, code, start, end)
        with self._engine.locked() as runtime:
            session = self._session(api_key)
            return runtime.run_in_transaction(lambda: set_outage(session, trunk, outage))

    def failing(self, *, api_key: str | None = None) -> list[FailingTrunk]:
        """Return the trunks that fail at some hours.

        Args:
            api_key: Key of the account. Defaults to the emulator's own.
        """
        with self._engine.locked():
            return get_failing(self._session(api_key))

    def charges(
        self,
        *,
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        api_key: str | None = None,
    ) -> list[Charges]:
        """Return what the calls of a period cost by trunk and number, from the ledger.

        The sums are those of exports of the same period that are created now: generated and simulated calls, of the
        numbers and trunks that the account has.

        Args:
            start: Start of the period. Defaults to the first day that exports can have.
            end: End of the period, exclusive. Defaults to now.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            ValueError: A time is invalid or in the future, or the period is longer than a year.
        """
        from didww.emulator.behaviors.exports import get_lines, get_out_lines

        ledger = Ledger()
        with self._engine.locked():
            session = self._session(api_key)
            since, until = _period(session.now(), start, end)
            lines, trunks = get_lines(session, None), get_out_lines(session, {})
            ledger.add_placed(session, "cdr_in", {line.number for line in lines}, since, until)
            ledger.add_placed(session, "cdr_out", {trunk.id for trunk in trunks}, since, until)
            a_day, seed = get_calls_per_day(session), self._engine.seed
        ledger.add_generated(lines, trunks, since, until, seed, a_day)
        return ledger.charges()


def _period(now: datetime, start: datetime | str | None, end: datetime | str | None) -> tuple[datetime, datetime]:
    until = now if end is None else parse_datetime(end)
    month = now.year * 12 + now.month - 1 - _MONTHS_EXPORTED
    first = now.replace(year=month // 12, month=month % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
    since = first if start is None else parse_datetime(start)
    if until > now:
        raise ValueError(f"end must not be in the future, got {until:{_FORMAT}}; now it is {now:{_FORMAT}}.")
    if not timedelta(0) < until - since <= _LONGEST:
        raise ValueError(f"start must be before end, by a year at most, got {since:{_FORMAT}} and {until:{_FORMAT}}.")
    return since, until


def _price(rate: str | float | Decimal) -> Decimal:
    try:
        price = Decimal(str(rate))
    except InvalidOperation:
        price = Decimal("NaN")
    if not (price.is_finite() and 0 <= price <= 1000):
        raise ValueError(f"rate must be from 0 to 1000 US dollars per minute, got {str(rate)[:40]!r}.")
    return price


def _check_arguments(count: int, duration: Duration) -> int:
    if not 1 <= count <= _MAX_CALLS:
        raise ValueError(f"count must be from 1 to {_MAX_CALLS}, got {count}.")
    return round(parse_duration(duration))


def _made_up(line: Line, seconds: int, code: str) -> AttemptResult:
    """Return the only attempt of a call whose outcome is given."""
    where = line.attempts[0] if line.attempts else None
    answered = code == "200" and seconds > 0
    return AttemptResult(
        number=1,
        trunk_id="",
        trunk="" if where is None else where.trunk,
        group=line.group,
        destination="" if where is None else where.destination,
        answered=0.0 if answered else None,
        ended=float(seconds),
        code=int(code),
        reason="Bye" if answered else "",
        initiator=DisconnectInitiator.ORIGINATION,
        forwarded=where is not None and where.forwarded,
    )
