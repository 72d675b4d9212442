"""What DIDWW enabled for an account, put from outside: without a feature, what belongs to it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from didww.sandbox.errors import forbidden
from didww.words import did_you_mean

if TYPE_CHECKING:
    from didww.sandbox.engine import Engine
    from didww.sandbox.world import World

__all__ = ["Account", "Features", "check_feature", "features_of", "put_features"]


class Features(msgspec.Struct, frozen=True):
    """What an account may do.

    Attributes:
        outbound_trunks: Outbound trunks and the regenerating of their credentials; 403 without.
        emergency_calling: Emergency requirements, validations, services and verifications; 403 without.
        replace_cli: Outbound trunks that replace a caller ID by a default DID.
        randomize_cli: Outbound trunks that choose a caller ID at random.
        read_only: No orders can be placed: 403.
    """

    outbound_trunks: bool = True
    emergency_calling: bool = True
    replace_cli: bool = True
    randomize_cli: bool = True
    read_only: bool = False


_REFUSALS = {
    "outbound_trunks": "Outbound trunks are not enabled for this account.",
    "emergency_calling": "Emergency calling is not enabled for this account.",
    "read_only": "This account is in read-only mode.",
}


class Account:
    """What an account may do: `sandbox.account`. A new account has every feature.

    Args:
        engine: The engine.
        default_key: Whose unless said.
    """

    def __init__(self, engine: Engine, default_key: str) -> None:
        self._engine = engine
        self._default_key = default_key

    def show(self, *, api_key: str | None = None) -> Features:
        """What an account may do.

        Args:
            api_key: Whose; the sandbox's own account unless said.
        """
        with self._engine.held():
            return features_of(self._engine.world(api_key or self._default_key))

    def put(
        self,
        *,
        outbound_trunks: bool | None = None,
        emergency_calling: bool | None = None,
        replace_cli: bool | None = None,
        randomize_cli: bool | None = None,
        read_only: bool | None = None,
        api_key: str | None = None,
    ) -> Features:
        """Set what an account may do from now on; what is left out stays. What it has already stays too.

        Args:
            outbound_trunks: Whether outbound trunks are enabled; everything about them is answered 403 otherwise.
            emergency_calling: Whether emergency calling is enabled; everything about it is answered 403 otherwise.
            replace_cli: Whether an outbound trunk may have `on_cli_mismatch_action` `replace_cli`.
            randomize_cli: Whether an outbound trunk may have `on_cli_mismatch_action` `randomize_cli`.
            read_only: Whether the account is in read-only mode, in which orders are answered 403.
            api_key: Whose; the sandbox's own account unless said.
        """
        given = {
            "outbound_trunks": outbound_trunks,
            "emergency_calling": emergency_calling,
            "replace_cli": replace_cli,
            "randomize_cli": randomize_cli,
            "read_only": read_only,
        }
        with self._engine.held() as setting:
            world = self._engine.world(api_key or self._default_key)
            changes = {name: value for name, value in given.items() if value is not None}
            return setting.changing(lambda: put_features(world, changes))


def features_of(world: World) -> Features:
    """What the account may do."""
    kept = world.setting.store.fact(_place(world))
    return Features() if kept is None else msgspec.json.decode(kept, type=Features)


def put_features(world: World, changes: Any) -> Features:
    """Change what the account may do.

    Raises:
        ValueError: There is no such feature, or a value is neither true nor false.
    """
    names = Features.__struct_fields__
    if not isinstance(changes, dict):
        raise ValueError(f"account: features by name are needed, such as {names[0]}: false.")  # noqa: TRY004 what a file holds
    for name, value in cast("dict[Any, Any]", changes).items():
        if name not in names:
            raise ValueError(f"account: there is no feature {name!r}.{did_you_mean(str(name), names)}")
        if not isinstance(value, bool):
            raise ValueError(f"account.{name} must be true or false, got {value!r}.")  # noqa: TRY004 what a file holds
    made = msgspec.structs.replace(features_of(world), **changes)
    world.setting.store.keep_fact(_place(world), msgspec.json.encode(made).decode())
    return made


def check_feature(world: World, name: str) -> None:
    """Refuse what the account must not do.

    Raises:
        Refused: A feature is missing, or the account is read only (403).
    """
    if getattr(features_of(world), name) is (name == "read_only"):
        raise forbidden(_REFUSALS[name])


def _place(world: World) -> str:
    return f"features/{world.owner}"
