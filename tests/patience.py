"""Limits of time that no busy machine reaches: whatever a test is about, it is not what the service does when slow.

A read that takes over a second is answered by the rules, an explanation by null, a question that waited half a second
for its turn by 503: rightly, but a machine with other work to do is as slow. A test of such a limit sets it, or takes
what users have: `Limits()`.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace

from serving import limits

VARIABLE = "TALENTML_TEST_LIMITS"
LONG = 300.0
"""Half a minute, which a service takes to start on a machine that is slow and busy, ten times."""
DAY = 86_400
PATIENT = dict.fromkeys(
    (
        "wait_seconds", "answer_seconds", "read_seconds", "explanation_seconds", "extra_seconds", "open_seconds",
        "load_seconds", "load_wait_seconds", "registry_seconds", "registry_round_seconds", "database_seconds",
        "airflow_seconds", "admin_seconds", "rollback_seconds", "retrain_again_seconds", "feedback_seconds",
        "feedback_lock_seconds", "log_flush_seconds",
    ),
    LONG,
)  # fmt: skip


def install() -> None:
    """LIMITS are these, or what VARIABLE says, for all that is imported from now on.

    Nothing of the service may have been imported before: it would have kept the others.
    """
    assert not [name for name in sys.modules if name.startswith("serving.") and name != limits.__name__]
    said = os.environ.get(VARIABLE)
    limits.LIMITS = replace(limits.LIMITS, **(PATIENT if said is None else json.loads(said)))


def await_day(seconds: float) -> None:
    """For tests of what is counted by the day: where so little of it is left, UTC, let the next one begin first."""
    left = DAY - time.time() % DAY
    if left < seconds:
        time.sleep(left)


def variables(given: Mapping[str, float]) -> dict[str, str]:
    """What another process is told, so that these are its limits and all others are as users have them."""
    return {VARIABLE: json.dumps(dict(given))}
