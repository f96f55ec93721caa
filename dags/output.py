"""How a verb answers: tables or strict JSON on stdout; progress, logs and the prints of libraries on stderr."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console, Group

Progress = Callable[[str], None]
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a verb found, and the exit status where that is not 0, such as 99 for a refusal by the gate."""

    record: Record
    exit_code: int = 0


def plain(found: Any) -> Any:
    """The same as JSON's own types: instants and paths as text, NaN and infinities as null, objects by their fields."""
    if found is None or isinstance(found, bool | int | str):
        return str(found) if isinstance(found, str) else found
    if isinstance(found, float):
        return float(found) if isfinite(found) else None
    if isinstance(found, Mapping):
        return {str(key): plain(inner) for key, inner in found.items()}
    if is_dataclass(found) and not isinstance(found, type):
        return {field.name: plain(getattr(found, field.name)) for field in fields(found)}
    return _plain_object(found)


def _plain_object(found: Any) -> Any:
    if isinstance(found, date | datetime):
        return found.isoformat()
    if isinstance(found, timedelta):
        return found.total_seconds()
    if hasattr(found, "tolist"):  # numpy's scalars and arrays, without importing numpy
        return plain(found.tolist())
    if isinstance(found, Sequence | set | frozenset) and not isinstance(found, bytes):
        return [plain(inner) for inner in found]
    return str(found)


def strict_json(found: Any) -> str:
    """One line of JSON that any parser reads: no NaN, no Infinity, no bare objects."""
    return json.dumps(plain(found), allow_nan=False, ensure_ascii=False)


@contextmanager
def answers_only() -> Iterator[TextIO]:
    """The real stdout; whatever else writes to stdout meanwhile, child processes too, goes to stderr.

    Libraries print: MLflow its run's address, Evidently its progress. A reader of our JSON must not meet that.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    stream = os.fdopen(kept, "w", encoding="utf-8", closefd=False)
    try:
        with redirect_stdout(sys.stderr):
            yield stream
        stream.flush()
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """Say what is being done, on stderr: a spinner with the latest step on a terminal, one line a step elsewhere."""
    if not sys.stderr.isatty():
        yield lambda step: print(f"{title}: {step}", file=sys.stderr, flush=True)
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status(title) as status:
        yield lambda step: status.update(f"{title}: {step}")


def console(stream: TextIO) -> "Console":
    """A terminal as wide as it is; 120 columns where the output is piped, so that tables do not wrap there."""
    from rich.console import Console

    return Console(file=stream, width=None if stream.isatty() else 120, highlight=False)


def table(title: str, rows: Sequence[Record], columns: Sequence[str] | None = None) -> "Group":
    """A title and a row per record; columns in the order of the first one's keys unless given."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    names = list(columns or (rows[0] if rows else ()))
    drawn = Table(*[name.replace("_", " ") for name in names])
    for row in rows:
        drawn.add_row(*[Text(text(row.get(name)), overflow="fold") for name in names])
    return Group("", Text(title, style="bold"), drawn)


def text(found: Any) -> str:
    """A value as a cell shows it: four digits of a float, a dash for nothing, the items of a list."""
    simple = plain(found)
    if simple is None or simple == "":
        return "-"
    if isinstance(simple, float):
        return f"{simple:.4g}"
    if isinstance(simple, list) and not any(isinstance(inner, list | dict) for inner in simple):
        return ", ".join(map(text, simple)) or "-"
    return simple if isinstance(simple, str) else json.dumps(simple, ensure_ascii=False)


def show(record: Record, out: "Console") -> None:
    """Any record as a reader sees it: lists of records as tables, the rest as name and value."""
    for name, found in record.items():
        simple = plain(found)
        if isinstance(simple, list) and simple and isinstance(simple[0], dict):
            out.print(table(name.replace("_", " "), simple))
        elif isinstance(simple, dict) and simple:
            out.print(table(name.replace("_", " "), [{"name": key, "value": inner} for key, inner in simple.items()]))
        else:
            out.print(f"{name.replace('_', ' ')}: {text(found)}", markup=False)
