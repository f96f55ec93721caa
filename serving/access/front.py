"""What stands before BentoML: our application answers everything, BentoML only whether it lives and is ready.

Were ours mounted in BentoML's, each request would pass its tracing, its timer, its router and its context: 45 us; and
the timer would keep what the request held for a minute, which the collector then walked for 100 to 300 ms. And what
else it serves would be open: the Python types of a service (/schema.json), a page, its own assets.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

PROBES = frozenset({"/livez", "/readyz", "/healthz"})


class Front:
    """Two applications as one. theirs: BentoML's, which also hears of the start and of the end; ours: all else."""

    def __init__(self, theirs: ASGIApp, ours: ASGIApp) -> None:
        self.theirs, self.ours = theirs, ours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_theirs = scope["type"] == "lifespan" or scope.get("path") in PROBES
        await (self.theirs if is_theirs else self.ours)(scope, receive, send)
