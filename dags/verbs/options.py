"""Options that several verbs share, and how their text is read."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from feature_repo.errors import DataError, SettingsError
from feature_repo.window import instant

if TYPE_CHECKING:
    from feature_repo.settings import Settings
    from training.product import Product

A_PRODUCT = "A product; `talentml products` lists them."
MaybeProduct = Annotated[str | None, typer.Argument(metavar="[PRODUCT]", help=A_PRODUCT, show_default=False)]
ProductName = Annotated[str, typer.Argument(metavar="PRODUCT", help=A_PRODUCT)]
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

    Raises DataError where nothing is published, and for a date after the store's: what it lacks would change the answer
    of a rerun.
    """
    from feature_repo.online import OnlineSnapshot

    store = OnlineSnapshot.open(settings.root).as_of
    as_of = instant(text) if text else store
    if as_of > store:
        raise DataError(
            f"as of {as_of:%F %T}: the feature store is as of {store:%F %T}, allowed: that or earlier; "
            f"`talentml ingest`, `check` and `materialize` bring it forward"
        )
    return as_of
