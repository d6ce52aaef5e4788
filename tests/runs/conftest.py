"""What the tests of runs share."""

from pathlib import Path

import pytest

from rnn_pipelines.runs.run_store import RunStore


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "data", "forecast")
