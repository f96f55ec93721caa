"""Options that several verbs share, and how their text is read."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from feature_repo.errors import SettingsError
from feature_repo.window import instant

if TYPE_CHECKING:
    from feature_repo.settings import Settings
    from training.product import Product

ProductName = Annotated[str, typer.Argument(metavar="PRODUCT", help="A product; `talentml products` lists them.")]
Since = Annotated[str | None, typer.Option(help="From this ISO date on.", show_default=False)]
Until = Annotated[str | None, typer.Option(help="Before this ISO date; now if not given.", show_default=False)]
AsOf = Annotated[
    str | None, typer.Option(help="Know only what was known before this ISO date.", show_default="the store's date")
]


def product(name: str) -> "Product":
    """The declaration of that name. Raises SettingsError, which lists the products there are."""
    from training.products import PRODUCTS

    try:
        return PRODUCTS[name]
    except KeyError:
        raise SettingsError(f"product {name!r}: unknown, allowed: {', '.join(PRODUCTS)}") from None


def moment(text: str | None) -> datetime:
    """The instant that the text names; now, without microseconds, where there is none."""
    return instant(text) if text else datetime.now(UTC).replace(microsecond=0)


def as_of_store(text: str | None, settings: "Settings") -> datetime:
    """The instant that the text names, else the date that the published feature store is as of.

    Raises DataError where no date is given and nothing is published.
    """
    if text:
        return instant(text)
    from feature_repo.online import OnlineSnapshot

    return OnlineSnapshot.open(settings.root).as_of
