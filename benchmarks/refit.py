"""The ensemble as evaluated and as refitted on all rows, from the same fit, on the short real series of `short.py`.

    RNN_DATA=<folder of the real data> .venv/bin/python benchmarks/refit.py [--cases 50]

The test part and the validation part have one horizon each. Prints the MASE of both at each origin, and the ratio of
their geometric means with its standard error. `short.py` names the data.
"""

import argparse

import numpy as np
from competitions import PERIODS, draw_cases

from rnn_pipelines.errors import RnnPipelinesError
from rnn_pipelines.forecast.blocks import SplitBlock
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.method import PanelModel


def forecast_both(forecaster: Forecaster) -> list[np.ndarray]:
    """Return the next values of the evaluated ensemble and of the ensemble in use: float[horizon] each."""
    fitted = forecaster._fitted
    assert fitted is not None
    panel = fitted.panel.windows
    method = fitted.methods[ENSEMBLE]
    origins = panel.index("future").origins(np.arange(1))
    mean, deviation = fitted.panel.scaler[["mean", "deviation"]].to_numpy()[0]
    normalizer = fitted.data.linear.normalizer
    models = (method.model, method.in_use)
    return [
        PanelModel(normalizer, model).forecast(panel, origins)[0] * deviation + mean
        for model in models
    ]


def main() -> None:
    """Fit each case at both origins, and print the errors."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=50)
    ratios = []
    for case in draw_cases(parser.parse_args().cases):
        period = PERIODS[case.period]
        split = SplitBlock(test=period.horizon, validation=period.horizon)
        for origin in case.list_origins():
            try:
                forecaster = Forecaster(h=period.horizon, level=None, split=split).fit(
                    case.make_frame(origin)
                )
            except RnnPipelinesError as error:
                print(f"{case.name}, {origin} known: refused: {error}", flush=True)
                continue
            known = case.values[:origin]
            actual = case.values[origin : origin + period.horizon]
            length = period.season_length if origin > 2 * period.season_length else 1
            scale = np.mean(np.abs(known[length:] - known[:-length]))
            evaluated, in_use = (
                np.mean(np.abs(actual - one)) / scale for one in forecast_both(forecaster)
            )
            print(
                f"{case.name}, {origin} known: evaluated {evaluated:.3f}, refitted {in_use:.3f}",
                flush=True,
            )
            ratios.append(np.log(in_use / evaluated))
    deviation = np.std(ratios) / np.sqrt(len(ratios))
    print(
        f"{len(ratios)} fits: MASE refitted / evaluated {np.exp(np.mean(ratios)):.3f} ± {deviation:.3f}"
    )


if __name__ == "__main__":
    main()
