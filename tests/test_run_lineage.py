"""Whole runs that send OpenLineage events to a file: one that ends well, and one that fails."""

from pathlib import Path
from typing import Any

import pytest

from openlineage_schema import read_events
from rnn_pipelines.errors import SeriesError
from whole_runs import copy_configuration, run_here

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A configuration that turns OpenLineage on, as the how-to page does."""
    conf = copy_configuration(tmp_path)
    settings = f"is_on: true\ntransport: {{log_file_path: {tmp_path / 'events.jsonl'}}}\n"
    (conf / "test/openlineage.yml").write_text(settings)
    return conf


def read_outputs(event: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {Path(dataset["name"]).name: dataset for dataset in event["outputs"]}


@pytest.fixture
def events(conf: Path, tmp_path: Path) -> list[dict[str, Any]]:
    """The valid events of a forecast."""
    run_here("forecast", {}, conf)
    return read_events(tmp_path / "events.jsonl")


def test_forecast_starts_before_it_completes(events: list[dict[str, Any]], tmp_path: Path) -> None:
    assert [event["eventType"] for event in events] == ["START", "COMPLETE"]
    # The shown path, which stays, and not that of the run's folder.
    path = str(tmp_path / "data/07_model_output/forecast/next_values.csv")
    outputs = read_outputs(events[1])
    assert outputs["next_values.csv"]["name"] == path
    num_rows = len(Path(path).read_text().splitlines()) - 1
    statistics = outputs["next_values.csv"]["outputFacets"]["outputStatistics"]
    assert statistics["rowCount"] == num_rows


def test_forecast_names_the_columns_of_its_tables(events: list[dict[str, Any]]) -> None:
    table = read_outputs(events[1])["next_values.parquet"]["facets"]["schema"]["fields"]
    assert {"unique_id", "ds", "ensemble"} <= {field["name"] for field in table}
    source = next(data for data in events[1]["inputs"] if data["name"] == "forecast_table")
    assert source["inputFacets"]["inputStatistics"]["rowCount"] == 1000


def test_failed_forecast_names_the_file_of_its_error(conf: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("ds,y\n2024-01-01,1\n2024-01-02,x1\n")
    source = {"path": str(tmp_path / "odd.csv"), "time": "ds", "target": "y"}
    with pytest.raises(SeriesError):
        run_here("forecast", {"forecast": {"source": source}}, conf)
    start, failed = read_events(tmp_path / "events.jsonl")
    assert (start["eventType"], failed["eventType"]) == ("START", "FAIL")
    assert "odd.csv" in failed["run"]["facets"]["errorMessage"]["message"]
