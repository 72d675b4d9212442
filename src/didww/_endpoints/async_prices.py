"""The prices of the account's plans: lookups and price files of calls and text messages.

`scripts/generate.py` generates the synchronous `didww._endpoints.prices` from this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from didww._core.price_rows import MAX_DECOMPRESSED
from didww._core.prices import (
    SMS_IN,
    SMS_OUT,
    VOICE_IN,
    VOICE_OUT,
    check_offered,
    checked_domain,
    download_file,
    file_info,
    look_up,
)
from didww._schema.resource import Resource
from didww._util.tracebacks import short_tracebacks
from didww.configuration import not_copied
from didww.resources.price.sms_in import SmsInPrice
from didww.resources.price.sms_out import SmsOutPrice
from didww.resources.price.voice_in import VoiceInPrice
from didww.resources.price.voice_out import VoiceOutPrice

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from datetime import datetime
    from typing import Never

    from didww._core.download import Progress
    from didww._core.prices import PriceFile, PriceList, SmsDomain
    from didww._core.response import ApiResponse
    from didww._drivers.asynchronous import AsyncDriver
    from didww._endpoints.async_base import AsyncClient
    from didww.configuration import Configuration

__all__ = [
    "AsyncPriceListEndpoint",
    "AsyncPricesEndpoint",
    "AsyncSmsInPricesEndpoint",
    "AsyncSmsOutPricesEndpoint",
    "AsyncVoiceInPricesEndpoint",
    "AsyncVoiceOutPricesEndpoint",
]

P = TypeVar("P", bound=Resource)


@short_tracebacks
class AsyncPriceListEndpoint(Generic[P]):
    """The operations that all price lists have: their files."""

    def __init__(self, driver: AsyncDriver, configuration: Configuration, prices: PriceList[P]) -> None:
        self._driver = driver
        self._configuration = configuration
        self._prices = prices

    def __reduce__(self) -> Never:
        raise not_copied(f"{self._prices.accessor} of a client cannot be pickled or deep-copied")

    def __repr__(self) -> str:
        return f"<{self._prices.accessor}: lookup, download, file_info>"

    async def _look_up(self, **filters: str | None) -> ApiResponse[list[P]]:
        return await self._driver.run(look_up(self._configuration, self._prices, filters))

    async def download(
        self,
        file_path: str | bytes | os.PathLike[str],
        *,
        if_modified_since: datetime | None = None,
        decompress: bool = False,
        max_bytes: int = MAX_DECOMPRESSED,
        progress: Callable[[Progress], object] | None = None,
    ) -> PriceFile:
        """Download the price file, which has all prices of the plan, and return where it is and when it was changed.

        Writes to a temporary `.part` file and renames it when the download is complete. The file is readable only by
        its owner. Length and checksum are verified, and an interrupted download starts over. `timeout` covers the whole
        download. Read the file with `didww.read_prices`.

        Args:
            file_path: The file to write. An existing file is replaced.
            if_modified_since: Download the file only if it was changed later: the `last_modified` of an earlier
                download. If it was not, `changed` of the result is False, and nothing is written. Without effect if
                `file_path` does not exist.
            decompress: Whether to store CSV text instead of a gzip file.
            max_bytes: Maximum decompressed size in bytes, with `decompress`. Defaults to 10 GiB.
            progress: Called with `Progress(done, total)` in compressed bytes during the download; an asynchronous
                client also accepts coroutine functions.

        Raises:
            PricePlanNotAssignedError: The account has no plan for these prices.
            ServerError: The file is not available, even after retries.
            UnexpectedResponseError: The file is damaged, truncated, or larger than `max_bytes`; nothing was saved.
            InvalidValueError: An argument is not valid; nothing was sent.
        """
        return await self._driver.run(
            download_file(
                self._configuration,
                self._prices,
                file_path,
                if_modified_since,
                decompress=decompress,
                max_bytes=max_bytes,
                progress=progress,
            )
        )

    async def file_info(self, *, if_modified_since: datetime | None = None) -> PriceFile:
        """Return when the price file was changed, its size and its name, without downloading it.

        Args:
            if_modified_since: With it, `changed` of the result says whether the file was changed later.

        Raises:
            NotFoundError: The account has no plan for these prices. The response does not state the reason.
            ServerError: The file is not available, even after retries.
        """
        return await self._driver.run(file_info(self._configuration, self._prices, if_modified_since))


@short_tracebacks
class AsyncVoiceInPricesEndpoint(AsyncPriceListEndpoint[VoiceInPrice]):
    """Prices of calls to toll-free, shared-cost and metered numbers."""

    async def lookup(self, number: str, *, src_country_iso: str | None = None) -> ApiResponse[list[VoiceInPrice]]:
        """Return the prices of calls to a number, one for each type of line of the caller.

        Args:
            number: The number that is called: 8 to 15 digits with the country code, without a plus sign.
            src_country_iso: The caller's country, such as `GB`. Its prices replace those for any country. Defaults to
                the prices for any country.

        Raises:
            PriceNotFoundError: No price covers the number.
            PricePlanNotAssignedError: The account has no plan for inbound calls.
            InvalidValueError: An argument is not valid; nothing was sent.
        """
        return await self._look_up(number=number, src_country_iso=src_country_iso)


@short_tracebacks
class AsyncVoiceOutPricesEndpoint(AsyncPriceListEndpoint[VoiceOutPrice]):
    """Prices of outbound calls."""

    async def lookup(self, number: str) -> ApiResponse[list[VoiceOutPrice]]:
        """Return the prices of calls to a number, one for each set of conditions, such as the caller's number.

        Args:
            number: The number to call: digits with the country code, without a plus sign.

        Raises:
            PriceNotFoundError: No price in effect covers the number.
            PricePlanNotAssignedError: The account has no plan for outbound calls.
            InvalidValueError: `number` is not valid; nothing was sent.
        """
        return await self._look_up(number=number)


@short_tracebacks
class AsyncSmsOutPricesEndpoint(AsyncPriceListEndpoint[SmsOutPrice]):
    """Prices of outbound text messages of a domain."""

    async def lookup(
        self, dst_number: str | None = None, *, dst_country_iso: str | None = None
    ) -> ApiResponse[list[SmsOutPrice]]:
        """Return the prices of messages to a number or a country. Several can apply to one number.

        Args:
            dst_number: The recipient's number: digits with the country code, without a plus sign.
            dst_country_iso: The recipient's country, such as `GB`.

        Raises:
            PriceNotFoundError: No price covers the number or the country.
            PricePlanNotAssignedError: The account has no plan for this domain.
            InvalidValueError: An argument is not valid, or both are missing; nothing was sent.
        """
        return await self._look_up(dst_number=dst_number, dst_country_iso=dst_country_iso)


@short_tracebacks
class AsyncSmsInPricesEndpoint(AsyncPriceListEndpoint[SmsInPrice]):
    """Prices of inbound text messages."""

    async def lookup(
        self, dst_number: str | None = None, *, dst_country_iso: str | None = None
    ) -> ApiResponse[list[SmsInPrice]]:
        """Return the prices of messages to a number of the account, or to numbers of a country.

        Args:
            dst_number: The number that gets the message: digits with the country code, without a plus sign.
            dst_country_iso: The country of the number, such as `GB`.

        Raises:
            PriceNotFoundError: No price covers the number or the country.
            PricePlanNotAssignedError: The account has no plan for inbound messages.
            InvalidValueError: An argument is not valid, or both are missing; nothing was sent.
        """
        return await self._look_up(dst_number=dst_number, dst_country_iso=dst_country_iso)


class AsyncPricesEndpoint:
    """The prices of the account's plans, in US dollars without VAT."""

    def __init__(self, client: AsyncClient) -> None:
        check_offered(client._configuration)
        self._driver = client._driver
        self._configuration = client._configuration

    def __reduce__(self) -> Never:
        raise not_copied("prices() of a client cannot be pickled or deep-copied")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: voice_in, voice_out, sms_in, sms_out>"

    if not TYPE_CHECKING:  # a type checker must report a misspelled name

        def __getattr__(self, name: str) -> Any:
            message = f"prices() has no {name!r}. Available: voice_in, voice_out, sms_in, sms_out."
            raise AttributeError(message, name=name, obj=self)

    @property
    def voice_in(self) -> AsyncVoiceInPricesEndpoint:
        """Prices of calls to toll-free, shared-cost and metered numbers."""
        return AsyncVoiceInPricesEndpoint(self._driver, self._configuration, VOICE_IN)

    @property
    def voice_out(self) -> AsyncVoiceOutPricesEndpoint:
        """Prices of outbound calls."""
        return AsyncVoiceOutPricesEndpoint(self._driver, self._configuration, VOICE_OUT)

    @property
    def sms_in(self) -> AsyncSmsInPricesEndpoint:
        """Prices of inbound text messages."""
        return AsyncSmsInPricesEndpoint(self._driver, self._configuration, SMS_IN)

    def sms_out(self, domain: SmsDomain) -> AsyncSmsOutPricesEndpoint:
        """Prices of outbound text messages of a domain.

        Args:
            domain: `a2p` for messages of applications, `p2p` for those between persons, `otp` for one-time passwords.

        Raises:
            InvalidValueError: There is no such domain.
        """
        return AsyncSmsOutPricesEndpoint(self._driver, self._configuration, SMS_OUT[checked_domain(domain)])
