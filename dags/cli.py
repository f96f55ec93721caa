"""The command `talentml`: every step of the platform by hand, the same verbs that the DAGs run."""

import os
import sys

import typer

from dags.border import exit_codes
from dags.verbs import answers, audit, data, experiment, models, pages, platform, retention, search, tokens

EXIT = "Exit codes: " + " ".join(f"[bold]{code}[/bold] {meaning}" for code, meaning in sorted(exit_codes().items()))
HELP = "Features, models and predictions about people and tasks, from the source databases to the served answer."

app = typer.Typer(
    name="talentml", help=HELP, epilog=EXIT, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)  # fmt: skip
for part in (platform.app, data.app, models.app, answers.app, pages.app, search.app, audit.app, retention.app):
    app.add_typer(part)
app.add_typer(data.seed, name="seed")
app.add_typer(platform.servers, name="servers")
app.add_typer(platform.config, name="config")
app.add_typer(experiment.app, name="experiment")
app.add_typer(tokens.token, name="token")


def main() -> None:
    """The console script. A reader that stops reading, as in `talentml status | head -1`, is no error."""
    # Beside three busy processes on 4 cores a fit took 24.8 s where threads wait by spinning, 6.3 s where they sleep.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(141) from None
