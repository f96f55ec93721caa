"""The synthetic world's vocabulary and its proportions (REQUIREMENTS section 7)."""

from dataclasses import dataclass

import numpy as np

SENIORITY_LEVELS = ("INTERN", "JUNIOR", "MID_LEVEL", "SENIOR", "LEAD", "PRINCIPAL")
SENIORITY_SHARES = (0.10, 0.25, 0.35, 0.20, 0.08, 0.02)
SENIORITY_YEARS = (0.5, 2.0, 5.0, 9.0, 13.0, 18.0)
PRIORITY_SHARES = (0.30, 0.45, 0.20, 0.05)  # LOW 1 to CRITICAL 4
DIFFICULTY_SHARES = (0.40, 0.45, 0.15)
DIFFICULTY_HOURS = (8.0, 20.0, 45.0)  # median estimate of EASY, MEDIUM, HARD


@dataclass(frozen=True)
class Department:
    """A department: its core skills, easiest first, and the kinds of work that it does."""

    name: str
    skills: tuple[str, ...]
    kinds: tuple[str, ...]


COMMON_SKILLS = (
    "communication",
    "estimation",
    "technical-writing",
    "facilitation",
    "mentoring",
    "negotiation",
    "spreadsheets",
    "presentation",
)

DEPARTMENTS = (
    Department(
        "ENGINEERING",
        ("git", "python", "java", "sql", "rest-apis", "testing", "docker", "kubernetes"),
        ("Feature", "Bug", "Refactoring", "Review"),
    ),
    Department(
        "DATA",
        ("statistics", "pandas", "data-modelling", "etl", "machine-learning", "spark", "mlops", "forecasting"),
        ("Pipeline", "Model", "Analysis", "Dashboard"),
    ),
    Department(
        "DESIGN",
        (
            "wireframing",
            "figma",
            "typography",
            "user-research",
            "prototyping",
            "accessibility",
            "motion",
            "design-systems",
        ),
        ("Screen", "Study", "Illustration", "Guideline"),
    ),
    Department(
        "PRODUCT",
        (
            "user-stories",
            "roadmapping",
            "analytics",
            "pricing",
            "experimentation",
            "discovery",
            "go-to-market",
            "strategy",
        ),
        ("Specification", "Interview", "Launch", "Plan"),
    ),
    Department(
        "OPERATIONS",
        (
            "ticketing",
            "linux",
            "networking",
            "monitoring",
            "terraform",
            "security",
            "incident-response",
            "capacity-planning",
        ),
        ("Incident", "Upgrade", "Audit", "Migration"),
    ),
    Department(
        "MARKETING",
        ("copywriting", "seo", "campaigns", "social-media", "crm", "events", "branding", "market-research"),
        ("Campaign", "Article", "Event", "Report"),
    ),
)
DEPARTMENT_SHARES = (0.36, 0.16, 0.10, 0.10, 0.16, 0.12)

SKILLS = (*(skill for department in DEPARTMENTS for skill in department.skills), *COMMON_SKILLS)
CORE = len(DEPARTMENTS[0].skills)  # Core skills of department d are SKILLS[d * CORE:(d + 1) * CORE].

SUBJECTS = (
    "sign-in page",
    "invoice export",
    "search index",
    "partner portal",
    "weekly report",
    "mobile app",
    "billing service",
    "help centre",
    "onboarding flow",
    "price list",
    "customer archive",
    "status board",
)

CITIES = np.array(
    [
        (52.52, 13.40),
        (48.86, 2.35),
        (51.51, -0.13),
        (40.42, -3.70),
        (52.23, 21.01),
        (59.33, 18.07),
        (41.90, 12.50),
        (47.37, 8.54),
        (50.08, 14.44),
        (38.72, -9.14),
    ]
)
CITY_NAMES = ("Berlin", "Paris", "London", "Madrid", "Warsaw", "Stockholm", "Rome", "Zurich", "Prague", "Lisbon")
CITY_OFFSETS = (1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0)  # hours ahead of UTC in winter


def prerequisites() -> list[tuple[str, str]]:
    """(skill, the one that it leads to): along each department's core skills."""
    return [pair for each in DEPARTMENTS for pair in zip(each.skills, each.skills[1:], strict=False)]
