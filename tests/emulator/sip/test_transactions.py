"""Test transactions: when they repeat, what they absorb, and that each of them ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww.emulator.sip.transactions import ClientTransaction, Kind, Responded, ServerTransaction

KINDS: list[Kind] = ["invite", "other"]


def run_out(transaction: ClientTransaction | ServerTransaction) -> list[float]:
    """Return when a transaction sends until it ends."""
    times = [0.0] * transaction.take()
    while (at := transaction.next_due()) is not None:
        transaction.due(at)
        times += [at] * transaction.take()
    return times


def test_invite_is_repeated_with_doubling_intervals():
    transaction = ClientTransaction("invite", 0.0, reliable=False)
    assert run_out(transaction) == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert (transaction.timed_out, transaction.terminated) == (True, True)


def test_other_requests_are_repeated_at_most_every_four_seconds():
    transaction = ClientTransaction("other", 0.0, reliable=False)
    assert run_out(transaction) == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert transaction.timed_out


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_repeated_over_reliable_transports(kind: Kind):
    transaction = ClientTransaction(kind, 0.0, reliable=True)
    assert run_out(transaction) == [0]
    assert transaction.timed_out


def test_ringing_has_no_timeout():
    transaction = ClientTransaction("invite", 0.0, reliable=False)
    assert transaction.receive(180, 1.0)
    assert transaction.next_due() is None


def test_refusal_is_delivered_once_and_acknowledged_each_time():
    transaction = ClientTransaction("invite", 0.0, reliable=False)
    assert [transaction.receive(486, 1.0), transaction.receive(486, 1.5), transaction.receive(486, 2.5)] == [
        True,
        False,
        False,
    ]
    assert transaction.take_acks() == 3
    transaction.due(33.0)
    assert transaction.terminated


def test_every_answer_is_delivered_while_it_may_be_repeated():
    """Forks answer, too (RFC 6026)."""
    transaction = ClientTransaction("invite", 0.0, reliable=False)
    assert transaction.receive(200, 1.0)
    assert transaction.receive(200, 2.0)
    assert not transaction.receive(180, 2.5)
    transaction.due(33.0)
    assert transaction.terminated
    assert not transaction.receive(200, 34.0)


def test_answer_after_timer_b_is_delivered():
    transaction = ClientTransaction("invite", 0.0, reliable=False, timeout=4.0)
    transaction.due(4.0)
    assert (transaction.state, transaction.timed_out) == ("expired", True)
    assert transaction.receive(200, 5.0)


@pytest.mark.parametrize(("kind", "reliable"), [("answer", False), ("answer", True), ("refusal", False)])
def test_response_to_invite_is_repeated_until_the_ack(kind: Responded, reliable: bool):
    transaction = ServerTransaction(kind, 0.0, reliable=reliable)
    transaction.take()
    transaction.due(0.5)
    assert transaction.take() == 1
    transaction.repeated(0.6)
    assert transaction.take() == 1
    transaction.acknowledged(0.7)
    assert run_out(transaction) == []
    assert not transaction.timed_out


@pytest.mark.parametrize(("kind", "repeats"), [("answer", 10), ("refusal", 0)])
def test_missing_ack_is_noticed(kind: Responded, repeats: int):
    transaction = ServerTransaction(kind, 0.0, reliable=True)
    assert len(run_out(transaction)) == 1 + repeats
    assert transaction.timed_out


def test_repeated_request_is_responded_again():
    transaction = ServerTransaction("other", 0.0, reliable=False)
    assert transaction.take() == 1
    transaction.repeated(1.0)
    assert transaction.take() == 1
    transaction.due(32.0)
    assert transaction.terminated


@given(
    kind=st.sampled_from(KINDS),
    reliable=st.booleans(),
    responses=st.lists(st.tuples(st.floats(0, 100), st.sampled_from([100, 180, 200, 302, 486, 603])), max_size=30),
)
def test_client_transactions_end(kind: Kind, reliable: bool, responses: list[tuple[float, int]]):
    """After a final response, or without any, each ends within 64 seconds, having sent a bounded number of times."""
    transaction = ClientTransaction(kind, 0.0, reliable=reliable)
    sent = transaction.take()
    acks = finals = 0
    for at, code in sorted(responses):
        while (due := transaction.next_due()) is not None and due <= at:
            transaction.due(due)
            sent += transaction.take()
        transaction.receive(code, at)
        finals += code >= 300
        acks += transaction.take_acks()
    last = 100.0
    while (due := transaction.next_due()) is not None:
        transaction.due(due)
        sent += transaction.take()
        last = max(last, due)
    assert transaction.terminated or (kind == "invite" and transaction.state == "proceeding")
    assert last <= 164
    assert sent <= 11
    assert acks <= finals
