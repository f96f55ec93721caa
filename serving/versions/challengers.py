"""The challengers of running experiments, loaded like champions. One that fails never serves: the champion answers."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from monitoring.arm import Arm
from monitoring.experiment import Mode
from serving.telemetry.metrics import Metrics
from serving.versions.arms import Served, is_drawn
from serving.versions.champions import Challenger, Promoted
from serving.versions.loading import Champion, Loader, Refusal
from training.product import Product

LOG = logging.getLogger("talentml.serving")


@dataclass(frozen=True)
class Trial:
    """A challenger that has loaded and answered, and the experiment that it is in."""

    facts: Challenger
    challenger: Champion

    def served(self, champion: Champion, unit: str) -> Served:
        """The unit's arm. In the shadow the champion answers all, and the share's units are also scored along."""
        facts = self.facts
        drawn = is_drawn(facts.salt, unit, facts.share)
        if facts.mode is Mode.SHADOW:
            return Served(champion, facts.experiment, Arm.CHAMPION, unit, self.challenger if drawn else None)
        if drawn:
            return Served(self.challenger, facts.experiment, Arm.CHALLENGER, unit)
        return Served(champion, facts.experiment, Arm.CHAMPION, unit)


class Challengers:
    """Follows the experiments that champions.json names: active, refused and the readers' view are replaced whole."""

    def __init__(self, products: Mapping[str, Product], loader: Loader, metrics: Metrics) -> None:
        self.products, self.metrics, self._loader = products, metrics, loader
        self.active: Mapping[str, Trial] = {}
        self.refused: Mapping[str, Refusal] = {}

    def refresh(self, wanted: Mapping[str, Challenger]) -> None:
        """Catch up. Called by one thread only; readers of `active` need no lock."""
        known = {name: facts for name, facts in wanted.items() if name in self.products}
        self.active = {name: trial for name, trial in self.active.items() if _is_same(trial.facts, known.get(name))}
        self.refused = {
            name: refusal for name, refusal in self.refused.items() if name in known and name not in self.active
        }
        for name, facts in known.items():
            refusal = self.refused.get(name)
            if name not in self.active and not (refusal and refusal.stands(facts.version)):
                self._take(self.products[name], facts)

    def _take(self, product: Product, facts: Challenger) -> None:
        try:
            challenger = self._loader.champion(product, facts.version)
        except Exception as error:  # noqa: BLE001  a foreign model may fail in any way, and must not stop the service
            self._refuse(product, facts.version, error)
            return
        if challenger is None:
            return  # it takes long; another round sees
        self.active = {**self.active, product.name: Trial(facts, challenger)}
        self.refused = {name: refusal for name, refusal in self.refused.items() if name != product.name}
        LOG.info("%s: version %s is the challenger, %s", product.name, facts.version.number, facts.mode)

    def _refuse(self, product: Product, version: Promoted, error: Exception) -> None:
        earlier, refusal = self.refused.get(product.name), Refusal.of(version, error)
        self.refused = {**self.refused, product.name: refusal}
        if earlier and earlier.is_about(version):
            return  # tried again, counted once
        self.metrics.load_failures.labels(product.name).inc()
        LOG.error("%s: challenger %s does not serve: %s", product.name, version.number, refusal.reason, exc_info=error)


def _is_same(held: Challenger, wanted: Challenger | None) -> bool:
    """Whether it is the same experiment with the same files; when they were fetched does not matter."""
    if wanted is None or not held.version.is_same(wanted.version):
        return False
    return held.model_copy(update={"version": wanted.version}) == wanted
