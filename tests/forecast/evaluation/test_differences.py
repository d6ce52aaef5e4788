"""Differences from a baseline, and their intervals, are what a plain computation gives."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.significance import centre_differences, compute_interval, measure_differences
from rnn_pipelines.forecast.methods.predictions import Predictions

MakePredictions = Callable[..., Predictions]


def change(predictions: Predictions, **columns: object) -> Predictions:
    return replace(predictions, table=predictions.table.assign(**columns))


def compute_losses(predictions: Predictions, name: str, power: int) -> pd.Series:
    """The mean of |error|^power of each window, by series and cut-off."""
    errors = (predictions.table["y"] - predictions.table[name]).abs() ** power
    return errors.groupby([predictions.table["unique_id"], predictions.table["cutoff"]]).mean()


def read_difference(found: dict[str, dict[str, float | None]], name: str) -> list[float | None]:
    return [found[name][key] for key in ("difference", "difference_low", "difference_high")]


def test_difference_of_one_series_is_that_of_the_mse_over_cutoffs(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 30}, horizon=3)
    found = measure_differences(predictions, pd.Series({"a": 2.0}), "ridge")
    ours, theirs = (compute_losses(predictions, name, 2).to_numpy() for name in ("gru", "ridge"))
    parts = (ours - theirs) / theirs.mean()
    assert read_difference(found, "gru") == pytest.approx([parts.mean(), *compute_interval(parts, 3)], rel=1e-12)


@pytest.mark.parametrize(("num_cutoffs", "has_interval"), [(29, False), (30, True)])
def test_fewer_than_ten_windows_that_do_not_overlap_have_no_interval(
    make_predictions: MakePredictions, num_cutoffs: int, has_interval: bool
) -> None:
    found = measure_differences(make_predictions({"a": num_cutoffs}, horizon=3), pd.Series({"a": 2.0}), "ridge")["gru"]
    assert found["difference"] is not None
    assert (found["difference_low"] is not None) == has_interval


def test_no_difference_goes_below_an_error_of_zero() -> None:
    wide = {"gru": {"difference": 1.0, "difference_low": -1.83, "difference_high": 17.8}}
    found = centre_differences(wide, {"gru": 2.0, "ridge": 1.0}, "ridge")["gru"]
    assert (found["difference_low"], found["difference_high"]) == (-1.0, 17.8)


def test_overlap_of_thinned_cutoffs_is_shorter(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 60}, horizon=4)
    thinned = predictions.keep(predictions.table["cutoff"] % 2 == 0)
    found = measure_differences(thinned, pd.Series({"a": 2.0}), "ridge")
    ours, theirs = (compute_losses(thinned, name, 2).to_numpy() for name in ("gru", "ridge"))
    parts = (ours - theirs) / theirs.mean()
    assert read_difference(found, "gru") == pytest.approx([parts.mean(), *compute_interval(parts, 2)], rel=1e-12)


def test_difference_of_a_panel_is_that_of_the_scaled_error_over_cutoffs(make_predictions: MakePredictions) -> None:
    """The mean over the series at a cut-off first: they share their luck."""
    predictions = make_predictions({"a": 30, "b": 25}, horizon=3)
    scale = pd.Series({"a": 2.0, "b": 5.0})
    found = measure_differences(predictions, scale, "ridge")
    means = {}
    for name in ("gru", "ridge"):
        losses = compute_losses(predictions, name, 1)
        a, b = losses["a"] / 2, losses["b"] / 5
        means[name] = np.array([(a[cutoff] + b[cutoff]) / 2 if cutoff in b else a[cutoff] for cutoff in range(30)])
    parts = (means["gru"] - means["ridge"]) / means["ridge"].mean()
    assert read_difference(found, "gru") == pytest.approx([parts.mean(), *compute_interval(parts, 3)], rel=1e-12)


def test_difference_of_a_panel_with_one_origin_each_is_over_series(make_predictions: MakePredictions) -> None:
    """Whose forecasts don't overlap, however far they reach."""
    names = [f"s{number}" for number in range(12)]
    predictions = make_predictions(dict.fromkeys(names, 1), horizon=6)
    scale = pd.Series(np.linspace(1, 3, 12), index=names)
    found = measure_differences(predictions, scale, "ridge")
    ours, theirs = (
        (compute_losses(predictions, name, 1).droplevel("cutoff") / scale)[names].to_numpy()
        for name in ("gru", "ridge")
    )
    parts = (ours - theirs) / theirs.mean()
    assert read_difference(found, "gru") == pytest.approx([parts.mean(), *compute_interval(parts, 1)], rel=1e-12)


def test_difference_of_rmsse_is_that_of_the_roots(make_predictions: MakePredictions) -> None:
    """With an interval by the delta method, which is near to that of a bootstrap over cut-offs."""
    predictions = make_predictions({"a": 200, "b": 200}, horizon=1)
    scale = pd.Series({"a": 4.0, "b": 25.0})
    losses = {
        name: compute_losses(predictions, name, 2).unstack("unique_id").to_numpy() / scale.to_numpy()
        for name in ("gru", "ridge")
    }

    def compare(rows: np.ndarray) -> float:
        ours, theirs = (np.sqrt(losses[name][rows].mean(axis=0)).mean() for name in ("gru", "ridge"))
        return float(ours / theirs - 1)

    found = read_difference(measure_differences(predictions, scale, "ridge", is_root=True), "gru")
    random = np.random.default_rng(0)
    drawn = [compare(random.integers(0, 200, 200)) for _ in range(2000)]
    assert found[0] == pytest.approx(compare(np.arange(200)), rel=1e-12)
    assert found[1:] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.03)


def test_exact_forecasts_have_an_rmsse_of_nothing(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 30, "b": 30})
    exact = change(predictions, gru=predictions.table["y"], lstm=np.inf)
    found = measure_differences(exact, pd.Series(1.0, index=["a", "b"]), "ridge", is_root=True)
    assert read_difference(found, "gru")[0] == pytest.approx(-1)
    assert found["lstm"]["difference"] is None


def test_window_of_which_nothing_was_observed_has_no_part_in_the_difference(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 30}, horizon=1)
    is_hole = predictions.table["cutoff"] == 4
    found = measure_differences(
        change(predictions, y=predictions.table["y"].mask(is_hole)), pd.Series({"a": 1.0}), "ridge"
    )
    expected = measure_differences(predictions.keep(~is_hole), pd.Series({"a": 1.0}), "ridge")
    assert read_difference(found, "gru") == pytest.approx(read_difference(expected, "gru"))


def test_cutoffs_of_a_series_without_a_scale_alone_have_no_part_in_the_difference(
    make_predictions: MakePredictions,
) -> None:
    """Those from the twentieth on."""
    predictions = make_predictions({"a": 30, "b": 20})
    found = measure_differences(predictions, pd.Series({"a": 0.0, "b": 1.0}), "ridge")
    kept = predictions.keep(predictions.table["cutoff"] < 20)
    expected = measure_differences(kept, pd.Series({"a": 0.0, "b": 1.0}), "ridge")
    assert read_difference(found, "gru") == pytest.approx(read_difference(expected, "gru"))


def test_series_without_a_scale_have_no_part_in_the_difference(make_predictions: MakePredictions) -> None:
    names = [f"s{number}" for number in range(12)]
    predictions = make_predictions(dict.fromkeys(names, 1))
    scale = pd.Series(1.0, index=names)
    found = measure_differences(predictions, scale.mask(scale.index == "s3", 0.0), "ridge")
    kept = predictions.keep(predictions.table["unique_id"] != "s3")
    expected = measure_differences(kept, scale, "ridge")
    assert read_difference(found, "gru") == pytest.approx(read_difference(expected, "gru"))


@pytest.mark.parametrize("sizes", [{"a": 30}, {"a": 30, "b": 20}], ids=["one", "many"])
def test_baseline_differs_from_itself_by_nothing(sizes: dict[str, int], make_predictions: MakePredictions) -> None:
    found = measure_differences(make_predictions(sizes), pd.Series(1.0, index=list(sizes)), "ridge")
    assert read_difference(found, "ridge") == [0, 0, 0]


def test_half_the_error_is_a_difference_below_zero(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 40})
    table = predictions.table
    halved = change(predictions, gru=table["y"] - 0.5 * (table["y"] - table["ridge"]))
    found = read_difference(measure_differences(halved, pd.Series({"a": 1.0}), "ridge"), "gru")
    assert found[0] == pytest.approx(-0.75)
    assert found[1] < -0.75 < found[2] < 0


def test_too_few_cutoffs_have_a_difference_without_an_interval(make_predictions: MakePredictions) -> None:
    found = measure_differences(make_predictions({"a": 2}), pd.Series({"a": 1.0}), "ridge")
    assert found["gru"]["difference"] is not None
    assert read_difference(found, "gru")[1:] == [None, None]


def test_nothing_is_said_against_a_baseline_that_is_exact(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 30})
    exact = change(predictions, ridge=predictions.table["y"])
    assert read_difference(measure_differences(exact, pd.Series({"a": 1.0}), "ridge"), "gru") == [None, None, None]


def test_interval_keeps_its_width_around_the_difference_of_the_metric() -> None:
    measured: dict[str, dict[str, float | None]] = {
        "gru": {"difference": 0.02, "difference_low": -0.01, "difference_high": 0.05},
        "lstm": {"difference": 0.1, "difference_low": None, "difference_high": None},
        "ridge": {"difference": 0.0, "difference_low": 0.0, "difference_high": 0.0},
    }
    found = centre_differences(measured, {"gru": 2.06, "lstm": 2.4, "ridge": 2.0}, "ridge")
    assert read_difference(found, "gru") == pytest.approx([0.03, 0.0, 0.06], abs=1e-12)
    assert read_difference(found, "lstm") == [pytest.approx(0.2), None, None]
    assert read_difference(found, "ridge") == [0, 0, 0]


def test_undefined_difference_stays_undefined() -> None:
    undefined: dict[str, float | None] = dict.fromkeys(("difference", "difference_low", "difference_high"))
    found = centre_differences({"gru": undefined, "ridge": undefined}, {"gru": 1.0, "ridge": 0.0}, "ridge")
    assert read_difference(found, "gru") == [None, None, None]
