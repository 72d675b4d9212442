"""Python SDK for DIDWW API v3.

The public names, and nothing else; each is imported when first used, so that `import didww` costs next to nothing.
A test compares the imports for type checkers, `__all__`, and what `__getattr__` finds.
"""

from __future__ import annotations

from didww.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from didww._core.bulk import Report as Report
    from didww._core.download import Progress as Progress
    from didww._core.raw import RawResponse as RawResponse
    from didww._core.response import ApiResponse as ApiResponse
    from didww._endpoints.iterators import AsyncRecordIterator as AsyncRecordIterator
    from didww._endpoints.iterators import RecordIterator as RecordIterator
    from didww.async_client import AsyncDidwwClient as AsyncDidwwClient
    from didww.callback.call_event_verifier import CallEventVerifier as CallEventVerifier
    from didww.callback.call_events import CallEvent as CallEvent
    from didww.callback.call_events import InboundCallConnect as InboundCallConnect
    from didww.callback.call_events import InboundCallEnd as InboundCallEnd
    from didww.callback.call_events import InboundCallEvent as InboundCallEvent
    from didww.callback.call_events import InboundCallStart as InboundCallStart
    from didww.callback.call_events import InboundCdr as InboundCdr
    from didww.callback.call_events import OutboundCallConnect as OutboundCallConnect
    from didww.callback.call_events import OutboundCallEnd as OutboundCallEnd
    from didww.callback.call_events import OutboundCallEvent as OutboundCallEvent
    from didww.callback.call_events import OutboundCallStart as OutboundCallStart
    from didww.callback.call_events import OutboundCdr as OutboundCdr
    from didww.callback.call_events import UnknownCallEvent as UnknownCallEvent
    from didww.callback.receiver import CallbackAnswer as CallbackAnswer
    from didww.callback.receiver import CallbackReceiver as CallbackReceiver
    from didww.callback.request_validator import RequestValidator as RequestValidator
    from didww.callback.signing import CallbackRequest as CallbackRequest
    from didww.callback.signing import sign_callback as sign_callback
    from didww.callback.stores import MemoryStore as MemoryStore
    from didww.callback.stores import SeenStore as SeenStore
    from didww.callback.stores import SqliteStore as SqliteStore
    from didww.callback.typed import AddressVerificationCallback as AddressVerificationCallback
    from didww.callback.typed import Callback as Callback
    from didww.callback.typed import EmergencyVerificationCallback as EmergencyVerificationCallback
    from didww.callback.typed import ExportCallback as ExportCallback
    from didww.callback.typed import OrderCallback as OrderCallback
    from didww.callback.typed import UnknownCallback as UnknownCallback
    from didww.callback.typed import VoiceOutTrunkCallback as VoiceOutTrunkCallback
    from didww.callback.verifier import CallbackVerifier as CallbackVerifier
    from didww.client import DidwwClient as DidwwClient
    from didww.configuration import NO_TIMEOUT as NO_TIMEOUT
    from didww.configuration import Environment as Environment
    from didww.encrypt import Encrypt as Encrypt
    from didww.enums import AddressVerificationStatus as AddressVerificationStatus
    from didww.enums import AreaLevel as AreaLevel
    from didww.enums import CallbackMethod as CallbackMethod
    from didww.enums import CliFormat as CliFormat
    from didww.enums import Codec as Codec
    from didww.enums import DefaultDstAction as DefaultDstAction
    from didww.enums import DidHistoryAction as DidHistoryAction
    from didww.enums import DidHistoryMethod as DidHistoryMethod
    from didww.enums import DiversionInjectMode as DiversionInjectMode
    from didww.enums import DiversionRelayPolicy as DiversionRelayPolicy
    from didww.enums import EmergencyCallingServiceStatus as EmergencyCallingServiceStatus
    from didww.enums import EmergencyVerificationStatus as EmergencyVerificationStatus
    from didww.enums import ExportStatus as ExportStatus
    from didww.enums import ExportType as ExportType
    from didww.enums import Feature as Feature
    from didww.enums import IdentityType as IdentityType
    from didww.enums import MandatoryField as MandatoryField
    from didww.enums import MediaEncryptionMode as MediaEncryptionMode
    from didww.enums import NetworkProtocolPriority as NetworkProtocolPriority
    from didww.enums import OnCliMismatchAction as OnCliMismatchAction
    from didww.enums import OrderStatus as OrderStatus
    from didww.enums import ProofEntityType as ProofEntityType
    from didww.enums import ReroutingDisconnectCode as ReroutingDisconnectCode
    from didww.enums import RxDtmfFormat as RxDtmfFormat
    from didww.enums import SstRefreshMethod as SstRefreshMethod
    from didww.enums import StirShakenMode as StirShakenMode
    from didww.enums import TransportProtocol as TransportProtocol
    from didww.enums import TxDtmfFormat as TxDtmfFormat
    from didww.enums import VoiceOutTrunkStatus as VoiceOutTrunkStatus
    from didww.exceptions import ApiConnectionError as ApiConnectionError
    from didww.exceptions import ApiTimeoutError as ApiTimeoutError
    from didww.exceptions import AuthenticationError as AuthenticationError
    from didww.exceptions import BulkError as BulkError
    from didww.exceptions import CallbackRejectedError as CallbackRejectedError
    from didww.exceptions import ClientClosedError as ClientClosedError
    from didww.exceptions import ConflictError as ConflictError
    from didww.exceptions import DidwwApiError as DidwwApiError
    from didww.exceptions import DidwwClientError as DidwwClientError
    from didww.exceptions import DidwwError as DidwwError
    from didww.exceptions import InsufficientBalanceError as InsufficientBalanceError
    from didww.exceptions import InvalidValueError as InvalidValueError
    from didww.exceptions import NotExactlyOneError as NotExactlyOneError
    from didww.exceptions import NotFoundError as NotFoundError
    from didww.exceptions import NotIncludedError as NotIncludedError
    from didww.exceptions import NotLoadedError as NotLoadedError
    from didww.exceptions import PermissionDeniedError as PermissionDeniedError
    from didww.exceptions import RateLimitError as RateLimitError
    from didww.exceptions import ReadOnlyFieldError as ReadOnlyFieldError
    from didww.exceptions import ServerError as ServerError
    from didww.exceptions import UnexpectedResponseError as UnexpectedResponseError
    from didww.exceptions import ValidationError as ValidationError
    from didww.exceptions import WaitError as WaitError
    from didww.query_params import QueryParams as QueryParams
    from didww.rate_limit.local import RateLimiter as RateLimiter
    from didww.resources.address import Address as Address
    from didww.resources.address_requirement import AddressRequirement as AddressRequirement
    from didww.resources.address_requirement_validation import (
        AddressRequirementValidation as AddressRequirementValidation,
    )
    from didww.resources.address_verification import AddressVerification as AddressVerification
    from didww.resources.area import Area as Area
    from didww.resources.authentication_method.base import AuthenticationMethod as AuthenticationMethod
    from didww.resources.authentication_method.base import GenericAuthenticationMethod as GenericAuthenticationMethod
    from didww.resources.authentication_method.credentials_and_ip import (
        CredentialsAndIpAuthenticationMethod as CredentialsAndIpAuthenticationMethod,
    )
    from didww.resources.authentication_method.ip_only import IpOnlyAuthenticationMethod as IpOnlyAuthenticationMethod
    from didww.resources.authentication_method.twilio import TwilioAuthenticationMethod as TwilioAuthenticationMethod
    from didww.resources.available_did import AvailableDid as AvailableDid
    from didww.resources.balance import Balance as Balance
    from didww.resources.capacity_pool import CapacityPool as CapacityPool
    from didww.resources.city import City as City
    from didww.resources.configuration.base import TrunkConfiguration as TrunkConfiguration
    from didww.resources.configuration.pstn import PstnConfiguration as PstnConfiguration
    from didww.resources.configuration.sip import SipConfiguration as SipConfiguration
    from didww.resources.country import Country as Country
    from didww.resources.did import Did as Did
    from didww.resources.did_group import DidGroup as DidGroup
    from didww.resources.did_group_type import DidGroupType as DidGroupType
    from didww.resources.did_history import DidHistory as DidHistory
    from didww.resources.did_reservation import DidReservation as DidReservation
    from didww.resources.emergency_calling_service import EmergencyCallingService as EmergencyCallingService
    from didww.resources.emergency_requirement import EmergencyRequirement as EmergencyRequirement
    from didww.resources.emergency_requirement_validation import (
        EmergencyRequirementValidation as EmergencyRequirementValidation,
    )
    from didww.resources.emergency_verification import EmergencyVerification as EmergencyVerification
    from didww.resources.encrypted_file import EncryptedFile as EncryptedFile
    from didww.resources.export import Export as Export
    from didww.resources.identity import Identity as Identity
    from didww.resources.nanpa_prefix import NanpaPrefix as NanpaPrefix
    from didww.resources.order import Order as Order
    from didww.resources.order_item.available_did_order_item import AvailableDidOrderItem as AvailableDidOrderItem
    from didww.resources.order_item.base import OrderItem as OrderItem
    from didww.resources.order_item.capacity_order_item import CapacityOrderItem as CapacityOrderItem
    from didww.resources.order_item.did_order_item import DidOrderItem as DidOrderItem
    from didww.resources.order_item.emergency_order_item import EmergencyOrderItem as EmergencyOrderItem
    from didww.resources.order_item.generic_order_item import GenericOrderItem as GenericOrderItem
    from didww.resources.order_item.reservation_did_order_item import ReservationDidOrderItem as ReservationDidOrderItem
    from didww.resources.permanent_supporting_document import PermanentSupportingDocument as PermanentSupportingDocument
    from didww.resources.pop import Pop as Pop
    from didww.resources.proof import Proof as Proof
    from didww.resources.proof_type import ProofType as ProofType
    from didww.resources.public_key import PublicKey as PublicKey
    from didww.resources.qty_based_pricing import QtyBasedPricing as QtyBasedPricing
    from didww.resources.region import Region as Region
    from didww.resources.shared_capacity_group import SharedCapacityGroup as SharedCapacityGroup
    from didww.resources.stock_keeping_unit import StockKeepingUnit as StockKeepingUnit
    from didww.resources.supporting_document_template import SupportingDocumentTemplate as SupportingDocumentTemplate
    from didww.resources.voice_in_trunk import VoiceInTrunk as VoiceInTrunk
    from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup as VoiceInTrunkGroup
    from didww.resources.voice_out_trunk import VoiceOutTrunk as VoiceOutTrunk
    from didww.resources.voice_out_trunk_regenerate_credential import (
        VoiceOutTrunkRegenerateCredential as VoiceOutTrunkRegenerateCredential,
    )

# Where names are; resource classes are found by theirs.
_NAMES = {
    "didww.async_client": "AsyncDidwwClient",
    "didww.callback.call_event_verifier": "CallEventVerifier",
    "didww.callback.call_events": (
        "CallEvent InboundCallConnect InboundCallEnd InboundCallEvent InboundCallStart InboundCdr "
        "OutboundCallConnect OutboundCallEnd OutboundCallEvent OutboundCallStart OutboundCdr UnknownCallEvent"
    ),
    "didww.callback.receiver": "CallbackAnswer CallbackReceiver",
    "didww.callback.signing": "CallbackRequest sign_callback",
    "didww.callback.stores": "MemoryStore SeenStore SqliteStore",
    "didww.callback.typed": (
        "AddressVerificationCallback Callback EmergencyVerificationCallback ExportCallback OrderCallback "
        "UnknownCallback VoiceOutTrunkCallback"
    ),
    "didww.callback.verifier": "CallbackVerifier",
    "didww.callback.request_validator": "RequestValidator",
    "didww._core.response": "ApiResponse",
    "didww._core.bulk": "Report",
    "didww._core.raw": "RawResponse",
    "didww._core.download": "Progress",
    "didww.client": "DidwwClient",
    "didww.configuration": "Environment NO_TIMEOUT",
    "didww.encrypt": "Encrypt",
    "didww.enums": (
        "AddressVerificationStatus AreaLevel CallbackMethod CliFormat Codec DefaultDstAction DidHistoryAction "
        "DidHistoryMethod DiversionInjectMode DiversionRelayPolicy EmergencyCallingServiceStatus "
        "EmergencyVerificationStatus ExportStatus ExportType Feature IdentityType MandatoryField "
        "MediaEncryptionMode NetworkProtocolPriority OnCliMismatchAction OrderStatus ProofEntityType "
        "ReroutingDisconnectCode RxDtmfFormat SstRefreshMethod StirShakenMode TransportProtocol TxDtmfFormat "
        "VoiceOutTrunkStatus"
    ),
    "didww.exceptions": (
        "AuthenticationError BulkError CallbackRejectedError ClientClosedError ConflictError ApiConnectionError "
        "ApiTimeoutError DidwwApiError DidwwClientError DidwwError InsufficientBalanceError InvalidValueError "
        "NotExactlyOneError NotFoundError NotIncludedError NotLoadedError PermissionDeniedError RateLimitError "
        "ReadOnlyFieldError ServerError UnexpectedResponseError ValidationError WaitError"
    ),
    "didww.rate_limit.local": "RateLimiter",
    "didww.query_params": "QueryParams",
    "didww.resources.authentication_method.base": "AuthenticationMethod GenericAuthenticationMethod",
    "didww.resources.authentication_method.credentials_and_ip": "CredentialsAndIpAuthenticationMethod",
    "didww.resources.authentication_method.ip_only": "IpOnlyAuthenticationMethod",
    "didww.resources.authentication_method.twilio": "TwilioAuthenticationMethod",
    "didww.resources.configuration.base": "TrunkConfiguration",
    "didww.resources.configuration.pstn": "PstnConfiguration",
    "didww.resources.configuration.sip": "SipConfiguration",
    "didww.resources.order_item.available_did_order_item": "AvailableDidOrderItem",
    "didww.resources.order_item.base": "OrderItem",
    "didww.resources.order_item.capacity_order_item": "CapacityOrderItem",
    "didww.resources.order_item.did_order_item": "DidOrderItem",
    "didww.resources.order_item.emergency_order_item": "EmergencyOrderItem",
    "didww.resources.order_item.generic_order_item": "GenericOrderItem",
    "didww.resources.order_item.reservation_did_order_item": "ReservationDidOrderItem",
    "didww._endpoints.iterators": "AsyncRecordIterator RecordIterator",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = [
    "NO_TIMEOUT",
    "Address",
    "AddressRequirement",
    "AddressRequirementValidation",
    "AddressVerification",
    "AddressVerificationCallback",
    "AddressVerificationStatus",
    "ApiConnectionError",
    "ApiResponse",
    "ApiTimeoutError",
    "Area",
    "AreaLevel",
    "AsyncDidwwClient",
    "AsyncRecordIterator",
    "AuthenticationError",
    "AuthenticationMethod",
    "AvailableDid",
    "AvailableDidOrderItem",
    "Balance",
    "BulkError",
    "CallEvent",
    "CallEventVerifier",
    "Callback",
    "CallbackAnswer",
    "CallbackMethod",
    "CallbackReceiver",
    "CallbackRejectedError",
    "CallbackRequest",
    "CallbackVerifier",
    "CapacityOrderItem",
    "CapacityPool",
    "City",
    "CliFormat",
    "ClientClosedError",
    "Codec",
    "ConflictError",
    "Country",
    "CredentialsAndIpAuthenticationMethod",
    "DefaultDstAction",
    "Did",
    "DidGroup",
    "DidGroupType",
    "DidHistory",
    "DidHistoryAction",
    "DidHistoryMethod",
    "DidOrderItem",
    "DidReservation",
    "DidwwApiError",
    "DidwwClient",
    "DidwwClientError",
    "DidwwError",
    "DiversionInjectMode",
    "DiversionRelayPolicy",
    "EmergencyCallingService",
    "EmergencyCallingServiceStatus",
    "EmergencyOrderItem",
    "EmergencyRequirement",
    "EmergencyRequirementValidation",
    "EmergencyVerification",
    "EmergencyVerificationCallback",
    "EmergencyVerificationStatus",
    "Encrypt",
    "EncryptedFile",
    "Environment",
    "Export",
    "ExportCallback",
    "ExportStatus",
    "ExportType",
    "Feature",
    "GenericAuthenticationMethod",
    "GenericOrderItem",
    "Identity",
    "IdentityType",
    "InboundCallConnect",
    "InboundCallEnd",
    "InboundCallEvent",
    "InboundCallStart",
    "InboundCdr",
    "InsufficientBalanceError",
    "InvalidValueError",
    "IpOnlyAuthenticationMethod",
    "MandatoryField",
    "MediaEncryptionMode",
    "MemoryStore",
    "NanpaPrefix",
    "NetworkProtocolPriority",
    "NotExactlyOneError",
    "NotFoundError",
    "NotIncludedError",
    "NotLoadedError",
    "OnCliMismatchAction",
    "Order",
    "OrderCallback",
    "OrderItem",
    "OrderStatus",
    "OutboundCallConnect",
    "OutboundCallEnd",
    "OutboundCallEvent",
    "OutboundCallStart",
    "OutboundCdr",
    "PermanentSupportingDocument",
    "PermissionDeniedError",
    "Pop",
    "Progress",
    "Proof",
    "ProofEntityType",
    "ProofType",
    "PstnConfiguration",
    "PublicKey",
    "QtyBasedPricing",
    "QueryParams",
    "RateLimitError",
    "RateLimiter",
    "RawResponse",
    "ReadOnlyFieldError",
    "RecordIterator",
    "Region",
    "Report",
    "RequestValidator",
    "ReroutingDisconnectCode",
    "ReservationDidOrderItem",
    "RxDtmfFormat",
    "SeenStore",
    "ServerError",
    "SharedCapacityGroup",
    "SipConfiguration",
    "SqliteStore",
    "SstRefreshMethod",
    "StirShakenMode",
    "StockKeepingUnit",
    "SupportingDocumentTemplate",
    "TransportProtocol",
    "TrunkConfiguration",
    "TwilioAuthenticationMethod",
    "TxDtmfFormat",
    "UnexpectedResponseError",
    "UnknownCallEvent",
    "UnknownCallback",
    "ValidationError",
    "VoiceInTrunk",
    "VoiceInTrunkGroup",
    "VoiceOutTrunk",
    "VoiceOutTrunkCallback",
    "VoiceOutTrunkRegenerateCredential",
    "VoiceOutTrunkStatus",
    "WaitError",
    "__version__",
    "sign_callback",
]


if not TYPE_CHECKING:  # a checker must see a misspelt name as an error

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module 'didww' has no attribute {name!r}")
        if name in _HOMES:
            import importlib

            value = getattr(importlib.import_module(_HOMES[name]), name)
        else:
            from didww._schema.registry import class_named

            value = class_named(name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
