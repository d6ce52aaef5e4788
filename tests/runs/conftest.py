"""What the tests of runs share."""

from pathlib import Path

import pytest

from rnn_pipelines.runs.run_store import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "data", "forecast")
