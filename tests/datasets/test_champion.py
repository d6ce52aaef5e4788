"""The catalog's champion is the one that was evaluated, and what is wrong with it never goes unsaid."""

import contextlib
import dataclasses
import errno
import itertools
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from fitted import forecast_newest
from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.champion.changes import list_damages
from rnn_pipelines.champion.history import add_record, list_records
from rnn_pipelines.champion.outcome import promote_version
from rnn_pipelines.champion.policy import Decision
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.datasets import ChampionDataset
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel
from rnn_pipelines.forecast.model import packing
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.model.packing import pack
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.sentiment.model.classifier import TextClassifier, score_sentiment
from sealing import reseal

RECORD = {
    "kind": "retrain",
    "task": "forecast",
    "at": "2024-01-01T00:00:00+00:00",
    "reasons": ["why"],
}


@pytest.fixture(scope="module")
def prepared(
    prepare: Callable[..., SimpleNamespace], make_values: Callable[..., list[float | None]]
) -> SimpleNamespace:
    return prepare({"a": make_values(50, seed=1), "é": make_values(50, seed=2)})


@pytest.fixture(scope="module")
def forecaster(prepared: SimpleNamespace, make_forecaster: Callable[..., Forecaster]) -> Forecaster:
    """With two networks that were never trained."""
    return make_forecaster(prepared, "lstm", "gru")


@pytest.fixture
def bare(forecaster: Forecaster) -> Forecaster:
    """Without its networks, which makes it small."""
    model: Any = forecaster.model
    linear = {"baseline_ensemble": model.model.models["baseline_ensemble"]}
    alone = dataclasses.replace(model, model=EnsembleModel({"baseline_ensemble": 1.0}, linear))
    return dataclasses.replace(forecaster, model=alone)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "champion"


def open_dataset(folder: Path, task: str = "forecast") -> ChampionDataset:
    return ChampionDataset(path=str(folder), task=task)


def save(folder: Path, artefact: Any, is_promoted: bool = True, task: str = "forecast") -> str:
    """Saves a candidate and returns the name of its version."""
    candidate = Candidate(
        artefact, Decision(is_promoted, ("why",)), RECORD | {"is_promoted": is_promoted}
    )
    open_dataset(folder, task).save(candidate)
    return list_records(folder)[-1]["version"]


def damage(folder: Path, version: str) -> None:
    (folder / "versions" / version / "settings.json").write_bytes(b"{}")


def test_loaded_forecaster_gives_the_same_forecasts_without_pickles(
    folder: Path, forecaster: Forecaster, prepared: SimpleNamespace, bare: Forecaster
) -> None:
    save(folder, forecaster)
    loaded = open_dataset(folder).load().artefact
    one, other = (
        forecast_newest(f, prepared.table, SourceSpec(name="catalog")) for f in (forecaster, loaded)
    )
    pd.testing.assert_frame_equal(one, other)
    save(folder, bare)
    loaded = open_dataset(folder).load().artefact
    pd.testing.assert_frame_equal(loaded.scaler, bare.scaler, check_exact=True, check_dtype=False)
    assert loaded.settings == bare.settings
    # Settings and scale are JSON, the model is arrays.
    version = save(folder, forecaster)
    names = {path.name for path in (folder / "versions" / version).iterdir()}
    own = {"settings.json", "scaler.json", "coding.json", "model.npz"}
    assert names == {*own, "record.json", "checksums.json"}


def test_loaded_classifier_gives_the_same_scores(
    folder: Path, text_classifier: TextClassifier, make_reviews: Callable[..., pd.DataFrame]
) -> None:
    save(folder, text_classifier, task="sentiment")
    loaded = open_dataset(folder, "sentiment").load().artefact
    texts = pd.DataFrame({"row": range(8), "text": make_reviews(8)["text"]})
    pd.testing.assert_frame_equal(
        score_sentiment(loaded, texts), score_sentiment(text_classifier, texts)
    )


def test_loaded_classifier_knows_what_it_has_seen(
    folder: Path, text_classifier: TextClassifier
) -> None:
    for seen in (np.array([3, 2**64 - 1], np.uint64), np.zeros(0, np.uint64)):
        save(folder, dataclasses.replace(text_classifier, seen=seen), task="sentiment")
        loaded = open_dataset(folder, "sentiment").load().artefact
        assert (loaded.seen.tolist(), loaded.seen.dtype) == (seen.tolist(), np.uint64)


def test_an_empty_folder_has_no_champion(folder: Path) -> None:
    dataset = open_dataset(folder)
    assert (dataset.load(), dataset.exists()) == (None, False)


def test_promoted_candidate_is_loaded(folder: Path, bare: Forecaster) -> None:
    version = save(folder, bare)
    champion = open_dataset(folder).load()
    assert (champion.version, champion.alarms, champion.record["version"]) == (version, (), version)


def test_a_new_champion_is_young(folder: Path, bare: Forecaster) -> None:
    save(folder, bare)
    champion = open_dataset(folder).load()
    assert 0 <= champion.age_days < 0.01


def test_a_candidate_that_is_kept_back_is_not_loaded(folder: Path, bare: Forecaster) -> None:
    first = save(folder, bare)
    save(folder, bare, is_promoted=False)
    dataset = open_dataset(folder)
    assert dataset.load().version == first


def test_a_candidate_that_is_kept_back_is_a_version(folder: Path, bare: Forecaster) -> None:
    first = save(folder, bare)
    second = save(folder, bare, is_promoted=False)
    dataset = open_dataset(folder)
    assert dataset.store.list_versions() == [first, second]


def test_a_candidate_that_is_kept_back_is_on_record(folder: Path, bare: Forecaster) -> None:
    first = save(folder, bare)
    second = save(folder, bare, is_promoted=False)
    assert [record["version"] for record in list_records(folder)] == [first, second]


def test_other_files_of_a_candidate_lie_in_its_version(folder: Path, bare: Forecaster) -> None:
    """Whole or not at all, and covered by its checksums."""
    candidate = Candidate(
        bare, Decision(True, ("why",)), RECORD | {"is_promoted": True}, {"other.bin": b"other"}
    )
    dataset = open_dataset(folder)
    dataset.save(candidate)
    assert dataset.store.load().files["other.bin"] == b"other"
    assert dataset.load().artefact.settings == bare.settings


def test_all_nodes_of_a_run_get_the_same_champion(folder: Path, bare: Forecaster) -> None:
    """Until it is released, whoever promotes another one meanwhile."""
    first = save(folder, bare)
    dataset = open_dataset(folder)
    dataset.load()
    second = save(folder, bare)
    assert dataset.load().version == first
    dataset.release()
    assert dataset.load().version == second


@pytest.mark.parametrize("num_writes", range(20))
def test_save_that_breaks_off_leaves_a_whole_champion(
    folder: Path, bare: Forecaster, num_writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one or the new one; and the next save succeeds."""
    save(folder, bare)
    count = 0
    fsync = os.fsync

    def fail_later(handle: int) -> None:
        nonlocal count
        count += 1
        if count > num_writes:
            raise OSError("No space left on device")
        fsync(handle)

    changed = dataclasses.replace(bare, scaler=bare.scaler.assign(mean=0.0))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail_later)
        with contextlib.suppress(DatasetError):
            save(folder, changed)
    champion = open_dataset(folder).load()
    assert (champion.alarms, champion.record["version"]) == ((), champion.version)
    assert (
        np.array_equal(champion.artefact.scaler["mean"], bare.scaler["mean"])
        or not champion.artefact.scaler["mean"].any()
    )
    save(folder, changed)
    assert not open_dataset(folder).load().artefact.scaler["mean"].any()


def test_champion_that_is_promoted_again_by_hand_keeps_what_was_measured(
    folder: Path, bare: Forecaster
) -> None:
    """And its age begins anew."""
    first = save(folder, bare)
    _ = save(folder, bare)
    store = ChampionStore(folder)
    promote_version(store, "forecast", first, "it was the data")
    champion = open_dataset(folder).load()
    assert (champion.version, champion.record["kind"], champion.record["at"]) == (
        first,
        "retrain",
        RECORD["at"],
    )
    assert champion.promoted_at == store.read_pointer().since


def test_older_champion_is_as_old_as_its_newest_promotion(folder: Path, bare: Forecaster) -> None:
    """Where another one is damaged, so that the pointer doesn't tell."""
    first = save(folder, bare)
    _ = save(folder, bare)
    promote_version(ChampionStore(folder), "forecast", first, "it was the data")
    promoted_at = list_records(folder)[-1]["at"]
    damage(folder, save(folder, bare))
    assert open_dataset(folder).load().promoted_at == promoted_at


def test_damaged_champion_is_replaced(folder: Path, bare: Forecaster) -> None:
    first = save(folder, bare)
    second = save(folder, bare)
    damage(folder, second)
    champion = open_dataset(folder).load()
    assert champion.version == first
    assert any(second in alarm for alarm in champion.alarms)


def test_damage_of_a_champion_is_logged(
    folder: Path, bare: Forecaster, caplog: pytest.LogCaptureFixture
) -> None:
    save(folder, bare)
    damage(folder, save(folder, bare))
    open_dataset(folder).load()
    assert [r.levelname for r in caplog.records if r.name == "rnn_pipelines.datasets.champion"] == [
        "ERROR",
        "ERROR",
    ]


def test_damage_of_a_champion_is_recorded(folder: Path, bare: Forecaster) -> None:
    second = save(folder, bare)
    damage(folder, second)
    open_dataset(folder).load()
    assert list_records(folder)[-1]["kind"] == "alarm"


def test_the_same_damage_is_recorded_once(folder: Path, bare: Forecaster) -> None:
    save(folder, bare)
    damage(folder, save(folder, bare))
    for _ in range(3):
        open_dataset(folder).load()
    assert [record["kind"] for record in list_records(folder)].count("alarm") == 1


def test_damage_of_every_champion_is_recorded(folder: Path, bare: Forecaster) -> None:
    save(folder, bare)
    for _ in range(2):
        damage(folder, save(folder, bare))
        open_dataset(folder).load()
    assert [record["kind"] for record in list_records(folder)].count("alarm") == 2


def test_older_champion_is_as_old_as_its_own_promotion(folder: Path, bare: Forecaster) -> None:
    save(folder, bare)
    damage(folder, save(folder, bare))
    assert open_dataset(folder).load().promoted_at == RECORD["at"]


def test_without_a_whole_champion_there_is_none(folder: Path, bare: Forecaster) -> None:
    """So that the next retraining can put one in its place."""
    damage(folder, save(folder, bare))
    assert open_dataset(folder).load() is None


def test_without_a_whole_champion_there_is_an_alarm(folder: Path, bare: Forecaster) -> None:
    damage(folder, save(folder, bare))
    assert open_dataset(folder).load() is None
    assert list_records(folder)[-1]["kind"] == "alarm"


def test_a_champion_after_a_damaged_one_has_no_alarm(folder: Path, bare: Forecaster) -> None:
    damage(folder, save(folder, bare))
    save(folder, bare)
    assert open_dataset(folder).load().alarms == ()


def promote_unreadable(folder: Path, bare: Forecaster) -> str:
    """A version whose model is none, as that of another version of NumPy may be; its checksum is right."""
    store = ChampionStore(folder)
    version = store.add_version(reseal({**pack(bare), "model.npz": b"of another kind"}))
    store.promote(version, ["why"], "2024-01-02T00:00:00+00:00")
    add_record(folder, RECORD | {"is_promoted": True, "version": version})
    return version


@pytest.fixture
def fallback(folder: Path, bare: Forecaster) -> SimpleNamespace:
    """A champion that was loaded instead of an unreadable one: `first`, `champion` and its `alarms`."""
    first = save(folder, bare)
    second = promote_unreadable(folder, bare)
    alarm = f"{second}: it is whole, but can't be loaded (ValueError; the log has more)."
    alarms = [alarm, f"{first} is in use instead."]
    return SimpleNamespace(first=first, champion=open_dataset(folder).load(), alarms=alarms)


def test_champion_that_cannot_be_loaded_falls_back_with_an_alarm(fallback: SimpleNamespace) -> None:
    assert fallback.champion.version == fallback.first
    assert fallback.champion.alarms == tuple(fallback.alarms)


def test_log_has_the_reason_why_a_champion_cannot_be_loaded(
    folder: Path, bare: Forecaster, caplog: pytest.LogCaptureFixture
) -> None:
    save(folder, bare)
    promote_unreadable(folder, bare)
    open_dataset(folder).load()
    assert "This file contains pickled (object) data" in caplog.text


def test_champion_that_cannot_be_loaded_is_an_alarm_on_record(
    folder: Path, fallback: SimpleNamespace
) -> None:
    assert list_records(folder)[-1]["reasons"] == fallback.alarms
    assert list_damages(ChampionStore(folder)) == fallback.alarms


def test_without_a_champion_that_can_be_loaded_there_is_none(
    folder: Path, bare: Forecaster
) -> None:
    for _ in range(2):
        promote_unreadable(folder, bare)
    assert open_dataset(folder).load() is None


def test_every_champion_that_cannot_be_loaded_is_named(folder: Path, bare: Forecaster) -> None:
    versions = [promote_unreadable(folder, bare) for _ in range(2)]
    assert open_dataset(folder).load() is None
    alarm, *_ = list_damages(ChampionStore(folder))
    assert all(version in alarm for version in versions)


def test_a_champion_after_unreadable_ones_ends_the_alarm(folder: Path, bare: Forecaster) -> None:
    for _ in range(2):
        promote_unreadable(folder, bare)
    assert open_dataset(folder).load() is None
    save(folder, bare)
    assert open_dataset(folder).load().alarms == ()
    assert list_damages(ChampionStore(folder)) == []


def test_champion_that_cannot_be_loaded_is_recorded_once(folder: Path, bare: Forecaster) -> None:
    promote_unreadable(folder, bare)
    for _ in range(3):
        open_dataset(folder).load()
    assert [record["kind"] for record in list_records(folder)].count("alarm") == 1


def fail_to_load(dataset: ChampionDataset) -> None:
    """As with a library that is broken."""

    def fail(_: object) -> None:
        raise TypeError("broken")

    with patch("rnn_pipelines.forecast.model.packing.unpack", fail):
        assert dataset.load() is None


def test_champion_that_can_be_loaded_again_ends_the_alarm(folder: Path, bare: Forecaster) -> None:
    version = save(folder, bare)
    fail_to_load(open_dataset(folder))
    assert "it is whole, but can't be loaded" in list_damages(ChampionStore(folder))[0]
    assert open_dataset(folder).load().version == version
    assert list_damages(ChampionStore(folder)) == []


def test_every_recovery_of_a_champion_is_recorded_once(folder: Path, bare: Forecaster) -> None:
    save(folder, bare)
    for _ in range(2):
        fail_to_load(open_dataset(folder))
        for _ in range(2):
            open_dataset(folder).load()
    kinds = [record["kind"] for record in list_records(folder)]
    assert kinds == ["retrain", *(2 * ["alarm", "recovery"])]


class ResourceExhaustedError(Exception):
    """As TensorFlow calls it."""


MACHINES = [
    OSError(errno.ENOSPC, "No space left on device"),
    MemoryError(),
    ImportError("no keras"),
    ModuleNotFoundError("no keras", name="keras.src"),
    ResourceExhaustedError(),
]
# What a file may make its readers raise; see the fuzzer of models.
MODELS = [
    RecursionError(),
    ModuleNotFoundError("no such layer", name="somebody.layers"),
    OSError("file signature not found"),
    NotImplementedError(),
    zipfile.BadZipFile(),
    EOFError(),
    AssertionError(),
]


def load_with(folder: Path, errors: dict[int, Exception]) -> LoadedChampion | None:
    """Loads the champion, where the calls with these numbers raise."""
    unpack = packing.unpack
    calls = itertools.count()

    def unpack_or_fail(files: Any) -> Any:
        error = errors.get(next(calls))
        if error is not None:
            raise error
        return unpack(files)

    with patch("rnn_pipelines.forecast.model.packing.unpack", unpack_or_fail):
        return open_dataset(folder).load()


@pytest.mark.parametrize("error", MACHINES, ids=repr)
def test_error_of_the_machine_is_no_fault_of_the_champion(
    folder: Path, bare: Forecaster, error: Exception
) -> None:
    """Else a full disk would put a challenger in its place that was never compared with it."""
    for _ in range(2):
        save(folder, bare)
    with pytest.raises(DatasetError) as caught:
        load_with(folder, {0: error, 1: error})
    assert caught.value.__cause__ is error
    assert list_records(folder)[-1]["kind"] == "retrain"


@pytest.mark.parametrize("error", [*MACHINES, *MODELS], ids=repr)
def test_whatever_a_model_raises_the_champion_before_is_in_use(
    folder: Path, bare: Forecaster, error: Exception
) -> None:
    """It can be loaded, so that the machine is well."""
    first = save(folder, bare)
    second = save(folder, bare)
    champion = load_with(folder, {0: error})
    assert champion is not None
    assert champion.version == first
    assert champion.alarms[0].startswith(
        f"{second}: it is whole, but can't be loaded ({type(error).__name__};"
    )


@pytest.mark.parametrize("error", MODELS, ids=repr)
def test_only_champion_that_raises_leaves_an_alarm(
    folder: Path, bare: Forecaster, error: Exception
) -> None:
    """So that the next retraining can put one in its place."""
    save(folder, bare)
    assert load_with(folder, {0: error}) is None
    assert list_records(folder)[-1]["kind"] == "alarm"


def test_many_champions_that_cannot_be_loaded_are_passed_over(
    folder: Path, bare: Forecaster
) -> None:
    first = save(folder, bare)
    for _ in range(30):
        save(folder, bare)
    champion = load_with(folder, dict.fromkeys(range(30), RecursionError()))
    assert champion is not None
    assert champion.version == first


def test_alarm_that_cannot_be_recorded_keeps_nobody_from_the_champion(
    folder: Path, bare: Forecaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = save(folder, bare)
    damage(folder, save(folder, bare))

    def fail(*_: object) -> None:
        raise OSError("read-only file system")

    monkeypatch.setattr("rnn_pipelines.datasets.champion.add_record", fail)
    assert open_dataset(folder).load().version == first


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "s3://bucket/x", "task": "forecast"}, "on this machine"),
        ({"path": "x", "task": "y"}, "received 'y'"),
    ],
)
def test_wrong_entry_is_refused(settings: dict[str, str], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        ChampionDataset(**settings)


def test_entry_without_a_champion_needs_no_keras(tmp_path: Path) -> None:
    code = f"""
        import json, sys
        from rnn_pipelines.datasets import ChampionDataset
        for task in ("forecast", "sentiment"):
            assert ChampionDataset(path={str(tmp_path)!r}, task=task).load() is None
        print(json.dumps(sorted({{"keras", "tensorflow", "sklearn"}} & set(sys.modules))))
    """
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=True, capture_output=True, text=True
    )
    assert json.loads(finished.stdout) == []
