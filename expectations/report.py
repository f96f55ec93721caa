"""What a check found: how many rows of each stream and view passed, which did not and why, which expectations held."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from expectations.suite import Declaration, Present

LATEST_TO_JUDGE = 100
"""The latest window is judged by itself from so many rows on: bad rows in it would vanish among years of good ones."""


@dataclass(frozen=True)
class Outcome:
    """The expectations of one stream or view: how many were evaluated, a sentence on each that failed.

    page: where the Data Docs show them, relative to the site.
    """

    evaluated: int = 0
    failed: tuple[str, ...] = ()
    page: str = ""


@dataclass(frozen=True)
class Part:
    """One stream or view. extracted is always accepted + rejected; reasons: rejected rows by the first broken rule.

    latest: extracted and rejected rows of the latest window alone. blank: fields without a value in accepted rows.
    """

    declared: Declaration
    extracted: int
    accepted: int
    rejected: int
    reasons: Mapping[str, int]
    latest: tuple[int, int] = (0, 0)
    blank: frozenset[str] = frozenset()
    outcome: Outcome = field(default_factory=Outcome)

    @property
    def present(self) -> Present:
        """A source without rows of a kind is no fault; one whose every row was rejected is."""
        return Present(min(self.extracted, 1), self.blank)

    def faults(self, share: float) -> list[str]:
        """Why the part cannot be used, each with what was found and what is allowed; share: of rows rejected."""
        found = [f"{self.declared.title}: {sentence}" for sentence in self.outcome.failed]
        extracted, rejected = self.latest
        if self.rejected > share * self.extracted:
            found.append(self._too_many("", self.rejected, self.extracted, share))
        elif extracted >= LATEST_TO_JUDGE and rejected > share * extracted:
            found.append(self._too_many(" in the latest window", rejected, extracted, share))
        return found

    def _too_many(self, where: str, rejected: int, extracted: int, share: float) -> str:
        reasons = ", ".join(f"{rule} {count:,}" for rule, count in list(self.reasons.items())[:5])
        found = f"{rejected:,} of {extracted:,} rows rejected{where} ({reasons})"
        return f"{self.declared.title}: {found}, allowed: a share of {share:g}"

    def counts(self) -> dict[str, Any]:
        """Rows extracted, accepted, rejected, and the rejected ones by reason."""
        return {
            "extracted": self.extracted,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "reasons": dict(self.reasons),
        }

    def to_dict(self) -> dict[str, Any]:
        """The part as plain JSON values."""
        return {
            "kind": self.declared.kind,
            "name": self.declared.name,
            **self.counts(),
            "expectations": self.outcome.evaluated,
            "failed": list(self.outcome.failed),
            "page": self.outcome.page,
        }


@dataclass(frozen=True)
class CheckReport:
    """A run of check.

    docs: the index of the Data Docs. quarantine: the folder of the rejected rows. faults: why nothing was staged.
    """

    run: str
    as_of: str | None
    parts: tuple[Part, ...]
    docs: Path
    staged: Path
    quarantine: Path
    faults: tuple[str, ...] = ()

    @property
    def extracted(self) -> int:
        """Rows of all streams, views not counted."""
        return sum(part.extracted for part in self.parts if part.declared.kind == "stream")

    @property
    def rejected(self) -> int:
        """Rejected rows of all streams, views not counted."""
        return sum(part.rejected for part in self.parts if part.declared.kind == "stream")

    def summary(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "run": self.run,
            "as_of": self.as_of,
            "extracted": self.extracted,
            "accepted": self.extracted - self.rejected,
            "rejected": self.rejected,
            "docs": str(self.docs),
            "staged": str(self.staged),
            "quarantine": str(self.quarantine),
            "faults": list(self.faults),
            "parts": [part.to_dict() for part in self.parts],
        }
