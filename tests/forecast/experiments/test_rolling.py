"""Jobs of several origins run once, are reported as they end, and read nothing that was filled in."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.experiments import rolling as module
from rnn_pipelines.forecast.experiments.rolling import cut_series, rolling
from rnn_pipelines.networks.fan_out import ParallelSpec


def test_results_have_the_order_of_the_jobs_and_reports_that_of_their_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def end_backwards(
        run: type[int], jobs: list[str], _: ParallelSpec
    ) -> Iterator[tuple[str, int]]:
        return ((job, run(job)) for job in reversed(jobs))

    monkeypatch.setattr(module, "fan_out", end_backwards)
    reported: list[tuple[str, int]] = []
    found = rolling(
        int, ["30", "10", "20"], ParallelSpec(workers=1), lambda *ended: reported.append(ended)
    )
    assert found == [30, 10, 20]
    assert reported == [("20", 20), ("10", 10), ("30", 30)]


def test_cut_series_have_open_gaps_and_the_rows_of_the_whole_series() -> None:
    """A value that was filled in may depend on one after the cut."""
    series = pd.DataFrame({"unique_id": "a", "ds": range(4), "y": [1.0, 2.0, 3.0, 4.0]})
    found = cut_series(
        series.assign(observed=[True, False, True, True]), np.array([False, True, True, False])
    )
    assert list(found) == ["unique_id", "ds", "y"]
    assert found.index.tolist() == [2, 3]
    np.testing.assert_array_equal(found["y"], [np.nan, 3.0])
