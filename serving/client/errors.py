"""How a call ends that is not answered: the service cannot be reached, or it refuses.

* ServingError
  + UnreachableError   (nobody answers in time, or what answers is broken)     the rule may stand in
    * CircuitOpenError (nobody was asked: none answered a moment ago)          the same
  + RefusedError       (the service says no: a 4xx)                            never masked
"""

from collections.abc import Mapping, Sequence

from feature_repo.errors import ServingError


class UnreachableError(ServingError):
    """The service cannot answer. is_passing: whether it may a moment later; is_unsent: whether it never saw the call.

    retry_after: seconds that the service asks to wait.
    """

    def __init__(
        self, why: str, *, is_passing: bool = False, is_unsent: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(why)
        self.is_passing, self.is_unsent, self.retry_after = is_passing, is_unsent, retry_after


class CircuitOpenError(UnreachableError):
    """Nobody was asked, as nobody answered a moment ago."""


class RefusedError(ServingError):
    """The service refuses the call. errors: what is wrong with each field, as {"field": ..., "message": ...}."""

    def __init__(
        self,
        where: str,
        status: int,
        detail: str,
        errors: Sequence[Mapping[str, str]] = (),
        retry_after: float | None = None,
    ) -> None:
        faults = "; ".join(f"{fault['field']}: {fault['message']}" for fault in errors)
        super().__init__(f"{where}: {status}, {detail} {faults}".strip())
        self.status, self.detail, self.errors, self.retry_after = status, detail, tuple(errors), retry_after
