"""Rollback for the service: in a process of its own, as it imports MLflow, which no worker may hold.

`python -m serving.routes.rollback PRODUCT [VERSION]` prints one line of JSON: product, from_version and to_version, or
the status and detail of a problem, and `why` for the log where that says more. VERSION: the champion to roll back from;
another one is left alone.
"""

import json
import logging
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from feature_repo.errors import RegistryError, TalentError
from feature_repo.settings import Settings, load
from serving.launch import environment
from serving.limits import LIMITS
from serving.schemas.problems import ProblemError, unavailable
from serving.telemetry.redaction import described, traceback_of

LOG = logging.getLogger("talentml.serving")
AWAY = "MLflow or the platform's database does not answer; `talentml servers start` brings them back, then ask again."
FAILED = "The rollback failed; the log says why."


@dataclass(frozen=True)
class RolledBack:
    """The champion before and after."""

    product: str
    from_version: int
    to_version: int


def rolled_back(settings: Settings, product: str, version: int | None = None) -> RolledBack:
    """Run the rollback and wait for it. version: the champion to roll back from, any if None.

    Raises ProblemError 409 when there is nothing to go back to, 503 when MLflow is away or the process takes too long.
    """
    command = [sys.executable, "-m", "serving.routes.rollback", product, *([] if version is None else [str(version)])]
    try:
        done = subprocess.run(
            command, env=environment(settings), capture_output=True, text=True, timeout=LIMITS.rollback_seconds
        )
        found = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        detail = f"The rollback of {product} took over {LIMITS.rollback_seconds:.0f} s; see which version serves now."
        raise unavailable(detail) from None
    except (IndexError, ValueError):
        LOG.error("rollback of %s: its process ended with %s", product, done.returncode)
        raise unavailable(FAILED) from None
    if "why" in found:
        LOG.error("rollback of %s: %s", product, found["why"])
    if "status" in found:
        raise unavailable(found["detail"]) if found["status"] == 503 else ProblemError(found["status"], found["detail"])
    return RolledBack(**found)


def main(words: list[str]) -> dict[str, Any]:
    """Roll a product back; the record that is printed."""
    from training.products import PRODUCTS

    name, *version = words
    try:
        return asdict(_champion_before(load(), PRODUCTS[name], int(version[0]) if version else None))
    except ProblemError as error:
        return {"status": error.status, "detail": error.detail}
    except TalentError as error:
        is_refusal = isinstance(error, RegistryError) and not str(error).startswith("mlflow:")
        if is_refusal:
            return {"status": 409, "detail": f"{error}."}
        return {"status": 503, "detail": AWAY, "why": described(error)}
    except Exception as error:  # noqa: BLE001  the border: the worker's log is all that anybody reads
        where = traceback_of(error)[0]["frames"][-1]
        return {"status": 503, "detail": FAILED, "why": f"{described(error)} at {where}"}


def _champion_before(settings: Settings, product: Any, expected: int | None) -> RolledBack:
    from training import history
    from training.promotion import rollback
    from training.registry import Registry
    from training.tracking import address, check_reachable

    check_reachable(address(settings))
    registry = Registry(settings)
    with registry.lock(f"rollback-{product.name}"):  # else two at once would go back two versions
        current = registry.champion(product.name)
        if expected is not None and (current is None or current.number != expected):
            serves = f"version {current.number}" if current else "no version"
            raise ProblemError(409, f"{product.name}: {serves} is champion, not version {expected}: nothing to do.")
        target = rollback(product, settings)
    moved = next(move for move in history.moves(registry.engine, product.name) if move["version"] == target.number)
    return RolledBack(product.name, moved["previous"], target.number)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
