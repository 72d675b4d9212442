"""Options and arguments that several commands have, and their types."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from didww.cli.choices import TRUTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from click.shell_completion import CompletionItem

    from didww._schema.resource import Resource

__all__ = [
    "OneOf",
    "complete_countries",
    "complete_exports",
    "complete_groups",
    "complete_numbers",
    "complete_orders",
    "complete_out_trunks",
    "complete_pools",
    "complete_pops",
    "complete_sender_ids",
    "complete_sms_groups",
    "complete_sms_trunks",
    "complete_sms_trunks_in",
    "complete_sms_trunks_out",
    "complete_trunks",
    "country_option",
    "duration",
    "filter_option",
    "limit_option",
    "no_wait_option",
    "number_argument",
    "numbers_argument",
    "pair",
    "query_of",
    "reference",
    "reference_option",
    "seconds",
    "sort_option",
    "wait_option",
    "web_address",
]

if TYPE_CHECKING:
    _ParamType = click.ParamType[str, str]
else:
    _ParamType = click.ParamType  # generic since click 8.5 only

F = TypeVar("F", bound="Callable[..., Any]")


class OneOf(_ParamType):
    """One of some words, for an argument whose words are its placeholder; a wrong one gets a suggestion.

    Args:
        known: The words. Letter case makes no difference.
    """

    name = "word"

    def __init__(self, known: Iterable[str]) -> None:
        self.known = tuple(known)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word."""
        for word in self.known:
            if word.casefold() == str(value).casefold():
                return word
        from didww._util.suggest import did_you_mean

        name = param.opts[0] if isinstance(param, click.Option) else str(getattr(param, "name", "")).upper()
        message = f"There is no {value!r:.80}.{did_you_mean(value, self.known)} Write one of {', '.join(self.known)}."
        raise click.BadParameter(message, ctx, param, param_hint=name if param is not None else None)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 the signature of click
        """Complete a word."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(word) for word in self.known if word.casefold().startswith(incomplete.casefold())]


_DURATION: Final = re.compile(r"(\d{1,6})\s*(s|m|h|d|w)?", re.IGNORECASE)
_MAX_DURATION: Final = 100 * 366 * 86400
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def duration(value: Any) -> timedelta:
    """Return the duration of a text such as `14d`; a number alone is days."""
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise click.BadParameter(f"{value!r:.80} is not a duration. Write 14d, 12h or 90m.")
    period = int(match[1]) * _UNITS[(match[2] or "d").lower()]
    if not 0 < period <= _MAX_DURATION:
        raise click.BadParameter(f"{value!r:.80} must be more than 0, and at most 100 years.")
    return timedelta(seconds=period)


def seconds(value: Any) -> float:
    """Return the seconds of a text such as `10m`; a number alone is seconds."""
    text = str(value).strip()
    return duration(f"{text}s" if text.isdecimal() else text).total_seconds()


def reference(value: Any) -> str:
    """Return a reference that is not empty: an unset variable of a script would find any order without one."""
    text = str(value).strip()
    if not text:
        raise click.BadParameter("the reference must not be empty. Is a variable not set?")
    return text


def pair(value: Any) -> tuple[str, str]:
    """Return the name and the value of a text such as `blocked=true`."""
    name, equals, text = str(value).partition("=")
    if not name or not equals:
        raise click.BadParameter(f"{value!r:.80} must be NAME=VALUE.")
    return name.strip(), text


def web_address(value: Any) -> str:
    """Return an HTTP or HTTPS URL."""
    text = str(value).strip()
    if not re.match(r"https?://[^/\s]+", text, re.IGNORECASE):
        raise click.BadParameter(f"{value!r:.80} is not a URL such as https://example.com/didww.")
    return text


def query_of(cls: type[Resource], filters: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return a filter of the client from texts: an empty value is None, a comma separates values where it may.

    The client checks names and values.
    """
    from didww._schema.filter_rules import filter_rules

    rules = filter_rules(cls)
    query: dict[str, Any] = {}
    for name, text in filters:
        rule = rules.get(name)
        value: Any = text
        if rule is not None and not text and rule.nullable:
            value = None
        elif rule is not None and rule.value == "boolean":
            value = TRUTH.get(text.strip().lower(), text)
        elif rule is not None and rule.value == "integer" and text.strip().isdecimal():
            value = int(text)
        elif rule is not None and rule.multiple and "," in text:
            value = [part.strip() for part in text.split(",")]
        query[name] = value
    return query


def _complete(source: str) -> Any:
    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 click's
        from didww.cli import completion

        return completion.items(ctx, source, incomplete)

    return complete


complete_countries: Final = _complete("countries")
complete_numbers: Final = _complete("numbers")
complete_trunks: Final = _complete("trunks")
complete_groups: Final = _complete("groups")
complete_orders: Final = _complete("orders")
complete_exports: Final = _complete("exports")
complete_out_trunks: Final = _complete("out_trunks")
complete_pools: Final = _complete("pools")
complete_pops: Final = _complete("pops")
complete_sms_trunks: Final = _complete("sms_trunks")
complete_sms_trunks_in: Final = _complete("sms_trunks_in")
complete_sms_trunks_out: Final = _complete("sms_trunks_out")
complete_sms_groups: Final = _complete("sms_groups")
complete_sender_ids: Final = _complete("sender_ids")

country_option: Final = click.option(
    "--country", metavar="COUNTRY", shell_complete=complete_countries, help="ISO code or name of the country."
)
filter_option: Final = click.option(
    "-f",
    "--filter",
    "filters",
    type=pair,
    multiple=True,
    metavar="NAME=VALUE",
    help="Any filter of the API; repeatable.",
)
sort_option: Final = click.option("--sort", metavar="KEY", help="Sort key; a minus before it reverses the order.")
limit_option: Final = click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Maximum number of records. Defaults to all."
)
reference_option: Final = click.option(
    "--reference",
    type=reference,
    metavar="TEXT",
    help="Your own reference. If an order has it, the command goes on with that order.",
)
no_wait_option: Final = click.option("--no-wait", is_flag=True, help="Do not wait until it is completed.")
number_argument: Final = click.argument("number", shell_complete=complete_numbers)
numbers_argument: Final = click.argument("number_texts", metavar="NUMBER...", nargs=-1, shell_complete=complete_numbers)


def wait_option(default: str) -> Callable[[F], F]:
    """Return the option that bounds the wait of a command; `--timeout` bounds each request."""
    return click.option(
        "--wait",
        "wait_limit",
        type=seconds,
        default=default,
        show_default=True,
        metavar="DURATION",
        help="How long to wait at most, e.g. 90s or 10m.",
    )
