"""What a worker would log, read back in a test; logging is as before afterwards."""

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from serving.telemetry import logs


class Lines(StringIO):
    """The lines that were logged."""

    @property
    def parsed(self) -> list[dict[str, Any]]:
        """Each as what its JSON says."""
        return [json.loads(line) for line in self.getvalue().splitlines()]


@contextmanager
def logged(secrets: Iterable[str] = (), hold_seconds: float = 0.0) -> Iterator[Lines]:
    """Log as the service does while inside."""
    names = [None, *logging.root.manager.loggerDict]
    before = {name: _state(logging.getLogger(name)) for name in names}
    lines = Lines()
    logs.configure(secrets, lines, hold_seconds)
    try:
        yield lines
    finally:
        logging.captureWarnings(False)
        for name in names:
            logging.getLogger(name).__dict__.update(before[name])


def _state(logger: logging.Logger) -> dict[str, Any]:
    return {name: getattr(logger, name) for name in ("handlers", "level", "propagate", "disabled")}
