"""What simple forecasters read is what its name says, and never of another series."""

import numpy as np

from rnn_pipelines.forecast.methods.predictors import gather_season
from rnn_pipelines.forecast.windows.panel import WindowedPanel


def make_counting_panel(sizes: tuple[int, ...] = (20,), horizon: int = 3, lookback: int = 4) -> WindowedPanel:
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


def test_season_has_no_target_where_the_horizon_is_longer() -> None:
    """The last season that was seen comes again and again."""
    panel = make_counting_panel(horizon=7)
    assert gather_season(panel, np.array([10]), 3).tolist() == [[7, 8, 9, 7, 8, 9, 7]]


def test_season_of_1_step_is_the_last_value() -> None:
    assert gather_season(make_counting_panel(), np.array([5, 9]), 1).tolist() == [[4, 4, 4], [8, 8, 8]]


def test_season_may_lie_further_back_than_the_window() -> None:
    assert gather_season(make_counting_panel(lookback=2), np.array([15]), 12).tolist() == [[3, 4, 5]]


def test_young_series_has_the_last_value_for_its_season() -> None:
    assert gather_season(make_counting_panel(), np.array([5]), 7).tolist() == [[4, 4, 0]]


def test_series_shorter_than_the_season_has_the_last_value_for_it() -> None:
    """A day of 1,440 minutes, and a panel of 23 rows."""
    assert gather_season(make_counting_panel(), np.array([5]), 1440).tolist() == [[4, 4, 4]]


def test_season_never_crosses_into_the_previous_series() -> None:
    """The second series starts in row 23."""
    panel = make_counting_panel(sizes=(20, 20))
    assert gather_season(panel, np.array([28]), 6).tolist() == [[27, 23, 24]]


def test_origin_after_the_end_belongs_to_the_series_before_it() -> None:
    """Row 20 is the future of the first series."""
    panel = make_counting_panel(sizes=(20, 20))
    assert gather_season(panel, np.array([20, 43]), 5).tolist() == [[15, 16, 17], [38, 39, 40]]


def test_season_has_the_last_value_at_an_open_gap() -> None:
    panel = make_counting_panel()
    panel.values[6] = np.nan
    assert gather_season(panel, np.array([10]), 5).tolist() == [[5, 9, 7]]
