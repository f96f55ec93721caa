"""The verb that tells what admins asked of the service, and what came of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from dags.border import verb
from dags.output import Record, table
from dags.verbs.options import Since

if TYPE_CHECKING:
    from rich.console import Console

    from feature_repo.settings import Settings

app = typer.Typer()
COLUMNS = ("when", "who", "role", "what", "about", "outcome", "detail")


def audit_view(record: Record, out: "Console") -> None:
    """A row per call, the newest first."""
    rows = [
        {
            "when": f"{entry['at']:%F %T}",
            "who": _printable(entry["subject"]),
            "role": entry["role"],
            "what": entry["action"],
            "about": _printable(entry["target"]),
            "outcome": entry["outcome"],
            "detail": _printable(entry["detail"]),
        }
        for entry in record["entries"]
    ]
    out.print(table("audit log, in UTC", rows, COLUMNS) if rows else "Nothing was asked that only admins may ask.")


def _printable(text: str) -> str:
    """Without what would steer the reader's terminal: anybody may call a product whatever they like."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


@verb(app, view=audit_view)
def audit(
    settings: "Settings",
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many calls, the newest.")] = 50,
) -> Record:
    """Who asked the service to train or to roll back, when, and what came of it; refused calls too."""
    from dataclasses import asdict

    from feature_repo.platform import database
    from feature_repo.window import instant
    from monitoring.audit import entries

    found = entries(database(settings), since=instant(since) if since else None, limit=limit)
    return {"entries": [asdict(entry) for entry in found]}
