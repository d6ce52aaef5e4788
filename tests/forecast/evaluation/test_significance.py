"""The test of equal accuracy is the published one, keeps its size, and finds a difference where there is one."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.significance import (
    centre_differences,
    compare_losses,
    compute_interval,
    compute_p_value,
    measure_differences,
)
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.report.numbers import format_p_value


def compute_again(differences: list[float], horizon: int) -> float:
    """With loops over all pairs of cut-offs that are less than a horizon apart."""
    from scipy.stats import t

    num = len(differences)
    mean = sum(differences) / len(differences)
    total = 0.0
    for i in range(num):
        for j in range(num):
            if abs(i - j) < horizon:
                total += (differences[i] - mean) * (differences[j] - mean)
    statistic = mean / (total / num**2) ** 0.5
    statistic *= ((num + 1 - 2 * horizon + horizon * (horizon - 1) / num) / num) ** 0.5
    return 2 * float(t.cdf(-abs(statistic), num - 1))


def draw(num: int, horizon: int, random: np.random.Generator, mean: float = 0.0) -> np.ndarray:
    """A moving average over `horizon` shocks, as losses of overlapping forecasts are."""
    shocks = random.normal(size=num + horizon - 1)
    return mean + np.convolve(shocks, np.ones(horizon) / horizon**0.5, "valid")


@pytest.mark.parametrize("horizon", [1, 2, 7])
def test_p_value_is_that_of_an_independent_computation(horizon: int) -> None:
    differences = draw(60, horizon, np.random.default_rng(horizon), mean=0.3)
    assert compute_p_value(differences, horizon) == pytest.approx(
        compute_again(differences.tolist(), horizon)
    )


def test_one_step_ahead_it_is_students_test_with_its_interval() -> None:
    """Its statistic has n - 1 below the root: the correction makes Student's of Diebold and Mariano's."""
    from scipy.stats import ttest_1samp

    differences = np.random.default_rng(0).normal(0.2, 1, 30)
    assert compute_p_value(differences, 1) == pytest.approx(ttest_1samp(differences, 0).pvalue)
    differences = draw(60, 3, np.random.default_rng(3))
    low, high = compute_interval(differences, 3)
    assert compute_interval(10 * differences + 5, 3) == pytest.approx((10 * low + 5, 10 * high + 5))


@pytest.mark.parametrize(("horizon", "num"), [(1, 30), (3, 60), (7, 290)])
def test_equal_forecasters_differ_as_often_as_the_level_says(horizon: int, num: int) -> None:
    """Within 3 standard errors of 2,000 draws, and 2 points that the kernel costs on short samples."""
    random = np.random.default_rng(1)
    rejected = np.mean(
        [compute_p_value(draw(num, horizon, random), horizon) <= 0.05 for _ in range(2000)]
    )
    assert rejected == pytest.approx(0.05, abs=0.015 + 0.02 * (horizon > 1))


def test_overlapping_forecasts_reject_too_often_without_their_horizon() -> None:
    random = np.random.default_rng(1)
    rejected = np.mean([compute_p_value(draw(290, 7, random), 1) <= 0.05 for _ in range(500)])
    assert rejected > 0.3


def test_difference_of_overlapping_forecasts_is_found() -> None:
    random = np.random.default_rng(2)
    rejected = np.mean(
        [compute_p_value(draw(290, 7, random, mean=0.6), 7) <= 0.05 for _ in range(200)]
    )
    assert rejected > 0.9


def test_negative_sum_of_autocovariances_is_replaced_by_bartlett_weights() -> None:
    """Alternating differences: γ_0 = 1, γ_1 = -9/10, and 1 - 2 · 9/10 < 0."""
    from scipy.stats import t

    differences = np.tile([1.0, -1.0], 5) + 0.1
    variance = (1 - 2 * 0.5 * 0.9) / 10
    statistic = 0.1 / variance**0.5 * ((10 + 1 - 4 + 2 / 10) / 10) ** 0.5
    assert compute_p_value(differences, 2) == pytest.approx(2 * t.sf(statistic, 9))


@pytest.mark.parametrize(
    ("differences", "horizon", "expected"),
    [
        ([], 1, 1.0),
        ([3.0], 1, 1.0),
        ([3.0, 2.0, 4.0], 3, 1.0),
        ([0.0] * 9, 2, 1.0),
        ([2.0] * 9, 2, 0.0),
    ],
    ids=[
        "none",
        "one",
        "no more than the horizon",
        "equal forecasts",
        "always the same difference",
    ],
)
def test_limits(differences: list[float], horizon: int, expected: float) -> None:
    assert compute_p_value(np.array(differences), horizon) == expected


@pytest.mark.parametrize(("horizon", "num"), [(1, 8), (1, 30), (3, 60), (7, 290)])
def test_interval_covers_the_mean_as_often_as_its_level_says(horizon: int, num: int) -> None:
    """Within 3 standard errors of 2,000 draws, and 2 points that the kernel costs on short samples."""
    random = np.random.default_rng(1)
    covered = []
    for _ in range(2000):
        low, high = compute_interval(draw(num, horizon, random, mean=3.0), horizon)
        covered.append(low <= 3 <= high)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015 + 0.02 * (horizon > 1))


@pytest.mark.parametrize("horizon", [1, 2, 7])
def test_interval_holds_0_exactly_where_the_test_finds_nothing(horizon: int) -> None:
    random = np.random.default_rng(2)
    found = set()
    for mean in np.linspace(-1, 1, 201):
        differences = draw(40, horizon, random, mean)
        low, high = compute_interval(differences, horizon)
        is_outside = not low <= 0 <= high
        assert is_outside == (compute_p_value(differences, horizon) < 0.05)
        found.add(is_outside)
    assert found == {True, False}


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_one_step_ahead_it_is_students_interval(level: float) -> None:
    from scipy.stats import t

    differences = np.random.default_rng(0).normal(0.2, 1, 30)
    expected = t.interval(level, 29, differences.mean(), differences.std(ddof=1) / 30**0.5)
    assert compute_interval(differences, 1, level) == pytest.approx(expected)


@pytest.mark.parametrize(("differences", "horizon"), [([], 1), ([3.0], 1), ([3.0, 2.0, 4.0], 3)])
def test_interval_of_too_few_is_endless(differences: list[float], horizon: int) -> None:
    assert compute_interval(np.array(differences), horizon) == (-np.inf, np.inf)


@pytest.mark.parametrize("value", [0.0, 2.0])
def test_interval_of_a_difference_that_never_varies_is_the_difference(value: float) -> None:
    assert compute_interval(np.full(9, value), 2) == (value, value)


def make_losses(one: dict[str, list[float]], other: dict[str, list[float]]) -> pd.DataFrame:
    """Of two forecasters, by series."""
    tables = [
        pd.DataFrame(
            {
                "unique_id": name,
                "cutoff": range(len(one[name])),
                "one": one[name],
                "other": other[name],
            }
        )
        for name in one
    ]
    return pd.concat(tables, ignore_index=True)


def test_panel_is_compared_by_its_means_over_series() -> None:
    random = np.random.default_rng(3)
    a, b, c, d = (random.random(20).tolist() for _ in range(4))
    losses = make_losses({"x": a, "y": b}, {"x": c, "y": d})
    mean = [(a - c + b - d) / 2 for a, b, c, d in zip(a, b, c, d, strict=True)]
    assert compare_losses(losses, "one", "other", 3) == pytest.approx(
        compute_p_value(np.array(mean), 3)
    )


def test_copies_of_a_series_are_no_more_evidence() -> None:
    random = np.random.default_rng(4)
    one = random.random(20).tolist()
    other = random.random(20).tolist()
    single, three = (
        compare_losses(
            make_losses(dict.fromkeys(names, one), dict.fromkeys(names, other)), "one", "other", 2
        )
        for names in ("a", "abc")
    )
    assert three == pytest.approx(single)


@pytest.fixture(scope="module")
def losses() -> pd.DataFrame:
    random = np.random.default_rng(5)
    return make_losses({"a": random.random(20).tolist()}, {"a": random.random(20).tolist()})


def test_order_of_rows_changes_no_p_value(losses: pd.DataFrame) -> None:
    shuffled = losses.sample(frac=1, random_state=0)
    p_value = compare_losses(losses, "one", "other", 3)
    assert compare_losses(shuffled, "one", "other", 3) == p_value


def test_p_value_has_two_sides(losses: pd.DataFrame) -> None:
    p_value = compare_losses(losses, "one", "other", 3)
    assert compare_losses(losses, "other", "one", 3) == p_value


@pytest.mark.parametrize(
    ("p_value", "text"),
    [(0.0339, "p = 0.034"), (1.0, "p > 0.99"), (0.0001, "p = 0.0001"), (9.9e-5, "p < 0.0001")],
)
def test_small_p_values_are_given_by_their_bound(p_value: float, text: str) -> None:
    assert format_p_value(p_value) == text


# Differences from a baseline, and their intervals, are what a plain computation gives.


MakePredictions = Callable[..., Predictions]


def change(predictions: Predictions, **columns: object) -> Predictions:
    return replace(predictions, table=predictions.table.assign(**columns))


def compute_losses(predictions: Predictions, name: str, power: int) -> pd.Series:
    """The mean of |error|^power of each window, by series and cut-off."""
    errors = (predictions.table["y"] - predictions.table[name]).abs() ** power
    return errors.groupby([predictions.table["unique_id"], predictions.table["cutoff"]]).mean()


def read_difference(found: dict[str, dict[str, float | None]], name: str) -> list[float | None]:
    return [found[name][key] for key in ("difference", "difference_low", "difference_high")]


def test_difference_of_one_series_is_that_of_the_mse(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 30}, horizon=3)
    differences = measure_differences(predictions, pd.Series({"a": 2.0}), "ridge")
    ours, theirs = (compute_losses(predictions, name, 2).to_numpy() for name in ("gru", "ridge"))
    parts = (ours - theirs) / theirs.mean()
    assert read_difference(differences, "gru") == pytest.approx(
        [parts.mean(), *compute_interval(parts, 3)], rel=1e-12
    )


def test_difference_of_a_panel_is_that_of_the_scaled_errors(
    make_predictions: MakePredictions,
) -> None:
    """The mean over the series at a cut-off first: they share their luck."""
    predictions = make_predictions({"a": 30, "b": 25}, horizon=3)
    scale = pd.Series({"a": 2.0, "b": 5.0})
    differences = measure_differences(predictions, scale, "ridge")
    means = {}
    for name in ("gru", "ridge"):
        losses = compute_losses(predictions, name, 1)
        a = losses["a"] / 2
        b = losses["b"] / 5
        means[name] = np.array(
            [(a[cutoff] + b[cutoff]) / 2 if cutoff in b else a[cutoff] for cutoff in range(30)]
        )
    parts = (means["gru"] - means["ridge"]) / means["ridge"].mean()
    assert read_difference(differences, "gru") == pytest.approx(
        [parts.mean(), *compute_interval(parts, 3)], rel=1e-12
    )


def test_series_of_one_cutoff_are_compared_as_a_sample(make_predictions: MakePredictions) -> None:
    """Their forecasts don't overlap, however far they reach."""
    names = [f"s{number}" for number in range(12)]
    predictions = make_predictions(dict.fromkeys(names, 1), horizon=6)
    scale = pd.Series(np.linspace(1, 3, 12), index=names)
    differences = measure_differences(predictions, scale, "ridge")
    ours, theirs = (
        (compute_losses(predictions, name, 1).droplevel("cutoff") / scale)[names].to_numpy()
        for name in ("gru", "ridge")
    )
    parts = (ours - theirs) / theirs.mean()
    assert read_difference(differences, "gru") == pytest.approx(
        [parts.mean(), *compute_interval(parts, 1)], rel=1e-12
    )


def test_overlap_is_counted_in_cutoffs(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 60}, horizon=4)
    thinned = predictions.keep(predictions.table["cutoff"] % 2 == 0)
    differences = measure_differences(thinned, pd.Series({"a": 2.0}), "ridge")
    ours, theirs = (compute_losses(thinned, name, 2).to_numpy() for name in ("gru", "ridge"))
    parts = (ours - theirs) / theirs.mean()
    assert read_difference(differences, "gru") == pytest.approx(
        [parts.mean(), *compute_interval(parts, 2)], rel=1e-12
    )


@pytest.mark.parametrize(("num_cutoffs", "has_interval"), [(29, False), (30, True)])
def test_fewer_than_ten_windows_that_do_not_overlap_have_no_interval(
    make_predictions: MakePredictions, num_cutoffs: int, has_interval: bool
) -> None:
    found = measure_differences(
        make_predictions({"a": num_cutoffs}, horizon=3), pd.Series({"a": 2.0}), "ridge"
    )["gru"]
    assert found["difference"] is not None
    assert (found["difference_low"] is not None) == has_interval


def test_interval_that_moves_stays_above_the_least_difference() -> None:
    wide = {"gru": {"difference": 1.0, "difference_low": -1.83, "difference_high": 17.8}}
    kept = centre_differences(wide, {"gru": 2.0, "ridge": 1.0}, "ridge")["gru"]
    assert (kept["difference_low"], kept["difference_high"]) == (-1.0, 17.8)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("gru", [0.03, 0.0, 0.06]), ("lstm", [0.2, None, None]), ("ridge", [0, 0, 0])],
)
def test_interval_keeps_its_width_around_the_difference_of_the_metric(
    name: str, expected: list[float | None]
) -> None:
    measured: dict[str, dict[str, float | None]] = {
        "gru": {"difference": 0.02, "difference_low": -0.01, "difference_high": 0.05},
        "lstm": {"difference": 0.1, "difference_low": None, "difference_high": None},
        "ridge": {"difference": 0.0, "difference_low": 0.0, "difference_high": 0.0},
    }
    centred = centre_differences(measured, {"gru": 2.06, "lstm": 2.4, "ridge": 2.0}, "ridge")
    assert read_difference(centred, name) == [
        None if value is None else pytest.approx(value, abs=1e-12) for value in expected
    ]


def test_difference_from_an_error_of_zero_stays_missing() -> None:
    undefined: dict[str, float | None] = dict.fromkeys(
        ("difference", "difference_low", "difference_high")
    )
    centred = centre_differences(
        {"gru": undefined, "ridge": undefined}, {"gru": 1.0, "ridge": 0.0}, "ridge"
    )
    assert read_difference(centred, "gru") == [None, None, None]


def test_difference_of_rmsse_is_that_of_the_roots(make_predictions: MakePredictions) -> None:
    """With an interval by the delta method, which is near to that of a bootstrap over cut-offs."""
    predictions = make_predictions({"a": 200, "b": 200}, horizon=1)
    scale = pd.Series({"a": 4.0, "b": 25.0})
    losses = {
        name: compute_losses(predictions, name, 2).unstack("unique_id").to_numpy()
        / scale.to_numpy()
        for name in ("gru", "ridge")
    }

    def compare(rows: np.ndarray) -> float:
        ours, theirs = (
            np.sqrt(losses[name][rows].mean(axis=0)).mean() for name in ("gru", "ridge")
        )
        return float(ours / theirs - 1)

    found = read_difference(measure_differences(predictions, scale, "ridge", is_root=True), "gru")
    random = np.random.default_rng(0)
    drawn = [compare(random.integers(0, 200, 200)) for _ in range(2000)]
    assert found[0] == pytest.approx(compare(np.arange(200)), rel=1e-12)
    assert found[1:] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.03)


def test_difference_of_rmsse_is_missing_only_for_an_infinite_error(
    make_predictions: MakePredictions,
) -> None:
    predictions = make_predictions({"a": 30, "b": 30})
    exact = change(predictions, gru=predictions.table["y"], lstm=np.inf)
    differences = measure_differences(
        exact, pd.Series(1.0, index=["a", "b"]), "ridge", is_root=True
    )
    assert read_difference(differences, "gru")[0] == pytest.approx(-1)
    assert differences["lstm"]["difference"] is None


def test_windows_without_an_actual_have_no_part_in_the_difference(
    make_predictions: MakePredictions,
) -> None:
    predictions = make_predictions({"a": 30}, horizon=1)
    is_hole = predictions.table["cutoff"] == 4
    holes = change(predictions, y=predictions.table["y"].mask(is_hole))
    differences = measure_differences(holes, pd.Series({"a": 1.0}), "ridge")
    expected = measure_differences(predictions.keep(~is_hole), pd.Series({"a": 1.0}), "ridge")
    assert read_difference(differences, "gru") == pytest.approx(read_difference(expected, "gru"))


def test_cutoffs_of_series_without_a_scale_have_no_part_in_the_difference(
    make_predictions: MakePredictions,
) -> None:
    """Those from the twentieth on."""
    predictions = make_predictions({"a": 30, "b": 20})
    scale = pd.Series({"a": 0.0, "b": 1.0})
    differences = measure_differences(predictions, scale, "ridge")
    kept = predictions.keep(predictions.table["cutoff"] < 20)
    expected = measure_differences(kept, scale, "ridge")
    assert read_difference(differences, "gru") == pytest.approx(read_difference(expected, "gru"))


def test_series_without_a_scale_have_no_part_in_a_sample_of_series(
    make_predictions: MakePredictions,
) -> None:
    names = [f"s{number}" for number in range(12)]
    predictions = make_predictions(dict.fromkeys(names, 1))
    scale = pd.Series(1.0, index=names)
    differences = measure_differences(predictions, scale.mask(scale.index == "s3", 0.0), "ridge")
    kept = predictions.keep(predictions.table["unique_id"] != "s3")
    expected = measure_differences(kept, scale, "ridge")
    assert read_difference(differences, "gru") == pytest.approx(read_difference(expected, "gru"))


@pytest.mark.parametrize("sizes", [{"a": 30}, {"a": 30, "b": 20}], ids=["one", "many"])
def test_baseline_differs_from_itself_by_nothing(
    sizes: dict[str, int], make_predictions: MakePredictions
) -> None:
    found = measure_differences(make_predictions(sizes), pd.Series(1.0, index=list(sizes)), "ridge")
    assert read_difference(found, "ridge") == [0, 0, 0]


def test_half_the_error_is_a_difference_below_0(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 40})
    table = predictions.table
    halved = change(predictions, gru=table["y"] - 0.5 * (table["y"] - table["ridge"]))
    difference, low, high = read_difference(
        measure_differences(halved, pd.Series({"a": 1.0}), "ridge"), "gru"
    )
    assert difference == pytest.approx(-0.75)
    assert low < -0.75 < high < 0


def test_difference_of_few_windows_has_no_interval(make_predictions: MakePredictions) -> None:
    few = measure_differences(make_predictions({"a": 2}), pd.Series({"a": 1.0}), "ridge")
    assert few["gru"]["difference"] is not None
    assert read_difference(few, "gru")[1:] == [None, None]


def test_there_is_no_difference_from_an_exact_forecast(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 30})
    exact = change(predictions, ridge=predictions.table["y"])
    differences = measure_differences(exact, pd.Series({"a": 1.0}), "ridge")
    assert read_difference(differences, "gru") == [None, None, None]
