"""Simple forecasters are what their names say, and each is judged by windows that it has not seen."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from fitted import hold_out
from rnn_pipelines.forecast.methods import linear_fitting as fitting
from rnn_pipelines.forecast.methods.folds import list_past, make_folds
from rnn_pipelines.forecast.methods.linear.layout import find_layout
from rnn_pipelines.forecast.methods.linear.models import LinearModels, forecast_out_of_fold
from rnn_pipelines.forecast.methods.linear.ridge import PENALTIES, choose_ridge
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.predictors import normalize_targets, normalize_windows
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import (
    EvaluationSpec,
    OpenWindowSpec,
    WindowedPanel,
    WindowSpec,
    number_series,
)
from rnn_pipelines.forecast.windows.splits import SplitSpec

Prepare = Callable[..., SimpleNamespace]

LOOKBACK = 16
HORIZON = 9
SEASON = 7
WINDOW = WindowSpec(lookback=LOOKBACK, horizon=HORIZON)
SPLIT = SplitSpec(validation=40, test=25)
NAIVE = ("last_value", "drift", "seasonal_naive", "seasonal_drift", "seasonal_mean")


def draw_weeks(size: int, seed: int = 0, level: float = 20.0) -> list[float]:
    """A week that comes again, with noise."""
    noise = np.random.default_rng(seed).normal(0, 1, size)
    return (level + 3 * np.sin(2 * np.pi * np.arange(size) / SEASON) + noise).tolist()


def draw_factors(size: int, seed: int) -> list[float]:
    """Weeks that grow or shrink by factors."""
    days = np.arange(size)
    noise = np.random.default_rng(seed).normal(0, 0.05, size)
    return np.exp(
        0.02 * days * (-1) ** seed + np.sin(2 * np.pi * days / SEASON) + noise + seed
    ).tolist()


def blind_test(panel: WindowedPanel, value: float = 1e3) -> WindowedPanel:
    """The same with other values in the test part."""
    index = panel.index("test")
    values = panel.values.copy()
    values[
        (index.origins(np.arange(len(index)))[:, None] + np.arange(panel.horizon)).ravel(), 0
    ] = value
    return replace(panel, values=values, refit=panel.train)


def find_matrix(linear: LinearModels, name: str, fold: int = -1) -> np.ndarray:
    return linear.matrices[fold][linear.names.tolist().index(name)]


@pytest.fixture(scope="module")
def panels(prepare: Prepare) -> dict[str, WindowedPanel]:
    """One series of weeks, one that climbs, three series around levels, and some that grow by factors."""
    climbing = (0.3 * np.arange(260) + np.array(draw_weeks(260))).tolist()
    many = {
        "a": draw_weeks(220, 1),
        "b": draw_weeks(160, 2, level=200),
        "c": draw_weeks(130, 3, level=8),
    }
    factors = {name: draw_factors(160, seed) for seed, name in enumerate("abcdefgh")}
    by_name = {"weeks": draw_weeks(260), "climbing": climbing, "many": many, "factors": factors}
    # A given number of harmonics, because a choice would change the predictors that each ridge reads.
    given = {"evaluation": EvaluationSpec(season_length=SEASON), "calendar": CalendarSpec(weekly=1)}
    return {
        name: prepare(values, WINDOW, SPLIT, **given).windows for name, values in by_name.items()
    }


@pytest.fixture(scope="module")
def bases(panels: dict[str, WindowedPanel]) -> dict[str, LinearModels]:
    return {name: fit_linear_models(panel) for name, panel in panels.items()}


@pytest.fixture(scope="module", params=["weeks", "climbing", "many", "factors"])
def case(
    request: pytest.FixtureRequest, panels: dict[str, WindowedPanel], bases: dict[str, LinearModels]
) -> SimpleNamespace:
    """A panel and its base."""
    return SimpleNamespace(
        name=request.param, panel=panels[request.param], linear=bases[request.param]
    )


def forecast_naive(name: str, history: np.ndarray) -> np.ndarray:
    """By its definition, step by step, from float64[lookback] to float64[horizon]."""
    last = history[-1]
    weeks = history[-2 * SEASON :].reshape(2, SEASON)
    means = weeks.mean(axis=1)
    found = []
    for step in range(1, HORIZON + 1):
        day = (step - 1) % SEASON
        season = (step - 1) // SEASON + 1
        found.append(
            {
                "last_value": last,
                "drift": last + step * (last - history[0]) / (len(history) - 1),
                "seasonal_naive": weeks[1, day],
                "seasonal_drift": weeks[1, day] + season * (means[1] - means[0]),
                "seasonal_mean": means[1]
                + np.mean([weeks[0, day] - means[0], weeks[1, day] - means[1]]),
            }[name]
        )
    return np.array(found)


@pytest.mark.parametrize("name", NAIVE)
def test_naive_forecast_is_that_of_its_definition_in_every_fold(
    case: SimpleNamespace, name: str
) -> None:
    origins = case.linear.fitted[::9]
    normalized = normalize_windows(case.panel, case.linear.normalizer, origins)
    found = normalized.predictors @ find_matrix(case.linear, name)
    np.testing.assert_allclose(
        found, [forecast_naive(name, history) for history in normalized.history], atol=1e-6
    )
    for fold in range(len(case.linear.matrices)):
        np.testing.assert_array_equal(
            find_matrix(case.linear, name, fold), find_matrix(case.linear, name)
        )


def test_window_of_one_step_has_no_drift(prepare: Prepare) -> None:
    window = WindowSpec(lookback=1, horizon=2)
    assert "drift" not in fit_linear_models(prepare(draw_weeks(100), window, SPLIT).windows).names


def test_series_without_a_season_has_no_seasonal_method(prepare: Prepare) -> None:
    linear = fit_linear_models(
        prepare(draw_weeks(200), WINDOW, SPLIT, evaluation=EvaluationSpec(season_length=1)).windows
    )
    assert [name for name in linear.names if "season" in name] == []


def test_long_season_is_that_of_a_year_before(prepare: Prepare) -> None:
    window = WindowSpec(lookback=3, horizon=2)
    panel = prepare(
        draw_weeks(1200), window, SPLIT, evaluation=EvaluationSpec(season_length=7)
    ).windows
    linear = fit_linear_models(panel)
    origins = np.array([800, 900])
    forecasts = normalize_windows(panel, linear.normalizer, origins).predictors @ find_matrix(
        linear, "long_seasonal_naive"
    )
    expected = panel.values[origins[:, None] - 365 + np.arange(2), 0]
    np.testing.assert_allclose(forecasts, expected, atol=1e-6)


def test_climatology_depends_on_the_calendar_alone(prepare: Prepare) -> None:
    """Windows of other values and the same calendar have the same forecast."""
    panel = prepare(
        draw_weeks(260), WINDOW, SPLIT, calendar=CalendarSpec(weekly=2, yearly=0)
    ).windows
    linear = fit_linear_models(panel)
    normalized = normalize_windows(panel, linear.normalizer, np.array([100, 107]))
    first, second = normalized.predictors @ find_matrix(linear, "climatology")
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_ridge_reads_the_calendar(prepare: Prepare) -> None:
    """A weekly wave on noise: the history of one step doesn't show the day of the week."""
    days = np.arange(200)
    values = np.sin(2 * np.pi * days / 7) + np.random.default_rng(0).normal(0, 0.01, 200)
    panel = prepare(
        values.tolist(), WindowSpec(lookback=1, horizon=2), SplitSpec(validation=40, test=20)
    ).windows
    linear = fit_linear_models(panel)
    assert linear.losses[linear.names.tolist().index("ridge_level")] < 0.001


def list_rows(case: SimpleNamespace, fold: int) -> np.ndarray:
    """The windows that a fold learns from; all for the last."""
    linear = case.linear
    if fold == len(linear):
        return linear.fitted
    return linear.fitted[
        linear.find_seen(linear.fitted, number_series(case.panel.series_starts, linear.fitted))[
            fold
        ]
    ]


@pytest.mark.parametrize("penalty", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize("fold", [0, 1, -1])
def test_ridge_is_sklearns(
    case: SimpleNamespace, penalty: float, fold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the window and the calendar, whose cycles that were seen twice it doesn't penalise: they are taken out first.

    By regressions on them alone (Frisch, Waugh and Lovell), which scikit-learn can do too.
    """
    monkeypatch.setattr(fitting, "PENALTIES", (penalty,))
    linear = fit_linear_models(case.panel)
    monkeypatch.undo()
    own = SimpleNamespace(panel=case.panel, linear=linear)
    rows = list_rows(own, fold % (len(linear) + 1))
    judged = linear.validation[::7]
    normalized, new = (
        normalize_windows(case.panel, linear.normalizer, origins) for origins in (rows, judged)
    )
    targets = normalize_targets(case.panel, normalized, rows)
    num_known = len(linear.calendar)
    inputs, new_inputs = (
        np.hstack([part.history, part.predictors[:, part.predictors.shape[1] - num_known - 1 : -1]])
        for part in (normalized, new)
    )
    num_fitted = inputs.shape[1] - num_known
    free, new_free = (
        np.hstack([part[:, num_fitted:], np.ones((len(part), 1))]) for part in (inputs, new_inputs)
    )
    project = np.linalg.lstsq(free, np.hstack([inputs[:, :num_fitted], targets]), rcond=None)[0]
    left = np.hstack([inputs[:, :num_fitted], targets]) - free @ project
    ridge = Ridge(alpha=penalty * len(rows), fit_intercept=False).fit(
        left[:, :num_fitted], left[:, num_fitted:]
    )
    known = new_free @ project
    expected = (
        ridge.predict(new_inputs[:, :num_fitted] - known[:, :num_fitted]) + known[:, num_fitted:]
    )
    found = new.predictors @ find_matrix(linear, "ridge_level", fold)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "method"), [("ridge_last", "last_value"), ("ridge_season", "seasonal_naive")]
)
def test_ridge_of_endless_penalty_is_the_method_that_it_starts_from(
    panels: dict[str, WindowedPanel], name: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the calendar, which has no penalty."""
    monkeypatch.setattr(fitting, "PENALTIES", (1e9,))
    panel = panels["many"]
    linear = fit_linear_models(panel)
    normalized = normalize_windows(panel, linear.normalizer, linear.fitted)
    matrix = find_matrix(linear, name) - find_matrix(linear, method)
    num_values = len(matrix) - len(linear.calendar) - 1
    np.testing.assert_allclose(
        normalized.predictors[:, :num_values] @ matrix[:num_values], 0, atol=1e-6
    )


@pytest.mark.parametrize("name", ["ridge_last", "ridge_mean", "ridge_season"])
def test_ridge_less_its_level_follows_a_series_wherever_it_goes(
    bases: dict[str, LinearModels], name: str
) -> None:
    """A constant added to all predictors is added to the forecast: the coefficients of the values are 1 in sum."""
    linear = bases["climbing"]
    matrix = find_matrix(linear, name)
    num_values = matrix.shape[0] - len(linear.calendar) - 1
    np.testing.assert_allclose(matrix[:num_values].sum(axis=0), 1, atol=1e-8)


def test_ridge_takes_the_penalty_of_the_least_error_on_windows_that_it_has_not_seen(
    panels: dict[str, WindowedPanel],
    bases: dict[str, LinearModels],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel = panels["weeks"]
    losses = []
    for penalty in PENALTIES:
        with monkeypatch.context() as patch:
            patch.setattr(fitting, "PENALTIES", (penalty,))
            linear = fit_linear_models(panel)
        losses.append(linear.losses[linear.names.tolist().index("ridge_level")])
    chosen = bases["weeks"].losses[bases["weeks"].names.tolist().index("ridge_level")]
    assert chosen == pytest.approx(min(losses))


@pytest.mark.parametrize(
    ("part", "expected"),
    [(1.2, "ridge_level"), (0.981, "ridge_level"), (0.979, "ridge_last"), (0.5, "ridge_last")],
)
def test_ridge_on_the_window_itself_is_preferred_unless_one_is_2_percent_better(
    part: float, expected: str
) -> None:
    """Whatever other methods do."""
    names = ["last_value", "ridge_level", "ridge_last", "ridge_mean", "climatology"]
    assert (
        choose_ridge(names, np.array([0.1, 3.0, 3.0 * part, 3.0 * max(part, 0.99), 0.1, 0.1]))
        == expected
    )


def test_ridge_clearly_better_or_that_can_not_run_away_is_chosen() -> None:
    losses = np.array([1.0, 0.7, 0.5, 0.1])
    assert choose_ridge(["ridge_level", "ridge_last", "ridge_mean"], losses) == "ridge_mean"
    assert choose_ridge(["ridge_level", "ridge_last"], np.full(3, np.nan)) == "ridge_last"


def test_losses_are_of_forecasts_by_the_fold_that_has_not_seen_the_window(
    case: SimpleNamespace,
) -> None:
    panel = case.panel
    linear = case.linear
    normalized = normalize_windows(panel, linear.normalizer, linear.validation)
    actual = normalize_targets(panel, normalized, linear.validation)
    for method, loss in enumerate(linear.losses[:-1]):
        errors = np.concatenate(
            [
                actual[linear.fold == fold]
                - normalized.predictors[linear.fold == fold] @ linear.matrices[fold, method]
                for fold in range(len(linear))
            ]
        )
        assert loss == pytest.approx(np.mean(np.abs(errors) if linear.is_absolute else errors**2))


@pytest.mark.parametrize("name", ["climbing", "many"])
def test_values_that_a_forward_fold_hides_do_not_change_its_matrices(
    panels: dict[str, WindowedPanel], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one penalty, because the folds choose it together."""
    monkeypatch.setattr(fitting, "PENALTIES", (0.1,))
    panel = panels[name]
    linear = fit_linear_models(panel)
    values = panel.values.copy()
    last = len(linear) - 1
    for begin, stop in zip(linear.begins[last], linear.stops[last], strict=True):
        values[begin : stop + HORIZON - 1, 0] *= 1.1
    changed = fit_linear_models(replace(panel, values=values))
    assert not np.array_equal(changed.matrices[-1], linear.matrices[-1])
    np.testing.assert_allclose(changed.matrices[last], linear.matrices[last], atol=1e-10)


def test_targets_of_a_block_do_not_change_the_matrices_of_its_fold(
    panels: dict[str, WindowedPanel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest block, after which no window has it for a history."""
    monkeypatch.setattr(fitting, "PENALTIES", (0.1,))
    panel = panels["weeks"]
    linear = fit_linear_models(panel)
    values = panel.values.copy()
    values[linear.begins[-1, 0] : list_past(panel)[-1] + HORIZON, 0] += 0.1
    changed = fit_linear_models(replace(panel, values=values))
    assert not linear.is_forward
    assert not np.array_equal(changed.matrices[-1], linear.matrices[-1])
    np.testing.assert_allclose(changed.matrices[-2], linear.matrices[-2], atol=1e-10)


def assert_same(one: LinearModels, other: LinearModels) -> None:
    """Without the seconds, and the models in use, which learn the test part."""
    for name in vars(one).keys() - {"seconds", "refitted"}:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("value", [1e3, -1e3, np.nan])
def test_values_of_the_test_part_change_nothing(case: SimpleNamespace, value: float) -> None:
    assert_same(fit_linear_models(blind_test(case.panel, value)), case.linear)


def test_weights_of_the_ensemble_are_convex(case: SimpleNamespace) -> None:
    assert (case.linear.weights >= 0).all()
    assert case.linear.weights.sum() == pytest.approx(1)


def test_ensemble_is_better_than_the_mean_of_its_methods(case: SimpleNamespace) -> None:
    assert case.linear.losses[-1] < case.linear.weights @ case.linear.losses[:-1]


def test_ensemble_is_better_than_the_guessed_weights(case: SimpleNamespace) -> None:
    """Its weights are pulled to them."""
    losses = case.linear.losses[:-1]
    guessed = losses**-4.0 / (losses**-4.0).sum()
    assert case.linear.losses[-1] < guessed @ losses


def test_out_of_fold_forecasts_are_those_of_the_matrix_of_each_fold(case: SimpleNamespace) -> None:
    linear = case.linear
    normalized = normalize_windows(case.panel, linear.normalizer, linear.validation)
    forecasts = hold_out(linear, normalized.predictors)
    expected = np.stack(
        [
            row @ np.tensordot(linear.weights, linear.matrices[fold], 1)
            for row, fold in zip(normalized.predictors, linear.fold, strict=True)
        ]
    )
    np.testing.assert_allclose(forecasts, expected, atol=1e-8)


@pytest.mark.parametrize("fold", [0, 1, -1])
def test_combination_of_matrices_is_the_sum_by_weights_of_the_mix(
    bases: dict[str, LinearModels], fold: int
) -> None:
    linear = replace(bases["weeks"], weights=np.arange(len(bases["weeks"].names), dtype=float))
    expected = sum(
        weight * matrix
        for weight, matrix in zip(linear.weights, linear.matrices[fold], strict=True)
    )
    np.testing.assert_allclose(linear.combine(fold), expected)


def test_combination_is_that_of_the_whole_past_if_no_fold_is_named(
    bases: dict[str, LinearModels],
) -> None:
    linear = bases["weeks"]
    np.testing.assert_array_equal(linear.combine(), linear.combine(len(linear)))


@pytest.mark.parametrize(
    ("name", "kinds", "is_absolute"),
    [
        ("weeks", {"series"}, False),
        ("many", {"window", "log"}, True),
        ("factors", {"log"}, True),
    ],
)
def test_kind_of_units_follows_the_series(
    bases: dict[str, LinearModels], name: str, kinds: set[str], is_absolute: bool
) -> None:
    assert bases[name].kind in kinds
    assert bases[name].is_absolute == is_absolute


def test_short_series_has_no_long_season(bases: dict[str, LinearModels]) -> None:
    assert "long_seasonal_naive" not in bases["weeks"].names


def test_panel_is_not_changed(panels: dict[str, WindowedPanel]) -> None:
    before = panels["many"].values.copy()
    fit_linear_models(panels["many"])
    np.testing.assert_array_equal(panels["many"].values, before)


@pytest.mark.parametrize(("ratio", "expected"), [(0.99, "window"), (0.97, "log")])
def test_logarithms_must_be_2_percent_better(
    panels: dict[str, WindowedPanel], monkeypatch: pytest.MonkeyPatch, ratio: float, expected: str
) -> None:
    monkeypatch.setattr(
        fitting, "_measure_scale_free", lambda _, linear: ratio if linear.kind == "log" else 1.0
    )
    assert fit_linear_models(panels["many"]).kind == expected


@pytest.mark.parametrize("name", ["many", "factors"])
def test_normalization_is_chosen_by_the_geometric_mean_of_two_errors(
    panels: dict[str, WindowedPanel], bases: dict[str, LinearModels], name: str
) -> None:
    """Scaled and relative, window by window, in the unit of the data; all values are counted from their 0."""
    panel = panels[name]
    linear = bases[name]
    scaled = []
    relative = []
    for origin, fold in zip(linear.validation, linear.fold, strict=True):
        normalized = normalize_windows(panel, linear.normalizer, np.array([origin]))
        forecast = normalized.units.denormalize(normalized.predictors @ linear.combine(fold))[0]
        zero = panel.zeros[number_series(panel.series_starts, np.array([origin]))[0]]
        actual = panel.values[origin : origin + HORIZON, 0]
        history = panel.values[origin - LOOKBACK : origin, 0]
        spread = (
            np.abs(history[SEASON:] - history[:-SEASON]).mean()
            + 0.02 * np.abs(history - zero).mean()
        )
        scaled.append(np.abs(actual - forecast) / spread)
        relative.append(np.abs(actual - forecast) / (actual - zero + forecast - zero))
    expected = np.sqrt(np.mean(scaled) * np.mean(relative))
    assert fitting._measure_scale_free(panel, linear) == pytest.approx(expected, rel=1e-4)


def test_few_or_negative_values_are_not_seen_in_logarithms(prepare: Prepare) -> None:
    values = {"a": draw_weeks(200, 1, level=0), "b": draw_weeks(200, 2)}
    assert fit_linear_models(prepare(values, WINDOW, SPLIT).windows).kind == "window"
    # Nothing shows that they would be better.
    values = {name: draw_factors(19, seed) for seed, name in enumerate("ab")}
    window = WindowSpec(lookback=4, horizon=4)
    split = SplitSpec(validation=5, test=5)
    linear = fit_linear_models(prepare(values, window, split).windows)
    assert (linear.is_enough, linear.kind) == (False, "window")


@pytest.fixture(scope="module", params=["one", "many"])
def few(request: pytest.FixtureRequest, prepare: Prepare) -> WindowedPanel:
    """Too few windows to judge anyone by."""
    values = (
        draw_weeks(36)
        if request.param == "one"
        else {"a": draw_weeks(19, 1), "b": draw_weeks(19, 2)}
    )
    window = WindowSpec(lookback=4, horizon=4)
    split = SplitSpec(validation=5, test=5)
    return prepare(values, window, split, evaluation=EvaluationSpec(season_length=2)).windows


def test_few_windows_are_fitted_once(few: WindowedPanel) -> None:
    linear = fit_linear_models(few)
    assert not linear.is_enough
    assert len(linear.matrices) == 1


def test_few_windows_are_forecast_half_by_a_ridge_half_naively(few: WindowedPanel) -> None:
    linear = fit_linear_models(few)
    weights = dict(zip(linear.names.tolist(), linear.weights.tolist(), strict=True))
    assert weights["ridge_last"] == pytest.approx(0.5)
    assert sum(
        weights[name] for name in ("last_value", "seasonal_naive", "seasonal_drift")
    ) == pytest.approx(0.5)


def test_few_windows_have_no_losses(few: WindowedPanel) -> None:
    assert np.isnan(fit_linear_models(few).losses).all()


def test_fit_of_few_windows_is_repeatable(few: WindowedPanel) -> None:
    assert_same(fit_linear_models(few), fit_linear_models(few))


@pytest.mark.parametrize(
    "values", [[1.0, 2.0, 4.0], {"a": [1.0, 2.0, 4.0], "b": [5.0]}], ids=["one", "many"]
)
def test_without_windows_a_ridge_is_the_naive_forecast_that_it_corrects(
    prepare: Prepare, values: Any
) -> None:
    linear = fit_linear_models(prepare(values, OpenWindowSpec(horizon=2), SplitSpec()).windows)
    assert (linear.is_enough, len(linear.fitted)) == (False, 0)
    np.testing.assert_allclose(linear.select("ridge_last"), linear.select("last_value"), atol=1e-9)


@pytest.mark.parametrize("name", ["weeks", "many"])
def test_forecasts_without_matrices_are_those_of_the_matrices(
    panels: dict[str, WindowedPanel], name: str
) -> None:
    """Penalties are compared by the first, which take a fraction of the time."""
    panel = panels[name]
    folds = make_folds(panel)
    layout = find_layout(panel, folds.fitted, "series" if name == "weeks" else "window")
    products = fitting._multiply_by_fold(panel, layout, folds)
    predictors = normalize_windows(panel, layout.normalizer, folds.validation).predictors
    for _, ridge in fitting._list_ridges(layout, products, is_enough=True):
        found = list(ridge.forecast_out_of_fold(predictors, folds.fold, (1e-4, 1.0)))
        for penalty, forecasts in zip((1e-4, 1.0), found, strict=True):
            expected = forecast_out_of_fold(ridge.solve(penalty), folds.fold, predictors)
            np.testing.assert_allclose(forecasts, expected, rtol=1e-6, atol=1e-8)
