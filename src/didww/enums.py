"""The fixed lists of values of DIDWW API 2026-04-16, as open enums.

This module holds names and their meaning and nothing else: which attribute of which resource has which class
is written where the resources are, and what travels on the wire is always the raw value. An open enum is the
`enum.StrEnum` or `enum.IntEnum` it derives from with one addition: a value outside the list becomes an object
of the same class instead of an error. DIDWW adds values without a new API version, and recorded responses carry
spellings of older ones (`"Personal"`, `"POST"`); such a value is kept unchanged, so that sending it
back changes nothing.

    >>> OrderStatus("pending")
    <OrderStatus.PENDING: 'pending'>
    >>> OrderStatus("frozen")
    <OrderStatus 'frozen' (unknown)>
    >>> OrderStatus("frozen") == "frozen", OrderStatus("frozen").is_known, "frozen" in OrderStatus
    (True, False, False)
"""

from __future__ import annotations

import enum

# Not imported from `typing`, which costs more than all classes below; type checkers know the name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeVar

    E = TypeVar("E", bound=enum.Enum)

__all__ = [
    "AddressVerificationStatus",
    "AreaLevel",
    "CallbackMethod",
    "CliFormat",
    "Codec",
    "DefaultDstAction",
    "DidHistoryAction",
    "DidHistoryMethod",
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
    "OnCliMismatchAction",
    "OpenIntEnum",
    "OpenStrEnum",
    "OrderStatus",
    "ProofEntityType",
    "ReroutingDisconnectCode",
    "RxDtmfFormat",
    "SstRefreshMethod",
    "StirShakenMode",
    "TransportProtocol",
    "TxDtmfFormat",
    "VoiceOutTrunkStatus",
    "enum_value",
    "enum_value_list",
    "to_enum",
    "to_enum_list",
]


def enum_value(value: object) -> object:
    """Return the raw value of an enum member, and everything else as it is.

    >>> enum_value(Codec.PCMU), enum_value("pending"), enum_value(None)
    (9, 'pending', None)
    """
    return value.value if isinstance(value, enum.Enum) else value


def enum_value_list(values: Iterable[object] | None) -> list[object] | None:
    """Return the raw value of each; None for None."""
    return None if values is None else [enum_value(value) for value in values]


def to_enum(enum_class: type[E], value: object) -> E | None:
    """Return the member of an enum class for a raw value or a member; None for None.

    A text or number that is not in the list becomes an object of the class whose `is_known` is False.

    >>> to_enum(OrderStatus, "pending"), to_enum(OrderStatus, "frozen"), to_enum(OrderStatus, None)
    (<OrderStatus.PENDING: 'pending'>, <OrderStatus 'frozen' (unknown)>, None)

    Raises:
        ValueError: The value is of another type than the values of the class.
    """
    return None if value is None else enum_class(value)


def to_enum_list(enum_class: type[E], values: Iterable[object] | None) -> list[E | None] | None:
    """Return the member for each raw value; None for None."""
    return None if values is None else [to_enum(enum_class, value) for value in values]


class _OpenEnumType(enum.EnumType):
    """Guards the type of raw values, and makes `in` mean "is a known value" on every Python version.

    Only a metaclass can do either. The standard look-up finds members by equality, so that
    `TransportProtocol(True)` would be UDP. And the standard `in` raises for raw values on 3.11, and holds for
    unknown objects from 3.12 on.
    """

    # Hidden from type checkers: they know what calling an enum class gives; a signature here would undo that.
    if not TYPE_CHECKING:

        def __call__(cls, value: object, *args: object, **kwargs: object) -> object:
            """Return the member for a raw value, or an unknown object that holds it; refuse other types."""
            if args or kwargs or not cls._member_map_:
                # The functional syntax that makes a class, `OpenIntEnum("Name", {...})`, is not ours.
                return super().__call__(value, *args, **kwargs)
            kind = cls._member_type_
            if type(value) is kind:
                # A page of resources comes here thousands of times; the standard path takes twice as long.
                member = cls._value2member_map_.get(value)
                return cls._missing_(value) if member is None else member
            # bool is an int to Python; to JSON and to the API it is not.
            if isinstance(value, bool) or not isinstance(value, kind):
                example = next(iter(cls))
                named = isinstance(value, str) and value in cls._member_map_
                hint = f"; {cls.__name__}[{value!r}] finds a member by its name" if named else ""
                # ValueError, not TypeError: that is what look-ups of any enum raise.
                raise ValueError(  # noqa: TRY004
                    f"{cls.__name__} takes {kind.__name__} values such as {example.value!r} ({example.name})"
                    f", not {value!r:.80} of type {type(value).__name__}{hint}"
                )
            return super().__call__(value)

    def __contains__(cls, value: object) -> bool:
        """Say whether a raw value, or an object of this class, is one of the known values."""
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return False
        return value in cls._value2member_map_


class _OpenEnum(enum.Enum, metaclass=_OpenEnumType):
    """What text and numeric open enums share."""

    @property
    def is_known(self) -> bool:
        """True for a value that this version of the package has a name for."""
        return self._value_ in type(self)._value2member_map_

    def __repr__(self) -> str:
        if self.is_known:
            return super().__repr__()
        return f"<{type(self).__name__} {self._value_!r} (unknown)>"

    # By value and not, as 3.11 does, by name: the name of an unknown object cannot be looked up.
    def __reduce_ex__(self, proto: object) -> tuple[type[_OpenEnum], tuple[object]]:
        return type(self), (self._value_,)


class OpenStrEnum(_OpenEnum, enum.StrEnum):
    """Base of the enums whose raw values are text: every object is a `str`, equal to its raw value.

    `str()` and `format()` give the raw value, as do JSON encoders. Calling the class with text that is not in
    the list gives an object of the class whose `value` and `name` are that text and whose `is_known` is
    False; it does not appear in the iteration over the class or in `__members__`. Such objects are made anew
    each time and remembered nowhere, so compare with `==` or `match`, not with `is`. Type checkers know of
    the members only: keep the `case _` that they call unreachable.

    Raises:
        ValueError: the class was called with something else than text.

    Source: DIDWW API 2026-04-16, enumerations, opening note (clients keep unknown values).
    """

    @classmethod
    def _missing_(cls, value: object) -> OpenStrEnum | None:
        if not isinstance(value, str):
            return None
        raw = str.__str__(value)  # an exact str: `value` may be of a subclass, even a member of another enum
        unknown = str.__new__(cls, raw)
        unknown._name_ = raw
        unknown._value_ = raw
        return unknown


class OpenIntEnum(_OpenEnum, enum.IntEnum):
    """Base of the enums whose raw values are numeric ids: every object is an `int`, equal to its raw value.

    `str()` and `format()` give the number (`str(Codec.PCMU) == "9"`), because that is what a query string or
    a JSON key needs, and because the standard's `IntEnum` does so; for people there are `name` and `repr()`.
    Calling the class with an id that is not in the list gives an object of the class with that `value`, a
    `name` like `"UNKNOWN_99"` and `is_known` False. Otherwise what `OpenStrEnum` says about unknown objects
    holds here, too.

    Raises:
        ValueError: the class was called with something else than an int; a bool is refused, too.

    Source: DIDWW API 2026-04-16, enumerations, "Numeric ids".
    """

    @classmethod
    def _missing_(cls, value: object) -> OpenIntEnum | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        raw = int.__int__(value)  # an exact int: `value` may be of a subclass, even a member of another enum
        unknown = int.__new__(cls, raw)
        unknown._name_ = f"UNKNOWN_{raw}"
        unknown._value_ = raw
        return unknown


class CallbackMethod(OpenStrEnum):
    """How a callback is delivered: `callback_method` of orders, exports, address and emergency verifications.

    Goes with `callback_url`; None where no callback was asked for. Older versions wrote `"GET"` and `"POST"`,
    which stay unknown values. Callbacks of voice OUT trunks have no such choice: they are always a POST of a
    JSON array.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    GET = "get"
    """Fields are added to the query string of the callback URL, whose own query is kept."""

    POST = "post"
    """Fields are sent as the body, encoded like a form (`application/x-www-form-urlencoded`)."""


class IdentityType(OpenStrEnum):
    """Person or company: `identity_type` of identities and of address and emergency requirements.

    Fixed once an identity is created. Recorded responses of older versions show `"Personal"` and `"Any"`, which
    stay unknown values.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    PERSONAL = "personal"
    """A natural person registers the number."""

    BUSINESS = "business"
    """A company registers the number; the identity needs `company_name`."""

    ANY = "any"
    """Both kinds are accepted. Only requirements say so; an identity is one or the other."""


class OrderStatus(OpenStrEnum):
    """State of an order: `status` of orders.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    PENDING = "pending"
    """Not fulfilled yet; a back order stays here until numbers are in stock. Can still be canceled."""

    COMPLETED = "completed"
    """Fulfilled: the ordered numbers or capacity belong to the account."""

    CANCELED = "canceled"
    """Canceled, by the customer or by DIDWW; a canceled order's numbers are removed."""


class ExportType(OpenStrEnum):
    """What an export contains: `export_type` of exports.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    CDR_IN = "cdr_in"
    """Call records of inbound calls, those to the account's DIDs."""

    CDR_OUT = "cdr_out"
    """Call records of outbound calls, those placed through voice OUT trunks."""


class ExportStatus(OpenStrEnum):
    """Progress of an export: `status` of exports.

    There is no value for a failed export.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    PENDING = "pending"
    """Accepted, not begun; `url` is None."""

    PROCESSING = "processing"
    """The file is being made."""

    COMPLETED = "completed"
    """The file can be downloaded from `url`."""


class AddressVerificationStatus(OpenStrEnum):
    """State of the check of an address: `status` of address verifications.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    PENDING = "pending"
    """DIDWW has not decided; the numbers still await registration."""

    APPROVED = "approved"
    """Accepted: the verification's numbers are registered and usable, identity and address are verified."""

    REJECTED = "rejected"
    """Refused, see `reject_reasons` and `reject_comment`; correct the data and submit a new verification."""


class EmergencyVerificationStatus(OpenStrEnum):
    """State of the check of an emergency address: `status` of emergency verifications.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    PENDING = "pending"
    """DIDWW has not decided."""

    APPROVED = "approved"
    """Accepted."""

    REJECTED = "rejected"
    """Refused, see `reject_reasons` and `reject_comment`; correct the data and submit again."""


class EmergencyCallingServiceStatus(OpenStrEnum):
    """Life of an emergency calling subscription: `status` of emergency calling services.

    One page of DIDWW's Postman collection lists `pending` in place of `in_process`; that is an error of the
    page.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    NEW = "new"
    """Created; nothing was submitted for verification yet."""

    IN_PROCESS = "in_process"
    """Submitted and under review."""

    ACTIVE = "active"
    """In force."""

    CHANGES_REQUIRED = "changes_required"
    """The review ended in a rejection; submit corrected data."""

    PENDING_UPDATE = "pending_update"
    """In force, while a new address is under review."""

    CANCELED = "canceled"
    """Canceled; it is not renewed."""


class ProofEntityType(OpenStrEnum):
    """What a document proves: `entity_type` of proof types.

    The one list whose values are capitalised on the wire. Recorded responses also show `"business"` and
    `"personal"`, which stay unknown values.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    PERSONAL = "Personal"
    """Proves who a person is, such as a passport."""

    BUSINESS = "Business"
    """Proves that a company exists, such as an excerpt from the commercial register."""

    ADDRESS = "Address"
    """Proves an address, such as a utility bill."""


class AreaLevel(OpenStrEnum):
    """How near to the number's place an identity or address has to be: the area levels of requirements.

    These are `personal_area_level`, `business_area_level` and `address_area_level` of address and emergency
    requirements. Of identities it is `world_wide` or `country`, of addresses for emergency calls anything but
    `world_wide`. Can be None. Recorded responses of older versions show `"Country"`, `"worldwide"` and
    `"region"`, which stay unknown values.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    WORLD_WIDE = "world_wide"
    """Anywhere."""

    WORLDWIDE = WORLD_WIDE
    """The same."""

    COUNTRY = "country"
    """In the country of the requirement."""

    AREA = "area"
    """In the region or locality that the number's prefix covers."""

    CITY = "city"
    """In the same city as the DIDs."""


class MandatoryField(OpenStrEnum):
    """Attributes that may not be empty on an identity, as address requirements list them.

    These are `personal_mandatory_fields` and `business_mandatory_fields`, None where there are none.
    Emergency requirements have no fixed list; their examples show free text (`"Birth Date"`), which makes
    unknown values.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    BIRTH_DATE = "birth_date"
    """`birth_date` of the identity, as YYYY-MM-DD."""

    BIRTH_COUNTRY = "birth_country"
    """The identity's country of birth."""

    COUNTRY = "country"
    """The identity's country."""

    PERSONAL_TAX_ID = "personal_tax_id"
    """Tax number of the person."""

    ID_NUMBER = "id_number"
    """Number of the passport or identity card."""

    VAT_ID = "vat_id"
    """Value added tax number of the company."""

    COMPANY_REG_NUMBER = "company_reg_number"
    """Number of the company in the commercial register."""

    CONTACT_EMAIL = "contact_email"
    """Address for mail about the registration."""


class Feature(OpenStrEnum):
    """What a number can be used for: `features` of DID groups, and the filters of that name.

    `sms_out`, which older texts mention, is gone; the kinds of outbound text messages are `p2p` and `a2p`.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    VOICE_IN = "voice_in"
    """Receives calls."""

    VOICE_OUT = "voice_out"
    """May be the caller ID of outbound calls."""

    T38 = "t38"
    """Takes fax over IP (T.38)."""

    SMS_IN = "sms_in"
    """Receives text messages."""

    P2P = "p2p"
    """Sends text messages from person to person."""

    A2P = "a2p"
    """Sends text messages from an application to persons, such as notices and codes."""

    EMERGENCY = "emergency"
    """Can have emergency calling."""

    CNAM_OUT = "cnam_out"
    """Can show a caller name on outbound calls."""


class DidHistoryAction(OpenStrEnum):
    """What happened to a number: `action` of DID history records.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    ASSIGNED = "assigned"
    """The number came to the account."""

    RENEWED = "renewed"
    """The number was paid for another billing cycle."""

    CANCELED = "canceled"
    """The number was canceled."""

    REMOVED = "removed"
    """The number was taken off the account."""

    BILLING_CYCLES_COUNT_CHANGED = "billing_cycles_count_changed"
    """The count of billing cycles was changed; only these records have `meta`, `from` and `to`."""

    RESTORED = "restored"
    """The number was brought back."""


class DidHistoryMethod(OpenStrEnum):
    """Who or what changed a number: `method` of DID history records.

    Source: DIDWW API 2026-04-16, enumerations, "Statuses and kinds".
    """

    SYSTEM = "system"
    """DIDWW's system by itself, such as a renewal."""

    API2 = "api2"
    """A call of API v2."""

    API3 = "api3"
    """A call of API v3, the one this package speaks."""

    STAFF = "staff"
    """DIDWW's staff."""

    USER_PANEL = "user_panel"
    """A person in the web panel."""

    MCP = "mcp"
    """Through MCP; found in the OpenAPI description only."""


class CliFormat(OpenStrEnum):
    """How the caller's number is written when a call is delivered: `cli_format` of voice IN trunks.

    Source: DIDWW API 2026-04-16, enumerations, "Voice IN trunks".
    """

    RAW = "raw"
    """As received from the caller's network, untouched."""

    E164 = "e164"
    """Converted to E.164, the international form."""

    LOCAL = "local"
    """Converted to the national form."""


class MediaEncryptionMode(OpenStrEnum):
    """Encryption of the audio: `media_encryption_mode` of SIP configurations and of voice OUT trunks.

    Source: DIDWW API 2026-04-16, enumerations, "Voice IN trunks".
    """

    DISABLED = "disabled"
    """Plain RTP: audio is not encrypted."""

    SRTP_SDES = "srtp_sdes"
    """SRTP, keys sent inside the SDP; use TLS for signalling, or the keys can be read on the way."""

    SRTP_DTLS = "srtp_dtls"
    """SRTP, keys agreed by DTLS on the media path."""

    ZRTP = "zrtp"
    """SRTP, keys agreed by ZRTP on the media path."""


class StirShakenMode(OpenStrEnum):
    """How the STIR/SHAKEN attestation of the caller is passed on: `stir_shaken_mode` of SIP configurations.

    Source: DIDWW API 2026-04-16, enumerations, "Voice IN trunks".
    """

    DISABLED = "disabled"
    """No identity information is sent."""

    ORIGINAL = "original"
    """The Identity header is passed on as it is."""

    PAI = "pai"
    """Result in P-Asserted-Identity, P-Attestation-Indicator and P-Origination-ID."""

    ORIGINAL_PAI = "original_pai"
    """Both: the Identity header and the three P- headers of `PAI`."""

    VERSTAT = "verstat"
    """Result in P-Stir-Verstat, with attestation and origination id."""


class NetworkProtocolPriority(OpenStrEnum):
    """Which IP version the trunk's host is reached by: `network_protocol_priority` of SIP configurations.

    Source: DIDWW API 2026-04-16, enumerations, "Voice IN trunks".
    """

    FORCE_IPV4 = "force_ipv4"
    """IPv4 only; a host without an IPv4 address cannot be reached."""

    FORCE_IPV6 = "force_ipv6"
    """IPv6 only; a host without an IPv6 address cannot be reached."""

    ANY = "any"
    """Either, without preference."""

    PREFER_IPV4 = "prefer_ipv4"
    """IPv4 first, IPv6 as the fallback."""

    PREFER_IPV6 = "prefer_ipv6"
    """IPv6 first, IPv4 as the fallback."""


class DiversionRelayPolicy(OpenStrEnum):
    """What becomes of a Diversion header of an incoming call: `diversion_relay_policy` of SIP configurations.

    That header names the number from which a call was forwarded.

    Source: DIDWW API 2026-04-16, enumerations, "Voice IN trunks".
    """

    NONE = "none"
    """The header is dropped."""

    AS_IS = "as_is"
    """The header is passed on untouched."""

    SIP = "sip"
    """The header is passed on as a SIP URI."""

    TEL = "tel"
    """The header is passed on as a TEL URI."""


class DiversionInjectMode(OpenStrEnum):
    """Whether DIDWW adds a Diversion header of its own: `diversion_inject_mode` of SIP configurations.

    Source: DIDWW API 2026-04-16, enumerations, "Voice IN trunks".
    """

    NONE = "none"
    """No header is added."""

    DID_NUMBER = "did_number"
    """A Diversion header with the called DID is added, so that the receiver can tell the numbers apart."""


class TransportProtocol(OpenIntEnum):
    """What carries the SIP signalling to the trunk's host: `transport_protocol_id` of SIP configurations.

    Source: DIDWW API 2026-04-16, enumerations, "Numeric ids" of voice IN trunks.
    """

    UDP = 1
    """Unencrypted datagrams."""

    TCP = 2
    """An unencrypted connection; for messages that exceed a datagram."""

    TLS = 3
    """An encrypted connection."""


class Codec(OpenIntEnum):
    """Audio codecs offered to the trunk, in order of preference: `codec_ids` of SIP configurations.

    There is no id 11.

    Source: DIDWW API 2026-04-16, enumerations, "Numeric ids" of voice IN trunks.
    """

    TELEPHONE_EVENT = 6
    """Not a voice codec: keypad tones as RTP events (RFC 2833). Needed for DTMF in RTP."""

    G723 = 7
    """G.723, low bit rate."""

    G729 = 8
    """G.729, 8 kbit/s."""

    PCMU = 9
    """G.711 mu-law, 64 kbit/s; the telephone network's own codec in North America and Japan."""

    PCMA = 10
    """G.711 A-law, 64 kbit/s; the telephone network's own codec in most other countries."""

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
    """Uncompressed linear PCM, 16 bits a sample."""


class RxDtmfFormat(OpenIntEnum):
    """How keypad tones are accepted from the customer's side: `rx_dtmf_format_id` of SIP configurations.

    Source: DIDWW API 2026-04-16, enumerations, "Numeric ids" of voice IN trunks.
    """

    RFC_2833 = 1
    """As RTP events; offer `Codec.TELEPHONE_EVENT`."""

    SIP_INFO = 2
    """As SIP INFO messages, application/dtmf-relay or application/dtmf."""

    RFC_2833_OR_SIP_INFO = 3
    """Either way."""


class TxDtmfFormat(OpenIntEnum):
    """How keypad tones are sent to the customer's side: `tx_dtmf_format_id` of SIP configurations.

    The numbers are those of DIDWW's API document. Older clients, DIDWW's own package for Python among them, count
    1 off, 2 RFC 2833, 3 dtmf-relay and 4 dtmf: a 1 or 2 that such a client wrote stands for something else here, and
    its 3 is in no document; it is read as it is, like any other number.

    Source: DIDWW API 2026-04-16, enumerations, "Numeric ids" of voice IN trunks.
    """

    DISABLED = 0
    """Off: tones are not sent as signals."""

    RFC_2833 = 1
    """As RTP events; offer `Codec.TELEPHONE_EVENT`."""

    SIP_INFO_RELAY = 2
    """As SIP INFO messages, application/dtmf-relay."""

    SIP_INFO_DTMF = 4
    """As SIP INFO messages, application/dtmf."""


class SstRefreshMethod(OpenIntEnum):
    """How a long call is kept alive by SIP session timers: `sst_refresh_method_id` of SIP configurations.

    Source: DIDWW API 2026-04-16, enumerations, "Numeric ids" of voice IN trunks.
    """

    INVITE = 1
    """By re-INVITE, which every SIP device understands."""

    UPDATE = 2
    """By UPDATE, which leaves the media session alone."""

    UPDATE_FALLBACK_INVITE = 3
    """By UPDATE, and by INVITE where the other side does not take UPDATE."""


class ReroutingDisconnectCode(OpenIntEnum):
    """When a call goes on to the group's next trunk: `rerouting_disconnect_code_ids` of SIP configurations.

    Each value stands for one way in which the trunk's host can fail a call; those listed make DIDWW try the
    next trunk, the others end the call. The wire carries DIDWW's own ids, not the SIP codes:
    `SIP_486_BUSY_HERE` is 90, and calling the class with 486 gives an unknown value. Ids 61-63, 85 and 93-95
    do not exist.

    Source: DIDWW API 2026-04-16, enumerations, "Numeric ids" of voice IN trunks.
    """

    SIP_400_BAD_REQUEST = 56
    """The request was malformed to the other side."""

    SIP_401_UNAUTHORIZED = 57
    """The other side, as registrar or user agent, wants credentials."""

    SIP_402_PAYMENT_REQUIRED = 58
    """Reserved by SIP; some carriers send it when an account is out of funds."""

    SIP_403_FORBIDDEN = 59
    """Understood and refused, such as by an access list."""

    SIP_404_NOT_FOUND = 60
    """No such user at the host."""

    SIP_408_REQUEST_TIMEOUT = 64
    """No response of the host or user in time."""

    SIP_409_CONFLICT = 65
    """The request conflicts with a state there; an older SIP code."""

    SIP_410_GONE = 66
    """The user was there and has left, without a forwarding address."""

    SIP_412_CONDITIONAL_REQUEST_FAILED = 67
    """A condition of the request does not hold."""

    SIP_413_REQUEST_ENTITY_TOO_LARGE = 68
    """The body is larger than the host takes."""

    SIP_414_REQUEST_URI_TOO_LONG = 69
    """The address is longer than the host takes."""

    SIP_415_UNSUPPORTED_MEDIA_TYPE = 70
    """The body's type, such as its SDP, is not supported."""

    SIP_416_UNSUPPORTED_URI_SCHEME = 71
    """The address's scheme, such as tel:, is not supported."""

    SIP_417_UNKNOWN_RESOURCE_PRIORITY = 72
    """A priority was asked for that the host does not know."""

    SIP_420_BAD_EXTENSION = 73
    """A SIP extension was required that the host lacks."""

    SIP_421_EXTENSION_REQUIRED = 74
    """The host requires a SIP extension."""

    SIP_422_SESSION_INTERVAL_TOO_SMALL = 75
    """The session timer is below the host's minimum."""

    SIP_423_INTERVAL_TOO_BRIEF = 76
    """The expiry asked for is too short."""

    SIP_424_BAD_LOCATION_INFORMATION = 77
    """The location information of the call is malformed."""

    SIP_428_USE_IDENTITY_HEADER = 78
    """The host wants a STIR/SHAKEN Identity header."""

    SIP_429_PROVIDE_REFERRER_IDENTITY = 79
    """A transfer came without the identity of who transfers."""

    SIP_433_ANONYMITY_DISALLOWED = 80
    """Calls without caller ID are refused."""

    SIP_436_BAD_IDENTITY_INFO = 81
    """The certificate of the Identity header could not be fetched."""

    SIP_437_UNSUPPORTED_CERTIFICATE = 82
    """The certificate of the Identity header is not accepted."""

    SIP_438_INVALID_IDENTITY_HEADER = 83
    """The signature of the Identity header does not hold."""

    SIP_480_TEMPORARILY_UNAVAILABLE = 84
    """The user cannot be reached now, such as not registered or do not disturb."""

    SIP_482_LOOP_DETECTED = 86
    """The call came round to a host it has been at."""

    SIP_483_TOO_MANY_HOPS = 87
    """The call passed more hosts than allowed."""

    SIP_484_ADDRESS_INCOMPLETE = 88
    """The number is too short."""

    SIP_485_AMBIGUOUS = 89
    """The address fits more than one user."""

    SIP_486_BUSY_HERE = 90
    """The user is busy at this place."""

    SIP_487_REQUEST_TERMINATED = 91
    """The call was ended before it was answered."""

    SIP_488_NOT_ACCEPTABLE_HERE = 92
    """No common codec or media setting at this place."""

    SIP_494_SECURITY_AGREEMENT_REQUIRED = 96
    """The host wants a security mechanism agreed on first."""

    SIP_500_SERVER_INTERNAL_ERROR = 97
    """The host failed."""

    SIP_501_NOT_IMPLEMENTED = 98
    """The host does not know the method."""

    SIP_502_BAD_GATEWAY = 99
    """A host behind the host gave an invalid response."""

    SIP_503_SERVICE_UNAVAILABLE = 100
    """The host is overloaded or under maintenance."""

    SIP_504_SERVER_TIME_OUT = 101
    """A host behind the host did not respond in time."""

    SIP_505_VERSION_NOT_SUPPORTED = 102
    """The host does not speak this SIP version."""

    SIP_513_MESSAGE_TOO_LARGE = 103
    """The message is larger than the host takes."""

    SIP_580_PRECONDITION_FAILURE = 104
    """A condition of the media session, such as reserved bandwidth, cannot be met."""

    SIP_600_BUSY_EVERYWHERE = 105
    """The user is busy at every place."""

    SIP_603_DECLINE = 106
    """The user rejected the call."""

    SIP_604_DOES_NOT_EXIST_ANYWHERE = 107
    """No such user at any place."""

    SIP_606_NOT_ACCEPTABLE = 108
    """No common media setting at any place."""

    RINGING_TIMEOUT = 1505
    """Not a SIP response: nobody picked up within the trunk's `ringing_timeout`."""


class OnCliMismatchAction(OpenStrEnum):
    """What becomes of an outbound call whose caller ID is not an allowed DID.

    This is `on_cli_mismatch_action` of voice OUT trunks. Recorded responses of older versions show `"Reject
    call"`, which stays an unknown value.

    Source: DIDWW API 2026-04-16, enumerations, "Voice OUT trunks".
    """

    SEND_ORIGINAL_CLI = "send_original_cli"
    """The call goes out with the caller ID in its From header as it is."""

    REJECT_CALL = "reject_call"
    """The call is refused."""

    REPLACE_CLI = "replace_cli"
    """The caller ID is replaced by the trunk's `default_did`; needs enabling for the account."""

    RANDOMIZE_CLI = "randomize_cli"
    """The caller ID is replaced by a random allowed DID; needs enabling for the account."""


class DefaultDstAction(OpenStrEnum):
    """Which destinations may be called: `default_dst_action` of voice OUT trunks.

    Numbers that begin with one of the trunk's `dst_prefixes` get the opposite treatment. Recorded responses of
    older versions show `"Allow Calls"`, which stays an unknown value.

    Source: DIDWW API 2026-04-16, enumerations, "Voice OUT trunks".
    """

    ALLOW_ALL = "allow_all"
    """Every destination may be called, except those in `dst_prefixes`."""

    REJECT_ALL = "reject_all"
    """No destination may be called, except those in `dst_prefixes`."""


class VoiceOutTrunkStatus(OpenStrEnum):
    """Whether an outbound trunk can place calls: `status` of voice OUT trunks, and of their callbacks.

    Writable. Recorded responses of older versions show `"Active"`, which stays an unknown value.

    Source: DIDWW API 2026-04-16, enumerations, "Voice OUT trunks".
    """

    ACTIVE = "active"
    """Calls can be placed."""

    BLOCKED = "blocked"
    """No call can be placed: set so by the customer, or the spending threshold of 24 hours was reached."""
