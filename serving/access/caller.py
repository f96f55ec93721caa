"""Who asks, and in which role."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a caller is. A talent is a person who asks about itself."""

    SERVICE = "service"
    ENGINEER = "engineer"
    ADMIN = "admin"
    TALENT = "talent"


@dataclass(frozen=True)
class Caller:
    """Who asks, as a verified token says. A talent's subject is its person_id."""

    subject: str
    role: Role
