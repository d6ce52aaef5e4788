"""The pretrained network as a method: beside the others, in the ensemble, with too few windows, alone, and packed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.methods.pretrained import PRETRAINED, PretrainedModel
from rnn_pipelines.forecast.methods.registry import TRAINED_BEFORE
from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec

QUICK = {"training": {"max_steps": 2}}


def make_frame(num_series: int = 1, num_steps: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    steps = np.arange(num_steps)
    days = pd.date_range("2024-01-01", periods=num_steps)
    return pd.concat(
        pd.DataFrame(
            {
                "unique_id": f"s{number}",
                "ds": days,
                "y": 50
                + number
                + 5 * np.sin(2 * np.pi * steps / 7)
                + rng.normal(0, 1, num_steps).cumsum() / 5,
            }
        )
        for number in range(num_series)
    )


@pytest.mark.parametrize("num_series", [1, 3])
def test_it_is_a_method_with_intervals(num_series: int) -> None:
    forecaster = Forecaster(h=7, networks="pretrained").fit(make_frame(num_series))
    assert PRETRAINED in set(forecaster.leaderboard()["forecaster"])
    table = forecaster.predict(methods="all")
    assert (table[f"{PRETRAINED}-lo-80"] < table[PRETRAINED]).all()
    assert (table[PRETRAINED] < table[f"{PRETRAINED}-hi-80"]).all()


def test_forecast_is_that_of_the_network_on_the_values_also_once_saved(tmp_path: Path) -> None:
    frame = make_frame()
    table = Forecaster(h=7, networks="pretrained").fit(frame).predict(methods="all")
    expected = load_network(PretrainedSpec()).extend(frame["y"].to_numpy()[None], 7, 7)[0]
    np.testing.assert_allclose(table[PRETRAINED], expected, rtol=1e-4)
    # A newer package, or another folder of networks, does not change its forecasts.
    forecaster = Forecaster(
        h=7, networks="pretrained", pretrained={"network": "lstm"}, use=PRETRAINED
    ).fit(frame)
    forecaster.save(tmp_path / "model")
    again = Forecaster.load(tmp_path / "model")
    pd.testing.assert_frame_equal(again.predict(frame), forecaster.predict())


def test_missing_folder_is_refused_before_a_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level("INFO"),
        pytest.raises(ParameterError, match=r"pretrained\.path: .*card\.json"),
    ):
        Forecaster(h=7, pretrained={"path": str(tmp_path / "none")}, **QUICK).fit(make_frame())
    assert "best step" not in caplog.text


def test_pretrained_network_can_be_switched_off() -> None:
    forecaster = Forecaster(h=7, pretrained=False, **QUICK).fit(make_frame())
    assert PRETRAINED not in set(forecaster.leaderboard()["forecaster"])


def test_trained_networks_can_be_switched_off() -> None:
    forecaster = Forecaster(h=7, networks="pretrained").fit(make_frame())
    assert {"lstm", "gru"} & set(forecaster.leaderboard()["forecaster"]) == set()
    assert PRETRAINED in set(forecaster.leaderboard()["forecaster"])


def test_unknown_networks_are_refused() -> None:
    with pytest.raises(
        ParameterError, match="networks: expected 'all' or 'pretrained', received 'none'"
    ):
        Forecaster(h=7, networks="none")


def test_each_cell_has_its_pretrained_network() -> None:
    forecasts = [
        Forecaster(h=7, networks="pretrained", pretrained={"network": cell})
        .fit(make_frame())
        .predict(methods="all")
        for cell in ("gru", "lstm")
    ]
    assert (forecasts[0][PRETRAINED] != forecasts[1][PRETRAINED]).all()


def test_short_series_have_the_mean_of_network_with_rule() -> None:
    frame = make_frame(num_steps=20)
    table = Forecaster(h=7, networks="pretrained").fit(frame).predict(methods="all")
    mean = (table[PRETRAINED] + table["short_series_rule"]) / 2
    np.testing.assert_allclose(table["ensemble"], mean, rtol=1e-5)


def test_pretrained_network_is_packed() -> None:
    model = PretrainedModel(load_network(PretrainedSpec(network="lstm")))
    again = TRAINED_BEFORE[PRETRAINED].unpack(model.pack())
    past = make_frame()["y"].to_numpy()[None]
    np.testing.assert_array_equal(
        model.network.extend(past, 7, 7), again.network.extend(past, 7, 7)
    )


def test_pretrained_network_corrects_the_seasonal_naive_forecast() -> None:
    frame = make_frame(num_steps=90)
    explained = Forecaster(h=7, networks="pretrained").fit(frame).explain(forecaster=PRETRAINED)
    of_values = explained[explained["input"] == "y"].assign(
        size=lambda table: table["contribution"].abs()
    )
    largest = of_values.loc[of_values.groupby("horizon_step")["size"].idxmax()]
    assert ((largest["lag"] + largest["horizon_step"] - 1) % 7 == 0).mean() > 0.5


def shape_values(name: str) -> np.ndarray:
    """Series that are read in several ways: with logarithms, without, in counts, and without a change."""
    values = make_frame(num_steps=90)["y"].to_numpy()
    kinds = {
        "positive": values,
        "signed": values - 50,
        "counts": np.round(values / 5 - 7).clip(0),
        "constant": 0 * values,
    }
    return kinds[name]


@pytest.mark.parametrize("name", ["positive", "signed", "counts", "constant"])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_contributions_of_values_sum_to_the_forecast(name: str, cell: str) -> None:
    frame = make_frame(num_steps=90).assign(y=shape_values(name))
    forecaster = Forecaster(h=9, networks="pretrained", pretrained={"network": cell}).fit(frame)
    explained = forecaster.explain(forecaster=PRETRAINED)
    found = explained.groupby("ds")["contribution"].sum()
    expected = forecaster.predict(methods="all")[PRETRAINED]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert set(explained.loc[explained["contribution"].abs() > 1e-9, "input"]) <= {"baseline", "y"}
