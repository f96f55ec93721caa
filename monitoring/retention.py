"""How long answers are kept. The prediction log holds who asked what: 50 KB for a ranking of 100 candidates."""

from datetime import datetime

from sqlalchemy import Engine, delete, or_, select

from feature_repo.platform.tables import experiments, prediction_log

AT_ONCE = 100
"""A step of so many, of 50 KB each, took SQLite 0.1 s on a busy machine: for so long it takes no answers."""


def forget(engine: Engine, before: datetime) -> int:
    """Delete the answers that were given before an instant, with their features and who asked; how many those were.

    An experiment that runs keeps its own: its test counts them. Feedback stays, as an outcome of no answer. In steps,
    as writers wait for each; what is interrupted goes on the next time.
    """
    log, running = prediction_log.c, select(experiments.c.id).where(experiments.c.stopped_at.is_(None))
    is_over = or_(log.experiment.is_(None), log.experiment.not_in(running))
    some = select(log.prediction_id).where(log.predicted_at < before, is_over).limit(AT_ONCE)
    forgotten = 0
    while True:
        with engine.begin() as connection:
            gone = connection.execute(delete(prediction_log).where(log.prediction_id.in_(some))).rowcount
        forgotten += gone
        if gone < AT_ONCE:
            return forgotten
