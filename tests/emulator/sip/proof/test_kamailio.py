"""Calls through kamailio, a proxy with Record-Route and 407, to SIPp."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.servers import certificate
from support.sip_line import Line, of_records, of_report
from support.sip_programs import kamailio

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sip_programs import Sipp, Transport

pytestmark = pytest.mark.slow
AUTH = {"auth_enabled": True, "auth_user": "trunk-user", "auth_password": "trunk-password"}


@pytest.mark.parametrize("challenge", [False, True], ids=["open", "407"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_calls_through_a_proxy(
    transport: Transport, challenge: bool, line: Line, sipp: Callable[..., Sipp], tmp_path: Path
) -> None:
    """ACK and BYE follow the Record-Route of the proxy, the digest answers its 407, over each transport."""
    certificate(tmp_path)
    pair = (tmp_path / "cert.pem", tmp_path / "key.pem")
    far_end = sipp("answers")
    with kamailio(tmp_path, far_end.port, certificate=pair, challenge=challenge) as ports:
        line.route(line.trunk("Proxy", ports[transport], transport=transport, **(AUTH if challenge else {})))
        report = line.ring()
    assert [(one.code, one.ended_by) for one in report.attempts] == [(200, "caller")], report.ladder()
    far_end.check()
    assert "Record-Route" in far_end.messages
    assert of_records(line.records()) == of_report(report)


def test_far_end_behind_a_proxy_hangs_up(line: Line, sipp: Callable[..., Sipp], tmp_path: Path) -> None:
    """A BYE that comes through the proxy ends the call."""
    far_end = sipp("hangs_up")
    with kamailio(tmp_path, far_end.port) as ports:
        line.route(line.trunk("Proxy", ports["udp"]))
        report = line.ring(duration=20)
    assert [(one.code, one.ended_by) for one in report.attempts] == [(200, "far end")], report.ladder()
    far_end.check()
    assert of_records(line.records()) == of_report(report)


def test_wrong_password_at_a_proxy(line: Line, sipp: Callable[..., Sipp], tmp_path: Path) -> None:
    """Kamailio asks again after a wrong password; the caller does not answer twice."""
    far_end = sipp("answers")
    with kamailio(tmp_path, far_end.port, challenge=True) as ports:
        line.route(line.trunk("Proxy", ports["udp"], **{**AUTH, "auth_password": "another-password"}))
        report = line.ring()
    assert [(one.code, one.ended_by) for one in report.attempts] == [(407, "far end")], report.ladder()
    assert of_records(line.records()) == of_report(report)
