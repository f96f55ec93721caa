"""The champions that a worker serves. Each is one immutable bundle; a swap replaces the bundle, never its parts."""

import logging
from collections.abc import Mapping
from pathlib import Path

from serving.telemetry.metrics import Metrics
from serving.versions import champions
from serving.versions.arms import Served
from serving.versions.challengers import Challengers
from serving.versions.champions import Promoted
from serving.versions.loading import Champion, Loader, Refusal, WarmUp
from training.product import Product

LOG = logging.getLogger("talentml.serving")


class Models:
    """Loads what champions.json wants, warms it up and swaps it in; what fails leaves the previous one serving."""

    def __init__(self, home: Path, products: Mapping[str, Product], warm_up: WarmUp, metrics: Metrics) -> None:
        self.home, self.products, self.metrics = home, products, metrics
        self.loader = Loader(home, warm_up)
        self.registry = champions.Champions()
        self.active: Mapping[str, Champion] = {}
        self.refused: Mapping[str, Refusal] = {}
        self.challengers = Challengers(products, self.loader, metrics)
        for name in products:
            metrics.active.labels(name).set(0)
            metrics.load_failures.labels(name)

    def refresh(self) -> None:
        """Catch up with champions.json. Called by one thread only; readers of `active` need no lock."""
        self.registry = champions.read(self.home)
        for name, wanted in self.registry.wanted.items():
            if name in self.products:
                self._catch_up(self.products[name], wanted)
        self.challengers.refresh(self.registry.challengers)

    def served(self, product: str, unit: str | None) -> Served:
        """Who answers a question about a unit, and whether it counts in an experiment. To be asked once a question.

        It does where the experiment's champion and its challenger both serve here; else the champion answers for all.
        """
        champion, trial = self.active.get(product), self.challengers.active.get(product)
        if champion is None or trial is None or unit is None or trial.facts.champion != champion.version.number:
            return Served(champion)
        return trial.served(champion, unit)

    def _catch_up(self, product: Product, wanted: Promoted) -> None:
        served = self.active.get(product.name)
        refusal = self.refused.get(product.name)
        if served and served.version.is_same(wanted) and not self._may_warm_up(served):
            self._forgive(product)
            return
        if refusal and refusal.stands(wanted) and not (refusal.is_unread and self._can_read(product)):
            return
        if not self._take(product, wanted) and served is None:
            self._take_previous(product, wanted)

    def _may_warm_up(self, served: Champion) -> bool:
        """Whether features can be read now, and could not be when it was loaded: then it is loaded once more.

        Its first answer would take 10 ms longer; 0.5 s where the columns' kernels were never compiled on this machine.
        """
        return not served.is_warm and self._can_read(served.product)

    def _can_read(self, product: Product) -> bool:
        return self.loader.warm_up(product).snapshot is not None

    def _take_previous(self, product: Product, wanted: Promoted) -> None:
        """At a cold start with a champion that fails: the version that was served last."""
        previous, refusal = champions.served(self.home, product.name), self.refused[product.name]
        if previous and previous.number != wanted.number:
            self._take(product, previous, self.loader.seconds)
            self.refused = {**self.refused, product.name: refusal}

    def _take(self, product: Product, wanted: Promoted, patience: float | None = None) -> bool:
        """Serve a version, now or, where it takes long to load, in a later round. False where it is refused."""
        try:
            champion = self.loader.champion(product, wanted, patience)
        except Exception as error:  # noqa: BLE001  a foreign model may fail in any way, and must not stop the service
            self._refuse(product, wanted, error)
            return False
        if champion is None:
            return True
        self.active = {**self.active, product.name: champion}
        self._forgive(product)
        self.metrics.active.labels(product.name).set(wanted.number)
        if champion.is_warm:
            champions.remember(self.home, product.name, wanted)
        LOG.info("%s: version %s serves", product.name, wanted.number)
        return True

    def _forgive(self, product: Product) -> None:
        self.refused = {name: refusal for name, refusal in self.refused.items() if name != product.name}

    def _refuse(self, product: Product, wanted: Promoted, error: Exception) -> None:
        earlier, refusal = self.refused.get(product.name), Refusal.of(wanted, error)
        self.refused = {**self.refused, product.name: refusal}
        if refusal.is_unread:  # of a store that opens late, on a busy machine
            LOG.warning("%s: version %s waits: %s", product.name, wanted.number, refusal.reason)
            return
        if earlier and earlier.is_about(wanted) and not earlier.is_unread:
            return  # tried again, counted once
        self.metrics.load_failures.labels(product.name).inc()
        LOG.error("%s: version %s is not served: %s", product.name, wanted.number, refusal.reason, exc_info=error)
