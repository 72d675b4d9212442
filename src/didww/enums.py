"""The enumerated values of the DIDWW API, as open enums.

An open enum is an `enum.StrEnum` or `enum.IntEnum` that accepts unknown values: a value outside the list becomes an
object of the same class instead of an error. DIDWW adds values without a new API version, and some responses contain
spellings of older versions (`"Personal"`, `"POST"`). Such values are kept unchanged, so sending them back changes
nothing. Requests always contain the raw value.

    >>> OrderStatus("pending")
    <OrderStatus.PENDING: 'pending'>
    >>> OrderStatus("frozen")
    <OrderStatus 'frozen' (unknown)>
    >>> OrderStatus("frozen") == "frozen", OrderStatus("frozen").is_known, "frozen" in OrderStatus
    (True, False, False)
"""

from __future__ import annotations

import enum

# Not imported from `typing`, which takes longer than all classes below; type checkers know the name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from didww.version import ApiVersion

    E = TypeVar("E", bound=enum.Enum)
    C = TypeVar("C", bound=type["_OpenEnum"])

__all__ = [
    "AddressVerificationStatus",
    "AreaLevel",
    "CallStatus",
    "CallbackMethod",
    "CliFormat",
    "Codec",
    "DefaultDstAction",
    "DidHistoryAction",
    "DidHistoryMethod",
    "DisconnectInitiator",
    "DiversionInjectMode",
    "DiversionRelayPolicy",
    "EmergencyCallingServiceStatus",
    "EmergencyVerificationStatus",
    "ExportStatus",
    "ExportType",
    "Feature",
    "IdentityType",
    "MandatoryField",
    "MediaEncryptionMode",
    "NetworkProtocolPriority",
    "NumberType",
    "OnCliMismatchAction",
    "OpenIntEnum",
    "OpenStrEnum",
    "OrderStatus",
    "PopCode",
    "ProofEntityType",
    "ReroutingDisconnectCode",
    "RxDtmfFormat",
    "SenderIdVerificationStatus",
    "SenderType",
    "SmsBodyType",
    "SmsHttpMethod",
    "SstRefreshMethod",
    "StirShakenMode",
    "TransportProtocol",
    "TxDtmfFormat",
    "VoiceOutPriceCategory",
    "VoiceOutTrunkStatus",
    "enum_value",
    "enum_value_list",
    "to_enum",
    "to_enum_list",
]


def enum_value(value: object) -> object:
    """Return the raw value of an enum member; return any other value unchanged.

    >>> enum_value(Codec.PCMU), enum_value("pending"), enum_value(None)
    (9, 'pending', None)
    """
    return value.value if isinstance(value, enum.Enum) else value


def enum_value_list(values: Iterable[object] | None) -> list[object] | None:
    """Return the raw value of each item, or None for None."""
    return None if values is None else [enum_value(value) for value in values]


def to_enum(enum_class: type[E], value: object) -> E | None:
    """Return the member of an enum class for a raw value or a member, or None for None.

    An unknown text or number becomes an object of the class whose `is_known` is False.

    >>> to_enum(OrderStatus, "pending"), to_enum(OrderStatus, "frozen"), to_enum(OrderStatus, None)
    (<OrderStatus.PENDING: 'pending'>, <OrderStatus 'frozen' (unknown)>, None)

    Raises:
        ValueError: The value has a different type than the values of the class.
    """
    return None if value is None else enum_class(value)


def to_enum_list(enum_class: type[E], values: Iterable[object] | None) -> list[E | None] | None:
    """Return the member for each raw value, or None for None."""
    return None if values is None else [to_enum(enum_class, value) for value in values]


class _OpenEnumType(enum.EnumType):
    """Checks the type of raw values, and makes `in` mean "is a known value" on every Python version.

    Both need a metaclass. The standard lookup compares for equality, so `TransportProtocol(True)` would be UDP. The
    standard `in` raises for raw values on Python 3.11, and is True for unknown objects from 3.12 on.
    """

    # Hidden from type checkers: they know what calling an enum class returns; a signature here would override that.
    if not TYPE_CHECKING:

        def __call__(cls, value: object, *args: object, **kwargs: object) -> object:
            """Return the member for a raw value, or an unknown object that holds it; reject other types."""
            if args or kwargs or not cls._member_map_:
                # The functional syntax that creates a class: `OpenIntEnum("Name", {...})`.
                return super().__call__(value, *args, **kwargs)
            kind = cls._member_type_
            if type(value) is kind:
                # A page of resources calls this thousands of times; the standard path takes twice as long.
                member = cls._value2member_map_.get(value)
                return cls._missing_(value) if member is None else member
            # A bool is an int in Python, but not in JSON or in the API.
            if isinstance(value, bool) or not isinstance(value, kind):
                example = next(iter(cls))
                named = isinstance(value, str) and value in cls._member_map_
                hint = f" To look up a member by name, write {cls.__name__}[{value!r}]." if named else ""
                article = "an" if kind is int else "a"
                # ValueError, not TypeError: every enum lookup raises it.
                raise ValueError(  # noqa: TRY004
                    f"{cls.__name__} must be {article} {kind.__name__} such as {example.value!r} ({example.name}), "
                    f"got {value!r:.80} of type {type(value).__name__}.{hint}"
                )
            return super().__call__(value)

    def __contains__(cls, value: object) -> bool:
        """Return whether a raw value, or an object of this class, is one of the known values."""
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return False
        return value in cls._value2member_map_


class _OpenEnum(enum.Enum, metaclass=_OpenEnumType):
    """The common base of text and numeric open enums."""

    # The first and last API version of values, and what replaces them, if not every version has them.
    _versions: dict[object, tuple[ApiVersion | None, ApiVersion | None, str]]

    @property
    def is_known(self) -> bool:
        """True if this version of the package knows the value."""
        return self._value_ in type(self)._value2member_map_

    def __repr__(self) -> str:
        if self.is_known:
            return super().__repr__()
        return f"<{type(self).__name__} {self._value_!r} (unknown)>"

    # By value, not by name as in Python 3.11: an unknown object cannot be looked up by name.
    def __reduce_ex__(self, proto: object) -> tuple[type[_OpenEnum], tuple[object]]:
        return type(self), (self._value_,)


_OpenEnum._versions = {}


def versions(
    *values: object, since: ApiVersion | None = None, until: ApiVersion | None = None, replacement: str = ""
) -> Callable[[C], C]:
    """Return a decorator that declares the first and last API version of some values of an enum."""

    def declare(cls: C) -> C:
        cls._versions = {**cls._versions, **dict.fromkeys(values, (since, until, replacement))}
        return cls

    return declare


class OpenStrEnum(_OpenEnum, enum.StrEnum):
    """Base class of enums with text values: every member is a `str`, equal to its raw value.

    `str()`, `format()` and JSON encoders return the raw value. Calling the class with an unknown text returns an object
    of the class whose `value` and `name` are that text and whose `is_known` is False; it does not appear in the
    iteration over the class or in `__members__`. Each call creates a new object, so compare with `==` or `match`, not
    with `is`. Type checkers know only the members: keep the `case _` that they report as unreachable.

    Raises:
        ValueError: The value is not a `str`.
    """

    @classmethod
    def _missing_(cls, value: object) -> OpenStrEnum | None:
        if not isinstance(value, str):
            return None
        raw = str.__str__(value)  # an exact str: `value` may be a subclass instance, even a member of another enum
        unknown = str.__new__(cls, raw)
        unknown._name_ = raw
        unknown._value_ = raw
        return unknown


class OpenIntEnum(_OpenEnum, enum.IntEnum):
    """Base class of enums with numeric ids: every member is an `int`, equal to its raw value.

    `str()` and `format()` return the number (`str(Codec.PCMU) == "9"`), as with `enum.IntEnum`; for display, use `name`
    or `repr()`. Calling the class with an unknown id returns an object of the class with that `value`, a `name` such as
    `"UNKNOWN_99"` and `is_known` False. See `OpenStrEnum` for how unknown objects behave.

    Raises:
        ValueError: The value is not an `int`, or is a `bool`.
    """

    @classmethod
    def _missing_(cls, value: object) -> OpenIntEnum | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        raw = int.__int__(value)  # an exact int: `value` may be a subclass instance, even a member of another enum
        unknown = int.__new__(cls, raw)
        unknown._name_ = f"UNKNOWN_{raw}"
        unknown._value_ = raw
        return unknown


class CallbackMethod(OpenStrEnum):
    """HTTP method of callbacks: `callback_method` of orders, exports, address and emergency verifications.

    Set it together with `callback_url`; None without a callback. Older API versions wrote `"GET"` and `"POST"`, which
    are unknown values. Callbacks of voice OUT trunks are always a POST of a JSON array.

    Source: tests/contract/facts/orders.yaml.
    """

    GET = "get"
    """The fields are appended to the query string of the callback URL, whose own query is kept."""

    POST = "post"
    """The fields are sent as a form-encoded body (`application/x-www-form-urlencoded`)."""


class IdentityType(OpenStrEnum):
    """Person or company: `identity_type` of identities and of address and emergency requirements.

    The type of an identity cannot be changed. Responses of older API versions contain `"Personal"` and `"Any"`, which
    are unknown values.

    Source: tests/contract/facts/identities.yaml.
    """

    PERSONAL = "personal"
    """A natural person."""

    BUSINESS = "business"
    """A company; the identity requires `company_name`."""

    ANY = "any"
    """Both types are accepted. In requirements only; an identity is `personal` or `business`."""


class OrderStatus(OpenStrEnum):
    """Status of an order: `status` of orders.

    Source: tests/contract/facts/orders.yaml.
    """

    PENDING = "pending"
    """Not fulfilled yet; a back order waits here until numbers are in stock. Can be canceled."""

    COMPLETED = "completed"
    """Fulfilled: the ordered numbers or capacity belong to the account."""

    CANCELED = "canceled"
    """Canceled by the customer or by DIDWW; the numbers of the order are removed."""


@versions("sms_in", "sms_out", since="2026-11-19")
class ExportType(OpenStrEnum):
    """Type of an export: `export_type` of exports.

    Source: tests/contract/facts/exports.yaml.
    """

    CDR_IN = "cdr_in"
    """Call detail records of inbound calls to the DIDs of the account."""

    CDR_OUT = "cdr_out"
    """Call detail records of outbound calls through voice OUT trunks."""

    SMS_IN = "sms_in"
    """Records of inbound text messages to the DIDs of the account. Since version 2026-11-19."""

    SMS_OUT = "sms_out"
    """Records of outbound text messages through SMS trunks. Since version 2026-11-19."""


class CallStatus(OpenStrEnum):
    """Outcome of a call: `status` of call records.

    DIDWW does not document all values.

    Source: docs/reference/cdr-columns.md.
    """

    COMPLETED = "Completed"
    """The call was answered."""

    FAILED = "Failed"
    """The call was not answered."""


class DisconnectInitiator(OpenStrEnum):
    """Who ended a call: `disconnect_initiator` of records of inbound calls.

    Source: docs/reference/cdr-columns.md.
    """

    ORIGINATION = "Origination"
    """The caller."""

    DESTINATION = "Destination"
    """Your endpoint."""

    SYSTEM = "System"
    """DIDWW: limits, timeouts, balance, or routing."""


class ExportStatus(OpenStrEnum):
    """Status of an export: `status` of exports.

    There is no status for a failed export.

    Source: tests/contract/facts/exports.yaml.
    """

    PENDING = "pending"
    """Accepted, not started; `url` is None."""

    PROCESSING = "processing"
    """The file is being generated."""

    COMPLETED = "completed"
    """The file can be downloaded from `url`."""


class AddressVerificationStatus(OpenStrEnum):
    """Status of an address verification: `status` of address verifications.

    Source: tests/contract/facts/address_verifications.yaml.
    """

    PENDING = "pending"
    """Under review; the numbers await registration."""

    APPROVED = "approved"
    """Approved: the numbers are registered and usable, and identity and address are verified."""

    REJECTED = "rejected"
    """Rejected, see `reject_reasons` and `reject_comment`. Correct the data and submit a new verification."""


class EmergencyVerificationStatus(OpenStrEnum):
    """Status of an emergency verification: `status` of emergency verifications.

    Source: tests/contract/facts/emergency_verifications.yaml.
    """

    PENDING = "pending"
    """Under review."""

    APPROVED = "approved"
    """Approved."""

    REJECTED = "rejected"
    """Rejected, see `reject_reasons` and `reject_comment`. Correct the data and submit a new verification."""


class EmergencyCallingServiceStatus(OpenStrEnum):
    """Status of an emergency calling service: `status` of emergency calling services.

    One page of the Postman collection of DIDWW lists `pending` instead of `in_process`; this is an error of that page.

    Source: tests/contract/facts/emergency_calling_services.yaml.
    """

    NEW = "new"
    """Created; nothing submitted for verification yet."""

    IN_PROCESS = "in_process"
    """Submitted and under review."""

    ACTIVE = "active"
    """Active."""

    CHANGES_REQUIRED = "changes_required"
    """The review ended with a rejection; submit corrected data."""

    PENDING_UPDATE = "pending_update"
    """Active, while a new address is under review."""

    CANCELED = "canceled"
    """Canceled; the service is not renewed."""


class ProofEntityType(OpenStrEnum):
    """What a document proves: `entity_type` of proof types.

    Unlike those of other enums, the raw values are capitalized. Some responses contain `"business"` and `"personal"`,
    which are unknown values.

    Source: tests/contract/facts/proof_types.yaml.
    """

    PERSONAL = "Personal"
    """Proof of a personal identity, such as a passport."""

    BUSINESS = "Business"
    """Proof of a business identity, such as an extract from the commercial register."""

    ADDRESS = "Address"
    """Proof of an address, such as a utility bill."""


class AreaLevel(OpenStrEnum):
    """Where an identity or address must be located, relative to the number: the area levels of requirements.

    These are `personal_area_level`, `business_area_level` and `address_area_level` of address and emergency
    requirements. For identities the level is `world_wide` or `country`; for addresses of emergency calling, any level
    but `world_wide`. It can be None. Responses of older API versions contain `"Country"`, `"worldwide"` and `"region"`,
    which are unknown values.

    Source: tests/contract/facts/address_requirements.yaml.
    """

    WORLD_WIDE = "world_wide"
    """Anywhere."""

    WORLDWIDE = WORLD_WIDE
    """Alias of `WORLD_WIDE`."""

    COUNTRY = "country"
    """In the country of the requirement."""

    AREA = "area"
    """In the region or locality covered by the prefix of the number."""

    CITY = "city"
    """In the same city as the DIDs."""


class MandatoryField(OpenStrEnum):
    """Required fields of an identity, as listed by address requirements.

    These are `personal_mandatory_fields` and `business_mandatory_fields`, None if there are no mandatory fields.
    Emergency requirements have the same names since API version 2026-11-19. Before, they use free-text labels (`"Birth
    Date"`), which are unknown values.

    Source: tests/contract/facts/address_requirements.yaml.
    """

    BIRTH_DATE = "birth_date"
    """Date of birth, YYYY-MM-DD."""

    BIRTH_COUNTRY = "birth_country"
    """Country of birth of the person."""

    COUNTRY = "country"
    """Country of the identity."""

    PERSONAL_TAX_ID = "personal_tax_id"
    """Personal tax number."""

    ID_NUMBER = "id_number"
    """Passport or identity card number."""

    VAT_ID = "vat_id"
    """VAT number of the company."""

    COMPANY_REG_NUMBER = "company_reg_number"
    """Company registration number."""

    CONTACT_EMAIL = "contact_email"
    """Contact email address."""


class Feature(OpenStrEnum):
    """Features of numbers: `features` of DID groups, and the filters of that name.

    `sms_out` of older API versions has been replaced by `p2p` and `a2p`.

    Source: tests/contract/facts/did_groups.yaml.
    """

    VOICE_IN = "voice_in"
    """Inbound calls."""

    VOICE_OUT = "voice_out"
    """Use as the caller ID of outbound calls."""

    T38 = "t38"
    """Fax over IP (T.38)."""

    SMS_IN = "sms_in"
    """Inbound SMS."""

    P2P = "p2p"
    """Outbound SMS, person to person."""

    A2P = "a2p"
    """Outbound SMS, application to person, such as notifications and codes."""

    EMERGENCY = "emergency"
    """Emergency calling."""

    CNAM_OUT = "cnam_out"
    """Caller name (CNAM) on outbound calls."""


class DidHistoryAction(OpenStrEnum):
    """Type of a DID history event: `action` of DID history records.

    Source: tests/contract/facts/did_history.yaml.
    """

    ASSIGNED = "assigned"
    """The number was assigned to the account."""

    RENEWED = "renewed"
    """The number was renewed for another billing cycle."""

    CANCELED = "canceled"
    """The number was canceled."""

    REMOVED = "removed"
    """The number was removed from the account."""

    BILLING_CYCLES_COUNT_CHANGED = "billing_cycles_count_changed"
    """The billing cycles count was changed. Only these records have `meta` with `from` and `to`."""

    RESTORED = "restored"
    """The number was restored."""


class DidHistoryMethod(OpenStrEnum):
    """Source of a DID history event: `method` of DID history records.

    Source: tests/contract/facts/did_history.yaml.
    """

    SYSTEM = "system"
    """The DIDWW system, such as an automatic renewal."""

    API2 = "api2"
    """API v2."""

    API3 = "api3"
    """API v3, which this package uses."""

    STAFF = "staff"
    """DIDWW staff."""

    USER_PANEL = "user_panel"
    """A user of the web panel."""

    MCP = "mcp"
    """MCP; listed in the OpenAPI document only."""


class CliFormat(OpenStrEnum):
    """Format of the caller ID of delivered calls: `cli_format` of voice IN trunks.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    RAW = "raw"
    """As received, unchanged."""

    E164 = "e164"
    """Converted to E.164 (international) format."""

    LOCAL = "local"
    """Converted to national format."""


class MediaEncryptionMode(OpenStrEnum):
    """Media encryption: `media_encryption_mode` of SIP configurations and of voice OUT trunks.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    DISABLED = "disabled"
    """Plain RTP without encryption."""

    SRTP_SDES = "srtp_sdes"
    """SRTP with keys in the SDP (SDES). Use TLS for signaling; otherwise the keys are sent in clear text."""

    SRTP_DTLS = "srtp_dtls"
    """SRTP with key exchange by DTLS on the media path."""

    ZRTP = "zrtp"
    """SRTP with key exchange by ZRTP on the media path."""


class StirShakenMode(OpenStrEnum):
    """Delivery of the STIR/SHAKEN attestation of the caller: `stir_shaken_mode` of SIP configurations.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    DISABLED = "disabled"
    """No identity information is sent."""

    ORIGINAL = "original"
    """The original Identity header is passed on unchanged."""

    PAI = "pai"
    """The result is sent in P-Asserted-Identity, P-Attestation-Indicator and P-Origination-ID."""

    ORIGINAL_PAI = "original_pai"
    """Both the Identity header and the three P- headers of `PAI`."""

    VERSTAT = "verstat"
    """The result is sent in P-Stir-Verstat, with attestation and origination id."""


class NetworkProtocolPriority(OpenStrEnum):
    """IP version used to reach the host of the trunk: `network_protocol_priority` of SIP configurations.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    FORCE_IPV4 = "force_ipv4"
    """IPv4 only; a host without an IPv4 address cannot be reached."""

    FORCE_IPV6 = "force_ipv6"
    """IPv6 only; a host without an IPv6 address cannot be reached."""

    ANY = "any"
    """IPv4 or IPv6, without preference."""

    PREFER_IPV4 = "prefer_ipv4"
    """IPv4 preferred, IPv6 as fallback."""

    PREFER_IPV6 = "prefer_ipv6"
    """IPv6 preferred, IPv4 as fallback."""


class DiversionRelayPolicy(OpenStrEnum):
    """Handling of the Diversion header of an incoming call: `diversion_relay_policy` of SIP configurations.

    The header contains the number that the call was forwarded from.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    NONE = "none"
    """The header is removed."""

    AS_IS = "as_is"
    """The header is passed on unchanged."""

    SIP = "sip"
    """The header is passed on as a SIP URI."""

    TEL = "tel"
    """The header is passed on as a TEL URI."""


class DiversionInjectMode(OpenStrEnum):
    """Whether DIDWW adds a Diversion header: `diversion_inject_mode` of SIP configurations.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    NONE = "none"
    """No header is added."""

    DID_NUMBER = "did_number"
    """A Diversion header with the called DID is added, so the receiver can identify the DID."""


class TransportProtocol(OpenIntEnum):
    """Transport protocol of SIP signaling: `transport_protocol_id` of SIP configurations.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    UDP = 1
    """UDP, unencrypted."""

    TCP = 2
    """TCP, unencrypted; for SIP messages too large for UDP."""

    TLS = 3
    """TLS, encrypted."""


class Codec(OpenIntEnum):
    """Audio codecs: `codec_ids` of SIP configurations, in order of preference.

    There is no id 11.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    TELEPHONE_EVENT = 6
    """Not a voice codec: DTMF as RTP events (RFC 2833). Required for DTMF over RTP."""

    G723 = 7
    """G.723, low bit rate."""

    G729 = 8
    """G.729, 8 kbit/s."""

    PCMU = 9
    """G.711 mu-law, 64 kbit/s; standard in the telephone networks of North America and Japan."""

    PCMA = 10
    """G.711 A-law, 64 kbit/s; standard in the telephone networks of most other countries."""

    SPEEX = 12
    """Speex, variable bit rate."""

    GSM = 13
    """GSM full rate, 13 kbit/s."""

    G726_32 = 14
    """G.726 ADPCM, 32 kbit/s."""

    G721 = 15
    """G.721 ADPCM, 32 kbit/s; the predecessor of G.726."""

    G726_24 = 16
    """G.726 ADPCM, 24 kbit/s."""

    G726_40 = 17
    """G.726 ADPCM, 40 kbit/s."""

    G726_16 = 18
    """G.726 ADPCM, 16 kbit/s."""

    L16 = 19
    """Uncompressed linear PCM, 16 bits per sample."""


class RxDtmfFormat(OpenIntEnum):
    """Format of DTMF received from the endpoint: `rx_dtmf_format_id` of SIP configurations.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    RFC_2833 = 1
    """RTP events (RFC 2833); requires `Codec.TELEPHONE_EVENT`."""

    SIP_INFO = 2
    """SIP INFO messages, application/dtmf-relay or application/dtmf."""

    RFC_2833_OR_SIP_INFO = 3
    """RTP events or SIP INFO messages."""


class TxDtmfFormat(OpenIntEnum):
    """Format of DTMF sent to the endpoint: `tx_dtmf_format_id` of SIP configurations.

    The numbers are those of the DIDWW API document. Older clients, including the Python package of DIDWW, use 1 for
    disabled, 2 for RFC 2833, 3 for dtmf-relay and 4 for dtmf, so a 1 or 2 written by such a client has a different
    meaning here. The value 3 is undocumented and is read as an unknown value.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    DISABLED = 0
    """DTMF is not sent as signals."""

    RFC_2833 = 1
    """RTP events (RFC 2833); requires `Codec.TELEPHONE_EVENT`."""

    SIP_INFO_RELAY = 2
    """SIP INFO messages, application/dtmf-relay."""

    SIP_INFO_DTMF = 4
    """SIP INFO messages, application/dtmf."""


class SstRefreshMethod(OpenIntEnum):
    """SIP method that refreshes sessions: `sst_refresh_method_id` of SIP configurations.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    INVITE = 1
    """Re-INVITE, which every SIP device supports."""

    UPDATE = 2
    """UPDATE, which does not affect the media session."""

    UPDATE_FALLBACK_INVITE = 3
    """UPDATE, with INVITE as the fallback if the endpoint does not support UPDATE."""


class ReroutingDisconnectCode(OpenIntEnum):
    """Disconnect codes that reroute a call: `rerouting_disconnect_code_ids` of SIP configurations.

    On a listed code, DIDWW tries the next trunk of the group; other codes end the call. The raw values are DIDWW ids,
    not SIP codes: `SIP_486_BUSY_HERE` is 90, and calling the class with 486 returns an unknown value. Ids 61-63, 85 and
    93-95 do not exist.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    SIP_400_BAD_REQUEST = 56
    """The request was malformed."""

    SIP_401_UNAUTHORIZED = 57
    """A registrar or user agent requires credentials."""

    SIP_402_PAYMENT_REQUIRED = 58
    """Reserved in SIP; some carriers send it when an account is out of funds."""

    SIP_403_FORBIDDEN = 59
    """The request was refused, for example by an access list."""

    SIP_404_NOT_FOUND = 60
    """The user does not exist at the host."""

    SIP_408_REQUEST_TIMEOUT = 64
    """The host or user did not respond in time."""

    SIP_409_CONFLICT = 65
    """The request conflicts with the state of the resource; an obsolete SIP code."""

    SIP_410_GONE = 66
    """The user is no longer available, and there is no forwarding address."""

    SIP_412_CONDITIONAL_REQUEST_FAILED = 67
    """A precondition of the request is not met."""

    SIP_413_REQUEST_ENTITY_TOO_LARGE = 68
    """The body is larger than the host accepts."""

    SIP_414_REQUEST_URI_TOO_LONG = 69
    """The request URI is longer than the host accepts."""

    SIP_415_UNSUPPORTED_MEDIA_TYPE = 70
    """The media type of the body is not supported."""

    SIP_416_UNSUPPORTED_URI_SCHEME = 71
    """The URI scheme, such as tel:, is not supported."""

    SIP_417_UNKNOWN_RESOURCE_PRIORITY = 72
    """The host does not know the requested resource priority."""

    SIP_420_BAD_EXTENSION = 73
    """The host does not support a required SIP extension."""

    SIP_421_EXTENSION_REQUIRED = 74
    """The host requires a SIP extension."""

    SIP_422_SESSION_INTERVAL_TOO_SMALL = 75
    """The session interval is below the minimum of the host."""

    SIP_423_INTERVAL_TOO_BRIEF = 76
    """The requested expiration interval is too short."""

    SIP_424_BAD_LOCATION_INFORMATION = 77
    """The location information of the call is malformed."""

    SIP_428_USE_IDENTITY_HEADER = 78
    """The host requires a STIR/SHAKEN Identity header."""

    SIP_429_PROVIDE_REFERRER_IDENTITY = 79
    """A transfer did not identify the referrer."""

    SIP_433_ANONYMITY_DISALLOWED = 80
    """Calls without caller ID are refused."""

    SIP_436_BAD_IDENTITY_INFO = 81
    """The certificate of the Identity header could not be fetched."""

    SIP_437_UNSUPPORTED_CERTIFICATE = 82
    """The certificate of the Identity header is not accepted."""

    SIP_438_INVALID_IDENTITY_HEADER = 83
    """The signature of the Identity header is invalid."""

    SIP_480_TEMPORARILY_UNAVAILABLE = 84
    """The user is currently unavailable, for example not registered or in do-not-disturb mode."""

    SIP_482_LOOP_DETECTED = 86
    """The call returned to a host that it already passed."""

    SIP_483_TOO_MANY_HOPS = 87
    """The call passed more hosts than allowed."""

    SIP_484_ADDRESS_INCOMPLETE = 88
    """The number is too short."""

    SIP_485_AMBIGUOUS = 89
    """The address matches more than one user."""

    SIP_486_BUSY_HERE = 90
    """The user is busy at this endpoint."""

    SIP_487_REQUEST_TERMINATED = 91
    """The call was ended before it was answered."""

    SIP_488_NOT_ACCEPTABLE_HERE = 92
    """No common codec or media setting at this endpoint."""

    SIP_494_SECURITY_AGREEMENT_REQUIRED = 96
    """The host requires a security agreement first."""

    SIP_500_SERVER_INTERNAL_ERROR = 97
    """Internal error of the host."""

    SIP_501_NOT_IMPLEMENTED = 98
    """The host does not support the method."""

    SIP_502_BAD_GATEWAY = 99
    """An upstream server of the host returned an invalid response."""

    SIP_503_SERVICE_UNAVAILABLE = 100
    """The host is overloaded or under maintenance."""

    SIP_504_SERVER_TIME_OUT = 101
    """An upstream server of the host did not respond in time."""

    SIP_505_VERSION_NOT_SUPPORTED = 102
    """The host does not support this SIP version."""

    SIP_513_MESSAGE_TOO_LARGE = 103
    """The message is larger than the host accepts."""

    SIP_580_PRECONDITION_FAILURE = 104
    """A precondition of the media session, such as reserved bandwidth, cannot be met."""

    SIP_600_BUSY_EVERYWHERE = 105
    """The user is busy at all endpoints."""

    SIP_603_DECLINE = 106
    """The user rejected the call."""

    SIP_604_DOES_NOT_EXIST_ANYWHERE = 107
    """The user does not exist anywhere."""

    SIP_606_NOT_ACCEPTABLE = 108
    """No common codec or media setting at any endpoint."""

    RINGING_TIMEOUT = 1505
    """Not a SIP response: the call was not answered within `ringing_timeout` of the trunk."""


class NumberType(OpenStrEnum):
    """Type of phone numbers: `number_type` of DID groups, requirements and emergency calling services.

    In API version 2026-04-16, `did_group_types` have the type as a name, such as `"Toll-free"`.

    Source: tests/contract/facts_2026_11_19/did_groups.yaml.
    """

    LOCAL = "local"
    """Of a city or an area."""

    NATIONAL = "national"
    """Of a country, but of no area in it."""

    MOBILE = "mobile"
    """Of a mobile network."""

    TOLL_FREE = "toll_free"
    """Free of charge for callers."""

    SHARED_COST = "shared_cost"
    """Paid in part by callers."""

    GLOBAL = "global"
    """Of no country."""


class PopCode(OpenStrEnum):
    """Point of presence of the platform: `pop_code` of voice IN trunks since API version 2026-11-19.

    Source: tests/contract/facts_2026_11_19/voice_in_trunks.yaml.
    """

    NYC = "NYC"
    """New York, US."""

    FRA = "FRA"
    """Frankfurt, Germany."""

    LAC = "LAC"
    """Los Angeles, US."""

    MIA = "MIA"
    """Miami, US."""

    SG = "SG"
    """Singapore."""

    HK = "HK"
    """Hong Kong."""

    AMS = "AMS"
    """Amsterdam, Netherlands."""


class OnCliMismatchAction(OpenStrEnum):
    """Action for outbound calls whose caller ID is not an allowed DID: `on_cli_mismatch_action` of voice OUT trunks.

    Responses of older API versions contain `"Reject call"`, which is an unknown value.

    Source: tests/contract/facts/voice_out_trunks.yaml.
    """

    SEND_ORIGINAL_CLI = "send_original_cli"
    """The call is sent with the original caller ID of the From header."""

    REJECT_CALL = "reject_call"
    """The call is rejected."""

    REPLACE_CLI = "replace_cli"
    """The caller ID is replaced by `default_did` of the trunk. Must be enabled for the account."""

    RANDOMIZE_CLI = "randomize_cli"
    """The caller ID is replaced by a random allowed DID. Must be enabled for the account."""


class DefaultDstAction(OpenStrEnum):
    """Default action for destinations: `default_dst_action` of voice OUT trunks.

    The opposite applies to numbers that begin with one of the `dst_prefixes` of the trunk. Responses of older API
    versions contain `"Allow Calls"`, which is an unknown value.

    Source: tests/contract/facts/voice_out_trunks.yaml.
    """

    ALLOW_ALL = "allow_all"
    """All destinations are allowed, except those in `dst_prefixes`."""

    REJECT_ALL = "reject_all"
    """All destinations are rejected, except those in `dst_prefixes`."""


class VoiceOutPriceCategory(OpenStrEnum):
    """Category of outbound calls: `category` of the prices of outbound calls.

    Source: tests/contract/facts_2026_11_19/_prices.yaml.
    """

    INTERNATIONAL = "International"
    """Any origin."""

    ORIGIN_BASED = "Origin based"
    """Calls whose price depends on the caller's number."""

    LOCAL = "Local"
    """Calls within one country."""


class VoiceOutTrunkStatus(OpenStrEnum):
    """Whether an outbound trunk can place calls: `status` of voice OUT trunks, and of their callbacks.

    Writable. Responses of older API versions contain `"Active"`, which is an unknown value.

    Source: tests/contract/facts/voice_out_trunks.yaml.
    """

    ACTIVE = "active"
    """Calls can be placed."""

    BLOCKED = "blocked"
    """Calls cannot be placed: blocked by the customer, or the 24-hour spending threshold was reached."""


class SmsHttpMethod(OpenStrEnum):
    """HTTP method that delivers inbound text messages: `http_method` of `http_in` configurations of SMS trunks.

    Source: tests/contract/facts_2026_11_19/sms_trunks.yaml.
    """

    GET = "get"
    """GET, without a body."""

    POST = "post"
    """POST, with a body."""

    PUT = "put"
    """PUT, with a body."""


class SmsBodyType(OpenStrEnum):
    """Format of the body that delivers inbound text messages: `body_type` of `http_in` configurations of SMS trunks.

    Source: tests/contract/facts_2026_11_19/sms_trunks.yaml.
    """

    JSON = "json"
    """JSON; `body` is JSON text."""

    HTML_MULTIPART = "html_multipart"
    """A form as `multipart/form-data`; `body` is a dict of its fields."""

    HTML_URL_ENCODED = "html_url_encoded"
    """A form as `application/x-www-form-urlencoded`; `body` is a dict of its fields."""

    RAW = "raw"
    """Any text; `body` is that text."""


class SenderIdVerificationStatus(OpenStrEnum):
    """Status of a sender ID verification: `status` of sender ID verifications.

    Source: tests/contract/facts_2026_11_19/sender_id_verifications.yaml.
    """

    NEW = "new"
    """Created; not under review yet."""

    IN_PROCESS = "in_process"
    """Under review."""

    ACTIVE = "active"
    """Approved: the sender IDs can be used."""

    CHANGES_REQUIRED = "changes_required"
    """Rejected, see `reject_reasons` and `reject_comment`."""

    CLOSING_IN_PROCESS = "closing_in_process"
    """Being closed."""

    CLOSED = "closed"
    """Closed: the sender IDs can no longer be used."""


class SenderType(OpenStrEnum):
    """Kind of sender IDs: `sender_type` of sender ID verifications.

    Source: tests/contract/facts_2026_11_19/sender_id_verifications.yaml.
    """

    ALPHANUMERIC = "alphanumeric"
    """A name instead of a number."""

    CARRIER = "carrier"
    """Sender IDs of a carrier."""

    LONG_CODE = "long_code"
    """Phone numbers: DIDs of the account."""

    SHORT_CODE = "short_code"
    """Short numbers."""

    TOLL_FREE = "toll_free"
    """Toll-free numbers: DIDs of the account."""
