"""A real phone registers at `didww emulator --sip`: baresip, over UDP, TCP and TLS."""

from __future__ import annotations

import re
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from didww import Codec, DidwwClient, SipConfiguration, VoiceInTrunk
from support.sip_programs import Baresip, Program, need, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.sip_programs import Transport

pytestmark = pytest.mark.slow


class Served:
    """A served emulator, with a trunk that a phone can register on."""

    def __init__(self, program: Program, base: str) -> None:
        self.program = program
        self.client = DidwwClient("local-key", base_url=base, max_retries=0)
        settings = SipConfiguration(enabled_sip_registration=True, codec_ids=[Codec.PCMU])
        trunk = self.client.voice_in_trunks().create(VoiceInTrunk(name="Desk phone", configuration=settings)).data
        assert isinstance(trunk.configuration, SipConfiguration)
        self.user = trunk.configuration.incoming_auth_username or ""
        self.password = trunk.configuration.incoming_auth_password or ""
        self._root = base.removesuffix("/v3")

    def get(self, place: str) -> str:
        """Return a page or a state of the emulator."""
        with urllib.request.urlopen(f"{self._root}/_emulator/{place}", timeout=30) as response:
            text: str = response.read().decode("utf-8")
        return text

    def port(self, transport: str) -> int:
        """Return where phones register, as the emulator says at its start."""
        found = re.search(rf"127\.0\.0\.1:(\d+) \({transport.upper()}\)", self.program.output)
        assert found is not None, self.program.output
        return int(found[1])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Run the command, with listeners on free ports."""
    need("baresip")
    options = ("--port", "0", "--sip", "--sip-tls", "--sip-port", "0")
    with Program(sys.executable, "-u", "-m", "didww", "emulator", *options, folder=tmp_path) as program:
        base = program.wait_for(r"listening on http://").rpartition(" ")[2].strip()
        program.wait_for(r"^Phones register at ")
        emulator = Served(program, base)
        yield emulator
        emulator.client.close()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_phone_registers_and_leaves(served: Served, tmp_path: Path, transport: Transport) -> None:
    """It is on the page with its program and transport; when it ends, it is gone. Its password is shown nowhere."""
    with Baresip(
        tmp_path / "phone", served.user, served.password, served.port(transport), transport=transport
    ) as phone:
        phone.event("REGISTER_OK")
        page = served.get("console/sip")
        for words in ("Desk phone", "baresip", f'data-label="Transport">{transport}<'):
            assert words in page
        shown = page + served.get("sip/show") + served.get("console/journal")
        assert '"expires_in":' in shown
    until(lambda: served.get("sip/registrations") == "[]", "the end of the registration")
    assert served.password not in shown + served.program.output


def test_phone_with_a_wrong_password(served: Served, tmp_path: Path) -> None:
    """It gets a refusal, and is not registered."""
    with Baresip(tmp_path / "phone", served.user, "guess", served.port("udp")) as phone:
        phone.event("REGISTER_FAIL")
    assert served.get("sip/registrations") == "[]"
