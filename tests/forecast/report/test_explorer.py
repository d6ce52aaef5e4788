"""The explorer's page of a forecaster: its numbers are those of Python, in a real browser, and readers can use it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from browser import open_page, run_script, use_page
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.methods.linear.models import LinearModel, find_season_lags
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.local.method import gather_from_zero
from rnn_pipelines.forecast.methods.method import PanelModel
from rnn_pipelines.forecast.methods.networks.model import NetworkModel
from rnn_pipelines.forecast.methods.networks.network import Network, read_windows, size_members
from rnn_pipelines.forecast.methods.predictors import Normalizer, normalize_windows
from rnn_pipelines.forecast.methods.pretrained import PretrainedModel
from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.memory import MAX_VALUES
from rnn_pipelines.forecast.pretrained.network import MIDDLE, find_past_length
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.report.explorer import (
    describe_networks,
    explore_series,
    find_networks,
    render_networks,
)
from rnn_pipelines.forecast.windows.panel import WindowedPanel, WindowSpec, find_history
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.lab.internals.gate_statistics import measure_half_lives
from rnn_pipelines.networks.gradients import find_input_gradients
from rnn_pipelines.networks.members import forward, initialize_members
from rnn_pipelines.report.explorer.page import COMPUTATION, MAX_BYTES, encode_content, read_scripts

# Of a scaled forecast; of one above 1, as after an exponential, relative to it.
TOLERANCE = 1e-5
NUM_WINDOWS = 20
NUM_SLOW_WINDOWS = int(os.environ.get("RNN_EXPLORER_WINDOWS", "40"))
NUM_PRETRAINED_WINDOWS = int(os.environ.get("RNN_EXPLORER_PRETRAINED", "8"))
KINDS = ("series", "window", "log")
RUN = """
function run({ pages }) {
  return pages.map(({ page, tries }) => Math.max(...tries.map(({ window, values, expected, network }) => {
    const item = page.windows[window], found = forecast(page, page.networks[network], item, values);
    const measure = (v) => Math.max(item.deviation, Math.abs(v - item.mean));
    return Math.max(...expected.map((v, k) => Math.abs(v - found.values[k]) / measure(v)));
  })));
}
"""


def make_network(
    panel: WindowedPanel, cell: str, segment: int, rng: np.random.Generator
) -> Network:
    """A stack of two members with a head that says something; with an embedding if there are several series."""
    embedding = 3 if len(panel.series_starts) > 1 else 0
    calendar = () if embedding else tuple(range(min(2, panel.columns.num_calendar)))
    shape = size_members(panel, cell, (4, 3), embedding, segment, calendar)
    weights = initialize_members(0, 2, shape)
    weights["head_kernel"] = rng.normal(size=weights["head_kernel"].shape, scale=0.5).astype(
        np.float32
    )
    none = np.zeros((0, panel.horizon), np.float32)
    return Network(weights, cell, segment, np.array(calendar, np.int64), 0.7, none)


def list_pages(
    prepare: Callable[..., SimpleNamespace], num_windows: int
) -> Iterator[dict[str, Any]]:
    """One series and several, each kind of normalisation, with and without negative values and segments."""
    rng = np.random.default_rng(0)
    for num_series, level in ((1, 20.0), (3, 20.0), (3, 0.0)):
        steps = np.arange(90)
        values = {
            f"s{number}": (level + 3 * np.sin(steps * 2 * np.pi / 7) + rng.normal(size=90)).tolist()
            for number in range(num_series)
        }
        prepared = prepare(values, window=WindowSpec(lookback=16, horizon=3))
        panel = prepared.windows
        linear = fit_linear_models(prepared.windows)
        for kind, segment in zip(KINDS, (1, 3, 5), strict=True):
            normalizer = replace(linear.normalizer, kind=kind)
            models = {
                cell: NetworkModel(
                    LinearModel(linear.combine()), make_network(panel, cell, segment, rng)
                )
                for cell in ("lstm", "gru", "mingru")
            }
            origins = panel.index("test").origins(np.arange(len(panel.index("test"))))
            page = describe_networks(
                panel, prepared.features, prepared.scaler, normalizer, models, origins
            )
            tries = []
            for number in range(num_windows):
                place = number % len(origins)
                own = origins[[place]]
                window = page["windows"][place]
                rows = find_history(panel, own)[0]
                changed = panel.values.copy()
                # Each window once as it is.
                changed[rng.choice(rows), 0] += rng.normal() if number >= len(origins) else 0
                other = replace(panel, values=changed)
                for network, model in enumerate(models.values()):
                    scaled = PanelModel(normalizer, model).forecast(other, own)[0].astype(float)
                    expected = (scaled * window["deviation"] + window["mean"]).tolist()
                    one = {
                        "window": place,
                        "network": network,
                        "values": changed[rows, 0],
                        "expected": expected,
                    }
                    tries.append(one)
            yield {"page": page, "tries": tries}


RUN_PRETRAINED = """
let C;
function run({ pages }) {
  C = pages[0].page.constants;
  return pages.flatMap(({ page, tries }) => tries.map(({ window, values, expected, network }) => {
    const item = page.windows[window], found = forecast(page, page.networks[network], item, values);
    const rows = [found.bounds[0], found.values, found.bounds[1]];
    const differences = expected.flatMap((row, k) => row.map((v, step) => Math.abs(v - rows[k][step])));
    return [differences, found.moves].map((row) => Math.max(...row.map(Math.abs)) / item.deviation);
  }));
}
"""


def list_pretrained_pages(
    prepare: Callable[..., SimpleNamespace], num_windows: int
) -> Iterator[dict[str, Any]]:
    """Series of days of each length, far above 0 and about 0."""
    rng = np.random.default_rng(0)
    season = 7
    for num_series, level, size, lookback in (
        (1, 20.0, 90, 16),
        (3, 0.0, 60, 9),
        (2, 50.0, 600, 90),
        (1, 3.0, 90, 5),
    ):
        steps = np.arange(size)
        values = {
            f"s{number}": (
                level + np.sin(steps * 2 * np.pi / season) + rng.normal(size=size) / 3
            ).tolist()
            for number in range(num_series)
        }
        prepared = prepare(values, window=WindowSpec(lookback=lookback, horizon=9))
        normalizer = fit_linear_models(prepared.windows).normalizer
        yield describe_pretrained_page(prepared, normalizer, num_windows, rng)


def describe_pretrained_page(
    prepared: SimpleNamespace, normalizer: Normalizer, num_windows: int, rng: np.random.Generator
) -> dict[str, Any]:
    """The page of both networks over the newest windows; each window as it is, and with a changed value."""
    panel = prepared.windows
    networks = [load_network(PretrainedSpec(network=cell)) for cell in ("gru", "lstm")]
    models = {f"pretrained {k}": PretrainedModel(network) for k, network in enumerate(networks)}
    origins = panel.index("test").origins(np.arange(len(panel.index("test"))))
    page = describe_networks(panel, prepared.features, prepared.scaler, normalizer, models, origins)
    tries = []
    for number in range(num_windows):
        place = number % len(origins)
        own = origins[[place]]
        window = page["windows"][place]
        rows = find_history(panel, own)[0]
        changed = panel.values.copy()
        changed[rng.choice(rows), 0] += rng.normal() if number % 2 else 0
        other = replace(panel, values=changed)
        past, zeros = gather_from_zero(
            other, own, find_past_length(panel.season_length, panel.horizon)
        )
        for place_of_network, network in enumerate(networks):
            quantiles = (
                network.forecast(past, panel.season_length, panel.horizon)[0, :, [1, MIDDLE, -2]]
                + zeros
            )
            expected = (
                normalizer.cut(other, own.repeat(3), quantiles) * window["deviation"]
                + window["mean"]
            )
            one = {"window": place, "network": place_of_network, "values": changed[rows, 0]}
            tries.append(one | {"expected": expected.tolist()})
    return {"page": page, "tries": tries}


@pytest.mark.chromium
def test_the_pretrained_network_forecasts_the_quantiles_of_python(
    prepare: Callable[..., SimpleNamespace], tmp_path: Path
) -> None:
    pages = list(list_pretrained_pages(prepare, NUM_PRETRAINED_WINDOWS))
    found = run_script(
        tmp_path, read_scripts(COMPUTATION) + RUN_PRETRAINED, encode_content({"pages": pages})
    )
    assert max(difference for difference, _ in found) < 1e-4


@pytest.mark.chromium
@pytest.mark.parametrize(
    ("steps_of_day", "num_days", "lookback", "horizon"),
    [(1, 3 * 365 + 150, 28, 60), (24, 95, 168, 160), (24, 980, 168, 240), (24, 980, 1600, 240)],
)
def test_the_long_memory_is_that_of_python(
    prepare: Callable[..., SimpleNamespace],
    tmp_path: Path,
    steps_of_day: int,
    num_days: int,
    lookback: int,
    horizon: int,
) -> None:
    """Days and hours with the course of a year and of a day, whose level comes back within days."""
    rng = np.random.default_rng(1)
    days = np.arange(num_days * steps_of_day) / steps_of_day
    level = np.repeat(rng.normal(size=num_days), steps_of_day)
    courses = 10 * np.sin(2 * np.pi * days / 365) + 3 * np.sin(2 * np.pi * days)
    values = 50 + courses + level + rng.normal(size=len(days))
    window = WindowSpec(lookback=lookback, horizon=horizon)
    split = SplitSpec(validation=horizon, test=horizon + 3)
    prepared = prepare(
        values.tolist(), window=window, split=split, freq="D" if steps_of_day == 1 else "h"
    )
    normalizer = Normalizer("series", prepared.windows.season_length, 0, np.zeros(0, np.int64))
    described = describe_pretrained_page(prepared, normalizer, 6, rng)
    found = run_script(
        tmp_path, read_scripts(COMPUTATION) + RUN_PRETRAINED, encode_content({"pages": [described]})
    )
    differences, moves = np.array(found).T
    assert differences.max() < 1e-4
    assert moves.min() > 0.01
    num_kept = [len(window["earlier"]) + lookback for window in described["page"]["windows"]]
    assert max(num_kept) <= max(MAX_VALUES, lookback)


def measure(folder: Path, prepare: Callable[..., SimpleNamespace], num_windows: int) -> list[float]:
    pages = list(list_pages(prepare, num_windows))
    differences: list[float] = run_script(
        folder, read_scripts(COMPUTATION) + RUN, encode_content({"pages": pages})
    )
    assert len(differences) == len(pages) == 9
    return differences


@pytest.mark.chromium
def test_forecasts_equal_those_of_python_also_with_a_changed_value(
    prepare: Callable[..., SimpleNamespace], tmp_path: Path
) -> None:
    assert max(measure(tmp_path, prepare, NUM_WINDOWS)) < TOLERANCE


@pytest.mark.slow
@pytest.mark.chromium
def test_forecasts_of_many_windows_equal_those_of_python(
    prepare: Callable[..., SimpleNamespace], tmp_path: Path
) -> None:
    assert max(measure(tmp_path, prepare, NUM_SLOW_WINDOWS)) < TOLERANCE


MEASURE = """
function run({ page, gates }) {
  const measure = (item) => page.networks.map((network) => differentiate(page, network, item, item.values));
  const gradients = page.windows.map(measure);
  return { gradients, carried: measureCarried(gates), halfLife: measureHalfLife(gates) };
}
"""


@pytest.mark.chromium
def test_memory_is_measured_as_in_python(
    prepare: Callable[..., SimpleNamespace], make_values: Callable[..., list[float]], tmp_path: Path
) -> None:
    prepared = prepare(make_values(60), window=WindowSpec(lookback=8, horizon=2))
    panel = prepared.windows
    linear = fit_linear_models(prepared.windows)
    rng = np.random.default_rng(0)
    models = {}
    for cell in ("lstm", "gru"):
        models[cell] = NetworkModel(
            LinearModel(linear.combine()), make_network(panel, cell, 1, rng)
        )
    origins = panel.index("test").origins(np.arange(3))
    gates = [0.9, 0.5, 0.8, 0.7]
    page = describe_networks(
        panel, prepared.features, prepared.scaler, linear.normalizer, models, origins
    )
    code = read_scripts(COMPUTATION) + MEASURE
    found = run_script(tmp_path, code, encode_content({"page": page, "gates": gates}))
    np.testing.assert_allclose(found["carried"], [0.28, 0.56, 0.7, 1])
    np.testing.assert_allclose(found["halfLife"], measure_half_lives(np.array(gates)[:, None])[0])
    for place, model in enumerate(models.values()):
        normalized = normalize_windows(panel, linear.normalizer, origins)
        inputs = read_windows(panel, normalized, origins, model.network.layout)
        _, cache = forward(model.network.cell, model.network.weights, *inputs)
        of_outputs = np.zeros((2, 3, 2), np.float32)
        of_outputs[:, :, 0] = 1 / 2
        slopes = find_input_gradients(model.network.weights, cache, of_outputs)[0].sum(axis=0)
        of_network = slopes[:, :, 0] - slopes[:, :, 0].mean(axis=0) + slopes[:, :, 1]
        for number, origin in enumerate(origins):
            expected = model.network.shrinkage * of_network[:, number] + model.start.matrix[:8, 0]
            for place_of_lag, lag in enumerate(
                np.concatenate(find_season_lags(linear.normalizer, panel, int(origin)) or [[]])
            ):
                if lag <= 8:
                    expected[8 - int(lag)] += model.start.matrix[8 + place_of_lag, 0]
            np.testing.assert_allclose(found["gradients"][number][place], expected, atol=1e-5)


@pytest.fixture(scope="module")
def forecaster(make_forecaster: Callable[..., Any], prepared: SimpleNamespace) -> Any:
    return make_forecaster(prepared, "lstm", "gru", level=(80,))


@pytest.fixture(scope="module")
def prepared(
    prepare: Callable[..., SimpleNamespace], make_values: Callable[..., list[float]]
) -> SimpleNamespace:
    return prepare(make_values(120), window=WindowSpec(lookback=12, horizon=3))


@pytest.fixture(scope="module")
def page(forecaster: Any, prepared: SimpleNamespace) -> str:
    return render_networks(explore_series({"ensemble": forecaster}, prepared.series, None, None))


@pytest.mark.chromium
def test_page_shows_the_forecast_of_python(page: str, tmp_path: Path) -> None:
    path = tmp_path / "gates.html"
    path.write_text(page)
    result, messages = open_page(path, "#check")
    assert result["difference"] < TOLERANCE
    assert messages == []


@pytest.mark.chromium
def test_page_is_small(page: str) -> None:
    assert len(page.encode()) < MAX_BYTES


@pytest.mark.chromium
def test_page_loads_nothing(page: str) -> None:
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


@pytest.fixture(
    scope="module",
    params=[
        "--window-size=1400,1000",
        "--window-size=390,900",
        "--blink-settings=preferredColorScheme=0",
    ],
)
def used(
    request: pytest.FixtureRequest, page: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, Any]]:
    """A switch of the browser, and what a reader sees who uses the page by keyboard."""
    path = tmp_path_factory.mktemp("used") / "gates.html"
    path.write_text(use_page(page))
    result, messages = open_page(path, "", request.param)
    assert messages == []
    return request.param, result


@pytest.mark.chromium
def test_changes_by_keyboard_change_the_forecast_at_any_width(
    used: tuple[str, dict[str, Any]],
) -> None:
    _, result = used
    assert result["forgotten"] != result["before"] == result["again"]
    assert len({result[name] for name in ("before", "forgotten", "moved", "muted")}) == 4
    assert result["at"]


@pytest.mark.chromium
def test_page_is_accessible_at_any_width(used: tuple[str, dict[str, Any]]) -> None:
    _, result = used
    assert (result["unnamed"], result["unreachable"]) == ([], 0)
    assert result["contrast"] >= 4.5


@pytest.mark.chromium
def test_page_keeps_its_width(used: tuple[str, dict[str, Any]]) -> None:
    switch, result = used
    if "1400" in switch:
        assert result["moved_by"] == 0
    if "390" in switch:
        assert result["width"] <= 390


def test_windows_are_those_of_one_series(forecaster: Any, prepared: SimpleNamespace) -> None:
    content = explore_series({"ensemble": forecaster}, prepared.series, None, "y")
    assert {window["series"] for window in content["windows"]} == {"y"}
    assert content["windows"][-1]["actuals"] == [None] * 3


def test_networks_of_an_ensemble_have_no_bounds(forecaster: Any, prepared: SimpleNamespace) -> None:
    """The interval of an ensemble is not that of its networks."""
    content = explore_series({"ensemble": forecaster}, prepared.series, None, "y")
    assert all(window["bounds"] == {} for window in content["windows"])


def test_network_alone_has_its_bounds(forecaster: Any, prepared: SimpleNamespace) -> None:
    alone = replace(
        forecaster,
        model=PanelModel(forecaster.model.normalizer, forecaster.model.model.models["gru"]),
    )
    low, high = explore_series({"gru": alone}, prepared.series, None, None)["windows"][-1][
        "bounds"
    ]["gru"]
    assert np.less(low, high).all()


def test_a_series_that_is_missing_is_refused(forecaster: Any, prepared: SimpleNamespace) -> None:
    with pytest.raises(ParameterError, match="series: expected one of"):
        explore_series({"ensemble": forecaster}, prepared.series, None, "other")


def test_a_forecaster_without_networks_is_refused(forecaster: Any) -> None:
    linear = forecaster.model.model.models["baseline_ensemble"]
    with pytest.raises(ParameterError, match="no trained network"):
        find_networks(
            {"ridge": replace(forecaster, model=PanelModel(forecaster.model.normalizer, linear))}
        )


@pytest.fixture(scope="module")
def pretrained_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a pretrained network that was saved and loaded."""
    folder = tmp_path_factory.mktemp("pretrained")
    steps = np.arange(300)
    values = 10 + np.sin(steps * 2 * np.pi / 7) + np.random.default_rng(0).normal(size=300) / 5
    table = pd.DataFrame({"ds": pd.date_range("2020-01-01", periods=300), "y": values})
    fitted = Forecaster(h=7, lookback=21, networks="pretrained", use="pretrained").fit(table)
    fitted.save(folder / "model")
    Forecaster.load(folder / "model").explorer(folder / "gates.html", table)
    return (folder / "gates.html").read_text()


@pytest.mark.slow
@pytest.mark.chromium
def test_page_of_the_pretrained_network_shows_the_forecast_of_python(
    pretrained_page: str, tmp_path: Path
) -> None:
    path = tmp_path / "gates.html"
    path.write_text(pretrained_page)
    result, messages = open_page(path, "#check")
    assert messages == []
    assert result["difference"] < 1e-4


@pytest.mark.slow
def test_page_of_the_pretrained_network_is_small(pretrained_page: str) -> None:
    assert len(pretrained_page.encode()) < MAX_BYTES


@pytest.fixture(scope="module", params=[1400, 390])
def pretrained_used(
    request: pytest.FixtureRequest,
    pretrained_page: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[int, dict[str, Any]]:
    """A width, and what a reader sees who uses the page of the pretrained network by keyboard."""
    path = tmp_path_factory.mktemp("used") / "gates.html"
    path.write_text(use_page(pretrained_page))
    result, messages = open_page(path, "", f"--window-size={request.param},1000")
    assert messages == []
    return request.param, result


@pytest.mark.slow
@pytest.mark.chromium
def test_changes_by_keyboard_change_the_forecast_of_the_pretrained_network(
    pretrained_used: tuple[int, dict[str, Any]],
) -> None:
    _, result = pretrained_used
    assert result["forgotten"] != result["before"] == result["again"]
    assert len({result[name] for name in ("before", "forgotten", "moved", "muted")}) == 4
    assert "to the value of the season before of" in result["before"]


@pytest.mark.slow
@pytest.mark.chromium
def test_page_of_the_pretrained_network_is_accessible_at_any_width(
    pretrained_used: tuple[int, dict[str, Any]],
) -> None:
    width, result = pretrained_used
    assert (result["unnamed"], result["unreachable"]) == ([], 0)
    assert result["contrast"] >= 4.5
    assert result["moved_by"] == 0 if width == 1400 else result["width"] <= 390


@pytest.mark.slow
@pytest.mark.chromium
def test_pages_with_covariates_before_saving_or_after_load_show_the_forecast_of_python(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    steps = np.arange(300)
    table = pd.DataFrame(
        {"ds": pd.date_range("2020-01-01", periods=314), "price": rng.normal(size=314).round(2)}
    )
    table["y"] = np.append(
        10 + np.sin(steps * 2 * np.pi / 7) + table["price"][:300] + rng.normal(size=300) / 5,
        [np.nan] * 14,
    )
    fitted = Forecaster(
        h=7, lookback=21, futr_exog=["price"], use="gru", training={"max_steps": 40}
    )
    fitted.fit(table)
    fitted.explorer(tmp_path / "fitted.html")
    fitted.save(tmp_path / "model")
    Forecaster.load(tmp_path / "model").explorer(tmp_path / "loaded.html", table)
    for name in ("fitted", "loaded"):
        result, messages = open_page(tmp_path / f"{name}.html", "#check")
        assert result["difference"] < TOLERANCE
        assert messages == []
