"""Networks without enough windows are called untrained, have no row or column, and nothing that follows needs them."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.experiments.tuning import cut_test_part
from rnn_pipelines.forecast.fitting import Fitted, evaluate_fitted
from rnn_pipelines.forecast.methods.folds import count_needed_values
from rnn_pipelines.forecast.methods.training.specs import BudgetSpec
from rnn_pipelines.forecast.operations.challenger import choose_challenger
from rnn_pipelines.forecast.operations.specs import ForecastPolicySpec, RetrainForecastSpec
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.lab.internals.forecast.choice import choose_forecasters
from rnn_pipelines.lab.internals.forecast.pretrained import trace_pretrained
from rnn_pipelines.lab.internals.forecast.traces import trace_forecasters
from rnn_pipelines.lab.internals.specs import SampleSpec, TracedSeriesSpec

NAMES = {"lstm", "gru"}


def draw_years(num_years: int = 30, num_series: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frames = [
        pd.DataFrame(
            {
                "unique_id": f"s{number}",
                "ds": pd.date_range("1990-01-01", periods=num_years, freq="YS"),
                "y": 1000 * 1.012 ** np.arange(num_years) + rng.normal(0, 4, num_years),
            }
        )
        for number in range(num_series)
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module", params=[1, 3], ids=["alone", "panel"])
def frame(request: pytest.FixtureRequest) -> pd.DataFrame:
    return draw_years(30 if request.param == 1 else 11, request.param)


@pytest.fixture(scope="module")
def forecaster(frame: pd.DataFrame) -> Forecaster:
    return Forecaster(h=3).fit(frame)


def get_fitted(forecaster: Forecaster) -> Fitted:
    assert forecaster._fitted is not None
    return forecaster._fitted


def test_summary_has_the_number_of_values_that_a_network_needs() -> None:
    forecaster = Forecaster(h=3).fit(draw_years())
    _, _, answer = " ".join(forecaster.summary().split()).partition("Do networks help here? ")
    assert answer.startswith("LSTM and GRU were not trained")
    assert " 38 " in answer.split(".")[0]


def test_summary_has_no_network() -> None:
    forecaster = Forecaster(h=3).fit(draw_years())
    summary = forecaster.summary()
    assert "best network" not in summary
    assert "No correction" not in summary


def test_networks_are_trained_on_the_needed_number_of_values() -> None:
    assert set(Forecaster(h=3, training={"max_steps": 5}).fit(draw_years(38)).networks) == NAMES


def test_tuning_without_networks_is_possible() -> None:
    forecaster = Forecaster(h=3)
    assert len(cut_test_part(draw_years(), forecaster.spec)) < 30


def test_log_says_how_many_values_a_training_takes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Forecaster(h=3).fit(draw_years())
    messages = [message for message in caplog.messages if "not trained" in message]
    assert [message.split(":")[0] for message in messages] == ["lstm", "gru"]
    assert all("38 values" in message for message in messages)


def test_no_table_has_a_network(forecaster: Forecaster) -> None:
    assert not NAMES & set(forecaster.leaderboard()["forecaster"])
    for table in (forecaster.predict(methods="all"), forecaster.holdout()):
        assert not [name for name in table if name.startswith(("lstm", "gru"))]


def test_metrics_have_the_number_of_needed_values(forecaster: Forecaster) -> None:
    metrics = evaluate_fitted(get_fitted(forecaster)).metrics.to_json()
    assert not NAMES & set(metrics)
    assert metrics["values_needed"] > 0
    json.dumps(metrics)


def test_panel_needs_more_values(forecaster: Forecaster) -> None:
    panel = get_fitted(forecaster).panel.windows
    assert (
        count_needed_values(panel, True)
        >= count_needed_values(panel, False)
        > panel.lookback + panel.horizon
    )


def test_report_has_no_training(forecaster: Forecaster, tmp_path: Path) -> None:
    forecaster.report(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "were not trained" in page
    assert "best step" not in page.split("Parameters</h2>")[0]


def test_no_network_is_handed_out_or_replaced(forecaster: Forecaster) -> None:
    assert forecaster.networks == {}
    with pytest.raises(ParameterError, match=r"no network was trained.*\d+ in a series"):
        forecaster.network_windows("lstm")
    network = get_fitted(forecaster).networks["lstm"].network
    with pytest.raises(ParameterError, match="no network was trained"):
        forecaster.replace_network("lstm", network)
    with pytest.raises(ParameterError, match="forecaster"):
        forecaster.explain(forecaster="lstm")


def test_loaded_forecaster_forecasts_the_same(
    forecaster: Forecaster, frame: pd.DataFrame, tmp_path: Path
) -> None:
    expected = forecaster.predict()["ensemble"]
    forecaster.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    np.testing.assert_allclose(loaded.predict(frame)["ensemble"], expected, rtol=1e-6)


def test_forecaster_is_exported(forecaster: Forecaster, tmp_path: Path) -> None:
    forecaster.export(tmp_path / "export")
    assert (tmp_path / "export/forecaster.py").exists()


def test_cross_validation_has_a_network_only_in_windows_with_enough_values() -> None:
    frame = draw_years(42)
    found = Forecaster(h=3, training={"max_steps": 5}).cross_validation(
        frame, n_windows=5, refit=True
    )
    by_cutoff = found.groupby("cutoff")["lstm"].count()
    assert by_cutoff.iloc[0] == 0
    assert by_cutoff.iloc[-1] == 3
    assert np.isfinite(found["ensemble"]).all()


def test_challenger_names_no_network(forecaster: Forecaster) -> None:
    fitted = get_fitted(forecaster)
    panel = fitted.panel
    challenger, record, _ = choose_challenger(
        fitted.data,
        panel.scaler,
        panel.coding,
        fitted.settings,
        fitted.spec.level,
        fitted.spec.use,
        panel.features,
        RetrainForecastSpec(policy=ForecastPolicySpec(must_beat=()), budget=BudgetSpec()),
        *fitted.networks.values(),
    )
    assert challenger.settings.networks == {}
    assert not NAMES & set(record["weights"])


def test_internals_trace_the_pretrained_networks_over_the_series(forecaster: Forecaster) -> None:
    fitted = get_fitted(forecaster)
    networks = {name: trained.network for name, trained in fitted.networks.items()}
    series = TracedSeriesSpec.model_validate(
        {"source": {"name": "sine"}, "window": {"lookback": 10, "horizon": 1}}
    )
    chosen = choose_forecasters(fitted.panel.windows, fitted.data.linear, series, **networks)
    sample = SampleSpec(texts=("good",))
    assert trace_forecasters(chosen, sample).layers == {}
    traces = trace_pretrained(chosen, PretrainedSpec(), sample)
    assert list(traces.layers) == ["pretrained_lstm", "pretrained_gru"]
    values = np.log(fitted.panel.windows.values[:, 0] - fitted.panel.windows.zeros[0])
    traced: Any = traces.layers["pretrained_gru"][0].series
    own = traced[0, :, 0]
    assert np.corrcoef(own[~np.isnan(own)], values[: np.isfinite(own).sum()])[
        0, 1
    ] == pytest.approx(1)
