"""Realised and expected error, with a mark where a model version begins."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.realised import measure_groups
from rnn_pipelines.forecast.report.monitoring import (
    NOTHING,
    draw_error_by_step,
    draw_error_over_time,
    mark_versions,
)

NUM = 40


@pytest.fixture
def evaluated() -> pd.DataFrame:
    """One-step forecasts that are off by 1, and expected to be off by 2; the version changes in the middle."""
    cutoff = pd.date_range("2024-01-01", periods=NUM)
    return pd.DataFrame(
        {
            "unique_id": "a",
            "cutoff": cutoff,
            "ds": cutoff + pd.Timedelta(days=1),
            "horizon_step": 1,
            "model_version": np.where(np.arange(NUM) < 20, "z", "b"),
            "y": 0.0,
            "y_hat": np.where(np.arange(NUM) < 30, 1.0, 3.0),
            "expected_mse": 4.0,
        }
    )


def test_root_mean_squares_are_drawn(evaluated: pd.DataFrame) -> None:
    one, mean, expected = draw_error_over_time(evaluated, 10).data
    assert list(one.y) == [1.0] * 30 + [3.0] * 10
    assert mean.y[29] == 1.0
    assert mean.y[34] == pytest.approx(np.sqrt((5 * 1 + 5 * 9) / 10))
    assert set(expected.y) == {2.0}


def test_first_cut_off_of_each_version_is_marked(evaluated: pd.DataFrame) -> None:
    figure = draw_error_over_time(evaluated, 10)
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [("2024-01-01",) * 2, ("2024-01-21",) * 2]
    assert [(note.x, note.text.strip()) for note in figure.layout.annotations] == [
        ("2024-01-01", "v1"),
        ("2024-01-21", "v2"),
    ]


def test_single_cut_off_is_a_label(evaluated: pd.DataFrame) -> None:
    """The scale of a single date would be microseconds."""
    axes = [draw_error_over_time(evaluated[:num], 10).layout.xaxis for num in (1, 2)]
    assert [axis.type for axis in axes] == ["category", None]
    assert [axis.title.text for axis in axes] == ["cut-off"] * 2


def test_versions_are_numbered_as_in_the_table(evaluated: pd.DataFrame) -> None:
    assert (
        mark_versions(evaluated)["model_version"].tolist()
        == measure_groups(evaluated, "model_version")["model_version"].tolist()
    )


def test_versions_that_begin_together_share_a_mark(evaluated: pd.DataFrame) -> None:
    both = pd.concat([evaluated, evaluated.assign(model_version="c")])
    assert [note.text.strip() for note in draw_error_over_time(both, 10).layout.annotations] == ["v1, v2", "v3"]


def test_marks_of_many_versions_have_no_names(evaluated: pd.DataFrame) -> None:
    figure = draw_error_over_time(evaluated.assign(model_version=[f"{number:03}" for number in range(NUM)]), 10)
    assert (len(figure.layout.shapes), len(figure.layout.annotations)) == (NUM, 0)


def test_steps_are_drawn_as_dates_are(evaluated: pd.DataFrame) -> None:
    figure = draw_error_over_time(evaluated.assign(cutoff=np.arange(NUM)), 10)
    assert [shape.x0 for shape in figure.layout.shapes] == [0, 20]


def test_figures_without_evaluated_forecasts_are_empty(evaluated: pd.DataFrame) -> None:
    figures = draw_error_over_time(evaluated.head(0), 10), draw_error_by_step([])
    assert [(len(figure.data), figure.layout.title.subtitle.text) for figure in figures] == [(0, NOTHING)] * 2


def test_realised_and_expected_error_of_each_step_are_drawn() -> None:
    realised, expected = draw_error_by_step(
        [{"horizon_step": 1, "mse": 4.0, "expected_mse": 1.0}, {"horizon_step": 2, "mse": 9.0, "expected_mse": None}]
    ).data
    assert list(realised.y) == [2.0, 3.0]
    assert expected.y[0] == 1.0
    assert np.isnan(expected.y[1])
