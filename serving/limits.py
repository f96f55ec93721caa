"""How much the service takes in, and how long it waits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of requests and of background work; sizes in bytes, times in seconds."""

    body_bytes: int = 1_048_576
    answers: int = 100
    candidates: int = 1_000
    id_length: int = 128
    text_length: int = 10_000
    list_length: int = 1_000
    factors: int = 5
    inline_rows: int = 256
    """Up to so many rows are scored on the event loop: a thread costs more than it gives (0.1 ms against 0.4)."""
    explanation_seconds: float = 1.0
    registry_poll_seconds: float = 2.0
    watch_seconds: float = 0.5
    fetch_retry_seconds: float = 10.0
    load_retry_seconds: float = 60.0
    log_waiting: int = 2_000
    log_batch: int = 200
    log_flush_seconds: float = 10.0


LIMITS = Limits()
