"""The pipeline forecasts each series beyond its end."""

import pandas as pd
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from {{ cookiecutter.python_package }}.pipelines.forecast import create_pipeline


def test_each_series_has_its_next_values() -> None:
    months = pd.date_range("2022-01-01", periods=36, freq="MS")
    table = pd.concat(
        pd.DataFrame({"shop": shop, "month": months, "sales": range(start, start + 36)})
        for shop, start in {"a": 10, "b": 50}.items()
    )
    parameters = {"time": "month", "target": "sales", "id": "shop", "h": 3, "networks": "pretrained"}
    catalog = DataCatalog(
        {
            "sales": MemoryDataset(table),
            "params:forecast": MemoryDataset(parameters),
            "next_values": MemoryDataset(),
            "leaderboard": MemoryDataset(),
        }
    )
    SequentialRunner().run(create_pipeline(), catalog)
    next_values = catalog.load("next_values")
    assert next_values["unique_id"].tolist() == ["a"] * 3 + ["b"] * 3
    assert next_values["ds"].min() > months.max()
