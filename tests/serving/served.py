"""The real service, which can also load tiny models: what the tests with a server process start."""

from importlib import import_module

from tests import patience

patience.install()  # before anything is imported that reads limits

import_module("tests.serving.tiny").install()
TalentService = import_module("serving.service").TalentService

__all__ = ["TalentService"]
