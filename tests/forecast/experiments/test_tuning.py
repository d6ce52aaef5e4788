"""A search is judged by validation alone, goes on where it stood, and gives parameters that `forecast` takes."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.experiments.search_space import DimensionSpec, TuningSpec
from rnn_pipelines.forecast.experiments.tuning import TrialsTable, change_spec, cut_test_part, tune
from rnn_pipelines.forecast.parameters import ForecastSpec, read_parameter_models
from rnn_pipelines.networks.fan_out import ParallelSpec

MakeTable = Callable[..., pd.DataFrame]
MakeValues = Callable[..., list]

SPACE = {
    "window.lookback": {"low": 6, "high": 12},
    "gru.units": {"choices": [2, 3]},
    "lstm.units": {"choices": [2, [3, 2]]},
    "training.learning_rate": {"low": 1e-3, "high": 1e-2, "log": True},
}
ALONE = ParallelSpec(workers=1)


@pytest.fixture(scope="module")
def table(make_table: MakeTable, make_values: MakeValues) -> pd.DataFrame:
    return make_table({"a": make_values(140, seed=1), "b": make_values(130, seed=2)})


@pytest.fixture(scope="module")
def spec() -> ForecastSpec:
    small = {
        "lstm": {"units": [3, 2]},
        "gru": {"units": 3},
        "training": {"max_steps": 25, "learning_rate": 0.005},
    }
    return read_parameter_models(
        {"window": {"lookback": 8, "horizon": 2}, "split": {"validation": 15, "test": 20}, **small}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tuning")


@pytest.fixture(scope="module")
def found(table: pd.DataFrame, spec: ForecastSpec, folder: Path) -> tuple:
    return tune(table, None, spec, TuningSpec(space=SPACE, num_samples=4), ALONE, folder)


def test_first_trial_has_the_given_parameters(found: tuple) -> None:
    trials, _, summary = found
    TrialsTable.validate(trials)
    assert json.loads(trials["parameters"][0]) == pytest.approx(
        {"window.lookback": 8, "gru.units": 3, "lstm.units": "3+2", "training.learning_rate": 0.005}
    )
    assert summary["first_loss"] == trials["loss"][0]


def test_winner_has_the_least_loss(found: tuple) -> None:
    trials, _, summary = found
    assert summary["loss"] == trials["loss"].min()


def test_parameters_are_those_of_the_winner(found: tuple) -> None:
    trials, parameters, _ = found
    best = trials.loc[trials["loss"].idxmin()]
    flat = {
        f"{block}.{name}": value
        for block, values in parameters["forecast"].items()
        for name, value in values.items()
    }
    assert flat == json.loads(best["parameters"])
    read_parameter_models(parameters["forecast"])


def test_a_search_goes_on_where_it_stood(
    found: tuple, table: pd.DataFrame, spec: ForecastSpec, folder: Path
) -> None:
    more, _, _ = tune(table, None, spec, TuningSpec(space=SPACE, num_samples=6), ALONE, folder)
    pd.testing.assert_frame_equal(more.head(4), found[0])
    assert len(more) == 6
    assert more["parameters"].nunique() > 4


def test_the_test_part_is_not_seen(
    found: tuple, table: pd.DataFrame, spec: ForecastSpec, tmp_path: Path
) -> None:
    from_end = table.groupby("unique_id").cumcount(ascending=False)
    changed = table.assign(y=table["y"].where(from_end >= 20, 1e3))
    again, _, _ = tune(changed, None, spec, TuningSpec(space=SPACE, num_samples=2), ALONE, tmp_path)
    columns = ["trial", "parameters", "loss", "baseline_loss"]
    pd.testing.assert_frame_equal(again[columns], found[0][columns].head(2))


def test_what_judges_is_the_validation_part(table: pd.DataFrame, spec: ForecastSpec) -> None:
    known, judge = cut_test_part(table, spec)
    counts = known.groupby("unique_id").size()
    assert counts.to_dict() == {"a": 120, "b": 110}
    assert (judge.split.validation, judge.split.test) == (15, 15)


def test_series_too_young_judge_no_trial(
    make_table: MakeTable, make_values: MakeValues, spec: ForecastSpec
) -> None:
    values = {"a": make_values(140, seed=1), "b": make_values(130, seed=2)}
    with_young = {**values, "c": make_values(20, seed=3)}
    (known, judge), (alone, other) = (
        cut_test_part(make_table(each), spec) for each in (with_young, values)
    )
    assert known["unique_id"].unique().tolist() == ["a", "b"]
    assert judge == other
    assert len(known) == len(alone)


def test_other_data_begins_another_search(
    found: tuple, table: pd.DataFrame, spec: ForecastSpec, folder: Path
) -> None:
    other, _, _ = tune(
        table.assign(y=2 * table["y"] + 1),
        None,
        spec,
        TuningSpec(space=SPACE, num_samples=1),
        ALONE,
        folder,
    )
    assert other["trial"].tolist() == [0]


def test_no_trial_begins_after_the_time_budget(
    table: pd.DataFrame, spec: ForecastSpec, tmp_path: Path, caplog
) -> None:
    tuning = TuningSpec(space=SPACE, num_samples=50, time_budget=0.01)
    trials, _, _ = tune(table, None, spec, tuning, ALONE, tmp_path)
    assert len(trials) == 1
    assert "49 trials" in caplog.text


@pytest.fixture(scope="module")
def with_failures(
    make_table: MakeTable,
    make_values: MakeValues,
    spec: ForecastSpec,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple:
    """One of two lookbacks is longer than the series, which stands alone."""
    space = {"window.lookback": {"choices": [8, 500]}}
    alone = make_table({"a": make_values(140, seed=1)})
    folder = tmp_path_factory.mktemp("failures")
    return tune(alone, None, spec, TuningSpec(space=space, num_samples=6), ALONE, folder)


def test_a_trial_that_can_not_be_fitted_fails_alone(with_failures: tuple) -> None:
    trials, _, summary = with_failures
    is_too_long = trials["parameters"].str.contains("500")
    assert 0 < is_too_long.sum() == summary["num_failed"]
    assert (trials["loss"].isna() == is_too_long).all()


def test_parameters_of_failed_trials_are_not_chosen(with_failures: tuple) -> None:
    _, parameters, _ = with_failures
    assert parameters == {"forecast": {"window": {"lookback": 8}}}


def test_one_series_is_tuned_by_mse(with_failures: tuple) -> None:
    *_, summary = with_failures
    assert summary["metric"] == "mse"


def test_a_space_without_a_trial_that_works_is_refused(
    make_table: MakeTable, make_values: MakeValues, spec: ForecastSpec, tmp_path: Path
) -> None:
    space = {"window.lookback": {"choices": [500, 600]}}
    with pytest.raises(SeriesError, match="all trials failed"):
        tune(
            make_table({"a": make_values(140)}),
            None,
            spec,
            TuningSpec(space=space, num_samples=2),
            ALONE,
            tmp_path,
        )


def test_changed_parameters_are_checked_like_all(spec: ForecastSpec) -> None:
    changed = change_spec(spec, {"window.lookback": 9, "gru.units": 5, "training.patience": 50})
    assert (
        changed.window.lookback,
        changed.networks["gru"].units,
        changed.training.patience,
    ) == (9, 5, 50)
    assert changed.networks["lstm"] == spec.networks["lstm"]
    with pytest.raises(ValueError, match=r"gru\.units"):
        change_spec(spec, {"gru.units": 0})


@pytest.mark.parametrize(
    "dimension",
    [
        {},
        {"low": 1},
        {"low": 2, "high": 1},
        {"choices": [1], "low": 1, "high": 2},
        {"low": 0, "high": 1, "log": True},
    ],
)
def test_a_dimension_has_choices_or_two_ends(dimension: dict) -> None:
    with pytest.raises(ValidationError, match="expected choices"):
        DimensionSpec(**dimension)


@pytest.mark.parametrize(
    "name", ["gru.unit", "window.horizon", "gru.cell", "split.test", "units", "training.seed"]
)
def test_what_is_not_to_be_searched_is_refused(name: str) -> None:
    """What there is not, and what would move the judge instead of the forecast."""
    with pytest.raises(ValidationError, match="expected some of"):
        TuningSpec(space={name: {"choices": [1, 2]}})
