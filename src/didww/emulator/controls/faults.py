"""Fault injection: rules for which requests fail, and how.

The first matching rule applies. Random decisions come from the seed.
"""

from __future__ import annotations

import random
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from didww._core.effects import Response
from didww._util.suggest import did_you_mean
from didww.emulator.controls.durations import Duration, parse_duration
from didww.emulator.engine.errors import SERVING_FAILURE, error_body
from didww.emulator.engine.rate_limit import too_many_requests
from didww.emulator.engine.services import API, TOKEN_PATH, path_of
from didww.emulator.engine.tokens import oauth_error
from didww.transport.inprocess import Disturbance
from didww.version import TOKENS_SINCE

if TYPE_CHECKING:
    from didww._core.effects import Request
    from didww.emulator.engine.engine import Engine

__all__ = ["PRESETS", "Fault", "Faults"]

_JSON: Final = "application/vnd.api+json"
_MAX_WAIT: Final = 3600.0


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A fault rule; all given conditions must match.

    Conditions:

    Attributes:
        method: GET, POST, PATCH or DELETE.
        path: Path below `/v3`, with `*` for any part: `/orders/*`. Those of the other services are whole: `/token`,
            `/api-vin/v3/*`.
        resource: Resource type, such as `orders`; for callbacks, the type of the record.
        nth: Only the nth request that matches the other conditions, from 1.
        times: Maximum number of hits.
        probability: 0 to 1, drawn from the seed.
        status: Respond with this status without processing. 502 to 504 send a gateway's HTML page.
        body: Response body; requires `status`.
        retry_after: Seconds of the `Retry-After` header; requires `status`.
        latency: Seconds of delay before the response.
        drip: Seconds over which the body is sent.
        cut: Number of body bytes after which the connection closes.
        empty: Send no body; the request is processed unless `status` is set.
        html: Send an HTML body; the request is processed unless `status` is set.
        lost_response: Process the request, then close the connection without a response.
        hold: Keep records that the request creates pending until decided manually (`emulator.transitions`).
        callback: Duplicate or drop a callback; the rule then matches callbacks only.
        id: Number of the rule; set by the emulator.
        hits: Number of hits; set by the emulator.
    """

    method: str | None = None
    path: str | None = None
    resource: str | None = None
    nth: int | None = None
    times: int | None = None
    probability: float = 1.0
    status: int | None = None
    body: str | None = None
    retry_after: int | None = None
    latency: float = 0.0
    drip: float = 0.0
    cut: int | None = None
    empty: bool = False
    html: bool = False
    lost_response: bool = False
    hold: bool = False
    callback: Literal["duplicate", "drop"] | None = None
    id: int = 0
    hits: int = 0


PRESETS: Final[dict[str, tuple[Fault, ...]]] = {
    "flaky": (
        Fault(status=503, probability=0.1),
        Fault(cut=20, method="GET", probability=0.05),
        Fault(lost_response=True, probability=0.05),
        Fault(latency=0.3, probability=0.2),
    ),
    "rate-limited": (Fault(status=429, probability=0.5),),
    "maintenance": (Fault(status=503, retry_after=30, html=True),),
    "price-files-missing": (
        Fault(method="GET", path="*prices.csv.gz", status=503, body=SERVING_FAILURE, retry_after=30),
        Fault(method="HEAD", path="*prices.csv.gz", status=503, empty=True, retry_after=30),
    ),
    "export-stuck": (Fault(method="POST", resource="exports", hold=True),),
}
"""Preset rules by name."""

_PAGE = "<html>\r\n<head><title>{title}</title></head>\r\n<body><center><h1>{title}</h1></center></body>\r\n</html>\r\n"
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Record not found",
    409: "Conflict",
    422: "is invalid",
    500: "Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}
_OAUTH = {400: "invalid_request", 401: "invalid_client", 403: "invalid_client"}


class Faults:
    """Fault rules: `emulator.faults`.

    Args:
        engine: The engine.
        seed: Seed of the random decisions.
    """

    def __init__(self, engine: Engine, seed: int) -> None:
        self._engine = engine
        self._seed = seed
        self._rules: list[Fault] = []
        self._seen: dict[int, int] = {}
        self._last = 0
        self.reset()

    def rules(self) -> list[Fault]:
        """Return the rules, in order of evaluation."""
        with self._engine.locked():
            return list(self._rules)

    def add(
        self,
        *,
        method: str | None = None,
        path: str | None = None,
        resource: str | None = None,
        nth: int | None = None,
        times: int | None = None,
        probability: float = 1.0,
        status: int | None = None,
        body: str | None = None,
        retry_after: int | None = None,
        latency: Duration = 0.0,
        drip: Duration = 0.0,
        cut: int | None = None,
        empty: bool = False,
        html: bool = False,
        lost_response: bool = False,
        hold: bool = False,
        callback: Literal["duplicate", "drop"] | None = None,
    ) -> Fault:
        """Add a rule; see `Fault` for its members.

        Raises:
            ValueError: A member is invalid, or the rule has no effect.
        """
        arguments = {name: value for name, value in locals().items() if name != "self"}
        arguments["latency"], arguments["drip"] = parse_duration(latency), parse_duration(drip)
        arguments["path"] = path if path is None else path.removeprefix("/v3")
        fault = Fault(**arguments)
        _check(fault)
        return self._add_rules([fault])[0]

    def preset(self, name: str) -> list[Fault]:
        """Add the rules of a preset: flaky, rate-limited, maintenance, price-files-missing or export-stuck.

        Raises:
            ValueError: There is no such preset.
        """
        if name not in PRESETS:
            raise ValueError(
                f"There is no preset {name!r}; valid names are {', '.join(PRESETS)}.{did_you_mean(name, PRESETS)}"
            )
        return self._add_rules(PRESETS[name])

    def remove(self, id: int) -> None:
        """Remove a rule.

        Raises:
            LookupError: There is no rule with this id.
        """
        with self._engine.locked():
            kept = [rule for rule in self._rules if rule.id != id]
            if len(kept) == len(self._rules):
                raise LookupError(f"There is no fault {id}.")
            self._rules = kept

    def clear(self) -> None:
        """Remove all rules."""
        with self._engine.locked():
            self._rules = []

    # For the engine and the transports

    def reset(self) -> None:
        """Remove all rules and restart the random sequence."""
        self._rules = []
        self._rng = random.Random(f"{self._seed}/faults")  # noqa: S311 nothing secret

    def for_request(self, request: Request) -> Fault | None:
        """Return the rule that applies to a request, or None."""
        if not self._rules:
            return None
        below = "/" + path_of(request.url).removeprefix(f"{API.prefix}/").strip("/")
        return self._match(method=request.method, path=below, resource=_resource(below), callback=False)

    def for_callback(self, type: str) -> Literal["duplicate", "drop"] | None:
        """Return the fault of a callback for a record of this type, or None."""
        if not self._rules:
            return None
        rule = self._match(method="", path="", resource=type, callback=True)
        return None if rule is None else rule.callback

    def _match(self, *, method: str, path: str, resource: str, callback: bool) -> Fault | None:
        with self._engine.locked():
            for place, rule in enumerate(self._rules):
                if (
                    (rule.callback is not None) is not callback
                    or (rule.times is not None and rule.hits >= rule.times)
                    or (rule.method is not None and rule.method.upper() != method)
                    or (rule.resource is not None and rule.resource != resource)
                    or (rule.path is not None and not fnmatchcase(path, rule.path))
                ):
                    continue
                seen = self._seen[rule.id] = self._seen.get(rule.id, 0) + 1
                if rule.nth is not None and seen != rule.nth:
                    continue
                if rule.probability < 1 and self._rng.random() >= rule.probability:
                    continue
                self._rules[place] = msgspec.structs.replace(rule, hits=rule.hits + 1)
                return rule
        return None

    def _add_rules(self, rules: Any) -> list[Fault]:
        with self._engine.locked():
            faults: list[Fault] = []
            for rule in rules:
                self._last += 1
                faults.append(msgspec.structs.replace(rule, id=self._last))
            self._rules += faults
            return faults


def get_fault_response(fault: Fault, path: str, version: str) -> Response | None:
    """Return the response that a rule sends instead of processing the request, or None.

    Args:
        fault: The rule.
        path: Path of the request.
        version: API version of the request.
    """
    if fault.status is None:
        return None
    title = _TITLES.get(fault.status, f"Status {fault.status}")
    headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    if fault.body is not None:
        return Response(fault.status, {"content-type": _JSON, **headers}, fault.body.encode())
    if fault.empty or fault.status in (204, 304):
        return Response(fault.status, headers, b"")
    if fault.status == 503 and path.endswith("/prices.csv.gz") and not fault.html:
        return Response(503, {"content-type": _JSON, **headers}, SERVING_FAILURE.encode())
    if fault.html or fault.status in (502, 503, 504):
        return Response(fault.status, {"content-type": "text/html", **headers}, _PAGE.format(title=title).encode())
    if fault.status == 429:
        return too_many_requests(path, version, fault.retry_after)
    if path == TOKEN_PATH:
        return oauth_error(fault.status, _OAUTH.get(fault.status, "server_error"), title, headers)
    if fault.status == 401 and version >= TOKENS_SINCE:
        title, headers = "Token has expired", {**headers, "www-authenticate": 'Bearer error="invalid_token"'}
    code = "100" if fault.status == 422 else str(fault.status)
    error = {"title": title, "detail": title, "code": code, "status": str(fault.status)}
    return Response(fault.status, {"content-type": _JSON, **headers}, error_body([error]))


def apply_fault(fault: Fault, response: Response) -> Response:
    """Return the engine's response, changed by the rule."""
    if fault.status is None and fault.empty:
        return Response(response.status, response.headers, b"")
    if fault.status is None and fault.html:
        headers = {**response.headers, "content-type": "text/html"}
        return Response(response.status, headers, _PAGE.format(title="Please log in").encode())
    return response


def get_disturbance(fault: Fault) -> Disturbance | None:
    """Return the network disturbance of a rule, or None."""
    if not (fault.latency or fault.drip or fault.lost_response or fault.cut is not None):
        return None
    return Disturbance(latency=fault.latency, drip=fault.drip, cut=fault.cut, lost=fault.lost_response)


def _resource(path: str) -> str:
    from didww._schema.registry import class_of

    first = path.split("/")[1]
    for type in (first, f"{first}s"):
        cls = class_of(type)
        if cls is not None and cls._path == first:
            return type
    return first


def _check(fault: Fault) -> None:
    def positive(name: str, value: int | None, least: int = 1) -> None:
        if value is not None and value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}.")

    positive("nth", fault.nth)
    positive("times", fault.times)
    positive("cut", fault.cut, 0)
    positive("retry_after", fault.retry_after, 0)
    if not 0 <= fault.probability <= 1:
        raise ValueError(f"probability must be from 0 to 1, got {fault.probability:g}.")
    if fault.status is not None and not 200 <= fault.status <= 599:
        raise ValueError(f"status must be from 200 to 599, got {fault.status}.")
    if max(fault.latency, fault.drip) > _MAX_WAIT:
        raise ValueError("latency and drip must be at most one hour.")
    if fault.status is None and (fault.body is not None or fault.retry_after is not None):
        raise ValueError("body and retry_after require a status; add for example status=503.")
    if fault.path is not None and not fault.path.startswith(("/", "*")):
        raise ValueError(f"path must begin with a slash, such as '/orders/*', got {fault.path!r}.")
    if fault.callback not in (None, "duplicate", "drop"):
        raise ValueError(f"callback must be 'duplicate' or 'drop', got {fault.callback!r}.")
    if fault.body is not None and fault.status in (204, 304):
        raise ValueError(f"A {fault.status} response cannot have a body.")
    if fault.status is not None and fault.status < 400 and fault.status not in (204, 304) and fault.body is None:
        raise ValueError(f"A {fault.status} response needs a body; add body=.")
    if fault.status is not None and fault.lost_response:
        raise ValueError("status and lost_response exclude each other: with a status the request is not processed.")
    try:
        (fault.body or "").encode()
    except UnicodeEncodeError:
        raise ValueError("body contains a lone surrogate, which UTF-8 cannot encode.") from None
    on_wire = fault.latency or fault.drip or fault.cut is not None or fault.lost_response
    if fault.callback is None and not (fault.status or fault.empty or fault.html or fault.hold or on_wire):
        raise ValueError("The rule has no effect; add status=, latency=, cut=, lost_response=True or another effect.")
    if fault.callback is not None and (
        fault.method or fault.path or fault.status or fault.empty or fault.html or on_wire or fault.hold
    ):
        raise ValueError("A callback rule accepts only resource, nth, times and probability.")
    known = _resource_types()
    if fault.resource is not None and fault.resource not in known:
        raise ValueError(f"There is no resource {fault.resource!r}.{did_you_mean(fault.resource, known)}")


def _resource_types() -> set[str]:
    from didww._schema.registry import all_classes

    return {cls._type_name for cls in all_classes()}
