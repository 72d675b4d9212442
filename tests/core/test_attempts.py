"""Attempts, pauses and permits of a call, under any sequence of faults, with a fake clock and service."""

from __future__ import annotations

import asyncio
import copy
import functools
import itertools
import json
import linecache
import pickle
import random
import sys
from time import sleep
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from didww._core import operations, pagination
from didww._core.create import CLOCK_SLACK
from didww._core.effects import Acquire, Now, Request, Response, Send, Sleep
from didww._core.events import RequestStarted, RetryScheduled
from didww._core.retry import MAX_PAUSE, MAX_RETRY_AFTER, RULES, pause, repeats
from didww._drivers.asynchronous import AsyncDriver
from didww._drivers.sync import Driver
from didww.configuration import ApiKey, Configuration
from didww.emulator import Emulator
from didww.enums import Codec
from didww.exceptions import (
    ApiConnectionError,
    ApiTimeoutError,
    DidwwApiError,
    DidwwError,
    InvalidValueError,
    NotExactlyOneError,
    RateLimitError,
    ServerError,
    UnexpectedResponseError,
)
from didww.query_params import QueryParams
from didww.rate_limit.local import MARGIN, Budget, RateLimiter
from didww.resources.address_requirement_validation import AddressRequirementValidation
from didww.resources.available_did import AvailableDid
from didww.resources.capacity_pool import CapacityPool
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.did import Did
from didww.resources.did_reservation import DidReservation
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.shared_capacity_group import SharedCapacityGroup
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup
from support.fake_service import BASE, ODD, AttemptResult, FakeService
from support.hypothesis_profiles import law

ID = "8d1a3c5e-0000-4000-8000-000000000001"

RESULTS = st.builds(
    AttemptResult,
    seconds=st.floats(0.0, 40.0),
    how=st.sampled_from(["responded", "lost", "late", "unsent", "unsent", 429, 500, 502, 503, 504, 422]),
    retry_after=st.one_of(st.none(), st.integers(0, 90)),
)
ORDER_FATES = RESULTS | st.builds(
    AttemptResult, seconds=st.floats(0.0, 40.0), how=st.sampled_from(["interrupted", *ODD])
)


def settings_of(service: FakeService, **options: Any) -> Configuration:
    """A client's settings, with the service's clock behind its limiter."""
    options.setdefault("jitter", random.Random(1).random)
    rate = options.pop("rate", None)
    limiter = None if rate is None else RateLimiter(rate, clock=lambda: service.now)
    return Configuration(credentials=ApiKey("key"), base_url=BASE, limiter=limiter, **options)


def an_order(**fields: Any) -> Order:
    return Order(items=[DidOrderItem(sku_id=ID, qty=1)], **fields)


def bought(configuration: Configuration, *, once: bool = False, **fields: Any) -> Any:
    return operations.create(configuration, Order, an_order(**fields), QueryParams(), once=once)


@law(5000)
@given(
    results=st.lists(ORDER_FATES, max_size=12),
    timeout=st.floats(0.1, 120.0),
    retries=st.integers(0, 5),
    rate=st.sampled_from([None, 0.5, 2.0, 20.0]),
    reference=st.sampled_from([None, "mine"]),
)
@example(
    results=[AttemptResult(0.1, "late"), AttemptResult(), AttemptResult(), AttemptResult()],
    timeout=60,
    retries=2,
    rate=None,
    reference=None,
)
@example(results=[AttemptResult(0.1, "lost")], timeout=60, retries=2, rate=None, reference=None)
@example(
    results=[AttemptResult(6.07243714724505, "lost")], timeout=6.573312191194268, retries=0, rate=None, reference=None
)
def test_no_fault_sequence_orders_twice(
    results: list[AttemptResult], timeout: float, retries: int, rate: float | None, reference: str | None
) -> None:
    """At most one order is placed; a response means that it exists, an error without doubt that it does not.

    However the call ends, the caller has the order or its reference, on the record and on the exception. Nothing
    takes longer than the timeout, and requests never exceed the rate limit.
    """
    service = FakeService(*results)
    configuration = settings_of(service, timeout=timeout, max_retries=retries, rate=rate)
    begun, response = service.now, None
    error: Any = None
    order = an_order(external_reference_id=reference)
    try:
        response = service.run(operations.create(configuration, Order, order, QueryParams()))
    except (DidwwError, KeyboardInterrupt) as caught:
        error = caught
    assert service.now <= begun + timeout + 1e-6
    if rate is not None:
        times = [at for at, _ in service.sent]
        assert all(later - earlier >= 1 / rate - 1e-6 for earlier, later in itertools.pairwise(times))
    records = service.settle()
    assert len(records) <= 1
    if response is not None:
        assert [one["id"] for one in records] == [response.data.id]
    for record in records:
        held = record["attributes"]["external_reference_id"]
        assert held == order.external_reference_id
        if response is None:
            assert error.outcome_unknown
            assert error.lookup == {"external_reference_id": held}
            assert held in "".join((str(error), *getattr(error, "__notes__", ())))


@law(5000)
@given(
    results=st.lists(RESULTS, max_size=12),
    timeout=st.floats(0.1, 120.0),
    retries=st.integers(0, 5),
    verb=st.sampled_from(["find", "update", "delete", "validate"]),
)
def test_safe_requests_are_retried_within_limits(
    results: list[AttemptResult], timeout: float, retries: int, verb: str
) -> None:
    """Attempts and pauses stay within limits, Retry-After is respected, and the deadline is never exceeded."""
    service = FakeService(*results)
    configuration = settings_of(service, timeout=timeout, max_retries=retries)
    did = Did.build(ID)
    did.description = "x"
    calls: dict[str, Any] = {
        "find": lambda: operations.find(configuration, Did, ID, QueryParams()),
        "update": lambda: operations.update(configuration, Did, did, QueryParams()),
        "delete": lambda: operations.delete(configuration, Did, ID),
        "validate": lambda: operations.create(configuration, AddressRequirementValidation, validation(), QueryParams()),
    }
    begun, error = service.now, None
    try:
        service.run(calls[verb]())
    except DidwwError as caught:
        error = caught
    assert service.now <= begun + timeout + 1e-6
    sendings = [event for event in service.events if isinstance(event, RequestStarted)]
    assert [event.attempt for event in sendings] == list(range(1, len(service.sent) + 1))
    assert len(service.sent) <= 1 + retries
    repeated = [event for event in service.events if isinstance(event, RetryScheduled)]
    assert len(repeated) in (len(service.sent) - 1, 0)
    for event, slept, result in zip(repeated, service.slept, results, strict=False):
        assert event.wait == slept
        asked = result.retry_after if isinstance(result.how, int) and isinstance(result.retry_after, int) else None
        assert slept >= asked if asked is not None else slept <= MAX_PAUSE
        assert asked is None or asked <= MAX_RETRY_AFTER
    if isinstance(error, (ApiConnectionError, DidwwApiError)):
        assert error.attempts == len(service.sent)
        in_doubt = any(result.how not in ("unsent", 429) for result in results[: len(service.sent) - 1])
        assert error.outcome_unknown == (
            isinstance(error, RateLimitError) and verb in ("update", "delete") and in_doubt
        )


class ExportCache(FakeService):
    """A service with a list of DIDs in pages; before each response, records may be added in front or removed."""

    def __init__(self, total: int, changes: list[int], *results: AttemptResult) -> None:
        super().__init__(*results)
        self.ids = [f"00000000-0000-4000-8000-{number:012d}" for number in range(total)]
        self.changes = changes
        self.always = set(self.ids)

    def serve(self, request: Request) -> Response:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        change = self.changes.pop(0) if self.changes else 0
        if change > 0:
            self.ids[:0] = [f"00000000-0000-4000-9000-{len(self.ids) + place:012d}" for place in range(change)]
        elif change < 0 and self.ids:
            self.always.discard(self.ids.pop(change % len(self.ids)))
        number, size = int(query.get("page[number]", 1)), int(query.get("page[size]", 50))
        found = [{"type": "dids", "id": one} for one in self.ids[(number - 1) * size : number * size]]
        links = {"next": f"{BASE}/dids?page%5Bnumber%5D={number + 1}&page%5Bsize%5D={size}"}
        document = {"data": found, "meta": {"total_records": len(self.ids)}}
        if number * size < len(self.ids):
            document["links"] = links
        return Response(200, {}, json.dumps(document).encode())


@law(1500)
@given(
    results=st.lists(st.one_of(st.just(AttemptResult()), st.just(AttemptResult()), RESULTS), max_size=25),
    total=st.integers(0, 40),
    size=st.integers(1, 9),
    prefetch=st.integers(0, 5),
    added=st.lists(st.integers(0, 3), max_size=12),
    rate=st.sampled_from([None, 5.0]),
)
def test_iteration_with_failures_loses_no_record(
    results: list[AttemptResult], total: int, size: int, prefetch: int, added: list[int], rate: float | None
) -> None:
    """Resumed by its cursor after any failure, iteration returns all records that existed throughout.

    They come in order, without duplicates within one iterator, and within the rate limit.
    """
    service = ExportCache(total, added, *results)
    configuration = settings_of(service, timeout=60, max_retries=1, rate=rate)
    token, found = None, []
    for _ in range(60):
        call, cursor = pagination.iterate(
            configuration, Did, QueryParams(), page_size=size, prefetch=prefetch, resume=token
        )
        part: list[str] = []
        try:
            part.extend(str(record.id) for record in service.iterate(call, cursor))
        except DidwwError:
            assert len(part) == len(set(part))
            found += part
            token = str(cursor)
        else:
            found += part
            break
    assert len(part) == len(set(part))
    assert service.always <= set(found)
    firsts = [one for one in dict.fromkeys(found) if one in service.always]
    assert firsts == sorted(firsts)
    if rate is not None:
        times = [at for at, _ in service.sent]
        assert all(later - earlier >= 1 / rate - 1e-6 for earlier, later in itertools.pairwise(times))


def validation() -> AddressRequirementValidation:
    from didww.resources.address_requirement import AddressRequirement
    from didww.resources.identity import Identity

    made = AddressRequirementValidation()
    made.address_requirement = AddressRequirement.build(ID)
    made.identity = Identity.build(ID)
    return made


@law(300)
@given(results=st.lists(RESULTS, max_size=8), timeout=st.floats(0.1, 60.0), rate=st.sampled_from([None, 2.0]))
def test_sync_and_async_drivers_behave_the_same(
    results: list[AttemptResult], timeout: float, rate: float | None
) -> None:
    """Both drivers send the same requests at the same times, and end the same way."""
    traces = []
    for run in (by_driver, by_async_driver):
        service = FakeService(*results)
        configuration = settings_of(service, timeout=timeout, rate=rate)
        end = run(service, bought(configuration, external_reference_id="mine"))
        sent = [(at, request.method, request.url, request.body) for at, request in service.sent]
        traces.append((end, sent, service.slept, [type(event) for event in service.events]))
    assert traces[0] == traces[1]


def by_driver(service: FakeService, call: Any) -> str:
    driver = Driver(object())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] never asked
    for effect in (Now, Sleep, Send):
        driver._handlers[effect] = service.carry_out
    handle_notify(driver, service)
    try:
        return repr(driver.run(call))
    except DidwwError as error:
        return repr(error)


def by_async_driver(service: FakeService, call: Any) -> str:
    driver = AsyncDriver(object())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] never asked

    async def carried_out(effect: Any) -> Any:
        return service.carry_out(effect)

    for effect in (Now, Sleep, Send):
        driver._handlers[effect] = carried_out
    handle_notify(driver, service, carried_out)
    try:
        return repr(asyncio.run(driver.run(call)))
    except DidwwError as error:
        return repr(error)


def handle_notify(driver: Any, service: FakeService, carry_out: Any = None) -> None:
    from didww._core.effects import Notify

    driver._handlers[Notify] = carry_out or service.carry_out


# The rules, one by one


def find_of(service: FakeService, **options: Any) -> Any:
    return service.run(operations.find(settings_of(service, **options), Did, ID, QueryParams()))


@pytest.mark.parametrize("failure", RULES)
def test_retry_rules_apply_to_reads_and_orders(failure: str | int) -> None:
    """Each rule of the table leads to one more attempt, or to the error of the first."""
    how = {"broken": "lost"}.get(str(failure), failure)
    for creating in (False, True):
        service = FakeService(AttemptResult(0.1, how), AttemptResult(0.1, how))
        configuration = settings_of(service, max_retries=1)
        call = bought(configuration) if creating else operations.find(configuration, Did, ID, QueryParams())
        with pytest.raises(DidwwError):
            service.run(call)
            raise DidwwApiError([])  # found again, or bought after all: not this test's matter
        posts = [request for _, request in service.sent if request.method == ("POST" if creating else "GET")]
        again = repeats(failure, creating=creating)
        assert len(posts) == (2 if again else 1) or (creating and failure in (502, 503, 504))


def test_max_retries_zero_sends_everything_once() -> None:
    """`max_retries=0` applies to orders too; a lost order is still looked up."""
    for how, error in (("unsent", ApiConnectionError), (503, ServerError), (429, RateLimitError)):
        service = FakeService(AttemptResult(0.1, how))
        with pytest.raises(error) as caught:
            find_of(service, max_retries=0)
        assert len(service.sent) == caught.value.attempts == 1
    service = FakeService(AttemptResult(0.1, "lost"))
    assert service.run(bought(settings_of(service, max_retries=0))).data.id
    assert [request.method for _, request in service.sent] == ["POST", "GET"]


def test_long_retry_after_raises_the_error() -> None:
    """One minute is waited for, two are not: the error says how long."""
    service = FakeService(AttemptResult(0.1, 429, 60))
    with pytest.raises(DidwwError):
        find_of(service, timeout=600)
        raise DidwwApiError([])
    assert service.slept[0] >= 60
    service = FakeService(AttemptResult(0.1, 429, 120))
    with pytest.raises(RateLimitError) as caught:
        find_of(service, timeout=600)
    assert (caught.value.retry_after, service.slept) == (120.0, [])


def test_pause_beyond_the_deadline_raises_immediately() -> None:
    """If the pause would end after the deadline, the error is raised immediately."""
    service = FakeService(AttemptResult(0.1, 503, 30))
    with pytest.raises(ServerError):
        find_of(service, timeout=20)
    assert service.now == pytest.approx(1000.1)


def test_retry_budget_limits_requests_to_a_failing_service() -> None:
    """After ten retries, every ten successful requests allow one more."""
    budget = Budget()
    sent = 0
    for _ in range(100):
        service = FakeService(*[AttemptResult(0.1, "unsent")] * 3)
        with pytest.raises(ApiConnectionError):
            find_of(service, budget=budget)
        sent += len(service.sent)
    assert sent == 100 + 10
    for _ in range(20):
        budget.earn()
    assert [budget.spend() for _ in range(3)] == [True, True, False]


def test_retried_delete_that_gets_404_succeeds() -> None:
    """The first response was lost and the second attempt gets 404: the record is deleted, as requested."""
    service = FakeService(AttemptResult(0.1, "lost"), AttemptResult(0.1, 404))
    response = service.run(operations.delete(settings_of(service), Did, ID))
    assert (response.data, response.attempts) == (None, 2)
    service = FakeService(AttemptResult(0.1, "unsent"), AttemptResult(0.1, 404))
    with pytest.raises(DidwwApiError, match="404"):
        service.run(operations.delete(settings_of(service), Did, ID))


def test_earlier_order_with_the_same_reference_is_ignored() -> None:
    """With a reused reference, only orders created since count, by the service's own clock."""
    service = FakeService()
    service.run(bought(settings_of(service), external_reference_id="mine"))
    service.now += CLOCK_SLACK + 60
    service.results = [AttemptResult(0.1, "lost")]
    again = service.run(bought(settings_of(service), external_reference_id="mine"))
    assert again.data.id == service.records[1]["id"] != service.records[0]["id"]
    service.now += CLOCK_SLACK + 60
    service.results = [AttemptResult(0.1, 502)]
    with pytest.raises(ServerError) as caught:
        service.run(bought(settings_of(service), external_reference_id="mine"))
    assert caught.value.outcome_unknown
    assert len(service.records) == 2


@pytest.mark.parametrize(
    "result", [AttemptResult(0.1, "late"), AttemptResult(0.1, 502), AttemptResult(0.1, 500), AttemptResult(3.0, 504)]
)
def test_order_with_unknown_outcome_is_never_resent(result: AttemptResult) -> None:
    """This holds for any number of retries, even if the order is not found: it may still appear."""
    service = FakeService(result)
    service.serve = lambda request: service._response(200, [])  # type: ignore[method-assign]
    with pytest.raises(DidwwError, match=r"not found within 7\.5 s and may still be created") as caught:
        service.run(bought(settings_of(service, max_retries=9), external_reference_id="mine"))
    assert caught.value.outcome_unknown
    assert caught.value.lookup == {"external_reference_id": "mine"}
    assert [request.method for _, request in service.sent] == ["POST", *["GET"] * 4]
    assert service.now - 1000.0 == pytest.approx(7.5 + result.seconds + 0.4)


def test_unknown_outcome_error_says_how_to_check() -> None:
    """The error keeps its class, and has the filter that finds the order."""
    service = FakeService(AttemptResult(90, "responded"))
    with pytest.raises(
        ApiTimeoutError, match=r"unknown whether the Order was created.*filter=\{'external_reference_id'"
    ) as caught:
        service.run(bought(settings_of(service)))
    assert caught.value.outcome_unknown
    assert caught.value.lookup is not None
    assert caught.value.lookup["external_reference_id"].startswith("didww-")
    assert "(1 attempt, 60.0 s)" in str(caught.value)


@pytest.mark.parametrize("how", ODD)
def test_response_with_another_order_counts_as_lost(how: str) -> None:
    """A response without the order, or with another one, makes the client look it up by its reference."""
    service = FakeService(AttemptResult(0.1, how))
    response = service.run(bought(settings_of(service)))
    assert response.data.id == service.records[0]["id"]
    assert [request.method for _, request in service.sent] == ["POST", "GET"]
    service = FakeService(AttemptResult(0.1, how), *[AttemptResult(0.1, 500)] * 5)
    with pytest.raises(UnexpectedResponseError) as caught:
        service.run(bought(settings_of(service), external_reference_id="mine"))
    assert (caught.value.outcome_unknown, caught.value.lookup) == (True, {"external_reference_id": "mine"})


def test_interrupted_order_keeps_its_reference() -> None:
    """Ctrl-C while waiting for the response: the marker is on the record and on the exception."""
    service = FakeService(AttemptResult(0.1, "interrupted"))
    order = an_order()
    with pytest.raises(KeyboardInterrupt) as caught:
        service.run(operations.create(settings_of(service), Order, order, QueryParams()))
    interruption: Any = caught.value
    assert interruption.lookup == {"external_reference_id": order.external_reference_id}
    assert f"orders().list(filter={interruption.lookup!r})" in interruption.__notes__[0]
    again = service.run(operations.create(settings_of(service), Order, order, QueryParams()))
    assert [again.data.id] == [one["id"] for one in service.records]


def test_ctrl_c_before_sending_mentions_no_order() -> None:
    """While waiting for the rate limit, no order can have been created."""
    service = FakeService()
    call = bought(settings_of(service, rate=1.0))
    effect = call.send(None)
    while not isinstance(effect, Acquire):
        effect = call.send(service.carry_out(effect))
    with pytest.raises(KeyboardInterrupt) as caught:
        call.throw(KeyboardInterrupt())
    assert not hasattr(caught.value, "outcome_unknown")
    assert not hasattr(caught.value, "__notes__")


def test_one_record_can_be_ordered_several_times() -> None:
    """Each order has its own marker; only after an unknown outcome is the earlier order looked up first."""
    service = FakeService()
    order = an_order()
    for _ in range(3):
        service.run(operations.create(settings_of(service), Order, order, QueryParams()))
    assert len({one["attributes"]["external_reference_id"] for one in service.records}) == 3
    service.results = [AttemptResult(0.1, "lost"), *[AttemptResult(0.1, 500)] * 3]
    with pytest.raises(ApiConnectionError, match="unknown whether"):
        service.run(operations.create(settings_of(service), Order, order, QueryParams()))
    service.results = []
    found = service.run(operations.create(settings_of(service), Order, order, QueryParams()))
    assert found.data.id == service.records[-1]["id"]
    assert len(service.records) == 4


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "replace": lambda order: order.__replace__(),
    **{f"pickle {protocol}": lambda order, n=protocol: pickle.loads(pickle.dumps(order, n)) for protocol in range(6)},
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_copied_order_keeps_its_outcome(copied: Any) -> None:
    """A used marker is replaced in a copy too; after an unknown outcome, the copy looks for the order first."""
    service = FakeService()
    order = an_order()
    for _ in range(2):
        service.run(operations.create(settings_of(service), Order, order, QueryParams()))
        order = copied(order)
    assert len({one["attributes"]["external_reference_id"] for one in service.records}) == 2
    service.results = [AttemptResult(0.1, "interrupted")]
    with pytest.raises(KeyboardInterrupt):
        service.run(operations.create(settings_of(service), Order, order, QueryParams()))
    found = service.run(operations.create(settings_of(service), Order, copied(order), QueryParams()))
    assert found.data.id == service.records[-1]["id"]
    assert len(service.records) == 3
    assert copied(an_order(external_reference_id="PO-1")).external_reference_id == "PO-1"


def test_restarted_program_orders_once() -> None:
    """With `once`, an existing order with the caller's reference is returned instead of placing another."""
    service = FakeService()
    references = [f"PO-{number}" for number in range(6)]
    for reference in references[:4]:
        service.run(bought(settings_of(service), external_reference_id=reference))
    first = [one["id"] for one in service.records]
    orders = [
        service.run(bought(settings_of(service), once=True, external_reference_id=reference)).data
        for reference in references
    ]
    assert [order.id for order in orders[:4]] == first
    assert [one["attributes"]["external_reference_id"] for one in service.records] == references


RETURNING = ("except StopIteration", "return cast", "for work in started")


def test_ctrl_c_at_any_driver_line_keeps_the_reference() -> None:
    """An interrupted caller always has the order or its reference, and orders once in the end.

    Only the final return, after the response was evaluated, cannot be told from the caller's
    next line.
    """
    codes = {Driver.run.__code__, Driver._advance.__code__}
    for number in itertools.count():
        service, lines, line = FakeService(), itertools.count(), ""

        def interrupt(frame: Any, event: str, _: Any, lines: Any = lines, number: int = number) -> Any:
            if frame.f_code not in codes:
                return None
            if event == "line" and next(lines) == number:
                sys.settrace(None)
                nonlocal line
                line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
                raise KeyboardInterrupt
            return functools.partial(interrupt, lines=lines, number=number)

        driver = Driver(object())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] never asked
        for effect in (Now, Sleep, Send):
            driver._handlers[effect] = service.carry_out
        order, error = an_order(), None
        call = operations.create(settings_of(service), Order, order, QueryParams())
        with_trace = sys.gettrace()
        sys.settrace(interrupt)
        try:
            driver.run(call)
        except KeyboardInterrupt as caught:
            error = caught
        finally:
            sys.settrace(with_trace)
        if error is None:
            assert number > 50
            return
        assert all(one["attributes"]["external_reference_id"] == order.external_reference_id for one in service.records)
        if service.records and not (line.startswith(RETURNING) and not hasattr(error, "lookup")):
            assert error.lookup == {"external_reference_id": order.external_reference_id}  # type: ignore[attr-defined]
            driver.run(operations.create(settings_of(service), Order, order, QueryParams()))
            assert len(service.records) == 1


def test_same_reference_used_concurrently_is_one_order() -> None:
    """In a list, a CSV file with a duplicate line, and in threads, every caller gets the one order."""
    with Emulator() as emulator:
        client = emulator.client(on_request=lambda _: sleep(0.001))
        sku = client.did_groups().first(filter={"is_available": True}, include="stock_keeping_units")
        assert sku is not None
        item = DidOrderItem(sku_id=sku.stock_keeping_units[0].id, qty=1)
        orders = [Order(items=[item], external_reference_id=reference) for reference in ["PO-1", "PO-2"] * 6]
        report = client.orders().create_many([*orders, orders[0]], once=True, concurrency=8)
        assert report.complete
        assert len({order.id for order in report.data if order is not None}) == 2
        assert client.orders().count() == 2
        assert client._configuration.in_progress == {}


def test_waiting_for_a_concurrent_create_respects_the_timeout() -> None:
    """The other call may hang; this one has sent nothing."""
    service = FakeService()
    configuration = settings_of(service, timeout=5)
    configuration.in_progress["orders", "external_reference_id", "PO-1"] = object()
    with pytest.raises(ApiTimeoutError, match="another call of this client is creating the Order") as caught:
        service.run(bought(configuration, once=True, external_reference_id="PO-1"))
    assert (service.sent, caught.value.request_sent, caught.value.outcome_unknown) == ([], False, False)


def test_once_requires_a_unique_reference() -> None:
    """Without a reference there is nothing to look for; with several matching orders, none is chosen."""
    service = FakeService()
    with pytest.raises(
        InvalidValueError, match="once must be used with a record of orders that has external_reference_id"
    ):
        service.run(bought(settings_of(service), once=True))
    assert service.sent == []
    for _ in range(2):
        service.run(bought(settings_of(service), external_reference_id="PO-1"))
    with pytest.raises(NotExactlyOneError, match="2 records of orders already have external_reference_id 'PO-1'"):
        service.run(bought(settings_of(service), once=True, external_reference_id="PO-1"))
    assert len(service.records) == 2


@pytest.mark.parametrize("cls", [VoiceInTrunk, VoiceInTrunkGroup, SharedCapacityGroup])
def test_free_resources_get_no_marker(cls: Any) -> None:
    """A trunk or group whose response was lost is found by its unique name."""
    service = FakeService(AttemptResult(0.1, "lost"))
    record = cls(name="Main")
    call = operations.create(settings_of(service), cls, record, QueryParams())
    if cls is SharedCapacityGroup:
        record.capacity_pool = CapacityPool.build(ID)
    if cls is VoiceInTrunk:
        record.configuration = SipConfiguration(host="sip.example.com", codec_ids=[Codec.PCMU])
    created = service.run(call).data
    assert created.id == service.records[0]["id"]
    assert "external_reference_id" not in service.records[0]["attributes"]
    assert record.external_reference_id is None


def test_lost_reservation_is_found_by_its_number() -> None:
    """Its description may not be unique; nothing is written into it."""
    service = FakeService()
    others = AvailableDid.build("00000000-0000-4000-8000-000000000002")
    settings = settings_of(service)
    note = "for the front desk"
    first = DidReservation(available_did=others, description=note)
    service.run(operations.create(settings, DidReservation, first, QueryParams()))
    service.results = [AttemptResult(0.1, "lost")]
    wanted = DidReservation(available_did=AvailableDid.build(ID), description=note)
    found = service.run(operations.create(settings, DidReservation, wanted, QueryParams())).data
    assert found.available_did.id == ID
    again = service.run(operations.create(settings, DidReservation, wanted, QueryParams(), once=True)).data
    assert again.id == found.id
    assert [one["attributes"]["description"] for one in service.records] == [note, note]


def test_once_scans_all_records_where_no_filter_works() -> None:
    """This applies to trunk group names, and to a reference with a comma, which a filter would split."""
    with Emulator() as emulator:
        client = emulator.client()
        names = [f"Group {number}" for number in range(120)]
        groups = [VoiceInTrunkGroup(name=name) for name in names]
        for report in (client.voice_in_trunk_groups().create_many(groups, once=True) for _ in range(2)):
            assert report.complete
        assert client.voice_in_trunk_groups().count() == 120


def test_threads_sharing_a_record_place_one_order_each() -> None:
    """Each order has its own reference, whichever thread writes to the record last."""
    service, settings = FakeService(), settings_of(FakeService())
    order = an_order()
    first, second = (operations.create(settings, Order, order, QueryParams()) for _ in range(2))
    effect = first.send(None)  # it has its marker, and nothing was sent
    service.run(second)
    while not isinstance(effect, Send):
        effect = first.send(service.carry_out(effect))
    with pytest.raises(StopIteration) as ended:
        while True:
            effect = first.send(service.carry_out(effect))
    references = [one["attributes"]["external_reference_id"] for one in service.records]
    assert len(set(references)) == 2
    assert ended.value.value.data.external_reference_id in references


def test_permits_are_granted_evenly_and_in_order() -> None:
    """Permits respect the rate, allow a burst after a pause, and are denied when late or while the service is busy."""
    now = [100.0]
    limiter = RateLimiter(10 * MARGIN, clock=lambda: now[0])
    assert [round(limiter.acquire(9).wait, 6) for _ in range(3)] == [0.0, 0.1, 0.2]
    assert limiter.acquire(0.2) == pytest.approx((0.3, False))
    assert limiter.acquire(0.4) == pytest.approx((0.3, True))
    now[0] += 60
    burst = RateLimiter(10 * MARGIN, burst=3, clock=lambda: now[0])
    assert [round(burst.acquire(9).wait, 6) for _ in range(5)] == [0.0, 0.0, 0.0, 0.1, 0.2]
    now[0] += 60
    burst.slow_down(5)
    assert 5 <= burst.acquire(9).wait <= 5.2


def test_pauses_double_up_to_a_limit() -> None:
    """They are random up to half a second, one, two, four, eight, and longer only if the server says so."""
    assert [pause(n, None, lambda: 1.0) for n in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert pause(3, None, lambda: 0.0) == 0.0
    assert 30 <= pause(1, 30.0, random.random) <= 30.5
