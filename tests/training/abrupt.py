"""Registrations and promotions in processes of their own, killed by SIGKILL at a named call where a test wants it."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from multiprocessing import forkserver, get_context
from typing import Any

from feature_repo.settings import Settings
from tests.training import tiny
from training.product import Product
from training.promotion import promote
from training.registry import Registry

# A server that has imported everything and forks: a process starts in .1 s, not in 5, and shares no connection.
processes = get_context("forkserver")
processes.set_forkserver_preload(["tests.training.abrupt", "mlflow.pyfunc", "lightgbm", "matplotlib.figure"])
CROWD = 25


def warm() -> None:
    """Let the imports begin, while something else is waited for."""
    forkserver.ensure_running()


def start(settings: Settings, product: Product, verb: str, call: str = "", factor: float = 1.0) -> Any:
    """Start a verb: register, promote, or crowd. call: module:attribute to be killed at, none if empty."""
    made = processes.Process(target=_main, args=(settings, product.name, verb, call, factor))
    made.start()
    return made


def exit_codes(started: list[Any]) -> list[int]:
    """Wait for processes; -9 for one that was killed."""
    for process in started:
        process.join(600)
    return [process.exitcode for process in started]


def _main(settings: Settings, name: str, verb: str, call: str, factor: float) -> None:
    product = replace(tiny.PRODUCT, name=name)
    if call:
        _kill_at(call)
    if verb == "register":
        Registry(settings).register(tiny.candidate(product=product, factor=factor), name, "code")
    elif verb == "promote":
        promote(product, settings, tiny.AS_OF, unseen=tiny.unseen)
    else:
        with ThreadPoolExecutor(CROWD) as pool:
            list(pool.map(lambda _: promote(product, settings, tiny.AS_OF, unseen=tiny.unseen), range(CROWD)))


def _kill_at(call: str) -> None:
    """Replace module:Class.attribute by a shot through the head."""
    module, path = call.split(":")
    *owners, attribute = path.split(".")
    owner: Any = import_module(module)
    for step in owners:
        owner = getattr(owner, step)
    setattr(owner, attribute, lambda *args, **kwargs: os.kill(os.getpid(), signal.SIGKILL))
