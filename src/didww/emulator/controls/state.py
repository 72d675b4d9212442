"""All that an emulator holds, as a whole: begun anew, put aside under a name and brought back, filled from a file."""

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
    """Reset, snapshots and first objects: `emulator.state`.

    Args:
        engine: The engine.
        forget: Called when everything begins anew, for what lies outside of the store.
        default_key: The account that first objects go to by default.
    """

    def __init__(self, engine: Engine, forget: Callable[[], None], default_key: str) -> None:
        self._engine = engine
        self._forget = forget
        self._default_key = default_key
        self._snapshots: dict[str, _Snapshot] = {}
        self._first_clock = engine.clock.state()

    def reset(self) -> None:
        """Begin anew: no accounts, no faults, an empty journal, the clock as it was, the same ids to come again.

        Snapshots stay.
        """
        from didww.emulator.engine.store import Store

        fresh = Store(None, self._engine.seed)
        try:
            fresh.set_meta("opened", "1")  # a file that is opened again has another random sequence
            rng = random.Random(f"{self._engine.seed}/1").getstate()  # noqa: S311 nothing secret
            self._engine.replace(fresh.connection, rng, self._first_clock)
        finally:
            fresh.close()
        self._forget()

    def snapshot(self, name: str = "default") -> str:
        """Put everything that is stored aside under `name`, the clock and what is to happen too; the name.

        It is kept in memory, and an older one of this name is dropped. Faults and the journal are not part of it.
        """
        with self._engine.locked() as runtime:
            contents = runtime.store.copy()
            # An emulator in a test is often just dropped.
            close = weakref.finalize(self, contents.close)
            taken = _Snapshot(contents, runtime.rng.getstate(), self._engine.clock.state(), close)
        former = self._snapshots.pop(name, None)
        if former is not None:
            former.close()
        self._snapshots[name] = taken
        return name

    def restore(self, name: str = "default") -> None:
        """Bring back what was put aside under `name`; it can be brought back again.

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
        """The names of the snapshots, the oldest first."""
        return list(self._snapshots)

    def id_of(self, name: str) -> str:
        """The id that a word stands for in first objects: always the same."""
        return id_of(name)

    def seed(self, objects: dict[str, Any], *, api_key: str | None = None) -> dict[str, list[str]]:
        """Put objects into an account; the ids of what was made, by type.

        Args:
            objects: By type, the objects with their attributes and relationships.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            ValueError: Something in it cannot be so; nothing was made then.
        """
        if not isinstance(objects, dict):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise ValueError('objects are given by type, as in {"dids": [{"number": "12125550100"}]}.')  # noqa: TRY004 as for all of these
        with self._engine.locked() as runtime:
            session = self._engine.session(api_key or self._default_key)
            made = runtime.run_in_transaction(lambda: seed(session, objects))
        self._engine.wake()
        return made

    def seed_file(self, path: str | Path, *, api_key: str | None = None, once: bool = False) -> dict[str, list[str]]:
        """Put the objects of a YAML file into an account; the ids of what was made, by type.

        Args:
            path: The file.
            api_key: Key of the account. Defaults to the emulator's own.
            once: Do nothing if this was done before in this state, which is kept in a file.

        Raises:
            ValueError: The file cannot be read, or something in it cannot be so; nothing was made then.
        """
        with self._engine.locked() as runtime:
            if once and runtime.store.get_meta("seeded") is not None:
                return {}
        made = self.seed(_from_file(path), api_key=api_key)
        with self._engine.locked() as runtime:
            runtime.store.set_meta("seeded", "1")
        return made

    def close(self) -> None:
        """Drop the snapshots."""
        for one in self._snapshots.values():
            one.close()
        self._snapshots.clear()


def _from_file(path: str | Path) -> dict[str, Any]:
    from pathlib import Path

    try:
        import yaml
    except ModuleNotFoundError:
        raise ValueError('Reading YAML needs pyyaml: install this package with its extra "emulator".') from None
    try:
        read: Any = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {error}") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from None
    if not isinstance(read, dict):
        raise ValueError(f"{path} holds no objects by type; write for example:\nvoice_in_trunks:\n  - name: Main")  # noqa: TRY004
    return read  # pyright: ignore[reportUnknownVariableType]
