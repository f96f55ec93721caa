"""Feast, imported without the checks of types that its authors test with."""

from functools import cache
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


@cache
def imported_feast() -> ModuleType:
    """The package.

    Its classes are decorated with typeguard's `typechecked`, which writes 242 functions anew from their sources: 4 of
    the 6 s of processor time that the import took, in every verb that reads features. Under `python -O` it does not.
    """
    import typeguard

    checked = typeguard.typechecked
    typeguard.typechecked = _unchecked  # type: ignore[assignment]
    try:
        import feast
    finally:
        typeguard.typechecked = checked
    return feast  # type: ignore[no-any-return]


def _unchecked(target: T) -> T:
    return target
