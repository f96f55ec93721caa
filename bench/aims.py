"""What a bench wants to reach, beside what it measured."""

from dataclasses import dataclass, field


@dataclass
class Aims:
    """Prints each as it is measured; remembers which were missed."""

    missed: list[str] = field(default_factory=list)

    def at_least(self, what: str, found: float, least: float) -> None:
        """More is better."""
        self._note(what, found, f"at least {least:g}", is_met=found >= least)

    def at_most(self, what: str, found: float, most: float) -> None:
        """Less is better."""
        self._note(what, found, f"at most {most:g}", is_met=found <= most)

    def status(self) -> int:
        """1 where one was missed, for the shell."""
        return int(bool(self.missed))

    def _note(self, what: str, found: float, aim: str, *, is_met: bool) -> None:
        self.missed += [] if is_met else [what]
        print(f"{what:<56}{found:>8.2f}   aim: {aim}{'' if is_met else ', MISSED'}", flush=True)
