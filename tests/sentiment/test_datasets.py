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
from kedro.io import DatasetError

from rnn_pipelines.errors import ChampionError
from rnn_pipelines.sentiment.datasets import TextClassifierDataset
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact, score_sentiment
from rnn_pipelines.sentiment.model.packing import pack, unpack
from sealing import reseal

PARTS = ["settings.json", "vocabulary.json", "ngrams.npz", "seen.npz"]
MEMBERS = [*PARTS, "networks/lstm.keras", "networks/gru.keras"]
Reweigh = Callable[[float], ClassifierArtefact]


@pytest.fixture
def filepath(tmp_path: Path) -> str:
    return str(tmp_path / "deep" / "my.zip")


@pytest.fixture(scope="module")
def packed(text_classifier: ClassifierArtefact, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of the classifier."""
    path = tmp_path_factory.mktemp("packed") / "my.zip"
    TextClassifierDataset(filepath=str(path)).save(text_classifier)
    return path.read_bytes()


@pytest.fixture(scope="module")
def reweigh(text_classifier: ClassifierArtefact) -> Reweigh:
    """The classifier without its networks, which makes it fast to save, and with another intercept."""

    def make(intercept: float) -> ClassifierArtefact:
        calibration = {"weights": {"nb_ngram": 1.0}, "intercept": [intercept]}
        return dataclasses.replace(text_classifier, networks={}, calibration=calibration)

    return make


def get_intercept(filepath: str) -> float:
    return TextClassifierDataset(filepath=filepath).load().calibration["intercept"][0]


@pytest.fixture(scope="module")
def loaded(packed: bytes, tmp_path_factory: pytest.TempPathFactory) -> ClassifierArtefact:
    path = tmp_path_factory.mktemp("loaded") / "my.zip"
    path.write_bytes(packed)
    return TextClassifierDataset(filepath=str(path)).load()


def test_loaded_classifier_has_the_same_scores(
    loaded: ClassifierArtefact,
    text_classifier: ClassifierArtefact,
    make_reviews: Callable[..., pd.DataFrame],
) -> None:
    texts = [*make_reviews(8)["text"], "", "xyzzy 😀", "so bad " * 40]
    table = pd.DataFrame({"row": range(len(texts)), "text": texts})
    expected = score_sentiment(text_classifier, table)
    pd.testing.assert_frame_equal(score_sentiment(loaded, table), expected)


@pytest.mark.parametrize("field", ["vocabulary", "padding", "calibration"])
def test_loaded_classifier_has_the_same_parts(
    loaded: ClassifierArtefact, text_classifier: ClassifierArtefact, field: str
) -> None:
    assert getattr(loaded, field) == getattr(text_classifier, field)


def test_numbers_of_loaded_ngrams_are_those_of_python(
    loaded: ClassifierArtefact, text_classifier: ClassifierArtefact
) -> None:
    ngrams = loaded.ngrams
    expected = text_classifier.ngrams
    assert (ngrams.order, ngrams.intercept) == (expected.order, expected.intercept)
    assert (type(ngrams.order), ngrams.intercept.dtype) == (int, np.float64)


def test_unusual_parts_come_back(filepath: str, reweigh: Reweigh) -> None:
    """Words of every script, texts without signs, and the texts that the classifier has seen."""
    words = ["素晴らしい", "😀", "don't", '"', "\\", "é"]
    seen = np.array([1, 2**64 - 1], np.uint64)
    dataset = TextClassifierDataset(filepath=filepath)
    dataset.save(dataclasses.replace(reweigh(0.0), vocabulary=words, signs=False, seen=seen))
    found = dataset.load()
    assert (found.vocabulary, found.signs) == (words, False)
    assert (found.seen.tolist(), found.seen.dtype) == (seen.tolist(), np.uint64)


@pytest.mark.parametrize("name", [*PARTS, "lstm.keras"])
def test_missing_file_is_named_when_the_classifier_is_read(
    text_classifier: ClassifierArtefact, name: str
) -> None:
    files = {other: content for other, content in pack(text_classifier).items() if other != name}
    with pytest.raises(ChampionError, match=name):
        unpack(files)


def test_nothing_is_pickled(packed: bytes) -> None:
    """Arrays are of numbers and truth values, all else is JSON or HDF5."""
    archive = zipfile.ZipFile(io.BytesIO(packed))
    assert archive.namelist() == MEMBERS
    with np.load(io.BytesIO(archive.read("ngrams.npz")), allow_pickle=False) as arrays:
        assert all(array.dtype.kind in "bif" for array in arrays.values())
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


def replace_sealed(packed: bytes, name: str, content: bytes) -> bytes:
    """The same, with the checksum of the other member."""
    changed = replace_member(packed, name, content)
    with zipfile.ZipFile(io.BytesIO(changed)) as archive:
        files = {
            member.removeprefix("networks/"): archive.read(member) for member in archive.namelist()
        }
    return replace_member(changed, "settings.json", reseal(files)["settings.json"])


def pickle_array() -> bytes:
    packed = io.BytesIO()
    np.savez(packed, ngrams=np.array([{}], object), weights=np.zeros(1), intercept=0.0, order=1)
    return packed.getvalue()


def flip_bit(packed: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        place = archive.getinfo(name).header_offset + 30 + len(name) + 10
    return packed[:place] + bytes([packed[place] ^ 1]) + packed[place + 1 :]


def set_format(packed: bytes, number: int | str | None) -> bytes:
    settings = json.loads(zipfile.ZipFile(io.BytesIO(packed)).read("settings.json")) | {
        "format": number
    }
    content = json.dumps(
        {name: value for name, value in settings.items() if value is not None}
    ).encode()
    return replace_member(packed, "settings.json", content)


REFUSED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "pickled array": (
        lambda packed: replace_sealed(packed, "ngrams.npz", pickle_array()),
        "allow_pickle=False",
    ),
    **{
        f"cut off at {part}": (
            lambda packed, part=part: packed[
                : part if isinstance(part, int) else int(part * len(packed))
            ],
            r"my\.zip",
        )
        for part in (0, 100, 0.5, 0.999)
    },
    "damaged part": (
        lambda packed: flip_bit(packed, "vocabulary.json"),
        "Bad CRC-32 for file 'vocabulary.json'",
    ),
    **{
        f"no {name}": (
            lambda packed, name=name: replace_member(packed, name, None),
            f"no item named '{name}'",
        )
        for name in PARTS
    },
    **{
        f"format {number}": (lambda packed, number=number: set_format(packed, number), "format")
        for number in (None, 0, 1, 3, "1")
    },
}


@pytest.mark.parametrize(("spoil", "message"), REFUSED.values(), ids=REFUSED)
def test_spoilt_file_is_refused(
    packed: bytes, write: Callable[..., str], spoil: Callable[[bytes], bytes], message: str
) -> None:
    path = write(spoil(packed), "my.zip")
    with pytest.raises(DatasetError, match=message):
        TextClassifierDataset(filepath=path).load()


def test_network_with_code_in_it_is_refused(
    packed: bytes, tmp_path: Path, write: Callable[..., str]
) -> None:
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)])
    model.save(tmp_path / "unsafe.keras")
    unsafe = (tmp_path / "unsafe.keras").read_bytes()
    path = write(replace_sealed(packed, "networks/lstm.keras", unsafe), "my.zip")
    with pytest.raises(DatasetError, match="safe_mode"):
        TextClassifierDataset(filepath=path).load()


def test_missing_classifier_is_an_error_with_the_command(filepath: str) -> None:
    with pytest.raises(DatasetError, match="kedro run --pipelines=sentiment"):
        TextClassifierDataset(filepath=filepath).load()


def test_network_that_cannot_be_saved_leaves_the_old_classifier(
    filepath: str, reweigh: Reweigh
) -> None:
    dataset = TextClassifierDataset(filepath=filepath)
    dataset.save(reweigh(1.0))
    with pytest.raises(DatasetError):
        dataset.save(dataclasses.replace(reweigh(2.0), networks={"lstm": "no network"}))
    assert get_intercept(filepath) == 1.0


def test_preview_shows_how_models_are_weighed(
    text_classifier: ClassifierArtefact, packed: bytes, write: Callable[..., str]
) -> None:
    preview = TextClassifierDataset(filepath=write(packed, "my.zip")).preview()
    shown = json.loads(preview)
    assert shown["signs"] is True
    assert shown["padding"] == text_classifier.padding.model_dump()
    weights = text_classifier.calibration["weights"]
    assert shown["calibration"] == {"weights": weights, "intercept": [0.25]}


def test_preview_loads_no_keras(packed: bytes, write: Callable[..., str]) -> None:
    code = f"""
        import sys
        from rnn_pipelines.sentiment.datasets import TextClassifierDataset
        assert TextClassifierDataset(filepath={write(packed, "my.zip")!r}).preview()
        print(sorted({{"keras", "tensorflow", "sklearn", "scipy"}} & set(sys.modules)))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    assert (
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "[]"
    )
