"""A champion's folder with a history, and an MLflow database of one's own."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.connectors.mlflow.publication import connect
from rnn_pipelines.connectors.mlflow.specs import TrackingSpec

SINCE = "2026-01-31T02:00:00+00:00"


@pytest.fixture(scope="session")
def make_record() -> Callable[..., dict[str, Any]]:
    """Makes what a retraining of `forecast` leaves on record, still without its name."""

    def make(outcome: str = "promoted", version: str | None = "v1", **other: Any) -> dict[str, Any]:
        return {
            "kind": "retrain",
            "task": "forecast",
            "at": SINCE,
            "as_of": "2026-01-31",
            "fingerprints": {"data": "d" * 64, "parameters": "p" * 64, "code": "c" * 64},
            "commit": "a" * 40,
            "versions": {"python": "3.12.1", "keras": "3.15.1"},
            "parameters": {
                "forecast": {
                    "source": {"path": None, "name": "seattle"},
                    "lstm": {"units": [64, 32], "centre": False},
                },
                "retrain_forecast": {"policy": {"must_beat": []}},
            },
            "data": {"source": "seattle", "num_series": 1, "num_steps": 1369},
            "outcome": outcome,
            "is_promoted": outcome == "promoted",
            "reasons": [f"{outcome} by the policy"],
            "p_value": 0.25,
            "seconds": {"training": 40.5, "total": 60.25},
            "metrics": {
                "challenger": {"loss": 14.25, "validation_loss": 11.5, "by_step": [14.0, 14.5]},
                "champion": None,
                "baselines": {"last_value": 22.25, "ridge": 13.5},
            },
            "version": version,
            **other,
        }

    return make


@pytest.fixture(scope="session")
def fill_store(make_record: Callable[..., dict[str, Any]]) -> Callable[[Path], ChampionStore]:
    """Fills a folder: two champions, one after another, a version that was kept back, and a failed retraining."""

    def fill(folder: Path) -> ChampionStore:
        store = ChampionStore(folder / "champion" / "forecast")
        for outcome in ("promoted", "promoted", "kept"):
            version = store.add_version({"settings.json": b"{}", "gru.keras": os.urandom(8)})
            if outcome == "promoted":
                store.promote(version, ["it is better"], SINCE)
            add_record(store.folder, make_record(outcome, version))
        failure = {
            "kind": "retrain",
            "task": "forecast",
            "at": SINCE,
            "outcome": "failed",
            "version": None,
            "reasons": ["it failed"],
            "error": "SeriesError: my.csv: no such file.",
        }
        add_record(store.folder, failure)
        return store

    return fill


@pytest.fixture
def store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fill_store: Callable[[Path], ChampionStore]
) -> ChampionStore:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    return fill_store(tmp_path)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """To make one takes MLflow seconds."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    connect(TrackingSpec(tracking_uri=f"sqlite:///{path}")).search_experiments()
    return path


@pytest.fixture(scope="session")
def copy_database(empty_database: Path) -> Callable[[Path], TrackingSpec]:
    """Copies the empty database into a folder."""

    def copy(folder: Path) -> TrackingSpec:
        shutil.copy(empty_database, folder / "mlflow.db")
        return TrackingSpec(is_on=True, tracking_uri=f"sqlite:///{folder}/mlflow.db")

    return copy


@pytest.fixture
def spec(tmp_path: Path, copy_database: Callable[[Path], TrackingSpec]) -> TrackingSpec:
    """With an empty database."""
    return copy_database(tmp_path)
