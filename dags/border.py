"""The command line's border: settings in, an answer or an error and its exit status out."""

import inspect
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dags.output import Answer, Record, answers_only, console, show, strict_json
from feature_repo import errors

if TYPE_CHECKING:
    from rich.console import Console

    from feature_repo.settings import Settings

Show = Callable[[Record, "Console"], None]
REFUSED = 99
"""The gate refused: Airflow's BashOperator shows a task that exits so as skipped."""

HomeFlag = Annotated[str | None, typer.Option("--home", help="The folder that holds all state.", show_default=False)]
JsonFlag = Annotated[bool, typer.Option("--json", help="Answer in strict JSON on stdout.")]


def exit_codes() -> dict[int, str]:
    """Exit status -> its meaning, from the error classes."""
    classes: list[type[errors.TalentError]] = [errors.TalentError, *errors.TalentError.__subclasses__()]
    meanings = {kind.exit_code: (kind.__doc__ or "").strip().splitlines()[0] for kind in classes}
    return {0: "Done.", **meanings, 1: "An unexpected error; its traceback is in the home's logs.",
            REFUSED: "The gate refused, or nothing is due.", 130: "Interrupted."}  # fmt: skip


def verb(app: typer.Typer, name: str | None = None, view: Show = show, hidden: bool = False) -> Callable[..., Any]:
    """Add the decorated function to app; it takes Settings and its own options, and gives a record or an Answer.

    The command has --home and --json too. view draws the record for a reader.
    """

    def register(function: Callable[..., Record | Answer]) -> Callable[..., Record | Answer]:
        def command(home: str | None = None, as_json: bool = False, **options: Any) -> None:
            raise typer.Exit(run(function, home, as_json, view, options))

        command.__doc__ = function.__doc__
        command.__signature__ = _signature(function)  # type: ignore[attr-defined]
        command.__annotations__ = {}
        app.command(name or function.__name__.replace("_", "-"), hidden=hidden)(command)
        return function

    return register


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    own = list(inspect.signature(function).parameters.values())[1:]
    flags = [("home", HomeFlag, None), ("as_json", JsonFlag, False)]
    keyword = inspect.Parameter.KEYWORD_ONLY
    common = [inspect.Parameter(n, keyword, annotation=kind, default=default) for n, kind, default in flags]
    return inspect.Signature([*(one.replace(kind=keyword) for one in own), *common])


def run(function: Callable[..., Record | Answer], home: str | None, as_json: bool, view: Show, options: Any) -> int:
    """Call a verb, write its answer, and give the exit status."""
    with answers_only() as stdout:
        found = _called(function, home, options)
        answer = found if isinstance(found, Answer) else Answer(found)
        if as_json:
            print(strict_json(answer.record), file=stdout)
        elif "error" not in answer.record:
            view(answer.record, console(stdout))
    return answer.exit_code


def _called(function: Callable[..., Record | Answer], home: str | None, options: dict[str, Any]) -> Record | Answer:
    from feature_repo.settings import load

    settings = None
    try:
        settings = load(home=home)
        return function(settings, **options)
    except errors.TalentError as error:
        return _failure(error, error.exit_code, str(error))
    except KeyboardInterrupt as error:
        return _failure(error, 130, "interrupted")
    except Exception as error:  # noqa: BLE001  the border: nothing above would tell the user
        return _failure(error, 1, f"{type(error).__name__}: {error} ({_kept(error, settings)})")


def _failure(error: BaseException, exit_code: int, message: str) -> Answer:
    line = " ".join(message.split())
    print(f"error: {line}", file=sys.stderr, flush=True)
    return Answer({"error": type(error).__name__, "message": line, "exit_code": exit_code}, exit_code)


def _kept(error: BaseException, settings: "Settings | None") -> str:
    """Write the traceback under the home, and say where; on stderr where even that fails."""
    trace = "".join(traceback.format_exception(error))
    try:
        folder = settings.root / "logs"  # type: ignore[union-attr]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"error-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.txt"
        path.write_text(trace)
    except (OSError, AttributeError):
        print(trace, file=sys.stderr)
        return "traceback above"
    return f"traceback in {path}"
