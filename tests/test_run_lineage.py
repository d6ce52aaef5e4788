"""Whole runs that send OpenLineage events to a file: one that ends well, and one that fails."""

from pathlib import Path

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


def test_forecast_has_a_valid_start_and_complete(conf: Path, tmp_path: Path) -> None:
    run_here("forecast", {}, conf)
    start, complete = read_events(tmp_path / "events.jsonl")
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    outputs = {Path(found["name"]).name: found for found in complete["outputs"]}
    # The shown path, which stays, and not that of the run's folder.
    assert outputs["next_values.csv"]["name"] == str(
        tmp_path / "data/07_model_output/forecast/next_values.csv"
    )
    rows = Path(outputs["next_values.csv"]["name"]).read_text().splitlines()
    assert (
        outputs["next_values.csv"]["outputFacets"]["outputStatistics"]["rowCount"] == len(rows) - 1
    )
    table = outputs["next_values.parquet"]["facets"]["schema"]["fields"]
    assert {"unique_id", "ds", "ensemble"} <= {field["name"] for field in table}
    source = next(found for found in complete["inputs"] if found["name"] == "forecast_table")
    assert source["inputFacets"]["inputStatistics"]["rowCount"] == 1000


def test_failed_forecast_names_its_error_and_its_file(conf: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("ds,y\n2024-01-01,1\n2024-01-02,x1\n")
    source = {"path": str(tmp_path / "odd.csv"), "time": "ds", "target": "y"}
    with pytest.raises(SeriesError):
        run_here("forecast", {"forecast": {"source": source}}, conf)
    start, failed = read_events(tmp_path / "events.jsonl")
    assert (start["eventType"], failed["eventType"]) == ("START", "FAIL")
    assert "odd.csv" in failed["run"]["facets"]["errorMessage"]["message"]
