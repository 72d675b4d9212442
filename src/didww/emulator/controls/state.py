"""The state of an emulator as a whole: reset, snapshots and seed data."""

from __future__ import annotations

import random
import weakref
from typing import TYPE_CHECKING, Any

import msgspec

from didww._util.suggest import did_you_mean
from didww.emulator.controls.seeding import id_of, seed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from didww.emulator.controls.clock import ClockState
    from didww.emulator.engine.engine import Engine

__all__ = ["State"]


class _Snapshot(msgspec.Struct, frozen=True):
    contents: Any
    rng: Any
    clock: ClockState
    close: Any


class State:
    """Reset, snapshots and seed data: `emulator.state`.

    Args:
        engine: The engine.
        forget: Called on reset, to clear state outside the store.
        default_key: Key of the default account.
    """

    def __init__(self, engine: Engine, forget: Callable[[], None], default_key: str) -> None:
        self._engine = engine
        self._forget = forget
        self._default_key = default_key
        self._snapshots: dict[str, _Snapshot] = {}
        self._first_clock = engine.clock.state()

    def reset(self) -> None:
        """Reset accounts, faults, journal, clock and the id sequence.

        Snapshots are kept.
        """
        from didww.emulator.engine.prepared import new_store

        fresh = new_store(None, self._engine.seed)
        try:
            fresh.set_meta("opened", "1")  # each opening of a file has its own random sequence
            rng = random.Random(f"{self._engine.seed}/1").getstate()  # noqa: S311 nothing secret
            self._engine.replace(fresh.connection, rng, self._first_clock)
        finally:
            fresh.close()
        self._forget()

    def snapshot(self, name: str = "default") -> str:
        """Take a snapshot of all records, scheduled events and the clock; return its name.

        It is kept in memory and replaces an older one of the same name. Faults and the journal are not included.
        """
        with self._engine.locked() as runtime:
            contents = runtime.store.copy()
            # Tests often drop an emulator without closing it.
            close = weakref.finalize(self, contents.close)
            taken = _Snapshot(contents, runtime.rng.getstate(), self._engine.clock.state(), close)
        former = self._snapshots.pop(name, None)
        if former is not None:
            former.close()
        self._snapshots[name] = taken
        return name

    def restore(self, name: str = "default") -> None:
        """Restore a snapshot; it can be restored again.

        Raises:
            LookupError: There is no such snapshot.
        """
        taken = self._snapshots.get(name)
        if taken is None:
            known = ", ".join(self._snapshots) or "none"
            guess = did_you_mean(name, self._snapshots)
            raise LookupError(f"There is no snapshot {name!r}; there are: {known}.{guess}")
        self._engine.replace(taken.contents, taken.rng, taken.clock)

    def snapshots(self) -> list[str]:
        """Return the names of the snapshots, oldest first."""
        return list(self._snapshots)

    def id_of(self, name: str) -> str:
        """Return the id derived from a word in seed data."""
        return id_of(name)

    def seed(self, objects: dict[str, Any], *, api_key: str | None = None) -> dict[str, list[str]]:
        """Create objects in an account; return their ids by type.

        Args:
            objects: Objects with attributes and relationships, by type.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            ValueError: An object is invalid; nothing was created.
        """
        if not isinstance(objects, dict):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise ValueError('objects must be a dict by type, such as {"dids": [{"number": "12125550100"}]}.')  # noqa: TRY004 as for all of these
        with self._engine.locked() as runtime:
            session = self._engine.session(api_key or self._default_key)
            seeded = runtime.run_in_transaction(lambda: seed(session, objects))
        self._engine.wake()
        return seeded

    def seed_file(self, path: str | Path, *, api_key: str | None = None, once: bool = False) -> dict[str, list[str]]:
        """Create the objects of a YAML file in an account; return their ids by type.

        Args:
            path: The file.
            api_key: Key of the account. Defaults to the emulator's own.
            once: Do nothing if this state was seeded before.

        Raises:
            ValueError: The file cannot be read, or an object is invalid; nothing was created.
        """
        with self._engine.locked() as runtime:
            if once and runtime.store.get_meta("seeded") is not None:
                return {}
        seeded = self.seed(_from_file(path), api_key=api_key)
        with self._engine.locked() as runtime:
            runtime.store.set_meta("seeded", "1")
        return seeded

    def close(self) -> None:
        """Drop the snapshots."""
        for snapshot in self._snapshots.values():
            snapshot.close()
        self._snapshots.clear()


def _from_file(path: str | Path) -> dict[str, Any]:
    from pathlib import Path

    try:
        import yaml
    except ModuleNotFoundError:
        raise ValueError('Reading YAML needs pyyaml: pip install "didww-sdk[emulator]".') from None
    try:
        read: Any = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not valid YAML: {error}") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from None
    if not isinstance(read, dict):
        raise ValueError(f"{path} must contain objects by type, for example:\nvoice_in_trunks:\n  - name: Main")  # noqa: TRY004
    return read  # pyright: ignore[reportUnknownVariableType]
