"""Rank by years of work, for people of whom a set tells nothing else."""

import polars as pl

NOT_STATED = "not stated"
LEAST_YEARS = {"LEAD": 11, "SENIOR": 6, "MID_LEVEL": 2}
"""From so many years on, the bounds of the Stack Overflow survey's classes; JUNIOR below."""


def rank(years: str) -> pl.Expr:
    """A seniority level by years of work, null where these are."""
    found: pl.Expr = pl.when(pl.col(years).is_not_null()).then(pl.lit("JUNIOR"))
    for level, least in reversed(LEAST_YEARS.items()):
        found = pl.when(pl.col(years) >= least).then(pl.lit(level)).otherwise(found)
    return found
