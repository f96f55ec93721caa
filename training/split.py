"""Cuts by time: what is learned from lies before what is judged on."""

from dataclasses import dataclass
from datetime import datetime

from feature_repo.window import Window
from training.product import TimeSplit


@dataclass(frozen=True)
class Cut:
    """Three windows that follow each other and end at the as-of date."""

    train: Window
    validation: Window
    test: Window


def cut(split: TimeSplit, as_of: datetime) -> Cut:
    """The windows of a split as of a date; rows are placed by their event_timestamp."""
    test = Window(as_of - split.test, as_of)
    validation = Window(test.since - split.validation, test.since)
    return Cut(Window(validation.since - split.history, validation.since), validation, test)
