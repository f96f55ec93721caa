"""One encoder for all tests of the folder: opening it takes most of their time."""

from pathlib import Path

import pytest

from feature_repo.embedding import Encoder, open_encoder


@pytest.fixture(scope="session")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="session")
def encoder(graphs: Path) -> Encoder:
    return open_encoder(graphs)
