"""Reports of placed calls: a table, the reasons, and ladders; what far ends send can do no harm in them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww.emulator.sip.ladder import MAX_ARROWS, MAX_PEERS, clip, make_ladder, to_mermaid, to_svg, to_text
from didww.emulator.sip.model import AttemptResult, Step
from didww.emulator.sip.report import RingReport, make_attempt
from didww.enums import DisconnectInitiator

START = datetime(2026, 11, 27, 14, tzinfo=UTC)
MAIN, BACKUP, THIRD = "udp:192.0.2.1:5060", "udp:192.0.2.2:5060", "tcp:192.0.2.3:5060"
HOSTILE = "</title><script>alert(1)</script>\x1b[2J\r\nBCC: \u202ex; end #1 -->\udcff"


def failover() -> list[AttemptResult]:
    """Return the attempts of a group: busy, silent, answered."""
    return [
        AttemptResult(
            number=1,
            trunk_id="t1",
            trunk="Main",
            destination="sip:442079460001@192.0.2.1:5060",
            ended=0.013,
            code=486,
            reason="Busy Here",
            initiator=DisconnectInitiator.DESTINATION,
            disconnect_code_id=1,
            why="486 is among the rerouting codes of trunk Main: trunk Backup is tried next.",
            target=MAIN,
            steps=[
                Step(0.0, True, "INVITE", MAIN),
                Step(0.004, False, "100 Trying", MAIN),
                Step(0.012, False, "486 Busy Here", MAIN),
                Step(0.013, True, "ACK", MAIN),
            ],
        ),
        AttemptResult(
            number=2,
            trunk_id="t2",
            trunk="Backup",
            destination="sip:442079460001@192.0.2.2:5060",
            started=0.013,
            ended=2.013,
            code=408,
            reason="Request Timeout",
            why="408 is among the rerouting codes of trunk Backup: trunk Third is tried next.",
            target=BACKUP,
            steps=[
                Step(0.013, True, "INVITE", BACKUP),
                Step(0.513, True, "INVITE", BACKUP, "retransmission"),
                Step(1.513, True, "INVITE", BACKUP, "retransmission"),
            ],
        ),
        AttemptResult(
            number=3,
            trunk_id="t3",
            trunk="Third",
            destination="sip:442079460001@192.0.2.3:5060",
            started=2.013,
            ringing=2.1,
            answered=4.1,
            ended=9.1,
            code=200,
            reason="Bye",
            initiator=DisconnectInitiator.ORIGINATION,
            why="The call was answered.",
            target=THIRD,
            steps=[
                Step(2.013, True, "INVITE", THIRD),
                Step(2.1, False, "180 Ringing", THIRD),
                Step(4.1, False, "200 OK", THIRD),
                Step(4.101, True, "ACK", THIRD),
                Step(9.1, True, "BYE", THIRD),
                Step(9.12, False, "200 OK", THIRD),
            ],
        ),
    ]


def report(attempts: list[AttemptResult], **changes: object) -> RingReport:
    fields = {
        "id": "1",
        "call_id": "0123456789abcdef",
        "number": "442079460001",
        "caller": "12025550123",
        "started_at": START,
        "answered": True,
        "duration": 5.0,
        "code": 200,
        "reason": "Bye",
        "group": "Failover",
        "attempts": tuple(make_attempt(attempt, START) for attempt in attempts),
        "notes": ("Trunk group Failover: Main, Backup, Third, by priority.",),
        "why": "The call was answered.",
    }
    return RingReport(**{**fields, **changes})


TABLE = """\
12025550123 to 442079460001, 2026-11-27 14:00:00 UTC: answered, 5.0 s

   Trunk   Destination                      Result               Ended by  Ringing  Talking
1  Main    sip:442079460001@192.0.2.1:5060  486 Busy Here        far end
2  Backup  sip:442079460001@192.0.2.2:5060  408 Request Timeout  emulator
3  Third   sip:442079460001@192.0.2.3:5060  200 Bye              caller      2.0 s    5.0 s

Trunk group Failover: Main, Backup, Third, by priority.
Attempt 1: 486 is among the rerouting codes of trunk Main: trunk Backup is tried next.
Attempt 2: 408 is among the rerouting codes of trunk Backup: trunk Third is tried next.
Attempt 3: The call was answered."""

LADDER = """\
Attempt 1: trunk Main, sip:442079460001@192.0.2.1:5060: 486 Busy Here

           emulator                                      udp:192.0.2.1:5060
   0.000 s |--- INVITE -------------------------------->|
   0.004 s |<------------------------------ 100 Trying -|
   0.012 s |<--------------------------- 486 Busy Here -|
   0.013 s |--- ACK ----------------------------------->|"""

MERMAID = """\
sequenceDiagram
    participant e as emulator
    participant p0 as udp:192.0.2.1:5060
    e->>p0: INVITE (0.000 s)
    p0-->>e: 100 Trying (0.004 s)
    p0-->>e: 486 Busy Here (0.012 s)
    e->>p0: ACK (0.013 s)"""


def test_report_is_a_readable_table() -> None:
    """A line for each attempt, then the reasons."""
    assert str(report(failover())) == TABLE


def test_table_fits_into_a_narrow_terminal() -> None:
    """The destinations get lines of their own, and the reasons are wrapped."""
    lines = report(failover()).to_text(72).splitlines()[1:]
    assert lines[:4] == [
        "",
        "   Trunk   Result               Ended by  Ringing  Talking",
        "1  Main    486 Busy Here        far end",
        "   sip:442079460001@192.0.2.1:5060",
    ]
    assert max(map(len, lines)) <= 72
    assert report(failover()).to_text(120) == TABLE


def test_call_without_attempts_says_how_it_ended() -> None:
    """There is no table, and the reason is the only line."""
    text = str(report([], answered=False, code=404, reason="Not Found", notes=(), why="The number has no route."))
    assert text.splitlines()[0].endswith("UTC: not answered, 404 Not Found")
    assert text.splitlines()[1:] == ["", "The number has no route."]


def test_ladders_are_text_and_mermaid() -> None:
    """The ladder of a call has those of its attempts."""
    whole = report(failover())
    assert whole.attempts[0].ladder() == LADDER
    assert whole.attempts[0].to_mermaid() == MERMAID
    assert LADDER in whole.ladder()
    assert "INVITE -------------------------------->|  (retransmission)" in whole.ladder()
    assert "    Note over e,p2: Attempt 2: trunk Backup" in whole.to_mermaid()
    assert whole.to_mermaid().count("participant") == 4


def test_times_are_offsets_and_moments() -> None:
    """Both are of the emulator's clock; an attempt in progress has no end, no code and nobody who ended it."""
    last = failover()[2]
    attempt = make_attempt(last, START)
    assert (attempt.ringing, attempt.ringing_duration, attempt.duration) == (2.1, 2.0, 5.0)
    assert attempt.ended_at == START.replace(second=9, microsecond=100000)
    assert attempt.result == "200 Bye"
    talking = make_attempt(last, START, ended=False)
    assert (talking.ended, talking.ended_at, talking.code, talking.ended_by) == (None, None, 0, None)
    assert talking.result == "talking"
    running = report([], state="in progress", answered=False, why="")
    running = msgspec.structs.replace(running, attempts=(talking,))
    assert running.result == "talking, trunk Third"


def test_report_is_json_and_can_be_read_back() -> None:
    """The control API sends it, the command reads it."""
    whole = report(failover())
    content = msgspec.json.encode(whole)
    assert msgspec.json.decode(content, type=RingReport) == whole
    assert b'"ended_by":"far end"' in content
    assert msgspec.json.schema(RingReport)


def hostile() -> RingReport:
    """Return a report in which all text of the network is hostile."""
    attempt = failover()[0]
    for name in ("trunk", "destination", "reason", "why", "target", "sip_call_id", "user_agent"):
        setattr(attempt, name, HOSTILE)
    attempt.steps = [Step(0.0, False, f"200 {HOSTILE}", HOSTILE, HOSTILE, HOSTILE)]
    return report([attempt], number=HOSTILE, caller=HOSTILE, caller_name=HOSTILE, notes=(HOSTILE,), why=HOSTILE)


def test_hostile_text_cannot_leave_its_place() -> None:
    """Terminals get no control characters, HTML and SVG no elements, mermaid no statements, JSON no surrogates."""
    whole = hostile()
    for text in (str(whole), whole.ladder(), whole.to_mermaid(), whole.attempts[0].ladder()):
        assert all(character.isprintable() or character == "\n" for character in text)
        assert "BCC" not in {line.split(":")[0].strip() for line in text.splitlines()}
    for text in (whole.to_svg(), whole.to_svg(style=False), whole.attempts[0].to_svg(), whole._repr_html_()):
        assert "<script" not in text
    picture = ET.fromstring(whole.to_svg(style=False))
    assert {element.tag.rpartition("}")[2] for element in picture.iter()} <= {
        "svg", "title", "g", "line", "path", "text",
    }  # fmt: skip
    statements = whole.to_mermaid().splitlines()[1:]
    assert all(re.match(r"    (participant \w+ as|Note over [\w,]+:|e->>p\d:|p\d-->>e:) ", line) for line in statements)
    assert all(";" not in re.sub(r"#\d+;", "", line) and "<" not in line for line in statements)
    msgspec.json.encode(whole.attempts)


def test_ladders_are_bounded() -> None:
    """Thousands of messages from many addresses make a picture of bounded size."""
    steps = [Step(float(n), False, "1" * 10_000, f"udp:192.0.2.{n % 250}:{n}", "n" * 10_000) for n in range(5000)]
    attempt = failover()[0]
    attempt.steps = steps
    attempt.user_agent = "a" * 100_000
    whole = make_attempt(attempt, START)
    assert len(whole.user_agent) <= 300
    ladder = make_ladder("", [("", steps)])
    assert len(ladder.peers) == MAX_PEERS + 1
    assert len(ladder.rows) == MAX_ARROWS + 1
    assert "4800 more messages" in to_text(ladder)
    for text in (to_text(ladder), to_mermaid(ladder), to_svg(ladder)):
        assert len(text) < 200_000


@given(st.text(), st.text(), st.text(), st.booleans())
def test_any_text_makes_a_valid_picture(message: str, peer: str, note: str, sent: bool) -> None:
    """The SVG is well-formed, whatever was sent."""
    ladder = make_ladder(message, [(note, [Step(1.0, sent, message, peer, note)])])
    ET.fromstring(to_svg(ladder))
    assert "\n" not in to_mermaid(ladder).splitlines()[-1]


@pytest.mark.parametrize(("text", "most", "expected"), [("abc", 3, "abc"), ("abcd", 3, "..."), ("a\nb", 9, r"a\nb")])
def test_clip_bounds_and_escapes(text: str, most: int, expected: str) -> None:
    """Long text ends in dots."""
    assert clip(text, most) == expected
