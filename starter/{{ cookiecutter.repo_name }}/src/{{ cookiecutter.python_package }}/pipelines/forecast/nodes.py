"""The nodes of the forecasts."""

from typing import Any

import pandas as pd
from rnn_pipelines import Forecaster


def forecast(table: pd.DataFrame, parameters: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the next values of each series with their intervals, and the errors of each method."""
    forecaster = Forecaster(**parameters).fit(table)
    return forecaster.predict(), forecaster.leaderboard()
