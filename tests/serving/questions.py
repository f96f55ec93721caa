"""A question for every route of every product, about the small world."""

from dataclasses import dataclass
from typing import Any

from serving.routes.api import schema_name
from serving.schemas.replies import reply_model
from tests.serving.conftest import Service
from training.product import Product
from training.products import PRODUCTS
from training.route import Route

BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/recommendations/task-assignment": {"task_id": "T60", "candidates": ["P1", "P2"]},
    "/api/v1/recommendations/task-performance": {"person_id": "P1", "task_id": "T60"},
    "/api/v1/match/talent-to-jobs": {"person_id": "P1", "jobs": ["JB0", "JB1"]},
    "/api/v1/match/job-to-talents": {"job_id": "JB1", "talents": ["P1", "P2"]},
    "/api/v1/skill-gaps/analyze": {"person_id": "P1", "target_id": "engineer", "skills": ["spark", "sql"]},
    "/api/v1/skill-gaps/predict": {"person_id": "P1", "target_id": "JB1", "skills": ["spark", "sql"]},
    "/api/v1/recommendations/generate": {"person_id": "P0", "target_id": "engineer", "contents": ["C2", "C3"]},
    "/api/v1/careers/recommend": {"person_id": "P0", "occupations": ["analyst", "engineer"]},
    "/api/v1/trends/forecast/{skill_id}": {"skill_id": "python"},
    "/api/v1/trends/analyze": {"skills": ["python", "sql"]},
}


@dataclass(frozen=True)
class Asking:
    """A route, its product and a body that names known subjects and items."""

    product: Product
    route: Route
    body: dict[str, Any]

    @property
    def items(self) -> str:
        """The answer's list."""
        return (self.route.named or self.route.items.name) if self.route.items else "estimates"

    def sent(self, service: Service, **changed: Any) -> Any:
        """The response to the body with other values; those that are None are left out."""
        body = {name: value for name, value in {**self.body, **changed}.items() if value is not None}
        if self.route.method == "POST":
            return service.http.post(self.route.path, json=body)
        keys = {entity.key: body.pop(entity.key) for entity in self.route.subject}
        return service.http.get(self.route.path.format(**keys), params={k: _plain(v) for k, v in body.items()})

    def answer(self, service: Service, **changed: Any) -> dict[str, Any]:
        """An answer that must succeed and keep to its schema."""
        found = self.sent(service, **changed)
        assert found.status_code == 200, found.text
        reply_model(schema_name(self.product, self.route), self.product, self.route).model_validate_json(found.content)
        answer: dict[str, Any] = found.json()
        return answer

    def __str__(self) -> str:
        return self.route.path


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def asking(path: str) -> Asking:
    """The question of one route."""
    return next(each for each in ASKED if each.route.path == path)


ASKED = [Asking(product, route, BODIES[route.path]) for product in PRODUCTS.values() for route in product.routes]
OWN = {each.product.name: each for each in reversed(ASKED)}
"""By product the question of its own route, which is the first one."""
