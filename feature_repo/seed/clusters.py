"""The synthetic careers' catalogue: two clusters for each department, five occupations in each, from low to high rank.

interests: Holland's letters, the strongest first. values: the two work values that matter most.
"""

from dataclasses import dataclass

import numpy as np

from feature_repo.seed.people import Floats
from feature_repo.sources.streams.careers import INTERESTS, VALUES

TRAITS = (*INTERESTS, *VALUES)
LETTERS = "RIASEC"
STRENGTHS = (0.9, 0.75, 0.6)  # of the first, second and third letter
OTHERWISE = 0.3
VALUED, NOT_VALUED = 0.85, 0.4
RANKS = 5


@dataclass(frozen=True)
class Cluster:
    """A group of occupations that are alike. common: the shared skills that they need."""

    name: str
    interests: str
    values: tuple[str, str]
    common: tuple[str, str]
    titles: tuple[str, str, str, str, str]


CLUSTERS = (
    Cluster(
        "Software development",
        "IRC",
        ("achievement", "independence"),
        ("estimation", "communication"),
        ("Programming trainee", "Web developer", "Software developer", "Software architect", "Principal engineer"),
    ),
    Cluster(
        "Quality and delivery",
        "CRI",
        ("support", "working-conditions"),
        ("technical-writing", "estimation"),
        ("Test assistant", "Test engineer", "Build engineer", "Release engineer", "Head of delivery"),
    ),
    Cluster(
        "Analytics",
        "ICE",
        ("recognition", "working-conditions"),
        ("spreadsheets", "presentation"),
        ("Reporting assistant", "Data analyst", "Insight analyst", "Statistician", "Head of analytics"),
    ),
    Cluster(
        "Machine intelligence",
        "IAR",
        ("achievement", "independence"),
        ("technical-writing", "presentation"),
        ("Data assistant", "Data engineer", "Machine learning engineer", "Research scientist", "Chief scientist"),
    ),
    Cluster(
        "Visual design",
        "AER",
        ("recognition", "independence"),
        ("presentation", "communication"),
        ("Design assistant", "Graphic designer", "Interface designer", "Art director", "Head of design"),
    ),
    Cluster(
        "User research",
        "SIA",
        ("relationships", "achievement"),
        ("facilitation", "technical-writing"),
        ("Study assistant", "User researcher", "Experience designer", "Service designer", "Head of research"),
    ),
    Cluster(
        "Product management",
        "ESI",
        ("achievement", "recognition"),
        ("negotiation", "facilitation"),
        ("Product assistant", "Product owner", "Product manager", "Group product manager", "Chief product officer"),
    ),
    Cluster(
        "Growth and pricing",
        "ECI",
        ("recognition", "working-conditions"),
        ("spreadsheets", "negotiation"),
        ("Pricing assistant", "Growth analyst", "Pricing manager", "Growth lead", "Head of strategy"),
    ),
    Cluster(
        "Infrastructure",
        "RCI",
        ("working-conditions", "independence"),
        ("estimation", "technical-writing"),
        ("Service desk agent", "System administrator", "Network engineer", "Platform engineer", "Head of platforms"),
    ),
    Cluster(
        "Security and continuity",
        "RIE",
        ("support", "achievement"),
        ("communication", "facilitation"),
        ("Security assistant", "Security analyst", "Incident manager", "Security engineer", "Head of security"),
    ),
    Cluster(
        "Brand and content",
        "ASE",
        ("relationships", "recognition"),
        ("communication", "technical-writing"),
        ("Editorial assistant", "Copywriter", "Content strategist", "Brand manager", "Brand director"),
    ),
    Cluster(
        "Campaigns and customers",
        "SEC",
        ("relationships", "support"),
        ("negotiation", "presentation"),
        ("Campaign assistant", "Event planner", "Campaign manager", "Customer marketing lead", "Marketing director"),
    ),
)
PER_DEPARTMENT = 2


def profiles() -> Floats:
    """What each cluster offers of each trait, 0 to 1. Shape (clusters, traits)."""
    found = np.full((len(CLUSTERS), len(TRAITS)), OTHERWISE)
    found[:, len(INTERESTS) :] = NOT_VALUED
    for row, cluster in enumerate(CLUSTERS):
        found[row, [LETTERS.index(letter) for letter in cluster.interests]] = STRENGTHS
        found[row, [TRAITS.index(value) for value in cluster.values]] = VALUED
    return found
