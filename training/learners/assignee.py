"""Who will take a ticket: one ranker for all teams over who took what was alike, with a lexicon per team."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl

from feature_repo.errors import DataError
from training.contributions import Contributions
from training.learners.lexicon import Lexicon
from training.learners.precedent import Candidates, Question, candidates
from training.learners.tickets import Tickets
from training.trainers.boosted import Boosted, Rows
from training.trainers.encoding import Encoding

KEYS = ("part", "row", "person", "taken_by")  # of a training frame; the rest of it is read


@dataclass(frozen=True)
class AssigneeRanker:
    """Lambdarank over precedent columns.

    delay_days: after a ticket is raised, who took it is taken as known. A team's first `warmup` share of tickets only
    fills its history; the rest are asked about in `blocks`, each with a lexicon of what went before: once with columns
    as of each ticket and once, `ahead` blocks long, with columns as of the block's start. So it serves both.
    """

    # Chosen on the last fifth of the learned Jira issues, by hit@5 with fresh and with stale columns: .829 and .805.
    # ahead 1: .825 and .804, 3: .817 and .804. At ahead 1: 15 leaves .826 and .797, 7 leaves .821 and .806; 15 leaves
    # with 200 rounds .818 and .795, with 300 .811 and .785, with 200 and a half-life of 365 days .813 and .801.

    delay_days: float = 30.0
    warmup: float = 0.3
    blocks: int = 6
    ahead: int = 2
    rounds: int = 100
    leaves: int = 10
    learning_rate: float = 0.05
    half_life_days: float = 180.0
    strength: float = 10.0

    def fit(self, teams: Mapping[str, Tickets], seed: int) -> "Assignees":
        """Teams that fewer than two people work for are left out.

        Raises DataError where no team has a ticket whose taker had taken one before.
        """
        served = {name: teams[name] for name in sorted(teams) if _takers(teams[name], len(teams[name])) > 1}
        asked = [frame for tickets in served.values() for frame in self._asked(tickets)]
        numbered = [frame.with_columns(part=pl.lit(n)) for n, frame in enumerate(asked)]
        frame = pl.concat(numbered) if numbered else pl.DataFrame(schema=dict.fromkeys(KEYS, pl.Float64))
        learned = frame.filter((pl.col("taken_by") > 0).any().over("part", "row"))
        if learned.is_empty():
            raise DataError(f"assignee ranker: {len(teams)} teams without a ticket to learn from, allowed: one or more")
        lexicons = {name: self._lexicon(tickets, len(tickets)) for name, tickets in served.items()}
        return Assignees(self.delay_days, self._boosted(learned, seed), lexicons)

    def _lexicon(self, tickets: Tickets, count: int) -> Lexicon:
        rows = np.flatnonzero(tickets.person[:count] >= 0)
        return Lexicon.fit(tickets, rows, self.half_life_days, self.strength)

    def _asked(self, tickets: Tickets) -> Iterator[pl.DataFrame]:
        edges = np.unique(np.linspace(self.warmup * len(tickets), len(tickets), self.blocks + 1).astype(int))
        for n, start in enumerate(edges[:-1]):
            if _takers(tickets, start) < 2:
                continue
            lexicon = self._lexicon(tickets, start)
            soon, later = (np.arange(start, edges[n : n + ahead + 1][-1]) for ahead in (1, self.ahead))
            fresh = Question.when_raised(tickets, soon, self.delay_days)
            for question in (fresh, Question.all_at(tickets, later, start - 1)):
                yield _frame(candidates(tickets, lexicon, question), tickets)

    def _boosted(self, frame: pl.DataFrame, seed: int) -> Boosted:
        import lightgbm

        names = tuple(name for name in frame.columns if name not in KEYS)
        sizes = frame.group_by("part", "row", maintain_order=True).len()["len"].to_numpy().astype(np.int64)
        rows = Rows(frame, frame["taken_by"].to_numpy(), groups=sizes)
        encoding = Encoding(names)
        return Boosted(lightgbm.train(self._parameters(seed), rows.dataset(encoding), self.rounds), encoding)

    def _parameters(self, seed: int) -> dict[str, object]:
        return {
            "objective": "lambdarank",
            "lambdarank_truncation_level": 10,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": 40,
            "feature_fraction": 0.5,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 5.0,
            "verbosity": -1,
            "deterministic": True,
            "force_row_wise": True,
            "seed": seed,
        }


def _takers(tickets: Tickets, count: int) -> int:
    """People who took one of the first tickets."""
    return len(np.unique(tickets.person[:count][tickets.person[:count] >= 0]))


def _frame(found: Candidates, tickets: Tickets) -> pl.DataFrame:
    taken_by = (tickets.person[found.row] == found.person).astype(np.float64)
    return pl.DataFrame({"row": found.row, "person": found.person, **found.values, "taken_by": taken_by})


@dataclass(frozen=True)
class Assignees:
    """A fitted ranker. Scores compare the candidates of one ticket."""

    explains: ClassVar[str] = "score"
    scale: ClassVar[str] = "log odds against the other candidates"

    delay_days: float
    boosted: Boosted
    lexicons: Mapping[str, Lexicon]

    def predict(self, team: str, tickets: Tickets, asked: Question) -> pl.DataFrame:
        """row, person_id and score of each candidate, best first within a ticket; ties in the order of names.

        Raises DataError for a team that was not learned of.
        """
        frame = self.columns(team, tickets, asked)
        scored = frame.select("row", "person_id", score=pl.Series(self.boosted.raw(frame)))
        return scored.sort("row", "score", "person_id", descending=[False, True, False])

    def columns(self, team: str, tickets: Tickets, asked: Question) -> pl.DataFrame:
        """What the ranker reads, a row per ticket and candidate."""
        if team not in self.lexicons:
            raise DataError(f"assignees: team {team}, allowed: {', '.join(sorted(self.lexicons))}")
        frame = _frame(candidates(tickets, self.lexicons[team], asked), tickets)
        names = pl.Series(tickets.people)
        return frame.drop("taken_by").with_columns(person_id=names[frame["person"].to_list()])

    def contributions(self, frame: pl.DataFrame) -> Contributions:
        """What each of `columns` added to the score."""
        return self.boosted.contributions(frame)

    def save(self, folder: Path) -> None:
        """Write model.json, ranker.txt, ranker.json and a lexicon per team."""
        teams = sorted(self.lexicons)
        facts = {"kind": "assignees", "delay_days": self.delay_days, "teams": teams}
        (folder / "model.json").write_text(json.dumps(facts, ensure_ascii=False))
        self.boosted.save(folder, "ranker")
        for n, team in enumerate(teams):
            self.lexicons[team].save(folder, f"lexicon_{n}")

    @staticmethod
    def load(folder: Path) -> "Assignees":
        """Read what save wrote."""
        facts = json.loads((folder / "model.json").read_text())
        lexicons = {team: Lexicon.load(folder, f"lexicon_{n}") for n, team in enumerate(facts["teams"])}
        return Assignees(facts["delay_days"], Boosted.load(folder, "ranker"), lexicons)
