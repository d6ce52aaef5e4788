"""Networks and windows of `forecast` are taken, those of different runs refused, and other series read without them."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rnn_pipelines.errors import NetworkError
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.lab.internals.forecast.choice import ChosenForecasters, choose_forecasters
from rnn_pipelines.lab.internals.specs import TracedSeriesSpec

SERIES = TracedSeriesSpec.model_validate(
    {"source": {"name": "sine"}, "window": {"lookback": 5, "horizon": 2}}
)


def list_found(chosen: ChosenForecasters) -> dict[str, Any]:
    """All that `forecast` leaves."""
    return {
        "panel": chosen.panel,
        "linear": chosen.linear,
        "lstm": chosen.networks["lstm"],
        "gru": chosen.networks["gru"],
    }


def test_trained_forecasters_are_taken(forecasters: ChosenForecasters) -> None:
    chosen = choose_forecasters(series=SERIES, **list_found(forecasters))
    assert chosen == replace(
        forecasters, networks={cell: forecasters.networks[cell] for cell in ("lstm", "gru")}
    )


def test_a_panel_with_further_columns_is_taken(forecasters: ChosenForecasters) -> None:
    # The rest of it was not seen twice.
    values = np.insert(forecasters.panel.values, forecasters.panel.columns.calendar.stop, 0, axis=1)
    wider = replace(forecasters.panel, values=values)
    chosen = choose_forecasters(series=SERIES, **list_found(forecasters) | {"panel": wider})
    assert chosen.panel is wider


def test_networks_without_training_are_left_out(forecasters: ChosenForecasters) -> None:
    # With `forecast.pretrained.is_alone`, its networks have no training time.
    untrained = replace(forecasters.networks["gru"], seconds=np.nan)
    chosen = choose_forecasters(series=SERIES, **list_found(forecasters) | {"gru": untrained})
    assert list(chosen.networks) == ["lstm"]
    assert chosen.panel is forecasters.panel


def test_a_series_is_read_if_nothing_was_trained(forecasters: ChosenForecasters) -> None:
    chosen = choose_forecasters(series=SERIES, **list_found(forecasters) | {"panel": None})
    assert (chosen.panel.lookback, chosen.panel.horizon) == (5, 2)
    assert (chosen.series, chosen.networks) == ("sine", {})


@pytest.mark.parametrize(
    ("missing", "left"), [("lstm", ["gru"]), ("gru", ["lstm"]), ("linear", [])]
)
def test_series_stay_if_a_network_is_missing(
    forecasters: ChosenForecasters, missing: str, left: list[str]
) -> None:
    chosen = choose_forecasters(series=SERIES, **list_found(forecasters) | {missing: None})
    assert list(chosen.networks) == left
    assert chosen.panel is forecasters.panel


@pytest.mark.parametrize(
    ("change", "size"),
    [
        ({"window": WindowSpec(lookback=7, horizon=2)}, "lookback"),
        ({"window": WindowSpec(lookback=6, horizon=3)}, "horizon"),
        ({"calendar": CalendarSpec(weekly=0)}, "features"),
    ],
)
def test_forecasters_of_other_windows_are_refused(
    forecasters: ChosenForecasters,
    prepare: Callable[..., SimpleNamespace],
    make_values: Callable[..., list[float]],
    change: dict[str, Any],
    size: str,
) -> None:
    other = prepare(
        make_values(60), **{"window": WindowSpec(lookback=6, horizon=2)} | change
    ).windows
    with pytest.raises(
        NetworkError, match=rf"forecast_lstm_model: expected .*'{size}'.*--pipelines=forecast"
    ):
        choose_forecasters(series=SERIES, **list_found(forecasters) | {"panel": other})


def test_forecasters_on_another_base_or_inputs_of_another_width_are_refused(
    forecasters: ChosenForecasters,
    prepare: Callable[..., SimpleNamespace],
    make_values: Callable[..., list[float]],
) -> None:
    """One that was validated on other windows."""
    longer = prepare(make_values(80), window=WindowSpec(lookback=6, horizon=2)).windows
    linear = fit_linear_models(longer)
    assert len(linear.validation) != len(forecasters.linear.validation)
    with pytest.raises(NetworkError, match=r"forecast_lstm_model: expected .*'validation windows'"):
        choose_forecasters(series=SERIES, **list_found(forecasters) | {"linear": linear})
    # A network that read one more feature of the calendar.
    other = replace(forecasters.networks["gru"], calendar=np.array([0, 1]))
    with pytest.raises(
        NetworkError, match=r"forecast_gru_model: expected .*'inputs': 3.*'inputs': 4"
    ):
        choose_forecasters(series=SERIES, **list_found(forecasters) | {"gru": other})
