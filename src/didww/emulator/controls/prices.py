"""The price plans of accounts."""

from __future__ import annotations

import msgspec

from didww._util.suggest import did_you_mean
from didww.emulator.controls.account_control import AccountControl
from didww.emulator.controls.clock import stamp

__all__ = ["PricePlan", "Prices"]


class PricePlan(msgspec.Struct, frozen=True):
    """The plan of an account for a price list.

    Attributes:
        service: `voice_in`, `voice_out`, `sms_out` or `sms_in`.
        domain: `a2p`, `p2p` or `otp` for `sms_out`; otherwise None.
        assigned: Whether the account has the plan.
    """

    service: str
    domain: str | None
    assigned: bool


class Prices(AccountControl):
    """Price plans of accounts: `emulator.prices`.

    An account has all plans at first. Without one, lookups and files get 404 `price_plan_not_assigned`.
    """

    def show(self, *, api_key: str | None = None) -> list[PricePlan]:
        """Return the plans of an account.

        Args:
            api_key: Key of the account. Defaults to the emulator's own.
        """
        # Imported when used: most emulators need no prices.
        from didww.emulator.behaviors.prices import assigned_since
        from didww.emulator.data.prices import LISTS

        with self._engine.locked() as runtime:
            owner = self._session(api_key).owner
            return [_plan(name, assigned_since(runtime.store, owner, name) is not None) for name in LISTS]

    def assign(self, service: str, domain: str | None = None, *, api_key: str | None = None) -> PricePlan:
        """Assign a plan to an account; its file counts as changed now.

        Args:
            service: `voice_in`, `voice_out`, `sms_out` or `sms_in`.
            domain: `a2p`, `p2p` or `otp` for `sms_out`.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            ValueError: There is no such plan.
        """
        return self._set(service, domain, api_key, assigned=True)

    def unassign(self, service: str, domain: str | None = None, *, api_key: str | None = None) -> PricePlan:
        """Remove a plan from an account.

        Args:
            service: `voice_in`, `voice_out`, `sms_out` or `sms_in`.
            domain: `a2p`, `p2p` or `otp` for `sms_out`.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            ValueError: There is no such plan.
        """
        return self._set(service, domain, api_key, assigned=False)

    def _set(self, service: str, domain: str | None, api_key: str | None, *, assigned: bool) -> PricePlan:
        from didww.emulator.behaviors.prices import set_assigned
        from didww.emulator.data.prices import LISTS

        name = service if domain is None else f"{service}/{domain}"
        if name not in LISTS:
            known = ", ".join(LISTS)
            raise ValueError(f"There is no plan {name!r}; there are: {known}.{did_you_mean(name, LISTS)}")
        with self._engine.locked() as runtime:
            owner = self._session(api_key).owner
            set_assigned(runtime.store, owner, name, stamp(runtime.clock.now()) if assigned else None)
        return _plan(name, assigned)


def _plan(name: str, assigned: bool) -> PricePlan:  # noqa: FBT001 a member
    service, _, domain = name.partition("/")
    return PricePlan(service, domain or None, assigned)
