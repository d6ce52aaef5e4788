"""Champion and challenger are compared on the same rows, and an unusable challenger is found out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.holdout import find_forecast_faults, measure_forecast_holdout
from rnn_pipelines.forecast.evaluation.significance import compute_p_value
from rnn_pipelines.forecast.methods.predictions import Predictions


@pytest.fixture
def make_holdout() -> Callable[..., Predictions]:
    """Forecasts of two steps from 12 cut-offs of each series."""

    def make(series: str = "ab", **forecasters: float) -> Predictions:
        random = np.random.default_rng(0)
        index = pd.MultiIndex.from_product([list(series), range(12), [1, 2]])
        holdout = index.to_frame(index=False, name=["unique_id", "cutoff", "horizon_step"])
        holdout.insert(2, "ds", holdout["cutoff"] + holdout["horizon_step"])
        holdout["y"] = random.normal(size=len(holdout))
        for name, deviation in {"last_value": 1.0, "challenger": 0.5, **forecasters}.items():
            holdout[name] = holdout["y"] + deviation * random.normal(size=len(holdout))
        return Predictions(holdout, ("last_value", "challenger", *forecasters))

    return make


def change(holdout: Predictions, **columns: object) -> Predictions:
    names = [*holdout.forecasters, *(name for name in columns if name not in holdout.table)]
    return Predictions(holdout.table.assign(**columns), tuple(names))


def compute_mse(holdout: Predictions, name: str) -> float:
    table = holdout.table
    return float(((table["y"] - table[name]) ** 2).groupby(table["unique_id"]).mean().mean())


def read_losses(found: Any, key: str = "loss") -> dict[str, float]:
    return {name: measures[key] for name, measures in found.measures.items() if key in measures}


def test_losses_are_means_over_windows_then_series(
    make_holdout: Callable[..., Predictions],
) -> None:
    holdout = make_holdout()
    assert read_losses(measure_forecast_holdout(holdout, 2)) == {
        name: pytest.approx(compute_mse(holdout, name)) for name in ("last_value", "challenger")
    }


def test_p_value_is_that_of_the_means_over_series(
    make_holdout: Callable[..., Predictions],
) -> None:
    holdout = make_holdout(champion=0.7)
    squared = holdout.errors[["challenger", "champion"]] ** 2
    difference = (
        (squared["challenger"] - squared["champion"]).groupby(holdout.table["cutoff"]).mean()
    )
    assert measure_forecast_holdout(holdout, 2).p_value == pytest.approx(
        compute_p_value(difference.to_numpy(), 2)
    )


def test_there_is_no_p_value_without_a_champion(make_holdout: Callable[..., Predictions]) -> None:
    assert measure_forecast_holdout(make_holdout(), 2).p_value is None


def test_usable_challenger_has_no_faults(make_holdout: Callable[..., Predictions]) -> None:
    assert find_forecast_faults(make_holdout()) == []


def is_shared(holdout: Predictions) -> pd.Series:
    return (holdout.table["unique_id"] != "c") & (holdout.table["horizon_step"] == 1)


@pytest.fixture
def partly(make_holdout: Callable[..., Predictions]) -> Predictions:
    """The champion doesn't know series c, nor the second step."""
    holdout = make_holdout("abc", champion=0.7)
    return change(holdout, champion=holdout.table["champion"].where(is_shared(holdout)))


def test_champion_is_compared_with_the_challenger_on_the_rows_of_both(partly: Predictions) -> None:
    shared = partly.keep(is_shared(partly))
    measured = measure_forecast_holdout(partly, 2)
    expected = {name: compute_mse(shared, name) for name in ("challenger", "champion")}
    assert read_losses(measured, "shared_loss") == pytest.approx(expected)
    assert measured.p_value == measure_forecast_holdout(shared, 2).p_value


def test_rows_that_the_champion_could_not_forecast_count_in_other_losses(
    partly: Predictions,
) -> None:
    expected = {name: compute_mse(partly, name) for name in ("last_value", "challenger")}
    assert read_losses(measure_forecast_holdout(partly, 2)) == pytest.approx(expected)


def test_errors_by_step_are_of_all_rows_of_the_challenger(partly: Predictions) -> None:
    steps = [
        compute_mse(partly.keep(partly.table["horizon_step"] == step), "challenger")
        for step in (1, 2)
    ]
    measured = measure_forecast_holdout(partly, 2)
    assert measured.measures["challenger"]["by_step"] == pytest.approx(steps)


def test_notes_name_what_the_champion_could_not_forecast(partly: Predictions) -> None:
    assert measure_forecast_holdout(partly, 2).notes == [
        "not compared with the champion: 1 unknown series",
        "not compared with the champion: step 2, because its horizon is 1",
    ]


def test_shared_losses_are_left_out_if_the_champion_has_all_rows(
    make_holdout: Callable[..., Predictions],
) -> None:
    measured = measure_forecast_holdout(make_holdout(champion=0.7), 2)
    assert read_losses(measured, "shared_loss") == {}
    assert set(read_losses(measured)) == {"last_value", "challenger", "champion"}


def test_champion_without_a_forecast_is_not_compared(
    make_holdout: Callable[..., Predictions],
) -> None:
    measured = measure_forecast_holdout(change(make_holdout(), champion=np.nan), 2)
    assert "champion" not in measured.measures
    assert measured.p_value is None
    assert measured.notes == ["the champion has no forecast of this holdout"]


def test_rows_without_an_actual_count_in_no_loss(make_holdout: Callable[..., Predictions]) -> None:
    holdout = make_holdout(champion=0.7)
    holdout.table.loc[3, "y"] = np.nan
    expected = {
        name: compute_mse(holdout.keep(holdout.table.index != 3), name)
        for name in ("last_value", "challenger", "champion")
    }
    assert read_losses(measure_forecast_holdout(holdout, 2)) == pytest.approx(expected)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("is_all", [True, False], ids=["all", "one"])
def test_infinite_forecast_of_the_champion_counts(
    make_holdout: Callable[..., Predictions], is_all: bool
) -> None:
    """Its loss is infinite; the row is none that the champion has no forecast of."""
    holdout = make_holdout(champion=0.7)
    champion = holdout.table["champion"].mask(is_all | (holdout.table.index == 5), np.inf)
    measured = measure_forecast_holdout(change(holdout, champion=champion), 2)
    assert read_losses(measured) == {
        "last_value": pytest.approx(compute_mse(holdout, "last_value")),
        "challenger": pytest.approx(compute_mse(holdout, "challenger")),
        "champion": np.inf,
    }
    assert np.isnan(measured.p_value)
    assert measured.notes == []


def test_change_of_a_promotion_is_from_the_forecast_of_the_champion(
    make_holdout: Callable[..., Predictions],
) -> None:
    holdout = make_holdout(champion=0.7)
    changed = change(holdout, challenger=holdout.table["champion"] + 3.0)
    found = measure_forecast_holdout(changed, 2).measures
    by_origin = holdout.table.pivot(
        index=["unique_id", "ds"], columns="horizon_step", values="champion"
    ).dropna()
    changes = {
        "champion": by_origin[1] - by_origin[2],
        "challenger": by_origin[1] + 3.0 - by_origin[2],
    }
    for name, own in changes.items():
        assert found[name]["change"] == pytest.approx(own.abs().groupby("unique_id").mean().mean())
    found = measure_forecast_holdout(holdout.keep(holdout.table["horizon_step"] == 1), 1).measures
    assert "change" not in found["champion"]
    assert "change" not in found["challenger"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_forecast_that_is_not_finite_is_a_fault(
    make_holdout: Callable[..., Predictions], value: float
) -> None:
    holdout = make_holdout()
    holdout.table.loc[5, "challenger"] = value
    (fault,) = find_forecast_faults(holdout)
    assert "1 of 48" in fault


def test_same_forecast_for_every_window_is_a_fault(
    make_holdout: Callable[..., Predictions],
) -> None:
    """Though its steps differ."""
    holdout = make_holdout()
    assert find_forecast_faults(change(holdout, challenger=holdout.table["horizon_step"] / 3)) == [
        "its forecasts are the same for every window"
    ]


def test_series_of_one_window_does_not_hide_the_fault(
    make_holdout: Callable[..., Predictions],
) -> None:
    """Its forecast of another window might have been the same."""
    holdout = make_holdout("abc")
    holdout = holdout.keep((holdout.table["unique_id"] != "c") | (holdout.table["cutoff"] == 11))
    assert find_forecast_faults(change(holdout, challenger=holdout.table["horizon_step"] / 3)) == [
        "its forecasts are the same for every window"
    ]


def test_same_forecast_for_every_window_of_some_series_is_a_note(
    make_holdout: Callable[..., Predictions],
) -> None:
    holdout = make_holdout("abc")
    holdout.table["challenger"] = holdout.table["challenger"].where(
        holdout.table["unique_id"] == "b", 0.0
    )
    assert find_forecast_faults(holdout) == []
    assert measure_forecast_holdout(holdout, 2).notes == [
        "the challenger's forecasts are the same for every window of 2 series (a, c)"
    ]


def test_forecasts_of_one_window_are_no_fault(make_holdout: Callable[..., Predictions]) -> None:
    holdout = make_holdout()
    assert find_forecast_faults(holdout.keep(holdout.table["cutoff"] == 11)) == []


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_infinite_forecasts_are_not_called_alike(
    make_holdout: Callable[..., Predictions], value: float
) -> None:
    holdout = make_holdout()
    assert (
        measure_forecast_holdout(
            change(
                holdout,
                challenger=holdout.table["challenger"].mask(holdout.table.index == 5, value),
            ),
            2,
        ).notes
        == []
    )
