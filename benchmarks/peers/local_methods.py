"""AutoETS, AutoTheta and AutoARIMA of statsforecast with their defaults, for `benchmarks/short.py`.

Reads from standard input a list of `{key, values, season_length, horizon}`, and writes a line of JSON for each:
`{key, forecasts}`, with `mean`, `low` and `high` (80 %) of each method, or `failed`, the reason.
"""

import json
import sys
import warnings
from typing import Any

import numpy as np
from statsforecast.models import AutoARIMA, AutoETS, AutoTheta

METHODS = {"AutoETS": AutoETS, "AutoTheta": AutoTheta, "AutoARIMA": AutoARIMA}


def forecast(name: str, task: dict[str, Any]) -> dict[str, Any]:
    """Return the forecasts of a method and their bounds."""
    model = METHODS[name](season_length=task["season_length"])
    values = np.array(task["values"], np.float64)
    try:
        found = model.forecast(y=values, h=task["horizon"], level=[80])
    except Exception as error:  # a method that fails is a result, not the end of the benchmark
        return {"failed": f"{type(error).__name__}: {error}"}
    columns = {"mean": "mean", "low": "lo-80", "high": "hi-80"}
    return {
        ours: np.asarray(found[theirs], np.float64).tolist() for ours, theirs in columns.items()
    }


# ARIMA warns of orders that it tries.
warnings.filterwarnings("ignore")
for one in json.load(sys.stdin):
    forecasts = {name: forecast(name, one) for name in METHODS}
    print(json.dumps({"key": one["key"], "forecasts": forecasts}), flush=True)
