"""What the tests of the champion's files share."""

import os
from pathlib import Path

import pytest

from rnn_pipelines.champion.store import ChampionStore


@pytest.fixture
def no_wait_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some thousand times; the tests of crashes wait for it."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def store(tmp_path: Path) -> ChampionStore:
    return ChampionStore(tmp_path / "forecast")
