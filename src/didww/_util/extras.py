"""Import the packages of the extras."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["need"]


def need(module: str, extra: str = "cdr") -> ModuleType:
    """Import a module of a package that an extra installs.

    Args:
        module: Name of the module, such as `pyarrow.parquet`.
        extra: Name of the extra.

    Raises:
        InvalidValueError: The package is not installed.

    Example:
        >>> need("json").dumps(1)
        '1'
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
    install = f'pip install "didww-sdk[{extra}]"' if extra else f"pip install {package}"
    raise InvalidValueError(f"This needs the package {package}. Install it with `{install}`.", field=package)
