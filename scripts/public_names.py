"""The public names of the package, by module. Resource classes are added from their declarations.

All other names are private, except those in modules without a leading underscore.
"""

from __future__ import annotations

__all__ = ["PUBLIC"]

PUBLIC = {
    "didww._core.bulk": "Report",
    "didww._core.download": "Progress",
    "didww._core.call_exports": "FetchedFiles FetchProgress",
    "didww._core.call_rows": "RejectedRow read_calls",
    "didww._core.price_rows": "read_prices",
    "didww._core.prices": "PriceFile SmsDomain",
    "didww._core.raw": "RawResponse",
    "didww._core.response": "ApiResponse",
    "didww._endpoints.iterators": "AsyncRecordIterator RecordIterator",
    "didww.async_client": "AsyncDidwwClient",
    "didww.callback.call_event_verifier": "CallEventVerifier",
    "didww.callback.call_events": """
        CallEvent InboundCallConnect InboundCallEnd InboundCallEvent InboundCallStart InboundCdr
        OutboundCallConnect OutboundCallEnd OutboundCallEvent OutboundCallStart OutboundCdr UnknownCallEvent
    """,
    "didww.callback.receiver": "CallbackReceiver",
    "didww.callback.response": "CallbackResponse",
    "didww.callback.request_validator": "RequestValidator",
    "didww.callback.callback_request": "CallbackRequest sign_callback",
    "didww.callback.stores": "MemoryStore SeenStore SqliteStore",
    "didww.callback.typed": """
        AddressVerificationCallback Callback EmergencyVerificationCallback ExportCallback OrderCallback
        UnknownCallback VoiceOutTrunkCallback
    """,
    "didww.callback.verifier": "CallbackVerifier",
    "didww.client": "DidwwClient",
    "didww.configuration": "Environment NO_TIMEOUT",
    "didww.credentials": "ApiKey BearerToken TokenProvider",
    "didww.encrypt": "Encrypt",
    "didww.enums": """
        AddressVerificationStatus AreaLevel CallbackMethod CallStatus CliFormat Codec DefaultDstAction DidHistoryAction
        DidHistoryMethod DisconnectInitiator DiversionInjectMode DiversionRelayPolicy EmergencyCallingServiceStatus
        EmergencyVerificationStatus ExportStatus ExportType Feature IdentityType MandatoryField
        MediaEncryptionMode NetworkProtocolPriority NumberType OnCliMismatchAction OrderStatus PopCode ProofEntityType
        ReroutingDisconnectCode RxDtmfFormat SenderIdVerificationStatus SenderType SmsBodyType SmsHttpMethod
        SstRefreshMethod StirShakenMode TransportProtocol TxDtmfFormat
        VoiceOutPriceCategory VoiceOutTrunkStatus
    """,
    "didww.exceptions": """
        ApiConnectionError ApiTimeoutError ApiVersionWarning AuthenticationError BulkError CallFileError
        CallbackRejectedError ClientClosedError ConflictError DidwwApiError DidwwClientError DidwwError
        InsufficientBalanceError InvalidValueError NotExactlyOneError NotFoundError NotIncludedError
        NotLoadedError PermissionDeniedError PriceFileError PriceNotFoundError PricePlanNotAssignedError
        RateLimitError ReadOnlyClientError ReadOnlyFieldError RecordFileError ServerError
        UnexpectedResponseError UnsupportedVersionError ValidationError WaitError
    """,
    "didww.query_params": "QueryParams",
    "didww.rate_limit.local": "RateLimiter",
    "didww.resources.call": "InboundCall OutboundCall",
    "didww.resources.authentication_method.base": "AuthenticationMethod GenericAuthenticationMethod",
    "didww.resources.authentication_method.credentials_and_ip": "CredentialsAndIpAuthenticationMethod",
    "didww.resources.authentication_method.ip_only": "IpOnlyAuthenticationMethod",
    "didww.resources.authentication_method.twilio": "TwilioAuthenticationMethod",
    "didww.resources.configuration.base": "TrunkConfiguration",
    "didww.resources.configuration.pstn": "PstnConfiguration",
    "didww.resources.configuration.sip": "SipConfiguration",
    "didww.resources.sms_configuration.base": "SmsTrunkConfiguration",
    "didww.resources.sms_configuration.http_in": "HttpInConfiguration",
    "didww.resources.sms_configuration.http_out": "HttpOutConfiguration",
    "didww.resources.sms_configuration.smpp_esme": "SmppEsmeConfiguration",
    "didww.resources.sms_configuration.smpp_smsc": "SmppSmscConfiguration",
    "didww.resources.sms_configuration.sms_to_email": "SmsToEmailConfiguration",
    "didww.resources.price.sms_in": "SmsInPrice",
    "didww.resources.price.sms_out": "SmsOutPrice",
    "didww.resources.price.voice_in": "VoiceInPrice",
    "didww.resources.price.voice_out": "VoiceOutPrice",
    "didww.resources.order_item.available_did_order_item": "AvailableDidOrderItem",
    "didww.resources.order_item.base": "OrderItem",
    "didww.resources.order_item.capacity_order_item": "CapacityOrderItem",
    "didww.resources.order_item.did_order_item": "DidOrderItem",
    "didww.resources.order_item.emergency_order_item": "EmergencyOrderItem",
    "didww.resources.order_item.generic_order_item": "GenericOrderItem",
    "didww.resources.order_item.reservation_did_order_item": "ReservationDidOrderItem",
    "didww.services": "ServiceUrls",
}
