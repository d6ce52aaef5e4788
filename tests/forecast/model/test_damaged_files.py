"""Saved forecasters with damages under right checksums: refused with the name of the file, or the same forecasts."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.champion.folders import save_folder
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.forecast.export.files import list_exported
from rnn_pipelines.forecast.model.packing import pack, unpack
from rnn_pipelines.storage.arrays import pack_arrays, unpack_arrays
from sealing import reseal

SMALL: dict[str, Any] = {
    "lookback": 14,
    "training": {"max_steps": 25},
    "lstm": {"members": 1},
    "gru": {"members": 1},
}
Files = Mapping[str, bytes]
# By name, what an array is replaced with; None for nothing.
ARRAY_DAMAGES: dict[str, Callable[[np.ndarray], np.ndarray | None]] = {
    "missing": lambda array: None,
    "NaN": lambda array: np.full_like(array, np.nan, dtype=float),
    "shorter": lambda array: array[:-1] if array.ndim else np.array([]),
    "another axis": lambda array: array[None],
    "text": lambda array: array.astype(str),
    "whole numbers": lambda array: np.zeros(array.shape, np.int64),
    "half precision": lambda array: np.full_like(array, 0.1, dtype=np.float16),
    "empty": lambda array: np.zeros(0),
}
BYTE_DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "no JSON": lambda content: b"{" + content,
    "flipped": lambda content: content[:-20] + bytes([content[-20] ^ 1]) + content[-19:],
}


def make_panel() -> pd.DataFrame:
    days = np.arange(90)
    tables = []
    for seed in (0, 1, 2):
        values = (
            50
            + np.sin(days * 2 * np.pi / 7)
            + np.random.default_rng(seed).normal(0, 0.5, len(days))
        )
        ds = pd.date_range("2024-01-01", periods=len(days))
        tables.append(pd.DataFrame({"unique_id": f"shop {seed}", "ds": ds, "y": values}))
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    return Forecaster(h=3, **SMALL).fit(make_panel())


@pytest.fixture(scope="module")
def files(forecaster: Forecaster) -> dict[str, bytes]:
    return pack(forecaster._make_artefact())


def list_damages(files: Files) -> Iterator[tuple[str, str, dict[str, bytes]]]:
    """Yield the file, the damage in words, and all files with it."""
    for name in files:
        for label, damage in BYTE_DAMAGES.items():
            yield name, label, {**files, name: damage(files[name])}
        if not name.endswith(".npz"):
            continue
        arrays = unpack_arrays(files[name])
        for part, array in arrays.items():
            for label, spoil in ARRAY_DAMAGES.items():
                if array.dtype.kind == "U" and label in ("NaN", "text", "half precision"):
                    continue
                spoilt = {**arrays, part: spoil(array)}
                kept = {key: value for key, value in spoilt.items() if value is not None}
                yield name, f"{part} {label}", {**files, name: pack_arrays(kept)}


@pytest.mark.parametrize("label", ARRAY_DAMAGES)
def test_damaged_array_is_refused_by_the_name_of_its_file(
    files: Files, tmp_path: Path, label: str
) -> None:
    """The checksums of the folder are those of the damaged files."""
    arrays = unpack_arrays(files["model.npz"])
    spoilt = {**arrays, "pretrained.cell_1": ARRAY_DAMAGES[label](arrays["pretrained.cell_1"])}
    kept = {key: value for key, value in spoilt.items() if value is not None}
    save_folder(tmp_path / "model", {**files, "model.npz": pack_arrays(kept)})
    with pytest.raises(ChampionError, match=r"model\.npz"):
        Forecaster.load(tmp_path / "model")


@pytest.mark.slow
def test_damage_under_right_checksums_names_the_file(files: Files) -> None:
    expected = Forecaster.unpack(files).predict(make_panel())
    silent = []
    for name, label, damaged in list_damages(files):
        try:
            found = Forecaster.unpack(damaged).predict(make_panel())
        except ChampionError as error:
            is_told = name in str(error)
        else:
            is_told = found.equals(expected)
        if not is_told:
            silent.append(f"{name}: {label}")
    assert silent == []


@pytest.mark.parametrize("name", ["model.npz", "evaluated.npz", "scaler.json"])
def test_numbers_that_are_not_finite_are_refused(files: Files, name: str) -> None:
    """As a training that failed would have written them, with right checksums in all places."""
    if name.endswith(".npz"):
        arrays = unpack_arrays(files[name])
        part = next(
            part for part, array in arrays.items() if array.dtype.kind == "f" and array.ndim
        )
        arrays[part] = np.where(
            np.arange(arrays[part].size).reshape(arrays[part].shape) == 3, np.nan, arrays[part]
        )
        content = pack_arrays(arrays)
    else:
        scaler = json.loads(files[name])
        content = json.dumps({**scaler, "mean": [np.nan, *scaler["mean"][1:]]}).encode()
    with pytest.raises(ChampionError, match=name):
        unpack(reseal({**files, name: content}))


def test_damaged_export_is_refused(forecaster: Forecaster) -> None:
    """An export has no other checksums."""
    exported = list_exported(forecaster._make_artefact())
    files = {
        name: content for name, content in exported.items() if name.endswith((".json", ".npz"))
    }
    content = files["scaler.json"].replace(b"5", b"4", 1)
    with pytest.raises(ChampionError, match=r"scaler\.json"):
        Forecaster.unpack({**files, "scaler.json": content})


def test_model_without_checksums_in_its_settings_is_read(files: Files) -> None:
    """As earlier versions of the project wrote them."""
    settings = json.loads(files["settings.json"])
    plain = {
        name: value for name, value in settings.items() if name not in ("files", "content_sha256")
    }
    before = {**files, "settings.json": json.dumps(plain).encode()}
    pd.testing.assert_frame_equal(
        Forecaster.unpack(before).predict(make_panel()),
        Forecaster.unpack(files).predict(make_panel()),
    )
