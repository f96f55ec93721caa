"""Writes a worker's answered requests to the prediction log, in a process of its own: in the worker it took 2 ms of
each answer, and held the interpreter while the event loop waited.

It reads a spool, and says on standard output what became of the messages, a line of JSON per batch. It ends when its
input does, having written all that is there: the worker has closed it, or is gone.

Messages carry no version, as a worker starts its scribe from the release that it runs itself. A release is therefore
put beside the one that runs, or in its place once the service is stopped; never under a running service.
"""

import gc
import json
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from feature_repo.errors import TalentError
from feature_repo.hidden import hidden
from feature_repo.platform import database
from feature_repo.settings import load
from monitoring.prediction_log import Record, append
from serving.answering.messages import Decoder
from serving.answering.spool import Spooled
from serving.limits import LIMITS

RETRY_SECONDS = 1.0
ROUND_SECONDS = 0.1
"""What comes meanwhile is written together. Who finds a scribe on its processor waits 2 to 5 ms: with rounds of 0.05
that was more than one of 100 answers."""
REFUSED = (IntegrityError, DataError, ProgrammingError)
"""What a database says of records that it will never take; with any other error it is away, and asked again."""


class Scribe:
    """Takes messages from a spool, and says at the end of a pipe what became of each, in their order.

    source: the end of a pipe that is closed once no more will come.
    """

    def __init__(
        self, connect: Callable[[], Engine], decoder: Decoder, spooled: Spooled, source: int, target: int
    ) -> None:
        self._connect, self._decoder, self._spooled = connect, decoder, spooled
        self._source, self._target = source, target
        self._engine: Engine | None = None

    def run(self) -> None:
        """Write until no more will come, and all that came is written."""
        is_last = False
        while not is_last:
            is_last = is_closed(self._source, ROUND_SECONDS)
            for batch in self._spooled.batches():
                records = self._records(batch)
                written = self._written(records)
                self._say(written=written, dropped=len(batch) - written)

    def _records(self, batch: Sequence[memoryview]) -> list[Record]:
        """The records of messages, but of those that cannot be read."""
        records = []
        for content in batch:
            try:
                records.append(self._decoder.record(content))
            except Exception as error:  # noqa: BLE001  the others can be read
                self._say(error=_said(error))
        return records

    def _written(self, records: Sequence[Record]) -> int:
        """How many are written, however long the database is away; once the input has ended it is tried only once."""
        while True:
            try:
                self._engine = self._engine or self._connect()
                append(self._engine, records)
                return len(records)
            except Exception as error:  # noqa: BLE001  whatever a database says
                if not is_away(error):
                    return self._written_singly(records, error)
                self._say(away=str(error))
            if is_closed(self._source, RETRY_SECONDS):
                return 0

    def _written_singly(self, records: Sequence[Record], error: Exception) -> int:
        """How many are, without those that no database would take."""
        if len(records) > 1:
            return sum(self._written([record]) for record in records)
        self._say(error=_said(error))
        return 0

    def _say(self, written: int = 0, dropped: int = 0, away: str | None = None, error: str | None = None) -> None:
        line = {"written": written, "dropped": dropped, "away": away, "error": error}
        with suppress(BrokenPipeError):  # nobody is left to be told
            os.write(self._target, json.dumps(line).encode() + b"\n")


def is_away(error: Exception) -> bool:
    """Whether the same records may be taken later."""
    return isinstance(error, (DBAPIError, PoolTimeoutError, TalentError)) and not isinstance(error, REFUSED)


def is_closed(source: int, seconds: float | None) -> bool:
    """Whether nobody can write into a pipe any more; waits for it, for ever by None."""
    poll = select.poll()
    poll.register(source, 0)  # only that it is closed is asked for, not whether there is anything to read
    return bool(poll.poll(None if seconds is None else 1000 * seconds))


def _said(error: Exception) -> str:
    """Others' errors name values."""
    return str(error) if isinstance(error, TalentError) else type(error).__name__


def _end_with_parent() -> None:
    """A database may hang in a call that has no end."""
    is_closed(0, None)
    time.sleep(LIMITS.log_flush_seconds)
    os._exit(1)


def main() -> None:
    """Write what the worker adds to its spool, the file of this number, until it closes the input or is gone."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # whoever stops all at once: what is answered until the end is written too
    target = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no line for the worker
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with hidden("pandas"):
        import pyarrow

        pyarrow.array([0]).to_numpy()  # looks for pandas, once: 60 MB
    settings = load()
    spooled = Spooled(int(sys.argv[1]), LIMITS.log_waiting)
    gc.collect()
    gc.freeze()  # what stays for good: to look through it again and again was 30 % of a scribe's time
    Scribe(lambda: database(settings), Decoder(settings.root / "online"), spooled, 0, target).run()


if __name__ == "__main__":
    main()
