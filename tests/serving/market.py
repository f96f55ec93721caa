"""The small world's market: seven talents, ten jobs, five skills, three occupations, ten contents, three series."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

START = datetime(2011, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SKILLS = ("dbt", "go", "python", "spark", "sql")
TALENTS = [f"P{number}" for number in range(7)]
JOBS = [f"JB{number}" for number in range(10)]
CLOSED = JOBS[9]
CONTENTS = [f"C{number}" for number in range(10)]
DECLARED = ("go", "python", "sql")
"""Of which P0, P3 and P6 declare the first, P1 and P4 two, P2 and P5 all."""
BEFORE = {"spark": ("python", "sql"), "dbt": ("sql",)}
OCCUPATIONS = {"analyst": ("dbt", "sql"), "engineer": ("python", "spark", "sql"), "gopher": ("go",)}
NEAR = {"analyst": "engineer", "engineer": "analyst", "gopher": "engineer"}
DEMAND = {"python": lambda month: 4.0 + month, "sql": lambda _: 20.0, "go": lambda month: 60.0 - month}
"""By skill the percentage of posts in each of 36 months: one rises, one stays, one falls."""
Rows = dict[str, list[dict[str, Any]]]


def add(found: Rows) -> None:
    """The rows of every stream of the market, all known from START on but for the closed job and the series."""
    for number, person in enumerate(TALENTS):
        _add_talent(found, number, person)
    for number, job in enumerate(JOBS):
        _add_job(found, number, job)
    _add_skills(found)
    _add_occupations(found)
    for number, content in enumerate(CONTENTS):
        _add_content(found, number, content)
    _add_engagements(found)
    _add_demand(found)


def declared(number: int) -> tuple[str, ...]:
    """The skills that talent number so and so declares."""
    return DECLARED[: 1 + number % 3]


def _known(**values: Any) -> dict[str, Any]:
    return {**values, "recorded_at": START}


def _add_talent(found: Rows, number: int, person: str) -> None:
    found["talents"].append(
        _known(
            person_id=person, headline=f"Works with {', '.join(declared(number))}", latitude=52.0 + number,
            longitude=13.0, utc_offset_hours=1.0, salary_low=40_000.0 + 5_000 * number,
            salary_high=60_000.0 + 5_000 * number, education="BACHELOR", wants_remote=number % 2 == 0,
        )
    )  # fmt: skip
    found["talent_skills"] += [
        _known(person_id=person, skill_id=skill, level=1.0 + number % 5, years=float(number))
        for skill in declared(number)
    ]
    found["wanted_skills"].append(_known(person_id=person, skill_id=SKILLS[number % 5]))
    found["person_traits"] += [
        _known(person_id=person, trait_id="investigative", value=number / 7),
        _known(person_id=person, trait_id="independence", value=1 - number / 7),
    ]


def _add_job(found: Rows, number: int, job: str) -> None:
    closed_at = START + 180 * DAY if job == CLOSED else None
    skills = [SKILLS[(number + step) % 5] for step in range(2)]
    found["jobs"].append(
        _known(
            job_id=job, title=f"Job of {skills[0]}", department_id="D0", seniority_level="SENIOR", minimum_years=2.0,
            maximum_years=9.0, latitude=52.5, longitude=13.4, utc_offset_hours=1.0, is_remote=number % 3 == 0,
            salary_low=45_000.0, salary_high=65_000.0, education="BACHELOR", employer="E0",
            status="CLOSED" if closed_at else "OPEN", posted_at=START, closed_at=closed_at,
        )
    )  # fmt: skip
    found["postings"].append(_known(job_id=job, text=f"We look for somebody who knows {' and '.join(skills)}"))
    found["job_skills"] += [
        _known(job_id=job, skill_id=skill, level=2.0 + number % 3, mandatory=place == 0)
        for place, skill in enumerate(skills)
    ]
    for place, person in enumerate(TALENTS):
        at = START + (10 + number * 7 + place) * DAY
        told = {"person_id": person, "job_id": job, "recorded_at": at + DAY}
        score = 25.0 + 50.0 * (len(set(skills) & set(declared(place))) / 2) + 2 * place
        found["applications"].append({**told, "outcome": "REJECTED", "match_score": score, "applied_at": at})
        found["skill_assessments"] += [
            {**told, "skill_id": skill, "is_gap": skill not in declared(place), "assessed_at": at} for skill in skills
        ]
        found["job_views"].append({**told, "viewed_at": at})


def _add_skills(found: Rows) -> None:
    found["skills"] += [_known(skill_id=s, name=s.title(), skill_type="TECHNICAL", parent_id=None) for s in SKILLS]
    found["prerequisites"] += [
        _known(skill_id=skill, prerequisite_id=earlier) for skill, all_of in BEFORE.items() for earlier in all_of
    ]


def _add_occupations(found: Rows) -> None:
    for number, (occupation, skills) in enumerate(OCCUPATIONS.items()):
        key = {"occupation_id": occupation}
        found["occupations"].append(
            _known(
                **key, title=occupation.title(), text=f"Works with {' and '.join(skills)}", cluster="IT",
                job_zone=3.0 + number % 2, wage=50_000.0 + number, source="synthetic",
            )
        )  # fmt: skip
        found["occupation_skills"] += [
            _known(**key, skill_id=skill, level=3.0, importance=0.9 - 0.1 * place, essential=True)
            for place, skill in enumerate(skills)
        ]
        found["occupation_traits"] += [
            _known(**key, trait_id="investigative", value=0.2 + 0.3 * number),
            _known(**key, trait_id="independence", value=0.5),
        ]
        found["related_occupations"].append(_known(**key, related_id=NEAR[occupation], rank=1))
    for number, person in enumerate(TALENTS):
        match = {"person_id": person, "occupation_id": "gopher", "is_match": number % 3 == 0, "match_type": "STRONG"}
        found["career_matches"].append({**_known(**match), "judged_at": START + number * DAY})


def _add_content(found: Rows, number: int, content: str) -> None:
    skill, later = SKILLS[number % 5], number // 5
    found["contents"].append(
        _known(
            content_id=content, title=f"{skill.title()} {later + 1}", text=f"Part {later + 1} of {skill}",
            skill_id=skill, from_level=1.0 + 2 * later, to_level=3.0 + 2 * later, hours=10.0 * (later + 1),
            format="COURSE", published_at=START,
        )
    )  # fmt: skip


def _add_engagements(found: Rows) -> None:
    for number, person in enumerate(TALENTS):
        at = START + (30 + number) * DAY
        found["engagements"] += [
            {
                "slate_id": f"S{number}", "content_id": CONTENTS[(number + place) % 10], "person_id": person,
                "position": place + 1, "propensity": 0.5, "clicked": True, "completed": place == 0,
                "reward": 0.5 if place == 0 else 0.0, "shown_at": at, "recorded_at": at + 20 * DAY,
            }
            for place in range(2)
        ]  # fmt: skip


def _add_demand(found: Rows) -> None:
    starts = [datetime(2009 + month // 12, 1 + month % 12, 1, tzinfo=UTC) for month in range(37)]
    for skill, value in DEMAND.items():
        found["skill_demand"] += [
            {
                "skill_id": skill, "period_at": start, "value": value(month), "posts": 1_000.0, "months": 1,
                "series": "synthetic", "recorded_at": end,
            }
            for month, (start, end) in enumerate(pairwise(starts))
        ]  # fmt: skip
