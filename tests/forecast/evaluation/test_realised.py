"""Past forecasts are judged by observed actuals alone, each against the promise of its own version and step."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.evaluation.realised import (
    join_actuals,
    keep_newest,
    measure_groups,
    measure_realised,
    measure_stability,
)

START = pd.Timestamp("2024-01-01")
VERSIONS: dict[str, Any] = {
    "one": {
        "by_step": [1.0, 2.0],
        "trained_until": {"a": "2024-01-05T00:00:00", "b": "2024-01-05T00:00:00"},
    },
    "two": {"by_step": [3.0, 4.0], "trained_until": None},
}

CHAMPION = {"versions": VERSIONS}


def day(number: int) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


def make_series(
    num_days: int = 40, filled: tuple[int, ...] = (), steps: bool = False
) -> pd.DataFrame:
    """Two series; the value of a day is its number, in `b` ten times that."""
    tables = [
        pd.DataFrame(
            {
                "unique_id": name,
                "ds": np.arange(num_days) if steps else [day(number) for number in range(num_days)],
                "y": factor * np.arange(num_days, dtype=float),
                "observed": ~np.isin(np.arange(num_days), filled),
            }
        )
        for name, factor in (("a", 1), ("b", 10))
    ]
    return pd.concat(tables, ignore_index=True)


def make_log(*forecasts: tuple[str, int, int, float, str], steps: bool = False) -> pd.DataFrame:
    """Rows of series, cut-off's day, step, forecast and version."""
    return pd.DataFrame(
        [
            {
                "unique_id": name,
                "cutoff": cutoff if steps else day(cutoff),
                "ds": cutoff + step if steps else day(cutoff + step),
                "horizon_step": step,
                "y_hat": y_hat,
                "model_version": version,
                "recorded_at": pd.Timestamp("2025-01-01", tz="UTC"),
            }
            for name, cutoff, step, y_hat, version in forecasts
        ]
    )


@pytest.fixture
def evaluated() -> pd.DataFrame:
    """Errors of both series by versions one and two, from twenty cut-offs."""
    random = np.random.default_rng(0)
    rows = [
        (
            name,
            cutoff,
            step,
            factor * (cutoff + step) + random.normal(),
            "one" if cutoff < 20 else "two",
        )
        for name, factor in (("a", 1), ("b", 10))
        for cutoff in range(10, 30)
        for step in (1, 2)
        if random.random() < 0.9
    ]
    return join_actuals(make_log(*rows), make_series(), CHAMPION)


def test_forecast_has_its_actual_with_the_expected_error_of_its_version() -> None:
    evaluated = join_actuals(
        make_log(("a", 10, 2, 11.0, "one"), ("b", 10, 1, 5.0, "two")), make_series(), CHAMPION
    )
    assert evaluated[["y", "y_hat", "expected_mse"]].to_numpy().tolist() == [
        [12, 11, 2],
        [110, 5, 3],
    ]


def test_forecasts_of_times_to_come_are_left_out() -> None:
    log = make_log(("a", 38, 1, 1.0, "one"), ("a", 38, 2, 1.0, "one"))
    assert join_actuals(log, make_series(), CHAMPION)["horizon_step"].tolist() == [1]


def test_imputed_actuals_are_left_out() -> None:
    log = make_log(("a", 10, 1, 1.0, "one"), ("a", 10, 2, 1.0, "one"))
    assert join_actuals(log, make_series(filled=(11,)), CHAMPION)["horizon_step"].tolist() == [2]


def test_forecasts_from_within_the_training_are_left_out() -> None:
    log = make_log(("a", 3, 1, 1.0, "one"), ("a", 4, 1, 1.0, "one"), steps=True)
    versions = {"one": {"by_step": [1.0], "trained_until": {"a": 4}}}
    evaluated = join_actuals(log, make_series(steps=True), {"versions": versions})
    assert evaluated["cutoff"].tolist() == [4]


@pytest.mark.parametrize(("cutoff", "counts"), [(3, False), (4, True)])
def test_forecast_from_before_what_its_model_has_learnt_does_not_count(
    cutoff: int, counts: bool
) -> None:
    """The version has learnt until the fifth day, number 4: a forecast from that day on is one."""
    evaluated = join_actuals(make_log(("a", cutoff, 1, 1.0, "one")), make_series(), CHAMPION)
    assert len(evaluated) == counts


@pytest.mark.parametrize("by_step", [None, [], [float("nan")], [None], [float("inf")]])
def test_promise_that_is_not_on_record_is_none(by_step: list[float] | None) -> None:
    evaluated = join_actuals(
        make_log(("a", 10, 1, 1.0, "x")), make_series(), {"versions": {"x": {"by_step": by_step}}}
    )
    assert evaluated["expected_mse"].isna().tolist() == [True]


def test_nothing_is_judged_without_forecasts_or_of_another_time_axis() -> None:
    evaluated = join_actuals(None, make_series(), CHAMPION)
    assert evaluated.empty
    assert measure_realised(evaluated)["ratio"] is None
    assert measure_groups(evaluated, "horizon_step").empty
    with pytest.raises(SeriesError, match="datetime64"):
        join_actuals(make_log(("a", 3, 1, 1.0, "one")), make_series(steps=True), CHAMPION)
    log = make_log(("a", 10, 1, 1.0, "one"))
    series = make_series()
    before = log.copy(), series.copy()
    join_actuals(log, series, CHAMPION)
    pd.testing.assert_frame_equal(log, before[0])
    pd.testing.assert_frame_equal(series, before[1])


def test_stability_as_issued_does_not_depend_on_the_order_of_the_store() -> None:
    """Version two forecasts, is rolled back, and version one forecasts the same date from the same cut-off."""
    log = make_log(("a", 10, 2, 15.0, "two"), ("a", 11, 1, 14.0, "two"), ("a", 11, 1, 12.5, "one"))
    log["recorded_at"] += pd.to_timedelta([0, 1, 2], unit="h")
    by_key = log.sort_values(["unique_id", "cutoff", "ds", "model_version"], ignore_index=True)
    for table in (log, by_key):
        # The errors are 3 and 0.5.
        stability = measure_stability(join_actuals(table, make_series(), CHAMPION))["stability"]
        assert stability == pytest.approx(2.5 / 1.75)


def test_errors_are_means_over_a_series_then_over_series(evaluated: pd.DataFrame) -> None:
    """Row by row in plain Python."""
    by_series: dict[str, list[tuple[float, float, float]]] = {"a": [], "b": []}
    for row in evaluated.itertuples():
        error = row.y - row.y_hat
        expected_mse = VERSIONS[row.model_version]["by_step"][row.horizon_step - 1]
        by_series[row.unique_id].append((error * error, abs(error), expected_mse))
    means = [
        [sum(column) / len(column) for column in zip(*rows, strict=True)]
        for rows in by_series.values()
    ]
    mse, mae, expected = [sum(column) / 2 for column in zip(*means, strict=True)]
    measures = measure_realised(evaluated)
    assert [measures[name] for name in ("mse", "mae", "expected_mse", "ratio")] == pytest.approx(
        [mse, mae, expected, mse / expected]
    )


def test_forecasts_are_counted_with_their_cutoffs(evaluated: pd.DataFrame) -> None:
    measures = measure_realised(evaluated)
    assert (measures["num_forecasts"], measures["num_cutoffs"]) == (len(evaluated), 20)


@pytest.mark.parametrize("step", [1, 2])
def test_errors_by_step_are_of_the_rows_of_the_step(evaluated: pd.DataFrame, step: int) -> None:
    by_step = measure_groups(evaluated, "horizon_step").set_index("horizon_step")
    rows = evaluated[evaluated["horizon_step"] == step]
    squares = [
        ((part["y"] - part["y_hat"]) ** 2).to_numpy().mean()
        for _, part in rows.groupby("unique_id")
    ]
    assert by_step.loc[step, "mse"] == pytest.approx(sum(squares) / 2)
    assert by_step.loc[step, "num_forecasts"] == len(rows)


def test_newest_forecasts_are_those_of_the_last_cutoffs(evaluated: pd.DataFrame) -> None:
    assert keep_newest(evaluated, 3)["cutoff"].unique().tolist() == [day(27), day(28), day(29)]


def test_versions_have_the_order_of_their_first_forecasts(evaluated: pd.DataFrame) -> None:
    versions = measure_groups(evaluated.replace({"model_version": {"one": "z"}}), "model_version")
    assert versions["model_version"].tolist() == ["z", "two"]
    assert versions["first_cutoff"].tolist() == [day(10), day(20)]


def test_forecasts_without_an_expected_error_are_only_counted(evaluated: pd.DataFrame) -> None:
    is_second = evaluated["model_version"] == "two"
    unknown = evaluated.assign(expected_mse=evaluated["expected_mse"].where(is_second))
    num_unknown = int((~is_second).sum())
    expected = measure_realised(evaluated[is_second]) | {"num_without_expected_error": num_unknown}
    assert measure_realised(unknown) == expected


def test_group_with_an_unknown_expected_error_has_none(evaluated: pd.DataFrame) -> None:
    unknown = evaluated.assign(
        expected_mse=evaluated["expected_mse"].where(evaluated["cutoff"] != day(29))
    )
    assert measure_groups(unknown, "horizon_step")["expected_mse"].isna().all()


def test_errors_as_expected_have_a_high_p_value(evaluated: pd.DataFrame) -> None:
    as_expected = evaluated.assign(expected_mse=((evaluated["y"] - evaluated["y_hat"]) ** 2).mean())
    assert measure_realised(as_expected)["p_value"] > 0.2


def test_errors_far_above_the_expected_have_a_low_p_value(evaluated: pd.DataFrame) -> None:
    assert measure_realised(evaluated.assign(expected_mse=0.01))["p_value"] < 0.01


def test_infinite_forecast_makes_an_infinite_ratio(evaluated: pd.DataFrame) -> None:
    infinite = evaluated.assign(
        y_hat=evaluated["y_hat"].where(evaluated["cutoff"] != day(29), np.inf)
    )
    assert not np.isfinite(measure_realised(infinite)["ratio"])
