"""The arms of an experiment, as the prediction log names them."""

from enum import StrEnum


class Arm(StrEnum):
    """Who answered, or, in the shadow, who scored along."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"
    SHADOW = "shadow"
