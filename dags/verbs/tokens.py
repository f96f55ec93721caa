"""Verbs on tokens: make the home's secret, and tokens signed with it."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from dags.border import verb
from dags.output import Record
from serving.access.caller import Role

if TYPE_CHECKING:
    from rich.console import Console

    from feature_repo.settings import Settings

token = typer.Typer(help="Tokens for the service: the home's secret, and what is signed with it.", no_args_is_help=True)
YEAR_HOURS = 8_760


@verb(token)
def secret(
    settings: "Settings",
    replace: Annotated[bool, typer.Option("--replace", help="Replace the one there is; its tokens end.")] = False,
) -> Record:
    """Make a random secret under the home, which only its owner may read. It is never shown.

    A service that runs goes on with the old one until it is started again.
    """
    from serving.access.keys import make_secret

    return {"secret": make_secret(settings.root, replace)}


def keep_secret(settings: "Settings") -> None:
    """Make the home's secret where tokens have no key yet, as on a first demo."""
    from serving.access.keys import SECRET_FILE, make_secret

    is_keyed = settings.jwt_secret or settings.jwt_jwks or (settings.root / SECRET_FILE).exists()
    if not is_keyed:
        make_secret(settings.root)


def bare_token(record: Record, out: "Console") -> None:
    """The token alone, on one line however long, as in TOKEN=$(talentml token issue ...)."""
    print(record["token"], file=out.file)


@verb(token, view=bare_token)
def issue(
    settings: "Settings",
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="Who asks; a talent's own person_id.")],
    role: Annotated[Role, typer.Option(help="In which role.")],
    hours: Annotated[int, typer.Option(min=1, max=YEAR_HOURS, help="How long it is good for.")] = 12,
) -> Record:
    """Make a token signed with the secret, alone on stdout."""
    from serving.access import auth

    lifetime = timedelta(hours=hours)
    made = auth.issue(settings, subject, role, lifetime)
    return {"token": made, "subject": subject, "role": role, "expires": datetime.now(UTC) + lifetime}
