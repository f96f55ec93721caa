"""What stands before BentoML: our application answers everything, BentoML only whether it lives and is ready.

An application that is mounted in BentoML's lies behind its router, its context and its handlers of errors, 28 us a
request; and beside what else it serves: the Python types of a service (/schema.json), a page, its own assets.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

PROBES = frozenset({"/livez", "/readyz", "/healthz"})


class Front:
    """The outermost middleware that BentoML lets us add. app: BentoML's, which also hears of start and end; ours."""

    def __init__(self, app: ASGIApp, ours: ASGIApp) -> None:
        self.app, self.ours = app, ours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_theirs = scope["type"] == "lifespan" or scope.get("path") in PROBES
        await (self.app if is_theirs else self.ours)(scope, receive, send)
