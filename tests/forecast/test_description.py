"""What a forecaster prints of itself."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from rnn_pipelines import Forecaster

SMALL = {
    "lstm": {"units": 3},
    "gru": {"units": 3},
    "training": {"max_steps": 20},
    "split": {"test": 20},
}


def test_forecaster_without_a_fit_shows_its_parameters() -> None:
    assert repr(Forecaster(h=3)).splitlines() == [
        "Forecaster(h=3, level=[80, 95], lookback=None, freq=None)", "Not fitted. Call fit, or Forecaster.load.",
    ]  # fmt: skip
    assert "Not fitted" in Forecaster(h=3)._repr_html_()


@pytest.fixture(scope="module")
def fitted(make_table: Callable[..., pd.DataFrame], make_values: Callable[..., list]) -> Forecaster:
    frame = make_table({"a": make_values(100, seed=1), "<b>": make_values(100, seed=2)})
    return Forecaster(h=3, level=80, use="theta", **SMALL).fit(frame)


def test_fitted_forecaster_shows_its_parameters(fitted: Forecaster) -> None:
    lookback = fitted._require_fit().settings.lookback
    expected = f"Forecaster(h=3, level=[80], lookback={lookback}, freq='D')"
    assert expected in repr(fitted).splitlines()


def test_fitted_forecaster_shows_its_series(fitted: Forecaster) -> None:
    line = "Fitted on 2 series with 200 values up to 2021-04-10; in use: theta."
    assert line in repr(fitted).splitlines()


def test_fitted_forecaster_begins_with_the_next_value(fitted: Forecaster) -> None:
    assert repr(fitted).startswith("Forecast of <b> on 2021-04-11: ")


def test_fitted_forecaster_shows_the_leaderboard_in_a_notebook(fitted: Forecaster) -> None:
    page = fitted._repr_html_()
    headings, cells = (re.findall(f"<{tag}>(.+?)</{tag}>", page) for tag in ("th", "td"))
    assert {"forecaster", "mae", "mase", "skill", "coverage_80"} <= set(headings)
    assert cells[:: len(headings)] == fitted.leaderboard()["forecaster"].tolist()


def test_loaded_forecaster_shows_its_method(fitted: Forecaster, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    assert repr(loaded).splitlines()[1] == "Loaded, of 2 series; in use: theta."
