"""The environment `postgres` is the project, with some entries on a server and nothing else changed."""

from pathlib import Path
from typing import Any

import pytest
import yaml


def read_catalog(project: Path, env: str) -> dict[str, Any]:
    """The entries of one environment, as they are written."""
    files = sorted((project / "conf" / env).glob("catalog_*.yml"))
    return {
        name: entry for file in files for name, entry in yaml.safe_load(file.read_text()).items()
    }


@pytest.fixture(scope="module")
def own(project: Path) -> dict[str, Any]:
    return read_catalog(project, "postgres")


@pytest.fixture(scope="module")
def base(project: Path) -> dict[str, Any]:
    return read_catalog(project, "base")


def test_every_entry_takes_the_place_of_another_in_its_layer(
    own: dict[str, Any], base: dict[str, Any]
) -> None:
    layers = {name: entry.get("metadata") for name, entry in own.items()}
    assert layers == {name: base[name].get("metadata") for name in own}


def test_tables_of_forecasts_are_on_the_server(own: dict[str, Any]) -> None:
    assert sorted(own) == [
        "forecast_all_next_values",
        "forecast_external",
        "monitor_forecast_evaluated",
        "monitor_forecast_found_forecasts",
        "monitor_forecast_found_totals",
        "predict_forecast_all_next_values",
        "predict_forecast_forecasts",
        "predict_forecast_found_forecasts",
        "predict_forecast_newest",
        "predict_forecast_next_totals",
        "predict_forecast_next_totals_csv",
        "predict_forecast_totals",
    ]


def test_files_lie_in_a_root_of_their_own(project: Path) -> None:
    assert yaml.safe_load((project / "conf/postgres/globals.yml").read_text()) == {
        "data_root": "data/postgres"
    }


def test_no_secret_is_written_down(project: Path) -> None:
    credentials = yaml.safe_load((project / "conf/postgres/credentials.yml").read_text())
    assert credentials == {"postgres": {"con": "${oc.env:RNN_POSTGRES_URL,null}"}}


def test_base_needs_no_server(base: dict[str, Any]) -> None:
    assert [name for name, entry in base.items() if "Postgres" in str(entry)] == []
