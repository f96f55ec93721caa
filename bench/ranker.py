"""What the peers of the route do: the champion's booster on ready rows, and an answer of the form and size of ours.

bench/route.py leaves it in the home: rows of one hundred people, and for each question an answer of ours to it.
"""

import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from pydantic_core import from_json, to_json

PATH = "/api/v1/recommendations/task-assignment"
FOLDER = "peer"
BOOSTER, ROWS = "content.txt", "rows.npy"


class Ranker:
    """A booster, rows for it, and answers to take the words from. Nothing is looked up, checked or explained."""

    def __init__(self, folder: Path) -> None:
        self.booster = lightgbm.Booster(model_file=str(folder / BOOSTER))
        self.rows = np.load(folder / ROWS)
        self.answers = {path.stem: from_json(path.read_bytes()) for path in folder.glob("*.json")}

    @classmethod
    def at_home(cls) -> "Ranker":
        """That of the home that the environment names."""
        return cls(Path(os.environ["TALENTML_HOME"]) / FOLDER)

    def rank(self, task_id: str, candidates: Sequence[str], limit: int, explain: bool) -> dict[str, Any]:
        """The candidates, best first; all but the order, the scores and the ids is canned."""
        words: Mapping[str, Any] = self.answers[name(limit, explain)]
        scores = np.asarray(self.booster.predict(self.rows, raw_score=True, num_threads=1))
        best = np.argsort(-scores)[:limit]
        ranked = [
            {**row, "person_id": candidates[place], "score": score}
            for row, place, score in zip(words["candidates"], best.tolist(), scores[best].tolist(), strict=True)
        ]
        return {**words, "prediction_id": str(uuid.uuid4()), "task_id": task_id, "candidates": ranked}


def name(limit: int, explain: bool) -> str:
    """Of a form of question."""
    return f"{limit}-{'explained' if explain else 'plain'}"


def save(folder: Path, booster: Path, rows: Any, answers: Mapping[str, Any]) -> None:
    """Write what a Ranker reads. rows: shape (candidates, the booster's columns); answers by name."""
    folder.mkdir(exist_ok=True)
    (folder / BOOSTER).write_bytes(booster.read_bytes())
    np.save(folder / ROWS, np.ascontiguousarray(rows, np.float64))
    for each, answer in answers.items():
        (folder / f"{each}.json").write_bytes(to_json(answer))
