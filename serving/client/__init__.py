"""The service's client for other Python programs.

    with Client("http://127.0.0.1:8700", token) as client:
        answer = client.jobs_for("p001", limit=3)
        print(answer.source, answer.answered_by, [job["job_id"] for job in answer["jobs"]])

A call has 5 seconds with all its tries; lost connections, 429, 502, 503 and 504 are tried again. After five failures in
a row nobody is asked for 10 seconds. An answer is given again for an hour. Where the service cannot be reached, an
answer of the day before stands in, else the product's own rule: `source` is "fallback" then, `answered_by` "client".
"""

from serving.client.answer import Answer, AnsweredBy
from serving.client.breaker import Breaker
from serving.client.cache import Cache
from serving.client.client import API, ASSIGNMENT, PERFORMANCE, Client
from serving.client.errors import RefusedError, UnreachableError

__all__ = [
    "API",
    "ASSIGNMENT",
    "PERFORMANCE",
    "Answer",
    "AnsweredBy",
    "Breaker",
    "Cache",
    "Client",
    "RefusedError",
    "UnreachableError",
]
