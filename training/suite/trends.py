"""Three families of demand series: skills in hiring posts, languages on GitHub, languages on StackOverflow.

Each origin is judged by a model that is fitted on what was known at that origin, weights, season and intervals
included. The share of a skill is in points (percent).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.errors import DataError
from training.evaluation import predicted
from training.suite.check import Check, Measured, table
from training.trainers.forecast import DemandForecaster
from training.trainers.forecast_rows import LONGEST

Floats = NDArray[np.float64]
LABEL = "actual_demand"
HIRING = "skill_trends/hn_hiring_skill_month.csv"
GITHUB = "skill_trends/githut_lang_quarter.csv"
START, MONTH = datetime(2000, 1, 1, tzinfo=UTC), timedelta(days=30.4375)  # only distances between origins count
STACKOVERFLOW = "skill_trends/so_posts_lang_month_to_2024.csv"


@dataclass(frozen=True)
class Family:
    """How series are read and judged.

    shares: (path) -> shape (series, periods), in points. months: of a period. ahead: periods. first: the first period
    that a model may learn from as an origin. judged: which origins are, of those whose outcome is there. held: the
    periods of origins that set the intervals.
    """

    file: str
    shares: Callable[[Path], Floats]
    months: int
    ahead: int
    first: int
    judged: slice
    held: int

    def origins(self, periods: int) -> range:
        """The judged origins of a table of so many periods."""
        return range(periods - self.ahead)[self.judged]


def hiring_shares(path: Path) -> Floats:
    """Percent of a month's posts that mention a skill; shape (skills, months)."""
    share = 100 * pl.col("posts_mentioning") / pl.col("posts_total")
    rows = table(path, ("month", "skill", "posts_mentioning", "posts_total")).filter(pl.col("posts_total") > 0)
    return _table(rows.select(name="skill", period="month", share=share))


def github_shares(path: Path, largest: int = 50) -> Floats:
    """Percent of a quarter's pushes, pull requests, issues and stars in a language, of the 50 with the largest mean.

    Shape (languages, quarters); a language that is not listed in a quarter has none.
    """
    period = 4 * pl.col("year") + pl.col("quarter")
    rows = table(path, ("name", "year", "quarter", "count"))
    events = rows.group_by("name", period=period).agg(pl.col("count").sum())
    shares = _table(events.select("name", "period", share=100 * pl.col("count") / pl.col("count").sum().over("period")))
    return shares[np.argsort(-shares.mean(axis=1), kind="stable")[:largest]]


def stackoverflow_shares(path: Path) -> Floats:
    """Percent of a month's posts with a language's tag, among the posts of these languages; (languages, months)."""
    share = 100 * pl.col("posts") / pl.col("posts").sum().over("month")
    return _table(table(path, ("month", "tag", "posts")).select(name="tag", period="month", share=share))


def _table(shares: pl.DataFrame) -> Floats:
    """Names by periods, both sorted, zero where there is no row."""
    wide = shares.sort("name", "period").pivot(on="period", index="name", values="share")
    periods = sorted(wide.columns[1:], key=lambda period: (len(period), period))
    found: Floats = wide.select(pl.col(periods).fill_null(0.0).cast(pl.Float64)).to_numpy()
    return found


FAMILIES = {
    # The issue gives a 3-month mean of .78: the last twelve months give .7865, four years of origins .91.
    "hiring": Family(HIRING, hiring_shares, 1, 6, 12, slice(-12, None), 12),
    # Every origin after three years: the last value is off by .1709, the issue says .171.
    "github": Family(GITHUB, github_shares, 3, 4, 3, slice(12, None), 4),
    "stackoverflow": Family(STACKOVERFLOW, stackoverflow_shares, 1, 6, 12, slice(-60, None), 12),
}


def windows(shares: Floats, origins: range, family: Family) -> pl.DataFrame:
    """A row per origin and series: the values until then, and what came `ahead` periods later."""
    return pl.concat([_at(shares, origin, family) for origin in origins])


def _at(shares: Floats, origin: int, family: Family) -> pl.DataFrame:
    past = shares[:, max(0, origin + 1 - LONGEST) : origin + 1]
    return pl.DataFrame(
        {
            "series__values": pl.Series(past.tolist(), dtype=pl.List(pl.Float64)),
            "series__months": float(family.months),
            "horizon": float(family.ahead),
            "event_timestamp": START + origin * family.months * MONTH,
            "origin": origin,
            LABEL: shares[:, origin + family.ahead],
        }
    )


def backtest(shares: Floats, family: Family) -> pl.DataFrame:
    """The judged rows with the forecasts beside them, each by a model fitted on labels known at its origin.

    Raises DataError where there are too few periods to learn from before the first judged origin.
    """
    periods = shares.shape[1]
    judged = family.origins(periods)
    first = min(family.first, periods // 4)
    if not judged or judged.start - family.ahead - first < 2:
        raise DataError(f"{family.file}: {periods} periods, too few to learn from and to judge")
    known = windows(shares, range(first, judged.stop), family)
    return pl.concat([_judged(known, origin, family) for origin in judged])


def _judged(known: pl.DataFrame, origin: int, family: Family) -> pl.DataFrame:
    last = origin - family.ahead  # the youngest origin whose outcome is known
    parted = max(last - family.held, int(known["origin"].min()))  # type: ignore[arg-type]
    train = known.filter(pl.col("origin") <= parted)
    validation = known.filter(pl.col("origin").is_between(parted + 1, last))
    rows = known.filter(pl.col("origin") == origin)
    model = DemandForecaster().fit(train, validation, (), 1)
    return predicted(rows, model.predict)


def naive(rows: pl.DataFrame, family: Family) -> Mapping[str, Floats]:
    """The forecasts to beat: the last value, the mean of the last three, the same season a year ago, and AutoETS."""
    values = pl.col("series__values")
    year = 12 // family.months
    simple = rows.select(
        last_value=values.list.last(),
        mean_of_3=values.list.tail(3).list.mean(),
        mean_of_year=values.list.tail(year).list.mean(),
    )
    return {name: simple[name].to_numpy() for name in simple.columns} | {"auto_ets": _auto_ets(rows, family)}


def _auto_ets(rows: pl.DataFrame, family: Family) -> Floats:
    """The plain model: statsforecast's AutoETS with a damped trend, fitted to each series at each origin."""
    from statsforecast.models import AutoETS

    model = AutoETS(season_length=1, model="ZZN", damped=True)
    found = [model.forecast(np.array(values), h=family.ahead)["mean"][-1] for values in rows["series__values"]]
    return np.array(found)


def measure(family: Family, folder: Path) -> Measured:
    """Mean absolute errors in points, ours beside the naive ones; and the share of outcomes in our 80% intervals."""
    rows = backtest(family.shares(folder / family.file), family)
    actual = rows[LABEL].to_numpy()
    inside = rows[LABEL].is_between(rows["demand_low"], rows["demand_high"]).mean()
    ours = {"mae_points": _mae(actual, rows["demand"].to_numpy()), "coverage_of_80": float(inside)}  # type: ignore[arg-type]
    theirs = {name: {"mae_points": _mae(actual, forecast)} for name, forecast in naive(rows, family).items()}
    return Measured(ours=ours, baselines=theirs, rows=rows.height)


def _mae(actual: Floats, forecast: Floats) -> float:
    return float(np.abs(actual - forecast).mean())


CHECKS: tuple[Check, ...] = (
    Check(
        name="hiring_posts",
        title="Share of a skill in hiring posts, 6 months ahead",
        product="skill_demand",
        files=(HIRING,),
        split="rolling: the last 12 months, each forecast from what was known 6 months before",
        # Most of the error is chance: the mean of the three months on both sides, which no forecast can know, is
        # off by .595, and drawing so many posts anew from that mean by .689.
        aims={"mae_points": 0.66},
        measure=lambda folder: measure(FAMILIES["hiring"], folder),
        higher_is_better=False,
        licence="counts of public posts",
    ),
    Check(
        name="github_languages",
        title="Share of a language on GitHub, 4 quarters ahead",
        product="skill_demand",
        files=(GITHUB,),
        split="rolling: every quarter after the first three years, the 50 largest languages, all events",
        aims={"mae_points": 0.15},
        measure=lambda folder: measure(FAMILIES["github"], folder),
        higher_is_better=False,
        licence="counts from an AGPL repository",
    ),
    Check(
        name="stackoverflow_posts",
        title="Share of a language in StackOverflow posts, 6 months ahead",
        product="skill_demand",
        files=(STACKOVERFLOW,),
        split="rolling: the last 60 months, each forecast from what was known 6 months before",
        aims={},
        measure=lambda folder: measure(FAMILIES["stackoverflow"], folder),
        higher_is_better=False,
        licence="CC BY-SA counts",
    ),
)
