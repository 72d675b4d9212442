"""Find records by the names that people use: countries by ISO code or name, trunks by name, numbers with a plus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from didww._schema.filter_rules import UUID_TEXT, filter_rules
from didww._util.suggest import did_you_mean
from didww.cli.number_types import in_version
from didww.exceptions import InvalidValueError, NotExactlyOneError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from didww.resources.city import City
    from didww.resources.country import Country
    from didww.resources.did import Did

__all__ = [
    "available_did",
    "by_name",
    "cities",
    "country",
    "country_code",
    "dids",
    "new_name",
    "plain_number",
    "region",
    "reservation",
]

_SEPARATORS: Final = str.maketrans("", "", " -().\u00a0")


def plain_number(text: str) -> str:
    """Return a phone number as the service has it: digits only.

    Raises:
        InvalidValueError: It is no phone number in international format.

    Example:
        >>> plain_number("+44 20 7946 0001")
        '442079460001'
    """
    digits = text.strip().translate(_SEPARATORS).removeprefix("+")
    digits = digits.removeprefix("00")
    if not (digits.isascii() and digits.isdigit() and 5 <= len(digits) <= 15) or digits.startswith("0"):
        raise InvalidValueError(
            f"{text!r:.80} is not a number in international format, such as +44 20 7946 0001 or 442079460001.",
            field="number",
        )
    return digits


def country(client: Any, text: str) -> Country:
    """Return a country by ISO code or name.

    Raises:
        NotExactlyOneError: There is none.
    """
    text = text.strip()
    if len(text) == 2 and text.isascii() and text.isalpha():
        found: list[Country] = client.countries().list(filter={"iso": country_code(client, text)}).data
    else:
        found = client.countries().list(filter={"name": text}).data if text else []
    if len(found) == 1:
        return found[0]
    countries = client.countries().list().data
    known = [*(each.name for each in countries), *(each.iso for each in countries)]
    raise NotExactlyOneError(f"There is no country {text!r:.80}.{_similar(text, known)}")


def country_code(client: Any, text: str) -> str:
    """Return the ISO code of a country, given by code or name. A code is not looked up.

    Raises:
        NotExactlyOneError: There is no country of this name.
    """
    text = text.strip()
    if len(text) == 2 and text.isascii() and text.isalpha():
        return "GB" if text.upper() == "UK" else text.upper()
    return country(client, text).iso


def cities(client: Any, text: str, within: Country | None = None) -> list[City]:
    """Return the cities of a name, in any country if `within` is None.

    Raises:
        NotExactlyOneError: There is none.
    """
    query: dict[str, Any] = {"name": text} | ({"country.id": within.id} if within is not None else {})
    found = list(client.cities().iterate(filter=query, include=["country", "region"]))
    if found:
        return found
    names: list[str] = []
    if within is not None:
        names = [city.name for city in client.cities().iterate(filter={"country.id": within.id})]
    place = "" if within is None else f" in {within.name}"
    raise NotExactlyOneError(f"There is no city {text!r:.80}{place}.{_similar(text, names)}")


def region(client: Any, text: str, within: Country) -> Any:
    """Return a region of a country by its name, or by its code with or without the country.

    Raises:
        NotExactlyOneError: There is none.
    """
    regions = client.regions().list(filter={"country.id": within.id}).data
    wanted = text.strip().casefold()
    for each in regions:
        code = (each.iso or "").casefold()
        if wanted in (each.name.casefold(), code, code.partition("-")[2]):
            return each
    raise NotExactlyOneError(
        f"{within.name} has no region {text!r:.80}.{_similar(text, [each.name for each in regions])}"
    )


def by_name(endpoint: Any, text: str, what: str) -> Any:
    """Return a record by id or name.

    Args:
        endpoint: The endpoint, such as `client.voice_in_trunks()`.
        text: Id or name.
        what: What such a record is called, such as `trunk`.

    Raises:
        NotExactlyOneError: There is none, or there are several.
    """
    text = text.strip()
    if UUID_TEXT.fullmatch(text):
        return endpoint.find(text).data
    # In a filter, a comma separates names.
    filtered = "," not in text and "name" in filter_rules(endpoint._resource)
    query = {"name": text} if filtered else None
    found = [each for each in endpoint.iterate(filter=query) if each.name == text] if text else []
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(each.id for each in found)
        raise NotExactlyOneError(f"Several {what}s are called {text!r:.80}. Pass the id: {ids}.", found=len(found))
    names = [each.name for each in endpoint.iterate(limit=1000)]
    raise NotExactlyOneError(f"There is no {what} {text!r:.80}.{_similar(text, names)}")


def new_name(text: str) -> str:
    """Return a name for a new record, without blanks around it.

    Raises:
        InvalidValueError: It is empty, or the word that options take for no record.
    """
    name = text.strip()
    if not name or name.lower() == "none":
        raise InvalidValueError(f"A name must not be empty, nor the word none, got {text!r:.80}.", field="name")
    return name


def dids(client: Any, texts: Iterable[str], include: Iterable[str] = ()) -> list[Did]:
    """Return numbers of the account, in the order of `texts`: phone numbers or ids.

    Raises:
        InvalidValueError: A text is neither.
        NotExactlyOneError: The account does not have one of them.
    """
    wanted = list(dict.fromkeys(text.strip().lower() if _is_id(text) else plain_number(text) for text in texts))
    found = {key: did for did in known_dids(client, wanted, include) for key in (did.number, did.id)}
    missing = [text for text in wanted if text not in found]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise NotExactlyOneError(f"The account does not have {', '.join(missing[:3])}{more}.")
    return [found[text] for text in wanted]


def known_dids(client: Any, wanted: Iterable[str], include: Iterable[str] = ()) -> Iterator[Did]:
    """Yield the numbers that the account has, of plain numbers or ids."""
    texts = list(wanted)
    for key in ("number", "id"):
        values = [text for text in texts if _is_id(text) == (key == "id")]
        for start in range(0, len(values), BATCH):
            batch = values[start : start + BATCH]
            yield from client.dids().iterate(filter={key: batch}, include=list(include), page_size=BATCH)


_GROUP: Final = tuple(
    f"did_group.{name}"
    for name in ("stock_keeping_units", "country", "region", "did_group_type", "address_requirement")
)
"""What is known about the offer of an available DID, in any API version."""


def available_did(client: Any, number: str) -> Any:
    """Return a number for sale, with its DID group and prices.

    Raises:
        NotExactlyOneError: It is not for sale.
    """
    from didww.resources.available_did import AvailableDid

    include = in_version(client, AvailableDid, _GROUP)
    found = client.available_dids().list(filter={"number_contains": number}, include=include).data
    for each in found:
        if each.number == number:
            return each
    raise NotExactlyOneError(f"{number} is not for sale. See: didww numbers available.")


def reservation(client: Any, number: str) -> Any:
    """Return the reservation of a number, with its DID group and prices; None if it is not reserved."""
    from didww.resources.did_reservation import DidReservation

    include = in_version(client, DidReservation, [f"available_did.{path}" for path in _GROUP])
    for each in client.did_reservations().iterate(include=include):
        if each.available_did.number == number:
            return each
    return None


BATCH: Final = 100
"""Numbers looked up with one request."""


def _is_id(text: str) -> bool:
    return UUID_TEXT.fullmatch(text.strip()) is not None


def _similar(text: str, known: Iterable[str]) -> str:
    return did_you_mean(text, known)
