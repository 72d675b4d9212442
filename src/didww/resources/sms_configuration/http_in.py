"""Delivery of inbound text messages by HTTP request."""

from __future__ import annotations

from typing import Any

from didww._schema.fields import writable
from didww._schema.rules import Typed, When
from didww.enums import SmsBodyType, SmsHttpMethod
from didww.resources.sms_configuration.base import SmsTrunkConfiguration


class HttpInConfiguration(
    SmsTrunkConfiguration,
    type="http_in",
    rules=(
        When("http_method", (SmsHttpMethod.POST.value, SmsHttpMethod.PUT.value), needs=("body_type", "body")),
        When("http_method", (SmsHttpMethod.GET.value,), bars=("body_type", "body")),
        Typed("body", str, "text", "body_type", (SmsBodyType.JSON.value, SmsBodyType.RAW.value)),
        Typed(
            "body", dict, "a dict", "body_type", (SmsBodyType.HTML_MULTIPART.value, SmsBodyType.HTML_URL_ENCODED.value)
        ),
    ),
):
    """Sends each inbound text message to a URL of yours.

    `query_parameters`, `headers` and `body` may contain the placeholders `{SMS_TEXT}`, `{SMS_TEXT_BASE64_ENCODED}`,
    `{SMS_SRC_ADDR}`, `{SMS_DST_ADDR}` and `{SMS_TIME}`.

    A request with the method `get` has no body: setting `http_method` to `get` sets `body_type` and `body` to None.
    Fields set in the same call keep their values and are validated before sending.

    Source: tests/contract/facts_2026_11_19/sms_trunks.yaml.
    """

    url: str = writable("URL that receives the messages.", required=True)
    http_method: SmsHttpMethod = writable(
        "HTTP method of the request.",
        required=True,
        on_set={SmsHttpMethod.GET.value: {"body_type": None, "body": None}},
    )
    query_parameters: dict[str, str] | None = writable(
        "Query parameters to add to the URL, or None for none.", secret=True
    )
    headers: dict[str, str] | None = writable("Headers to add to the request, or None for none.", secret=True)
    body_type: SmsBodyType | None = writable(
        "Format of the body. Required with the methods `post` and `put`, not allowed with `get`."
    )
    body: str | dict[str, Any] | None = writable(
        "Body: JSON text for `json`, a dict of form fields for `html_multipart` and `html_url_encoded`, text for "
        "`raw`. Required with the methods `post` and `put`, not allowed with `get`.",
        secret=True,
    )
    follow_redirect: bool = writable("Whether to follow redirects.")
    validate_https_certificate: bool = writable("Whether to verify the certificate of an HTTPS server.")
