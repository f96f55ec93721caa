"""The real service, which can also load tiny models: what the tests with a server process start."""

from serving.service import TalentService
from tests.serving import tiny

tiny.install()

__all__ = ["TalentService"]
