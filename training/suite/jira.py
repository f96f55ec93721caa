"""Public issues of Apache projects: who was assigned, from what was known when the issue was raised."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from feature_repo.errors import DataError
from training.learners.assignee import AssigneeRanker, Assignees
from training.learners.precedent import Question, candidates
from training.learners.tickets import Ints, Tickets
from training.suite.check import Check, Measured, table

FILE = "apache_jira/apache_jira_dev_projects.parquet"
WHOLE = "all_assigned"  # the slice of projects whose assigned issues are all there; the others keep a few people's only
COLUMNS = (
    *("id", "project", "slice", "created_date", "issue_type_name", "components_name", "summary", "description"),
    "assignee",
)
LEARNED_SHARE = 0.8
LEAST_ISSUES = 100
FIRST = 5
LATELY = 300


def issues(path: Path) -> pl.DataFrame:
    """Tickets of whole projects, in the order of their creation.

    Labels are not read: the file has them as they ended, and some (pull-request-available) come after the assignee.
    """
    frame = table(path, COLUMNS)
    said = pl.concat_str("summary", pl.lit(" "), "description", ignore_nulls=True)
    return (
        frame.filter((pl.col("slice") == WHOLE) & pl.col("assignee").is_not_null())
        .sort("created_date", "id")
        .select(
            "project",
            raised_at=pl.col("created_date").cast(pl.String).str.to_datetime(time_unit="ms"),
            text=said,
            components=pl.col("components_name")
            .str.extract_all(r"'[^']*'")
            .list.eval(pl.element().str.strip_chars("'")),
            kind=pl.col("issue_type_name"),
            person_id=pl.col("assignee"),
        )
    )


def projects(frame: pl.DataFrame) -> dict[str, Tickets]:
    """Tickets by project. Raises DataError where none has enough of them, by two people or more before the cut."""
    parts = {str(name): part for (name,), part in frame.partition_by("project", as_dict=True).items()}
    large = {name: Tickets.of(parts[name]) for name in sorted(parts) if len(parts[name]) >= LEAST_ISSUES}
    teams = {name: tickets for name, tickets in large.items() if len(np.unique(tickets.person[: _cut(tickets)])) > 1}
    if not teams:
        raise DataError(f"{FILE}: no project of slice {WHOLE} has {LEAST_ISSUES} issues assigned to two people or more")
    return teams


def _cut(tickets: Tickets) -> int:
    return int(len(tickets) * LEARNED_SHARE)


def _asked(tickets: Tickets) -> Ints:
    return np.arange(_cut(tickets), len(tickets))


def _hit(tickets: Tickets, ranked: pl.DataFrame) -> float:
    """The share of asked tickets whose assignee is among the first. ranked: row and person_id, best first."""
    rows = _asked(tickets)
    took = pl.DataFrame({"row": rows, "took": [tickets.people[code] for code in tickets.person[rows]]})
    first = ranked.group_by("row", maintain_order=True).head(FIRST)
    return first.join(took, on="row").filter(pl.col("person_id") == pl.col("took"))["row"].n_unique() / len(rows)


def _scores(name: str, hits: Mapping[str, float]) -> dict[str, float]:
    return {name: float(np.mean(list(hits.values()))), **{f"{name} {team}": hit for team, hit in hits.items()}}


def _ours(model: Assignees, team: str, tickets: Tickets, is_fresh: bool) -> float:
    rows = _asked(tickets)
    fresh, stale = Question.when_raised(tickets, rows, model.delay_days), Question.all_at(tickets, rows, rows[0] - 1)
    return _hit(tickets, model.predict(team, tickets, fresh if is_fresh else stale))


def _popular(tickets: Tickets) -> float:
    """The people of the last issues before the cut."""
    last = tickets.person[max(_cut(tickets) - LATELY, 0) : _cut(tickets)]
    codes, counts = np.unique(last, return_counts=True)
    best = codes[np.argsort(-counts, kind="stable")][:FIRST]
    return float(np.isin(tickets.person[_cut(tickets) :], best).mean())


def _recent(model: Assignees, team: str, tickets: Tickets) -> float:
    """The people of the last month, as far as they are known: what our columns know, without a model."""
    asked = Question.when_raised(tickets, _asked(tickets), model.delay_days)
    found = candidates(tickets, model.lexicons[team], asked)
    shares = pl.DataFrame({"row": found.row, "person": found.person, "share": found.values["share_30d"]})
    ranked = shares.sort("row", "share", "person", descending=[False, True, False])
    return _hit(tickets, ranked.with_columns(person_id=pl.Series(tickets.people)[ranked["person"].to_list()]))


def _plain(tickets: Tickets) -> float:
    """TF-IDF of words and components with a logistic regression, learned up to the cut."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    cut = _cut(tickets)
    said = [" ".join([text, *parts]) for text, parts in zip(tickets.text, tickets.components, strict=True)]
    vectors = TfidfVectorizer(sublinear_tf=True, min_df=2)
    model = LogisticRegression(C=10, max_iter=300).fit(vectors.fit_transform(said[:cut]), tickets.person[:cut])
    shares = model.predict_proba(vectors.transform(said[cut:]))
    best = model.classes_[np.argsort(-shares, axis=1, kind="stable")[:, :FIRST]]
    return float((best == tickets.person[cut:, None]).any(axis=1).mean())


def measure(folder: Path) -> Measured:
    """hit@5 with the model frozen at the cut.

    hit@5: columns current as of each issue, as the feature store serves them; the file does not tell when an issue was
    assigned, so an assignee counts as known a month after the issue was raised. hit@5 stale: nothing after the cut.
    """
    teams = projects(issues(folder / FILE))
    model = AssigneeRanker().fit({name: tickets.before(_cut(tickets)) for name, tickets in teams.items()}, seed=0)
    fresh, stale = (
        {name: _ours(model, name, tickets, is_fresh) for name, tickets in teams.items()} for is_fresh in (True, False)
    )
    baselines = {
        f"popular among the last {LATELY}": {name: _popular(tickets) for name, tickets in teams.items()},
        "TF-IDF + logistic regression": {name: _plain(tickets) for name, tickets in teams.items()},
        "popular in the last month, as known": {name: _recent(model, name, tickets) for name, tickets in teams.items()},
    }
    return Measured(
        {**_scores("hit@5", fresh), **_scores("hit@5 stale", stale)},
        {name: _scores("hit@5", hits) for name, hits in baselines.items()},
        sum(len(_asked(tickets)) for tickets in teams.values()),
    )


CHECKS = (
    Check(
        name="jira_assignee",
        title="Who is assigned a Jira issue",
        product="task_assignment",
        files=(FILE,),
        split="the last 20% of each whole project by time; the mean over projects",
        aims={"hit@5": 0.72},
        measure=measure,
        licence="public research data, terms not verified",
    ),
)
