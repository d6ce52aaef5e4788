"""Dataclasses of arrays come back as they went, and nothing in their files can run."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kedro.io import DatasetError

from rnn_pipelines.datasets import ArraysDataset
from rnn_pipelines.forecast.methods.predictions import Forecasts
from rnn_pipelines.forecast.windows.panel import WindowedPanel

PANEL = "rnn_pipelines.forecast.windows.panel.WindowedPanel"
FORECASTS = "rnn_pipelines.forecast.methods.predictions.Forecasts"


@dataclass(frozen=True)
class Anything:
    """A dataclass that an ArraysDataset is not made for."""

    test: Any
    future: Any


@pytest.fixture
def forecasts() -> Forecasts:
    return Forecasts(
        test=np.arange(6, dtype=np.float32).reshape(3, 2), future=np.float32([[np.nan, 1]])
    )


@pytest.fixture
def dataset(tmp_path: Path) -> ArraysDataset:
    return ArraysDataset(filepath=str(tmp_path / "deep" / "down" / "my.npz"), holds=FORECASTS)


@pytest.fixture
def panel(
    prepare: Callable[..., SimpleNamespace], make_values: Callable[..., list[float]]
) -> WindowedPanel:
    return prepare({"a": make_values(50), "b": make_values(60)}).windows


@pytest.mark.parametrize("field", [field.name for field in fields(WindowedPanel)])
def test_panel_comes_back_as_it_went(tmp_path: Path, panel: WindowedPanel, field: str) -> None:
    dataset = ArraysDataset(filepath=str(tmp_path / "my.npz"), holds=PANEL)
    dataset.save(panel)
    saved = getattr(panel, field)
    loaded = getattr(dataset.load(), field)
    np.testing.assert_array_equal(loaded, saved)
    assert (type(loaded), getattr(loaded, "dtype", None)) == (
        type(saved),
        getattr(saved, "dtype", None),
    )


def test_loaded_panel_still_finds_its_windows(tmp_path: Path, panel: WindowedPanel) -> None:
    dataset = ArraysDataset(filepath=str(tmp_path / "my.npz"), holds=PANEL)
    dataset.save(panel)
    assert len(dataset.load().index("train")) == len(panel.index("train"))


@pytest.mark.parametrize("more", [(), ("num_static", "num_future", "num_past")])
def test_windows_name_the_run_that_saves_again(
    tmp_path: Path, panel: WindowedPanel, more: tuple[str, ...]
) -> None:
    """Windows of before had three counts of covariates instead of their roles and names."""
    path = tmp_path / "windows.npz"
    saved = {
        part.name: getattr(panel, part.name) for part in fields(WindowedPanel)
    } | dict.fromkeys(more, 1)
    np.savez(
        path, **{name: value for name, value in saved.items() if name not in ("roles", "names")}
    )
    with pytest.raises(DatasetError, match=r"'roles'.*--pipelines=forecast again"):
        ArraysDataset(filepath=str(path), holds=PANEL).load()


def test_forecasts_come_back_as_they_went(dataset: ArraysDataset, forecasts: Forecasts) -> None:
    dataset.save(forecasts)
    loaded = dataset.load()
    np.testing.assert_array_equal(loaded.test, forecasts.test)
    np.testing.assert_array_equal(loaded.future, forecasts.future)


def test_forecasts_come_back_as_their_type(dataset: ArraysDataset, forecasts: Forecasts) -> None:
    dataset.save(forecasts)
    assert type(dataset.load()) is Forecasts


def test_forecasts_are_previewed_as_shapes(dataset: ArraysDataset, forecasts: Forecasts) -> None:
    dataset.save(forecasts)
    preview = dataset.preview()
    assert preview["columns"] == ["array", "shape", "dtype"]
    assert preview["data"] == [
        ["test", "[3, 2]", "float32"],
        ["future", "[1, 2]", "float32"],
        ["seconds", "[]", "float64"],
    ]


def test_pickled_content_is_refused(tmp_path: Path, dataset: ArraysDataset) -> None:
    path = tmp_path / "my.npz"
    np.savez(path, test=np.array([{"run": "me"}], dtype=object), future=np.zeros(1))
    with pytest.raises(DatasetError, match="allow_pickle=False"):
        ArraysDataset(filepath=str(path), holds=FORECASTS).load()
    with pytest.raises(DatasetError, match="allow_pickle=False"):
        dataset.save(Anything(test=np.array([{}], dtype=object), future=np.zeros(1)))


def test_failed_save_leaves_only_the_old_file(
    dataset: ArraysDataset, forecasts: Forecasts, tmp_path: Path
) -> None:
    dataset.save(forecasts)
    with pytest.raises(DatasetError):
        dataset.save(Anything(test=np.zeros(1), future=np.array([{}], dtype=object)))
    np.testing.assert_array_equal(dataset.load().test, forecasts.test)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["my.npz"]
