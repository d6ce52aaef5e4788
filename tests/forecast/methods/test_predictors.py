"""What simple forecasters read is what its name says, and never of another series."""

import numpy as np

from rnn_pipelines.forecast.methods.predictors import gather_season
from rnn_pipelines.forecast.windows.panel import WindowedPanel


def make_counting_panel(
    sizes: tuple[int, ...] = (20,), horizon: int = 3, lookback: int = 4
) -> WindowedPanel:
    """Series after series whose values are their rows, without known features."""
    stops = np.cumsum([size + horizon for size in sizes])
    none = np.empty((0, 2), np.int64)
    return WindowedPanel(
        values=np.arange(stops[-1], dtype=np.float32)[:, None],
        train=none,
        validation=none,
        test=none,
        future=none,
        series_starts=stops - [size + horizon for size in sizes],
        zeros=np.zeros(len(sizes), np.float32),
        lookback=lookback,
        horizon=horizon,
        stride=1,
    )


def test_season_is_the_values_one_season_before() -> None:
    assert gather_season(make_counting_panel(), np.array([10]), 5).tolist() == [[5, 6, 7]]


def test_last_season_is_repeated() -> None:
    panel = make_counting_panel(horizon=7)
    assert gather_season(panel, np.array([10]), 3).tolist() == [[7, 8, 9, 7, 8, 9, 7]]


def test_season_of_one_step_is_the_last_value() -> None:
    assert gather_season(make_counting_panel(), np.array([5, 9]), 1).tolist() == [
        [4, 4, 4],
        [8, 8, 8],
    ]


def test_season_may_be_longer_than_the_lookback() -> None:
    assert gather_season(make_counting_panel(lookback=2), np.array([15]), 12).tolist() == [
        [3, 4, 5]
    ]


def test_season_longer_than_the_past_is_filled_with_the_last_value() -> None:
    assert gather_season(make_counting_panel(), np.array([5]), 7).tolist() == [[4, 4, 0]]


def test_season_longer_than_the_panel_is_the_last_value() -> None:
    """A day of 1,440 minutes, and a panel of 23 rows."""
    assert gather_season(make_counting_panel(), np.array([5]), 1440).tolist() == [[4, 4, 4]]


def test_season_does_not_reach_into_the_series_before() -> None:
    # The second series starts in row 23.
    panel = make_counting_panel(sizes=(20, 20))
    assert gather_season(panel, np.array([28]), 6).tolist() == [[27, 23, 24]]


def test_season_of_the_future_is_that_of_its_series() -> None:
    # The second series starts in row 23.
    panel = make_counting_panel(sizes=(20, 20))
    # Row 20 is the future of the first series.
    assert gather_season(panel, np.array([20, 43]), 5).tolist() == [[15, 16, 17], [38, 39, 40]]


def test_missing_value_of_the_season_is_the_last_value() -> None:
    panel = make_counting_panel()
    panel.values[6] = np.nan
    assert gather_season(panel, np.array([10]), 5).tolist() == [[5, 9, 7]]
