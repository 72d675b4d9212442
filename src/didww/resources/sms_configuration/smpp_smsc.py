"""Text messages over SMPP, with your system as the server (SMSC)."""

from __future__ import annotations

from didww._schema.fields import writable
from didww._schema.rules import Equal
from didww.resources.sms_configuration.base import SmsTrunkConfiguration


class SmppSmscConfiguration(
    SmsTrunkConfiguration,
    type="smpp_smsc",
    rules=(Equal(("tx_port", "rx_port"), "transceiver_mode", (True,)),),
):
    """Lets DIDWW connect to your SMPP server (SMSC), to send and receive text messages.

    Source: tests/contract/facts_2026_11_19/sms_trunks.yaml.
    """

    host: str = writable("Host name or IP address of your SMPP server.", required=True)
    tx_port: int = writable(
        "Port for outbound messages (transmitter). Defaults to 2775. Must equal `rx_port` with `transceiver_mode`.",
        default=2775,
    )
    rx_port: int = writable(
        "Port for inbound messages (receiver). Defaults to 2776. Must equal `tx_port` with `transceiver_mode`.",
        default=2776,
    )
    transceiver_mode: bool = writable("Whether to use one connection for both directions (transceiver).")
    connection_timeout: int = writable("Connection timeout in seconds.")
    use_ssl: bool = writable("Whether to connect with TLS.")
    system_id: str = writable(
        "SMPP system ID for your server, at most 15 characters.", required=True, max_length=15, secret=True
    )
    system_type: str | None = writable("SMPP system type, at most 12 characters, or None if not set.", max_length=12)
    password: str = writable(
        "SMPP password for your server, at most 8 characters.", required=True, max_length=8, secret=True
    )
    server_location: str = writable(
        "Location of DIDWW that connects, such as `fra` or `nyc`. The locations depend on the environment.",
        required=True,
    )
