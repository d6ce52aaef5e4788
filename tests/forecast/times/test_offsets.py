"""The parameter `source.closed_days`."""

import datetime

import pandas as pd
import pytest

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.times.offsets import check_closed_days


@pytest.mark.parametrize(
    ("given", "closed"),
    [
        (None, []),
        ("DE-BY", ["DE-BY"]),
        ("US+sun+2026-12-24", ["US", "SUN", "20261224"]),
        (20261224, ["20261224"]),
        ([datetime.date(2026, 12, 24), "Sunday", "NYSE", "NYSE"], ["20261224", "SUN", "NYSE"]),
        (pd.DatetimeIndex(["2026-12-24", "2026-12-25"]), ["20261224", "20261225"]),
    ],
)
def test_days_are_written_as_in_a_frequency(given: object, closed: list[str]) -> None:
    assert check_closed_days(given) == closed


@pytest.mark.parametrize("given", ["XX", "2026-13-01", False, ["DE", ""], "SUNNY"])
def test_other_days_are_refused(given: object) -> None:
    with pytest.raises(ParameterError, match=r"source\.closed_days"):
        Forecaster(source={"closed_days": given})


def test_closed_days_are_not_forecast(tmp_path: object) -> None:
    """Neither by a saved forecaster, from newer values and without its parameters."""
    days = pd.bdate_range("2024-01-01", "2025-12-23")
    closed = pd.DatetimeIndex(["2024-12-25", "2024-12-26", "2025-12-25", "2026-01-01"])
    table = pd.DataFrame({"ds": days[~days.isin(closed)]}).assign(
        y=lambda table: 50.0 + table.index % 5
    )
    forecaster = Forecaster(
        h=6, source={"closed_days": list(closed)}, training={"max_steps": 1}
    ).fit(table)
    forecaster.save(str(tmp_path))
    expected = pd.to_datetime(
        ["2025-12-24", "2025-12-26", "2025-12-29", "2025-12-30", "2025-12-31", "2026-01-02"]
    )
    for one in (forecaster.predict(), Forecaster.load(str(tmp_path)).predict(table)):
        assert one["ds"].tolist() == list(expected)
