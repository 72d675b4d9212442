"""The registrar: digest, contacts, expiry, bounds; laws against a simple model."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from didww.emulator.sip.bindings import MAX_CONTACTS, Refusal, read_contacts
from didww.emulator.sip.guesses import MAX_GUESSES
from didww.emulator.sip.messages import parse
from didww.emulator.sip.model import Target
from didww.emulator.sip.nonces import NONCE_LIFETIME, read_answer
from didww.emulator.sip.registrar import Registrar, refuse_busy
from support.sip_phone import Phone, answer, request

if TYPE_CHECKING:
    from collections.abc import Callable

TRUNKS = {"alice": ("trunk-1", "secret-1"), "bob": ("trunk-2", "secret-2")}
SOURCE = Target("udp", "192.0.2.1", 5070)


def tokens() -> Callable[[int], str]:
    """Return a function that makes tokens, each another one."""
    numbers = itertools.count(1)

    def token(length: int) -> str:
        return f"{next(numbers):0{length}d}"

    return token


@pytest.fixture
def registrar() -> Registrar:
    return new()


def new(trunks: dict[str, tuple[str, str]] = TRUNKS) -> Registrar:
    return Registrar(trunks.get, tokens())


def uris(registrar: Registrar, now: float = 0.0, trunk: str = "trunk-1") -> list[str]:
    return [one.uri for one in registrar.contacts(trunk, now)]


def test_only_algorithms_of_the_challenge_are_accepted(registrar: Registrar) -> None:
    """Not a weaker one that the phone chose."""
    registrar.challenge_with("SHA-256")
    challenge = Phone(registrar).send().get_header("WWW-Authenticate") or ""
    weaker = answer(challenge.replace("SHA-256", "MD5"), "alice", "secret-1")
    assert Phone(registrar).send("Contact: <sip:a@10.0.0.1>", weaker).status_code in (401, 403)
    assert uris(registrar) == []


def test_extensions_that_are_required_are_refused(registrar: Registrar) -> None:
    """None is known (RFC 3261, section 10.3)."""
    response = Phone(registrar).send("Require: path, gruu")
    assert (response.status_code, response.get_header_values("Unsupported")) == (420, ["path", "gruu"])


def test_a_display_name_is_not_the_user(registrar: Registrar) -> None:
    """Whatever it contains."""
    data = request(to_tag="").replace(b"To: <", b'To: "sip:nobody@example.com" <')
    (sent,) = registrar.receive(parse(data), Target("udp", "192.0.2.1", 5070), 0.0)
    challenge = parse(sent.data).get_header("WWW-Authenticate") or ""
    data = request("REGISTER", "Contact: <sip:a@10.0.0.1>", answer(challenge, "alice", "secret-1"))
    data = data.replace(b"To: <", b'To: "sip:nobody@example.com" <')
    (sent,) = registrar.receive(parse(data), Target("udp", "192.0.2.1", 5070), 0.0)
    assert sent.data.startswith(b"SIP/2.0 200 OK")


def test_phone_registers(registrar: Registrar) -> None:
    """A phone is challenged, answers, and calls go back to where it registered from, not to its contact."""
    phone = Phone(registrar, source=Target("tcp", "198.51.100.7", 40_001))
    challenged = phone.send("Contact: <sip:alice@10.0.0.5:5060>")
    assert challenged.status_code == 401
    assert challenged.get_header_values("WWW-Authenticate")[0].startswith('Digest realm="sip.didww.com", nonce="')
    response = phone.register("Contact: <sip:alice@10.0.0.5:5060>;expires=120")
    assert response.status_code == 200
    assert response.get_header_values("Contact") == ["<sip:alice@10.0.0.5:5060>;expires=120"]
    assert registrar.contacts("trunk-1", 20.0) == [("sip:alice@10.0.0.5:5060", phone.source, 100.0)]
    assert uris(registrar, 120.0) == []
    assert not registrar.registrations(120.0)


@pytest.mark.parametrize("algorithms", [("MD5",), ("SHA-256",), ("SHA-256", "MD5"), ("MD5", "SHA-256")])
@pytest.mark.parametrize("qop", [True, False])
def test_algorithms(registrar: Registrar, algorithms: tuple[str, ...], qop: bool) -> None:
    """Each algorithm of the challenge is accepted, with qop and as old phones answer."""
    registrar.challenge_with(*algorithms)
    offered = Phone(registrar).send().get_header_values("WWW-Authenticate")
    assert len(offered) == len(algorithms)
    for challenge in offered:
        if not qop and "SHA-256" in challenge:
            continue  # without qop there was only MD5
        # A nonce of its own: without qop, it can be used once.
        own = next(
            one for one in Phone(registrar).send().get_header_values("WWW-Authenticate")
            if ("SHA-256" in one) == ("SHA-256" in challenge)
        )  # fmt: skip
        phone = Phone(registrar)
        assert phone.send("Contact: <sip:a@10.0.0.1>", answer(own, "alice", "secret-1", qop=qop)).status_code == 200
        phone.send("Contact: *", "Expires: 0")
        registrar.forget()


def test_wrong_password(registrar: Registrar) -> None:
    """The first wrong password is asked for again, the second refused; after ten, none is checked for a minute."""
    guesser = Phone(registrar, password="guess")
    challenge = guesser.send().get_header("WWW-Authenticate") or ""
    codes = [guesser.send(answer(challenge, "alice", f"guess-{n}")).status_code for n in range(MAX_GUESSES)]
    assert codes == [401] + [403] * (MAX_GUESSES - 1)
    right = answer(challenge, "alice", "secret-1")
    blocked = guesser.send("Contact: <sip:a@10.0.0.1>", right)
    assert (blocked.status_code, blocked.get_header("Retry-After")) == (403, "60")
    assert uris(registrar) == []
    other = Phone(registrar, source=SOURCE._replace(host="192.0.2.2"))
    assert other.register("Contact: <sip:a@10.0.0.1>").status_code == 200
    assert guesser.send("Contact: <sip:a@10.0.0.2>", right, now=60.0).status_code == 200


def test_replay_and_guess_do_not_mix(registrar: Registrar) -> None:
    """A recorded answer does not give a guesser more guesses."""
    phone = Phone(registrar)
    challenge = phone.send().get_header("WWW-Authenticate") or ""
    recorded = answer(challenge, "alice", "secret-1")
    assert phone.send(recorded).status_code == 200
    codes: list[int] = []
    for n in range(MAX_GUESSES + 1):
        codes.append(phone.send(answer(challenge, "alice", f"guess-{n}", count=n + 2)).status_code)
        phone.send(recorded)
    assert codes[-1] == 403
    assert phone.send().get_header("Retry-After")


def test_unknown_user(registrar: Registrar) -> None:
    """A user name that no trunk has is refused, and so is the contact of another user."""
    response = Phone(registrar, "carol", "secret-1").register("Contact: <sip:c@10.0.0.1>")
    assert response.status_code == 403
    assert "user name" in (response.get_header("Warning") or "")
    bob = Phone(registrar, "bob", "secret-2")
    challenge = bob.send().get_header("WWW-Authenticate") or ""
    bob.user = "alice"
    assert bob.send("Contact: <sip:b@10.0.0.1>", answer(challenge, "bob", "secret-2")).status_code == 403
    assert uris(registrar) == []


def test_nonces(registrar: Registrar) -> None:
    """A nonce may be used with a higher count only, and not for ever; then the phone is asked with `stale`."""
    phone = Phone(registrar)
    challenge = phone.send().get_header("WWW-Authenticate") or ""
    counts = [(1, 200), (1, 401), (2, 200), (7, 200), (5, 401), (7, 401), (8, 200)]
    for count, code in counts:
        response = phone.send(answer(challenge, "alice", "secret-1", count=count), now=1.0)
        assert response.status_code == code, count
        if code == 401:
            assert "stale=true" in (response.get_header("WWW-Authenticate") or "")
    late = phone.send(answer(challenge, "alice", "secret-1", count=9), now=NONCE_LIFETIME + 1)
    assert late.status_code == 401
    fresh = late.get_header("WWW-Authenticate") or ""
    assert "stale=true" in fresh
    assert phone.send(answer(fresh, "alice", "secret-1"), now=NONCE_LIFETIME + 1).status_code == 200
    forged = challenge.replace('nonce="', 'nonce="f')
    assert phone.send(answer(forged, "alice", "secret-1"), now=1.0).status_code == 401
    wrong = phone.send(answer(forged, "alice", "other"), now=1.0).get_header("WWW-Authenticate") or ""
    assert "stale" not in wrong


def test_request_that_comes_again(registrar: Registrar) -> None:
    """Over UDP a lost response is sent again, with the same bytes; it is no replay."""
    phone = Phone(registrar)
    challenge = phone.send().get_header("WWW-Authenticate") or ""
    data = request("REGISTER", "Contact: <sip:a@10.0.0.1>", answer(challenge, "alice", "secret-1"), cseq=9)
    first = registrar.receive(parse(data), SOURCE, 0.0)
    assert b" 200 OK" in first[0].data
    assert registrar.receive(parse(data), SOURCE, 10.0) == first
    assert b" 401 " in registrar.receive(parse(data), SOURCE._replace(port=9), 10.0)[0].data
    assert b" 401 " in registrar.receive(parse(data), SOURCE, 33.0)[0].data


@pytest.mark.parametrize(
    ("headers", "code", "expected"),
    [
        (["Contact: <sip:a@10.0.0.1>"], 200, 3600),
        (["Contact: <sip:a@10.0.0.1>", "Expires: 300"], 200, 300),
        (["Contact: <sip:a@10.0.0.1>;expires=90", "Expires: 300"], 200, 90),
        (["Contact: sip:a@10.0.0.1;expires=90"], 200, 90),
        (["Contact: <sip:a@10.0.0.1>;expires=99999"], 200, 3600),
        (["Contact: <sip:a@10.0.0.1>;expires=soon"], 200, 3600),
        (["Contact: <sip:a@10.0.0.1>;expires=60"], 200, 60),
        (["Contact: <sip:a@10.0.0.1>;expires=59"], 423, None),
        (["Contact: <sip:a@10.0.0.1>", "Expires: 1"], 423, None),
        (["Contact: <sip:a@10.0.0.1>", "Expires: 0"], 200, None),
        (["Contact: <tel:442079460001>"], 400, None),
        (["Contact: *"], 400, None),
        (["Contact: *", "Contact: <sip:a@10.0.0.1>", "Expires: 0"], 400, None),
        (["Contact: *", "Expires: 0"], 200, None),
        ([f"Contact: <sip:a@10.0.0.1;x={'x' * 600}>"], 400, None),
        ([f"Contact: <sip:a{n}@10.0.0.1>" for n in range(11)], 400, None),
        ([], 200, None),
    ],
)
def test_expiry(registrar: Registrar, headers: list[str], code: int, expected: int | None) -> None:
    """Expiry is that of the contact, else of the request, else an hour; at least a minute."""
    response = Phone(registrar).register(*headers)
    assert response.status_code == code
    assert (response.get_header("Min-Expires") == "60") == (code == 423)
    assert [one.expires_in for one in registrar.contacts("trunk-1", 0.0)] == ([] if expected is None else [expected])


def test_several_contacts(registrar: Registrar) -> None:
    """Ten contacts, the preferred ones first; the eleventh is refused, and a known device takes its own place."""
    phone = Phone(registrar)
    for n in range(MAX_CONTACTS):
        assert phone.register(f"Contact: <sip:a{n}@10.0.0.1>;q=0.{n};+sip.instance=<urn:{n}>").status_code == 200
    refused = phone.register("Contact: <sip:new@10.0.0.1>")
    assert refused.status_code == 403
    assert "10 contacts" in (refused.get_header("Warning") or "")
    assert uris(registrar) == [f"sip:a{n}@10.0.0.1" for n in reversed(range(MAX_CONTACTS))]
    moved = phone.register('Contact: <sip:moved@10.0.0.9>;q=1;+sip.instance="<urn:3>"')
    assert moved.status_code == 200
    assert uris(registrar)[0] == "sip:moved@10.0.0.9"
    assert "sip:a3@10.0.0.1" not in uris(registrar)
    assert len(moved.get_header_values("Contact")) == MAX_CONTACTS
    assert phone.register("Contact: *", "Expires: 0").status_code == 200
    assert uris(registrar) == []


def test_all_or_nothing(registrar: Registrar) -> None:
    """A request with a contact that cannot be registered changes none."""
    phone = Phone(registrar)
    assert phone.register("Contact: <sip:a@10.0.0.1>, <sip:b@10.0.0.1>;expires=5").status_code == 423
    assert uris(registrar) == []


def test_order_of_requests(registrar: Registrar) -> None:
    """An older request of a registration that comes late changes nothing; a new Call-ID starts over."""
    phone = Phone(registrar)
    assert phone.register("Contact: <sip:a@10.0.0.1>", cseq=50).status_code == 200
    assert phone.register("Contact: <sip:a@10.0.0.1>;expires=0", cseq=49).status_code == 500
    assert phone.register("Contact: *", "Expires: 0", cseq=50).status_code == 500
    assert uris(registrar) == ["sip:a@10.0.0.1"]
    phone.call_id = "after-restart"
    assert phone.register("Contact: <sip:a@10.0.0.1>;expires=0", cseq=1).status_code == 200
    assert uris(registrar) == []


def test_trunk_that_is_deleted() -> None:
    """Registrations of a trunk without registration are void, and so are those with former credentials."""
    trunks = dict(TRUNKS)
    registrar = new(trunks)
    Phone(registrar).register("Contact: <sip:a@10.0.0.1>")
    trunks["alicia"] = trunks.pop("alice")
    Phone(registrar, "alicia").register("Contact: <sip:b@10.0.0.1>")
    assert uris(registrar) == ["sip:b@10.0.0.1"]
    del trunks["alicia"]
    registrar.purge()
    assert not registrar.registrations(0.0)


@pytest.mark.parametrize(
    ("method", "to_tag", "code"),
    [("OPTIONS", "", 200), ("INVITE", "", 403), ("BYE", ";tag=7", 481), ("CANCEL", "", 481), ("PUBLISH", "", 405)],
)
def test_other_requests(registrar: Registrar, method: str, to_tag: str, code: int) -> None:
    """OPTIONS is answered; what belongs to no call or is not for a registrar is refused."""
    (sent,) = registrar.receive(parse(request(method, to_tag=to_tag)), SOURCE, 0.0)
    assert sent.data.startswith(f"SIP/2.0 {code} ".encode())
    assert (b"\r\nAllow: REGISTER, OPTIONS\r\n" in sent.data) == (code in (200, 405))
    assert registrar.receive(parse(request("ACK")), SOURCE, 0.0) == []


@pytest.mark.parametrize(
    ("via", "source", "shown"),
    [
        ("SIP/2.0/UDP 10.0.0.5:5062;rport", SOURCE, ";rport=5070"),
        ("SIP/2.0/UDP 10.0.0.5:5062", SOURCE, ";received=192.0.2.1"),
        ("SIP/2.0/UDP phone.example.com", SOURCE, ";received=192.0.2.1"),
        ("SIP/2.0/TCP 10.0.0.5:5062", SOURCE._replace(transport="tcp"), ";received=192.0.2.1"),
        ("SIP/2.0/UDP [2001:db8::1]:5062", Target("udp", "2001:db8::1", 7), "5062;branch"),
    ],
)
def test_way_back(registrar: Registrar, via: str, source: Target, shown: str) -> None:
    """The response goes to where the request came from, and its Via header says so."""
    (sent,) = registrar.receive(parse(request(via=via)), source, 0.0)
    assert sent.target == source
    assert shown.encode() in sent.data.split(b"\r\n")[1]


def test_memory_is_bounded(registrar: Registrar) -> None:
    """Many requests of many strangers leave little behind."""
    for n in range(3000):
        registrar.receive(parse(request(user=f"user-{n}")), SOURCE, n / 1000)
    assert len(registrar._answers) <= 1000
    assert not registrar._bindings
    assert not registrar._nonces._used


def test_secrets_stay_inside(registrar: Registrar) -> None:
    """No response and no repr has a password or a digest response."""
    phone = Phone(registrar)
    challenge = phone.send().get_header("WWW-Authenticate") or ""
    header = answer(challenge, "alice", "secret-1")
    phone.send("Contact: <sip:a@10.0.0.1>", header)
    digest = header.partition('response="')[2].partition('"')[0]
    seen = f"{phone.sent} {registrar!r} {registrar.registrations(0.0)} {registrar._nonces!r}"
    assert "secret-1" not in seen
    assert digest not in seen


@given(
    st.lists(st.text(max_size=60) | st.sampled_from(["*", "<sip:a@b>", "<sip:a@b>;expires=0", '"x" <sip:c>;q=2'])),
    st.none() | st.text(max_size=12),
)
def test_contacts_are_read_or_refused(values: list[str], expires: str | None) -> None:
    """Whatever the headers hold: changes within the bounds, or a refusal."""
    changes = read_contacts(values, expires)
    if isinstance(changes, list):
        assert len(changes) <= MAX_CONTACTS
        assert all(one.expires == 0 or 60 <= one.expires <= 3600 for one in changes)
        assert all(0 <= one.q <= 1 and "\n" not in one.uri for one in changes)
    else:
        assert changes is None or isinstance(changes, Refusal)


@given(st.text(max_size=200) | st.text('=", \\abcnonceuri', max_size=80).map(lambda text: f"Digest {text}"))
def test_any_authorization_is_read(header: str) -> None:
    """Whatever the header holds, reading it does not fail."""
    read_answer(header)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=4)), max_size=6), st.booleans())
def test_mangled_requests(changes: list[tuple[int, bytes]], authorized: bool) -> None:
    """A mangled request gets a response, or none; it never fails, and a contact needs a right answer."""
    registrar = new()
    challenge = Phone(registrar).send().get_header("WWW-Authenticate") or ""
    headers = ["Contact: <sip:a@10.0.0.1>;expires=60"]
    headers += [answer(challenge, "alice", "secret-1" if authorized else "guess")]
    data = bytearray(request("REGISTER", *headers))
    for place, put in changes:
        data[place : place + len(put)] = put
    try:
        message = parse(bytes(data))
    except ValueError:
        return
    for sent in registrar.receive(message, SOURCE, 0.0):
        assert parse(sent.data)
    assert authorized or not registrar.registrations(0.0)


class Registrations(RuleBasedStateMachine):
    """Register, remove and wait in any order: what is registered is what a dictionary with end times says."""

    def __init__(self) -> None:
        super().__init__()
        self.registrar = new()
        self.phones = {user: Phone(self.registrar, user, TRUNKS[user][1]) for user in TRUNKS}
        self.model: dict[str, dict[str, float]] = {"trunk-1": {}, "trunk-2": {}}
        self.now = 0.0

    def live(self, trunk: str) -> dict[str, float]:
        return {uri: end for uri, end in self.model[trunk].items() if end > self.now}

    @rule(
        user=st.sampled_from(sorted(TRUNKS)),
        numbers=st.sets(st.integers(0, 12), max_size=4),
        expires=st.integers(0, 4000),
    )
    def register(self, user: str, numbers: set[int], expires: int) -> None:
        """Register or remove some contacts."""
        trunk = TRUNKS[user][0]
        names = [f"sip:{user}@10.0.0.{n}" for n in sorted(numbers)]
        after = self.live(trunk)
        for name in names:
            after.pop(name, None)
            if expires:
                after[name] = self.now + min(expires, 3600)
        response = self.phones[user].register(
            *(f"Contact: <{name}>" for name in names), f"Expires: {expires}", now=self.now
        )
        if names and 0 < expires < 60:
            assert response.status_code == 423
        elif len(after) > MAX_CONTACTS and len(after) > len(self.live(trunk)):
            assert response.status_code == 403
        else:
            assert response.status_code == 200
            self.model[trunk] = after
            assert len(response.get_header_values("Contact")) == len(after)

    @rule(user=st.sampled_from(sorted(TRUNKS)))
    def remove_all(self, user: str) -> None:
        """Remove all contacts."""
        assert self.phones[user].register("Contact: *", "Expires: 0", now=self.now).status_code == 200
        self.model[TRUNKS[user][0]] = {}

    @rule(user=st.sampled_from(sorted(TRUNKS)))
    def guess(self, user: str) -> None:
        """A wrong password changes nothing."""
        guesser = Phone(self.registrar, user, "guess", SOURCE._replace(host="203.0.113.9"))
        assert guesser.register("Contact: *", "Expires: 0", now=self.now).status_code in (401, 403)

    @rule(seconds=st.integers(1, 2000))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.now += seconds

    @invariant()
    def same_as_model(self) -> None:
        """The registrar has what the model has."""
        for trunk in self.model:
            found = {one.uri: round(one.expires_in + self.now) for one in self.registrar.contacts(trunk, self.now)}
            assert found == {uri: round(end) for uri, end in self.live(trunk).items()}


TestRegistrations = Registrations.TestCase
TestRegistrations.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize(("method", "codes"), [("REGISTER", [503]), ("OPTIONS", [503]), ("ACK", [])])
def test_requests_without_room_are_refused(method: str, codes: list[int]) -> None:
    """A phone on a connection does not repeat its request, so it needs a response; an ACK has none."""
    sent = refuse_busy(parse(request(method)), SOURCE)
    responses = [parse(one.data) for one in sent]
    assert [one.status_code for one in responses] == codes
    assert all(one.get_header("Retry-After") == "5" for one in responses)
