"""A whole cross-validation under `--env=test`: its forecasts are those of Python."""

import pandas as pd
import pytest
import yaml

from rnn_pipelines import Forecaster
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.report.notes import NOTE_TITLE
from whole_runs import PROJECT, ROOT, read_json, run_well

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def crossed() -> pd.DataFrame:
    run_well("cross_validate_forecast")
    return pd.read_parquet(ROOT / "07_model_output/cross_validate_forecast/predictions.parquet")


def test_python_gives_the_forecasts_of_the_pipeline(crossed: pd.DataFrame) -> None:
    blocks = yaml.safe_load((PROJECT / "conf/test/parameters_forecast.yml").read_text())["forecast"]
    table = read_source(SourceSpec(name=blocks.pop("source")["name"]))
    # The window that the pipeline chose: a frame has no name that comes along with one.
    found = Forecaster(h=7, lookback=30, **blocks).cross_validation(
        table[["unique_id", "ds", "y"]], n_windows=3
    )
    pd.testing.assert_frame_equal(crossed[list(found)], found, rtol=1e-6, check_dtype=False)


@pytest.mark.usefixtures("crossed")
def test_the_report_of_a_cross_validation_is_whole() -> None:
    page = (ROOT / "08_reporting/cross_validate_forecast/report.html").read_text()
    assert NOTE_TITLE not in page
    assert "Cross-validation of forecasts" in page
    assert 'src="http' not in page


def test_metrics_are_those_of_the_forecasts(crossed: pd.DataFrame) -> None:
    metrics = read_json("08_reporting/cross_validate_forecast/metrics.json")
    for name, block in metrics["forecasters"].items():
        assert block["mse"] == pytest.approx(((crossed["y"] - crossed[name]) ** 2).mean())
