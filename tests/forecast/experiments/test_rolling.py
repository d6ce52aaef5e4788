"""Jobs of several origins run once, are reported as they end, and read nothing that was filled in."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.experiments import rolling as module
from rnn_pipelines.forecast.experiments.rolling import cut_series, rolling
from rnn_pipelines.networks.fan_out import ParallelSpec


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[tuple[str, int]]]:
    """The results of three jobs that end backwards, and the reports of their ends."""

    def end_backwards(
        run: type[int], jobs: list[str], _: ParallelSpec
    ) -> Iterator[tuple[str, int]]:
        return ((job, run(job)) for job in reversed(jobs))

    monkeypatch.setattr(module, "fan_out", end_backwards)
    reports: list[tuple[str, int]] = []
    results = rolling(
        int, ["30", "10", "20"], ParallelSpec(workers=1), lambda *ended: reports.append(ended)
    )
    return results, reports


def test_results_have_the_order_of_the_jobs(
    reported: tuple[list[int], list[tuple[str, int]]],
) -> None:
    assert reported[0] == [30, 10, 20]


def test_reports_have_the_order_in_which_jobs_end(
    reported: tuple[list[int], list[tuple[str, int]]],
) -> None:
    assert reported[1] == [("20", 20), ("10", 10), ("30", 30)]


@pytest.fixture
def cut() -> pd.DataFrame:
    """The two inner steps of four, the first of which was filled in."""
    series = pd.DataFrame({"unique_id": "a", "ds": range(4), "y": [1.0, 2.0, 3.0, 4.0]})
    series = series.assign(observed=[True, False, True, True])
    return cut_series(series, np.array([False, True, True, False]))


def test_cut_series_have_the_rows_of_the_whole_series(cut: pd.DataFrame) -> None:
    assert list(cut) == ["unique_id", "ds", "y"]
    assert cut.index.tolist() == [2, 3]


def test_cut_series_have_open_gaps(cut: pd.DataFrame) -> None:
    """A value that was filled in may depend on one after the cut."""
    np.testing.assert_array_equal(cut["y"], [np.nan, 3.0])
