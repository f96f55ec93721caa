"""How much the service takes in, and how long it waits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of requests and of background work; sizes in bytes, times in seconds."""

    body_bytes: int = 1_048_576
    in_flight: int = 32
    """Requests that a worker works on at once; more are turned away."""
    wait_seconds: float = 0.5
    refusal_seconds: float = 0.02
    """By how much a 503 is held back for each one that waits already, up to a second."""
    body_seconds: float = 10.0
    answer_seconds: float = 10.0
    redis_seconds: float = 0.05
    redis_retry_seconds: float = 5.0
    answers: int = 100
    candidates: int = 1_000
    id_length: int = 128
    text_length: int = 10_000
    list_length: int = 1_000
    factors: int = 5
    errors: int = 100
    """Wrong fields that a 422 names."""
    errors_counted: int = 10_000
    """Where a megabyte holds more, none is named: to make 90,000 of them held up a worker for 0.5 s."""
    token_length: int = 4_096
    token_leeway_seconds: float = 30.0
    token_known_seconds: float = 60.0
    tokens_known: int = 4_096
    inline_rows: int = 256
    """Up to so many rows are scored on the event loop: a thread costs more than it gives (0.1 ms against 0.4)."""
    inline_explained_rows: int = 16
    """As many are explained there where the model's kernels are our own: they take up to 16 rows at once, in 0.1 ms."""
    inline_explained_seconds: float = 0.001
    """A model that took longer to explain a row when it was loaded is explained in a thread."""
    explanation_seconds: float = 1.0
    feedback_per_day: int = 200
    """Words of one subject since midnight UTC."""
    feedback_log_seconds: float = 2.0
    """How long feedback waits for the answer to be logged, which takes about half a second."""
    feedback_late_seconds: float = 60.0
    """So long after an answer was given, feedback on it that is early for the log is told to come again, not 404."""
    feedback_lock_seconds: float = 4.0
    feedback_seconds: float = 8.0
    """From when on it is answered with 503: less than answer_seconds."""
    comment_length: int = 2_000
    explanation_threads: int = 4
    slow_seconds: float = 0.2
    """A request that takes longer is logged as a warning."""
    log_line_seconds: float = 0.05
    """So long the lines of requests wait to be written together: a worker that is killed takes them with it."""
    read_seconds: float = 1.0
    """Where reading features takes longer, rules answer without them until it is fast again."""
    stale_days: float = 14.0
    """Rules answer where nothing was published for so long."""
    cache_seconds: float = 3_600.0
    cache_entries: int = 2_000
    cache_bytes: int = 64 * 2**20
    registry_poll_seconds: float = 2.0
    watch_seconds: float = 0.5
    open_seconds: float = 3.0
    """A starting worker waits so long for the online store, and as long for its models; rules answer until then."""
    watch_close_seconds: float = 2.0
    registry_seconds: float = 5.0
    registry_round_seconds: float = 2.0
    """A round in which MLflow fails and that took so long ends: the other products would take as long each."""
    follower_hangs_seconds: float = 120.0
    """A round that takes longer is given up with its process, and another one begins."""
    extra_threads: int = 4
    extra_seconds: float = 3.0
    """What a route says beside scores is null where it takes longer."""
    fetch_retry_seconds: float = 10.0
    load_retry_seconds: float = 60.0
    load_seconds: float = 30.0
    """A version that has not loaded and answered by then is refused. The first on a machine takes 10 s: it compiles."""
    load_wait_seconds: float = 3.0
    """So long the other products wait for a version that loads slowly; load_seconds at a cold start whose champion is
    refused, for the version served before."""
    platform_threads: int = 8
    database_seconds: float = 5.0
    airflow_seconds: float = 5.0
    admin_seconds: float = 8.0
    """A caller waits so long for what an admin asked for, less than answer_seconds; the work goes on."""
    rollback_seconds: float = 60.0
    audited_refusals: int = 10
    """Calls of admin routes that the border refuses and the audit log lists: of a minute, a worker and either kind."""
    retrain_again_seconds: float = 60.0
    reason_length: int = 500
    history_rows: int = 200
    log_waiting: int = 2_000
    log_waiting_bytes: int = 64 * 2**20
    shadow_waiting: int = 64
    """Answers that wait for a shadow to score along; a worker that is that far behind leaves some out."""
    log_flush_seconds: float = 10.0


LIMITS = Limits()
