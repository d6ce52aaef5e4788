"""What was asked for is done; what was left open is decided, and depends on the data."""

from collections.abc import Callable
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError

from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.training import specs
from rnn_pipelines.forecast.methods.training.specs import (
    ForecastTrainingSpec,
    Hyperparameters,
    NetworkSpec,
    resolve_hyperparameters,
)
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec

Cases = dict[str, SimpleNamespace]

Prepare = Callable[..., SimpleNamespace]


def draw_weeks(size: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, size)
    return 20 + 3 * np.sin(2 * np.pi * np.arange(size) / 7) + noise


@pytest.fixture(scope="module")
def cases(prepare: Prepare) -> Cases:
    """One series around a level, one that climbs, and two of them."""
    by_name = {
        "one": draw_weeks(200).tolist(),
        "climbing": (draw_weeks(200) + np.arange(200)).tolist(),
        "many": {"a": draw_weeks(150, 1).tolist(), "b": draw_weeks(150, 2).tolist()},
        "few": draw_weeks(32).tolist(),
    }
    found = {}
    for name, values in by_name.items():
        split = (
            SplitSpec(validation=5, test=5) if name == "few" else SplitSpec(validation=30, test=20)
        )
        window = WindowSpec(lookback=14, horizon=3)
        calendar = CalendarSpec(weekly=1, yearly=1)
        panel = prepare(
            values, window, split, evaluation=EvaluationSpec(season_length=7), calendar=calendar
        ).windows
        found[name] = SimpleNamespace(panel=panel, linear=fit_linear_models(panel))
    return found


def hyperparameters(
    case: SimpleNamespace, network: dict | None = None, **training: object
) -> Hyperparameters:
    return resolve_hyperparameters(
        case.panel,
        case.linear,
        NetworkSpec(cell="gru", **(network or {})),
        ForecastTrainingSpec(**training),
    )


@pytest.fixture(scope="module", params=["one", "climbing", "many", "few"])
def case(request: pytest.FixtureRequest, cases: Cases) -> SimpleNamespace:
    return cases[request.param]


def test_nothing_is_left_open(case: SimpleNamespace) -> None:
    assert None not in asdict(hyperparameters(case)).values()


def test_loss_is_that_of_the_linear_models(case: SimpleNamespace) -> None:
    assert hyperparameters(case).is_absolute is case.linear.is_absolute


@pytest.mark.parametrize(
    ("field", "value"), [("units", 3), ("units", (4, 3)), ("dropout", 0.5), ("segment", 2)]
)
def test_network_is_what_was_asked_for(case: SimpleNamespace, field: str, value: object) -> None:
    assert getattr(hyperparameters(case, {field: value}), field) == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_steps", 7),
        ("patience", 9),
        ("batch_size", 11),
        ("learning_rate", 0.5),
        ("weight_average", 0.0),
    ],
)
def test_training_is_what_was_asked_for(case: SimpleNamespace, field: str, value: float) -> None:
    assert getattr(hyperparameters(case, **{field: value}), field) == value


def test_one_series_has_a_member_for_each_block(cases: Cases) -> None:
    assert hyperparameters(cases["one"], {"members": 2}).num_members == len(cases["one"].linear)


def test_one_series_has_segments_of_one_step(cases: Cases) -> None:
    assert hyperparameters(cases["one"]).segment == 1


def test_one_series_has_the_calendar_of_the_week(cases: Cases) -> None:
    """Not of the year, whose two columns come first."""
    names = cases["one"].panel.columns.num_calendar
    assert (names, hyperparameters(cases["one"]).calendar) == (4, (2, 3))


def test_panel_alone_has_an_embedding(cases: Cases) -> None:
    assert (
        hyperparameters(cases["one"]).embedding,
        hyperparameters(cases["many"]).embedding > 0,
    ) == (0, True)


def test_panel_has_segments_of_a_season(cases: Cases) -> None:
    assert hyperparameters(cases["many"]).segment == 7


def test_panel_has_no_calendar(cases: Cases) -> None:
    assert hyperparameters(cases["many"]).calendar == ()


@pytest.mark.parametrize("name", ["climbing", "many", "few"])
def test_members_are_as_many_as_were_asked_for_where_no_block_is_hidden(
    cases: Cases, name: str
) -> None:
    assert hyperparameters(cases[name], {"members": 2}).num_members == 2


def test_few_windows_of_many_series_have_small_networks(
    cases: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a table on which no network pays takes seconds."""
    few = hyperparameters(cases["many"])
    monkeypatch.setattr(specs, "MANY_WINDOWS", {False: 10})
    many = hyperparameters(cases["many"])
    assert (few.units, few.embedding, few.batch_size) < (
        many.units,
        many.embedding,
        many.batch_size,
    )
    assert few.units * few.batch_size * 4 == many.units * many.batch_size
    assert few.learning_rate > many.learning_rate


@pytest.mark.parametrize("season_length", [1, 7, 24])
def test_long_window_of_one_series_is_read_in_whole_parts_of_its_season(
    prepare: Prepare, season_length: int
) -> None:
    evaluation = EvaluationSpec(season_length=season_length)
    window = WindowSpec(lookback=168, horizon=2)
    split = SplitSpec(validation=40, test=40)
    panel = prepare(draw_weeks(500).tolist(), window, split, evaluation=evaluation).windows
    segment = hyperparameters(SimpleNamespace(panel=panel, linear=fit_linear_models(panel))).segment
    assert 1 < segment < 168
    assert season_length == 1 or season_length % segment == 0


@pytest.mark.parametrize(
    ("given", "units"),
    [
        (64, 64),
        ("64", 64),
        ([64], 64),
        ([64, 32], (64, 32)),
        ("64+32", (64, 32)),
        ((5, 4, 3), (5, 4, 3)),
        (None, None),
    ],
)
def test_units_are_a_number_or_one_for_each_layer(given: object, units: object) -> None:
    assert NetworkSpec.model_validate({"cell": "lstm", "units": given}).units == units


@pytest.mark.parametrize(
    "given", [0, 2000, [], [4, 0], [4.5], "64-32", "+", [True], {"a": 1}, [3] * 11]
)
def test_units_of_no_layer_are_rejected(given: object) -> None:
    with pytest.raises(ValidationError) as error:
        NetworkSpec.model_validate({"cell": "lstm", "units": given})
    assert [one["loc"] for one in error.value.errors()] == [("units",)]


@pytest.mark.parametrize("dropout", [-0.1, 1, "much"])
def test_dropout_is_a_share_below_1(dropout: object) -> None:
    with pytest.raises(ValidationError) as error:
        NetworkSpec.model_validate({"cell": "lstm", "dropout": dropout})
    assert [one["loc"] for one in error.value.errors()] == [("dropout",)]
