"""A classifier comes back with its scores, one version for each run, and nothing in its file can run."""

import dataclasses
import io
import json
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileOpener
from kedro.io import DatasetError
from kedro.io.core import Version

from rnn_pipelines.errors import ChampionError
from rnn_pipelines.sentiment.datasets import TextClassifierDataset
from rnn_pipelines.sentiment.model.classifier import TextClassifier, score_sentiment
from rnn_pipelines.sentiment.model.packing import pack, unpack

MEMBERS = ["settings.json", "vocabulary.json", "ngrams.npz", "networks/lstm.keras", "networks/gru.keras"]
Reweigh = Callable[[float], TextClassifier]


@pytest.fixture
def filepath(tmp_path: Path) -> str:
    return str(tmp_path / "deep" / "my.zip")


@pytest.fixture(scope="module")
def packed(text_classifier: TextClassifier, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of the classifier."""
    path = tmp_path_factory.mktemp("packed") / "my.zip"
    TextClassifierDataset(filepath=str(path)).save(text_classifier)
    return path.read_bytes()


@pytest.fixture(scope="module")
def loaded(packed: bytes, tmp_path_factory: pytest.TempPathFactory) -> TextClassifier:
    path = tmp_path_factory.mktemp("loaded") / "my.zip"
    path.write_bytes(packed)
    return TextClassifierDataset(filepath=str(path)).load()


@pytest.fixture(scope="module")
def reweigh(text_classifier: TextClassifier) -> Reweigh:
    """The classifier without its networks, which makes it fast to save, and with another intercept."""

    def make(intercept: float) -> TextClassifier:
        calibration = {"weights": {"nb_ngram": 1.0}, "intercept": intercept}
        return dataclasses.replace(text_classifier, networks={}, calibration=calibration)

    return make


def get_intercept(filepath: str, version: Version | None = None) -> float:
    return TextClassifierDataset(filepath=filepath, version=version).load().calibration["intercept"]


# There and back


def test_loaded_classifier_gives_the_same_scores(
    text_classifier: TextClassifier, loaded: TextClassifier, make_reviews: Callable[..., pd.DataFrame]
) -> None:
    texts = [*make_reviews(8)["text"], "", "xyzzy 😀", "so bad " * 40]
    table = pd.DataFrame({"row": range(len(texts)), "text": texts})
    pd.testing.assert_frame_equal(score_sentiment(loaded, table), score_sentiment(text_classifier, table))


def test_reading_without_signs_comes_back(text_classifier: TextClassifier, tmp_path: Path) -> None:
    dataset = TextClassifierDataset(filepath=str(tmp_path / "my.zip"))
    dataset.save(dataclasses.replace(text_classifier, signs=False))
    assert dataset.load().signs is False


def test_texts_that_it_has_seen_come_back(text_classifier: TextClassifier, tmp_path: Path) -> None:
    """So that a classifier of `sentiment` is not judged on what it was trained on."""
    seen = np.array([1, 2**64 - 1], np.uint64)
    dataset = TextClassifierDataset(filepath=str(tmp_path / "my.zip"))
    dataset.save(dataclasses.replace(text_classifier, seen=seen))
    found = dataset.load().seen
    assert (found.tolist(), found.dtype) == (seen.tolist(), np.uint64)


@pytest.mark.parametrize("name", ["settings.json", "vocabulary.json", "ngrams.npz", "lstm.keras"])
def test_missing_file_is_named_when_the_classifier_is_read(text_classifier: TextClassifier, name: str) -> None:
    files = {other: content for other, content in pack(text_classifier).items() if other != name}
    with pytest.raises(ChampionError, match=name):
        unpack(files)


def test_vocabulary_padding_and_calibration_come_back(text_classifier: TextClassifier, loaded: TextClassifier) -> None:
    for field in ("vocabulary", "padding", "calibration"):
        assert getattr(loaded, field) == getattr(text_classifier, field)


def test_numbers_of_ngrams_come_back(text_classifier: TextClassifier, loaded: TextClassifier) -> None:
    assert (loaded.ngrams.order, loaded.ngrams.intercept) == (
        text_classifier.ngrams.order,
        text_classifier.ngrams.intercept,
    )
    assert (type(loaded.ngrams.order), type(loaded.ngrams.intercept)) == (int, float)


def test_words_of_every_script_come_back(filepath: str, reweigh: Reweigh) -> None:
    words = ["素晴らしい", "😀", "don't", '"', "\\", "é"]
    dataset = TextClassifierDataset(filepath=filepath)
    dataset.save(dataclasses.replace(reweigh(0.0), vocabulary=words))
    assert dataset.load().vocabulary == words


# The file


def test_file_holds_the_parts_and_nothing_else(packed: bytes) -> None:
    assert zipfile.ZipFile(io.BytesIO(packed)).namelist() == MEMBERS


def test_nothing_is_pickled(packed: bytes) -> None:
    """Arrays are of numbers, all else is JSON or HDF5."""
    archive = zipfile.ZipFile(io.BytesIO(packed))
    with np.load(io.BytesIO(archive.read("ngrams.npz")), allow_pickle=False) as arrays:
        assert all(array.dtype.kind in "if" for array in arrays.values())
    for name in MEMBERS:
        if name.endswith(".keras"):
            members = zipfile.ZipFile(io.BytesIO(archive.read(name))).namelist()
            assert sorted(members) == ["config.json", "metadata.json", "model.weights.h5"]
        if name.endswith(".json"):
            json.loads(archive.read(name))


def replace_member(packed: bytes, name: str, content: bytes | None) -> bytes:
    """The file with another member of this name; None for none."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, zipfile.ZipFile(changed, "w") as other:
        for member in archive.namelist():
            if member != name:
                other.writestr(member, archive.read(member))
        if content is not None:
            other.writestr(name, content)
    return changed.getvalue()


def pickle_array() -> bytes:
    packed = io.BytesIO()
    np.savez(packed, ngrams=np.array([{}], object), weights=np.zeros(1), intercept=0.0, order=1)
    return packed.getvalue()


def test_pickled_array_is_refused(packed: bytes, write: Callable[..., str]) -> None:
    path = write(replace_member(packed, "ngrams.npz", pickle_array()), "my.zip")
    with pytest.raises(DatasetError, match="allow_pickle=False"):
        TextClassifierDataset(filepath=path).load()


def test_network_with_code_in_it_is_refused(packed: bytes, tmp_path: Path, write: Callable[..., str]) -> None:
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)])
    model.save(tmp_path / "unsafe.keras")
    unsafe = (tmp_path / "unsafe.keras").read_bytes()
    path = write(replace_member(packed, "networks/lstm.keras", unsafe), "my.zip")
    with pytest.raises(DatasetError, match="safe_mode"):
        TextClassifierDataset(filepath=path).load()


@pytest.mark.parametrize("part", [0, 100, 0.5, 0.999], ids=["empty", "beginning", "half", "almost all"])
def test_file_that_was_cut_off_is_an_error_that_names_it(packed: bytes, write: Callable[..., str], part: float) -> None:
    size = part if isinstance(part, int) else int(part * len(packed))
    path = write(packed[:size], "my.zip")
    with pytest.raises(DatasetError, match=r"my\.zip"):
        TextClassifierDataset(filepath=path).load()


def test_damaged_part_is_an_error(packed: bytes, write: Callable[..., str]) -> None:
    name = "vocabulary.json"
    place = packed.index(name.encode()) + len(name) + 10
    path = write(packed[:place] + bytes([packed[place] ^ 1]) + packed[place + 1 :], "my.zip")
    with pytest.raises(DatasetError, match=f"Bad CRC-32 for file '{name}'"):
        TextClassifierDataset(filepath=path).load()


@pytest.mark.parametrize("name", ["settings.json", "vocabulary.json", "ngrams.npz"])
def test_missing_part_is_an_error(packed: bytes, write: Callable[..., str], name: str) -> None:
    path = write(replace_member(packed, name, None), "my.zip")
    with pytest.raises(DatasetError, match=f"no item named '{name}'"):
        TextClassifierDataset(filepath=path).load()


def change_settings(packed: bytes, **changes: int | None) -> bytes:
    """The file with other settings; None takes one out."""
    settings = json.loads(zipfile.ZipFile(io.BytesIO(packed)).read("settings.json")) | changes
    kept = {name: value for name, value in settings.items() if value is not None}
    return replace_member(packed, "settings.json", json.dumps(kept).encode())


@pytest.mark.parametrize("number", [None, 0, 2])
def test_file_of_another_format_is_refused(packed: bytes, write: Callable[..., str], number: int | None) -> None:
    path = write(change_settings(packed, format=number), "my.zip")
    with pytest.raises(DatasetError, match="format"):
        TextClassifierDataset(filepath=path).load()


# Versions


def test_each_version_has_its_own_file(filepath: str, reweigh: Reweigh) -> None:
    for version in ("one", "two"):
        TextClassifierDataset(filepath=filepath, version=Version(None, version)).save(reweigh(0.0))
    folders = sorted(path.parent.name for path in Path(filepath).rglob("*.zip") if path.is_file())
    assert folders == ["one", "two"]


@pytest.mark.parametrize(("load_version", "expected"), [(None, 2.0), ("2024-01-01", 1.0)], ids=["newest", "older"])
def test_newest_version_is_loaded_unless_another_is_named(
    filepath: str, reweigh: Reweigh, load_version: str | None, expected: float
) -> None:
    for version, intercept in (("2024-01-01", 1.0), ("2024-01-02", 2.0)):
        TextClassifierDataset(filepath=filepath, version=Version(None, version)).save(reweigh(intercept))
    assert get_intercept(filepath, Version(load_version, None)) == expected


@pytest.mark.parametrize("version", [None, Version(None, None)], ids=["plain", "versioned"])
def test_dataset_exists_once_it_is_saved(filepath: str, reweigh: Reweigh, version: Version | None) -> None:
    dataset = TextClassifierDataset(filepath=filepath, version=version)
    before = dataset.exists()
    dataset.save(reweigh(0.0))
    assert (before, TextClassifierDataset(filepath=filepath, version=version).exists()) == (False, True)


@pytest.mark.parametrize("version", [None, Version(None, None)], ids=["plain", "versioned"])
def test_classifier_that_was_never_saved_is_an_error_that_says_what_to_do(
    filepath: str, version: Version | None
) -> None:
    with pytest.raises(DatasetError, match="Run kedro run --pipelines=sentiment first"):
        TextClassifierDataset(filepath=filepath, version=version).load()


# Saving that fails


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes half of what is written."""
    whole = LocalFileOpener.write

    def write_half(self: LocalFileOpener, content: bytes) -> None:
        whole(self, content[: len(content) // 2])
        raise OSError("No space left on device")

    monkeypatch.setattr(LocalFileOpener, "write", write_half)


def break_off(filepath: str, classifier: TextClassifier, version: Version | None = None) -> None:
    with pytest.raises(DatasetError, match="No space left"):
        TextClassifierDataset(filepath=filepath, version=version).save(classifier)


def test_write_that_breaks_off_leaves_the_old_classifier(
    filepath: str, reweigh: Reweigh, request: pytest.FixtureRequest
) -> None:
    TextClassifierDataset(filepath=filepath).save(reweigh(1.0))
    request.getfixturevalue("full_disk")
    break_off(filepath, reweigh(2.0))
    assert get_intercept(filepath) == 1.0


def test_write_that_breaks_off_leaves_the_older_version_as_the_newest(
    filepath: str, reweigh: Reweigh, request: pytest.FixtureRequest
) -> None:
    TextClassifierDataset(filepath=filepath, version=Version(None, "2024-01-01")).save(reweigh(1.0))
    request.getfixturevalue("full_disk")
    break_off(filepath, reweigh(2.0), Version(None, "2024-01-02"))
    assert get_intercept(filepath, Version(None, None)) == 1.0


def test_write_that_breaks_off_leaves_no_file_where_there_was_none(
    filepath: str, reweigh: Reweigh, full_disk: None
) -> None:
    break_off(filepath, reweigh(2.0))
    assert not Path(filepath).exists()


def test_classifier_can_be_saved_after_a_write_broke_off(
    filepath: str, reweigh: Reweigh, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("full_disk")
    break_off(filepath, reweigh(1.0))
    monkeypatch.undo()
    TextClassifierDataset(filepath=filepath).save(reweigh(2.0))
    assert get_intercept(filepath) == 2.0


def test_network_that_cannot_be_saved_leaves_the_old_classifier(filepath: str, reweigh: Reweigh) -> None:
    dataset = TextClassifierDataset(filepath=filepath)
    dataset.save(reweigh(1.0))
    with pytest.raises(DatasetError):
        dataset.save(dataclasses.replace(reweigh(2.0), networks={"lstm": "no network"}))
    assert get_intercept(filepath) == 1.0


# The preview


def test_preview_shows_how_models_are_weighed_and_texts_are_cut(
    text_classifier: TextClassifier, packed: bytes, write: Callable[..., str]
) -> None:
    preview = TextClassifierDataset(filepath=write(packed, "my.zip")).preview()
    assert json.loads(preview) == {
        "format": 1,
        "signs": True,
        "padding": text_classifier.padding.model_dump(),
        "calibration": text_classifier.calibration,
    }


def test_preview_needs_no_keras(packed: bytes, write: Callable[..., str]) -> None:
    code = f"""
        import sys
        from rnn_pipelines.sentiment.datasets import TextClassifierDataset
        assert TextClassifierDataset(filepath={write(packed, "my.zip")!r}).preview()
        print(sorted({{"keras", "tensorflow", "sklearn", "scipy"}} & set(sys.modules)))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "[]"
