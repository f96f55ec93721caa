"""Modules that shall not be imported by the way."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@contextmanager
def hidden(*modules: str) -> Iterator[None]:
    """Let imports of these modules fail inside, where libraries take what they do not need if only it is there."""
    finder = _Refusal(frozenset(modules))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@dataclass(frozen=True)
class _Refusal:
    """A finder that finds no module of these names, whoever else might."""

    modules: frozenset[str]

    def find_spec(self, fullname: str, path: object, target: object = None, /) -> None:
        del path, target
        if fullname in self.modules:
            raise ModuleNotFoundError(f"{fullname} is hidden", name=fullname)
