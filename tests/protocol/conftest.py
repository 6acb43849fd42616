"""The scripts of this folder, ready to run, and a product to run them against."""

from pathlib import Path

import pytest

from tests.fixtures.reading import library, shelf
from tests.protocol.node import installed

__all__ = ["library", "shelf"]


@pytest.fixture(scope="session")
def node_folder() -> Path:
    return installed()
