"""What is drawn is a readable choice, and words say which."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.report.choice import (
    MAX_SERIES,
    MAX_STEPS,
    choose_series,
    choose_steps,
    describe_choice,
    join_steps,
    keep_last_steps,
)


def test_forecasts_from_many_origins_are_drawn_one_step_ahead(make_results) -> None:
    rows = choose_steps(make_results(horizon=3).predictions.table)
    assert rows["horizon_step"].tolist() == [1] * 20


def test_forecasts_from_one_origin_are_drawn_over_all_steps(make_results) -> None:
    rows = choose_steps(make_results(num_series=2, num_origins=1, horizon=3).predictions.table)
    assert rows["horizon_step"].tolist() == [1, 2, 3] * 2


def test_choice_of_series_is_described(make_results) -> None:
    rows = choose_steps(make_results(num_series=40, num_origins=2).predictions.table)
    assert describe_choice(rows, choose_series(rows)) == "one step ahead; 12 of 40 series"


def test_choice_of_steps_is_described(make_results) -> None:
    rows = choose_steps(make_results(num_origins=4000, horizon=1).predictions.table)
    assert describe_choice(rows, choose_series(rows)) == "one step ahead; last 3,000 of 4,000 steps"


def test_few_series_are_all_chosen(make_results) -> None:
    assert list(choose_series(make_results(num_series=3).predictions.table)) == [
        "s00000",
        "s00001",
        "s00002",
    ]


def test_chosen_series_are_spread_over_the_panel() -> None:
    table = pd.DataFrame({"unique_id": [f"s{number}" for number in range(111)]})
    assert list(choose_series(table)) == [f"s{number}" for number in range(0, 111, 10)]


def test_chosen_series_have_a_limit(make_results) -> None:
    assert (
        len(choose_series(make_results(num_series=40, num_origins=2).predictions.table))
        == MAX_SERIES
    )


def test_last_steps_are_kept_up_to_a_limit() -> None:
    tables = {name: pd.DataFrame({"step": range(MAX_STEPS)}) for name in "abc"}
    kept = list(keep_last_steps(tables))
    assert sum(map(len, kept)) == MAX_STEPS
    assert all(table["step"].iloc[-1] == MAX_STEPS - 1 for table in kept)


@pytest.mark.parametrize(("horizon", "words"), [(1, "one step ahead"), (3, "1 to 3 steps ahead")])
def test_words_say_how_far_ahead(make_results, horizon: int, words: str) -> None:
    rows = choose_steps(make_results(num_origins=1, horizon=horizon).predictions.table)
    assert describe_choice(rows, choose_series(rows)) == words


def test_steps_without_a_forecast_or_an_observed_value_stay_empty(make_results) -> None:
    results = make_results(num_origins=1, horizon=3)
    table = join_steps(results.series, results.predictions.table, num_before=5)
    assert table["ridge"].notna().tolist() == [False] * 5 + [True] * 3
    results = make_results(horizon=1)
    table = join_steps(results.series, results.predictions.table.drop(index=[4, 5]), num_before=0)
    assert np.flatnonzero(table["ridge"].isna()).tolist() == [4, 5]
    series = results.series.assign(observed=np.arange(60) != 50)
    table = join_steps(series, results.predictions.table, num_before=0)
    assert table.loc[table["y"].isna(), "ds"].tolist() == [results.series["ds"][50]]
