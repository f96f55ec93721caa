"""Queries for SQL, Cypher and MongoDB in every string that a request may hold are text and nothing else (FAULTS 22)."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import inspect, text

from feature_repo.platform import database
from tests.faults.live import UNLIMITED, Live, live
from tests.serving.questions import ASKED, Asking

pytestmark = pytest.mark.slow
PAYLOADS = [
    "'; DROP TABLE canary; --",
    "\" OR 1=1; DELETE FROM canary; --",
    "P1' UNION SELECT word FROM canary --",
    "1); UPDATE canary SET word = 'dead'; SELECT (1",
    "' MATCH (n) DETACH DELETE n //",
    "}) RETURN 1 UNION MATCH (n) SET n.dead = true //",
    '{"$gt": ""}',
    '{"$where": "sleep(5000)"}',
    "%27%20OR%201%3D1",
    "{{7*7}}${7*7}#{7*7}",
    "../../../../etc/passwd",
    "$(touch canary)`touch canary`",
    "\u202e\ufeff\U0001f600'--",
]  # fmt: skip
OBJECTS: list[Any] = [{"$gt": ""}, {"$where": "1"}, {"$ne": None}, [{"$gt": ""}]]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("injected") / "home", rate_limit=UNLIMITED) as found:
        with database(found.settings).begin() as connection:
            connection.execute(text("CREATE TABLE canary (word TEXT)"))
            connection.execute(text("INSERT INTO canary VALUES ('tweet'), ('chirp')"))
        yield found


def fields(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The paths of every place where a string may stand; `*` is an item of a list."""
    if "$ref" in schema:
        yield from fields(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for each in (*schema.get("anyOf", ()), *schema.get("allOf", ()), *schema.get("oneOf", ())):
        yield from fields(each, schemas)
    for name, each in schema.get("properties", {}).items():
        yield from ((name, *rest) for rest in fields(each, schemas))
    if "items" in schema:
        yield from (("*", *rest) for rest in fields(schema["items"], schemas))
    if isinstance(extra := schema.get("additionalProperties"), dict):
        yield from (("key", *rest) for rest in fields(extra, schemas))
    if schema.get("type") == "string":
        yield ()


def put(body: Any, path: tuple[str, ...], value: Any) -> Any:
    """A body with a value at a path, and whatever is needed on the way."""
    if not path:
        return value
    if path[0] == "*":
        return [put(body[0] if isinstance(body, list) and body else None, path[1:], value)]
    given = body if isinstance(body, dict) else {}
    return {**given, path[0]: put(given.get(path[0]), path[1:], value)}


def sendings(asking: Asking, document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Every question with a payload somewhere: path and body."""
    route, payloads = asking.route, [*PAYLOADS, *OBJECTS]
    if route.method == "GET":
        names = [each["name"] for each in document["paths"][route.path]["get"]["parameters"] if each["in"] == "query"]
        keys = {entity.key: asking.body[entity.key] for entity in route.subject}
        for payload in PAYLOADS:
            yield route.path.format(**dict.fromkeys(keys, quote(payload, safe=""))), None
            yield from ((f"{route.path.format(**keys)}?{name}={quote(payload)}", None) for name in names)
        return
    operation = document["paths"][route.path]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    schemas = document["components"]["schemas"]
    for path in sorted(set(fields(schema, schemas))):
        body = based(asking.body, path[0], schemas[schema["$ref"].rpartition("/")[2]], schemas)
        yield from ((route.path, put(body, path, payload)) for payload in payloads)


def based(body: dict[str, Any], field: str, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """A body where a field may hold columns: they stand instead of an id."""
    if f"{field}_id" not in body:
        return body
    return {**{k: v for k, v in body.items() if k != f"{field}_id"}, field: least(schema["properties"][field], schemas)}


def least(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """The least value that fits a schema."""
    if "$ref" in schema:
        return least(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return least(schema["anyOf"][0], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "object":
        return {name: least(schema["properties"][name], schemas) for name in schema.get("required", ())}
    if schema["type"] == "array":
        return [least(schema["items"], schemas)]
    return {"string": "x", "boolean": True, "integer": 1, "number": 1.0, "null": None}[schema["type"]]


@pytest.mark.parametrize("asking", ASKED, ids=str)
def test_a_query_in_any_string_of_a_request_is_text(asked: Live, asking: Asking) -> None:
    with asked.client() as client:
        document = client.get("/openapi.json").json()
        sent = list(sendings(asking, document))
        assert len(sent) > len(PAYLOADS)
        found = {_status(client, path, body) for path, body in sent}
    assert {200, 422} <= found <= {200, 404, 422} or asking.route.method == "GET"
    _intact(asked)


@pytest.mark.parametrize("header", ["X-Request-ID", "Authorization", "User-Agent", "Accept", "Cookie"])
def test_a_query_in_a_header_is_text(asked: Live, header: str) -> None:
    with asked.client() as client:
        for payload in PAYLOADS:
            headers = {header.encode(): payload.encode()}
            assert client.get("/api/v1/models/status", headers=headers).status_code in {200, 401}
    _intact(asked)


def _status(client: httpx.Client, path: str, body: Any) -> int:
    answer = client.get(path) if body is None else client.post(path, content=json.dumps(body))
    assert "tweet" not in answer.text, (path, body)
    return answer.status_code


def _intact(asked: Live) -> None:
    engine = database(asked.settings)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT word FROM canary")).scalars().all() == ["tweet", "chirp"]
    assert {"canary", "prediction_log"} <= set(inspect(engine).get_table_names())
    assert not Path("canary").exists()
