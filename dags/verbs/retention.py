"""The verb that deletes old answers."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from dags.border import verb
from dags.output import Record
from dags.verbs.options import moment

if TYPE_CHECKING:
    from feature_repo.settings import Settings

app = typer.Typer()
LEAST = 30
"""Days that the service's report on feedback looks back."""


@verb(app)
def forget(
    settings: "Settings",
    days: Annotated[int, typer.Option(min=LEAST, help="Keep the answers of so many days.")] = 180,
) -> Record:
    """Delete older answers, with their features and who asked; an experiment that runs keeps its own."""
    from feature_repo.platform import database
    from monitoring import retention

    before = moment(None) - timedelta(days=days)
    return {"before": before, "forgotten": retention.forget(database(settings), before)}
