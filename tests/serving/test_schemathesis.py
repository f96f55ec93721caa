"""Requests that the OpenAPI document allows, and some that it does not: every answer is one that the document declares.

Each is sent without a token and with one of every role. Schemathesis draws them from the document, the same ones each
time; no answer is a 5xx, but where Airflow or MLflow would be needed.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import Phase, given, settings
from hypothesis.strategies import one_of
from schemathesis import GenerationMode
from schemathesis.checks import CheckContext
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from feature_repo.settings import Settings
from serving.access.auth import Role, issue
from serving.access.border import Border
from serving.routes.api import application
from serving.running import Running
from tests.patience import LONG
from tests.serving import tiny, world
from tests.serving.conftest import promote, promoted
from training.products import PRODUCTS

EXAMPLES = 15
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
KEY = Settings(jwt_secret="of the tests and of nobody else, 32 bytes", _env_file=None)
TOKENS = {role: issue(KEY, "P1", role, timedelta(hours=1)) for role in Role}
SENT = [{}, *({"Authorization": f"Bearer {token}"} for token in TOKENS.values())]
OPERATIONS = [(path, method) for path, each in application(PRODUCTS).openapi()["paths"].items() for method in each]

FEW = {"/api/v1/recommendations/{prediction_id}/feedback": 2}
"""Feedback waits two seconds for an answer that nobody gave."""
AWAY = {"/api/v1/models/retrain", "/api/v1/models/{name}/rollback"}
"""What needs Airflow or MLflow, which do not run here: 503, and `detail` says how to start them."""


def no_surprise(_: CheckContext, response: Response, case: schemathesis.Case) -> None:
    """No 5xx but one that was told of."""
    assert response.status_code < 500 or (response.status_code == 503 and case.operation.path in AWAY)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The document as it is served at the border of the small world, and what answers; nobody asks too often."""
    tiny.install()
    home = world.copy(tmp_path_factory.mktemp("fuzzed") / "home")
    promote(home, promoted(home, 3))
    running = Running(
        Settings(home=home, jwt_secret=KEY.jwt_secret, rate_limit="1000000/minute", _env_file=None), PRODUCTS
    )
    running.refresh()
    running.journal.start()
    app = application(PRODUCTS)
    app.state.running = running
    yield schemathesis.openapi.from_asgi("/openapi.json", Border(app))
    running.journal.close()


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_document_declares(whole: Any, path: str, method: str) -> None:
    operation = whole[path][method]
    drawn = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @settings(
        max_examples=FEW.get(path, EXAMPLES), derandomize=True, deadline=None, database=None, phases=[Phase.generate]
    )
    @given(one_of(*drawn, *operation.get_strategies_from_examples()))
    def ask(case: schemathesis.Case) -> None:
        for headers in SENT:
            case.call_and_validate(headers=headers, checks=[no_surprise, *CHECKS], timeout=LONG)

    ask()
