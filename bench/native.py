"""The same as a route of BentoML's own; its metrics and its log of requests are off, as ours are."""

from typing import Any

import bentoml

from bench.ranker import PATH, Ranker


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Native:
    """One worker."""

    def __init__(self) -> None:
        self.ranker = Ranker.at_home()

    @bentoml.api(route=PATH)  # type: ignore[untyped-decorator]
    def rank(self, task_id: str, candidates: list[str], limit: int, explain: bool) -> dict[str, Any]:
        """As the bare one."""
        return self.ranker.rank(task_id, candidates, limit, explain)
