"""Fields that several streams share, and the words they may hold. Ids are text throughout."""

from datetime import datetime

from feature_repo.column import Field

SENIORITIES = ("INTERN", "JUNIOR", "MID_LEVEL", "SENIOR", "LEAD", "PRINCIPAL", "DIRECTOR")
EDUCATIONS = ("NONE", "SECONDARY", "BACHELOR", "MASTER", "DOCTORATE")
MOST_TASK_HOURS = 10_000.0  # SiP's longest task took 2,490 h
MOST_PAY = 10_000_000.0  # EUR a year: beyond it an entry is a mistake
MOST_YEARS = 60.0
LAST_OFFSET = 14.0  # hours ahead of UTC: Kiribati; nobody is further behind than 12


def identifier(name: str, description: str, nulls: float = 0.0) -> Field:
    """An id: text."""
    return Field(name=name, dtype=str, nulls=nulls, description=description)


def time_of(name: str, description: str, nulls: float = 0.0) -> Field:
    """An instant, UTC."""
    return Field(name=name, dtype=datetime, nulls=nulls, description=description)


def hours(name: str, description: str, minimum: float = 0.0, nulls: float = 0.0) -> Field:
    """Effort on a task."""
    return number(name, description, "h", minimum, MOST_TASK_HOURS, nulls)


def number(
    name: str,
    description: str,
    unit: str = "",
    minimum: float | None = 0.0,
    maximum: float | None = None,
    nulls: float = 0.0,
) -> Field:
    """A real number within bounds."""
    return Field(
        name=name, dtype=float, unit=unit, minimum=minimum, maximum=maximum, nulls=nulls, description=description
    )


def years(name: str, description: str, nulls: float = 0.0) -> Field:
    """Years of work or of use."""
    return number(name, description, "years", 0.0, MOST_YEARS, nulls)


def share(name: str, description: str, nulls: float = 0.0) -> Field:
    """A number from 0 to 1."""
    return number(name, description, maximum=1.0, nulls=nulls)


def level(name: str, description: str, nulls: float = 0.0) -> Field:
    """A proficiency, 1 to 5."""
    return number(name, description, minimum=1.0, maximum=5.0, nulls=nulls)


def text(name: str, description: str, nulls: float = 0.0, allowed: tuple[str, ...] = ()) -> Field:
    """Words, or one of a few."""
    return Field(name=name, dtype=str, nulls=nulls, allowed=allowed, description=description)


def flag(name: str, description: str, nulls: float = 0.0) -> Field:
    """Yes or no."""
    return Field(name=name, dtype=bool, nulls=nulls, description=description)


PERSON_ID = identifier("person_id", "Who: the source's user id")
TASK_ID = identifier("task_id", "Which task")
SKILL_ID = identifier("skill_id", "Which skill")
JOB_ID = identifier("job_id", "Which job")
CONTENT_ID = identifier("content_id", "Which piece of learning content")
OCCUPATION_ID = identifier("occupation_id", "Which occupation")
TRAIT_ID = identifier("trait_id", "Which interest (such as realistic) or work value (such as independence)")

PLACE = (
    number("latitude", "Where, north of the equator", "degrees", -90.0, 90.0, nulls=1.0),
    number("longitude", "Where, east of Greenwich", "degrees", -180.0, 180.0, nulls=1.0),
    number("utc_offset_hours", "Hours ahead of UTC there, in winter", "h", -12.0, LAST_OFFSET, nulls=1.0),
)
PAY = (
    number("salary_low", "The least pay asked or offered", "EUR/year", 0.0, MOST_PAY, nulls=1.0),
    number("salary_high", "The most pay asked or offered", "EUR/year", 0.0, MOST_PAY, nulls=1.0),
)
