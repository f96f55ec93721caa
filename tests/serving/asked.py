"""The admin routes and the reports over a home, asked as somebody: as the border passes requests on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from feature_repo.settings import Settings
from serving.access.border import whole
from serving.access.caller import Caller, Role
from serving.limits import LIMITS
from serving.routes import admin, reports
from serving.running import Running
from serving.schemas import problems
from serving.schemas.reading import first_values
from training.products import PRODUCTS

SUBJECTS = {Role.ADMIN: "ada", Role.ENGINEER: "erin", Role.SERVICE: "portal", Role.TALENT: "P3"}


@dataclass(frozen=True)
class Passed:
    """Passes requests on as the border does those of a caller whom it lets in."""

    app: ASGIApp
    caller: Caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = first_values(scope["headers"])
        read = {"headers": headers, "body": await whole(headers, receive, LIMITS)}
        scope["state"] = {**scope.get("state", {}), **read, "caller": self.caller, "request_id": "r-1", "started": 0.0}
        await self.app(scope, receive, send)


@dataclass(frozen=True)
class Site:
    """The routes in this process."""

    running: Running
    app: FastAPI

    def ask(self, role: Role) -> TestClient:
        return TestClient(Passed(self.app, Caller(SUBJECTS[role], role)))

    def post(self, path: str, body: Any, role: Role = Role.ADMIN) -> tuple[int, Any]:
        """Status and answer."""
        answer = self.ask(role).post(f"/api/v1/models/{path}", json=body)
        return answer.status_code, answer.json()


@contextmanager
def site(home: Path, **settings: Any) -> Iterator[Site]:
    """The routes over a home; nothing runs in the background."""
    running = Running(Settings(home=home, jwt_secret="only of these tests " * 2, _env_file=None, **settings), PRODUCTS)
    running.refresh()
    app = FastAPI()
    problems.install(app)
    admin.install(app)
    reports.install(app)
    app.state.running = running
    yield Site(running, app)
    running.platform.close()
