"""The project's GRU on a task: what is linear, then the network on it, both on the training part alone.

The validation part, which a forecaster in use learns from too, is hidden here, so that all contenders are judged by
windows that they have not seen. It doesn't choose anything either: the network is judged by its own folds.
"""

import time
from dataclasses import replace
from typing import Any

import numpy as np
from task import Task, give_back, read_arguments

from fitted import forecast_origins
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.training import training
from rnn_pipelines.forecast.methods.training.member_steps import MemberSteps
from rnn_pipelines.forecast.methods.training.specs import (
    ForecastTrainingSpec,
    NetworkSpec,
    TrainingPlan,
)
from rnn_pipelines.forecast.recipe import Panel, Recipe, prepare_panel
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec, number_series
from rnn_pipelines.forecast.windows.scaling import unscale
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.networks.threads import use_one_thread

IMPORT_SECONDS = time.process_time()


class WatchedTraining(training._Training):
    """Notes at each look the processor time, and what would be kept if training ended there; that costs nothing."""

    def __init__(self, *arguments: Any) -> None:
        self.looks: list[tuple[float, Any, int]] = []
        super().__init__(*arguments)

    def _record(self, loss: float, val_loss: float) -> None:
        super()._record(loss, val_loss)
        self.looks.append((time.process_time(), self.progress.best, self.progress.best_step))

    def replay(self) -> list[tuple[float, Any]]:
        """The network of each look, in use as if training had ended there."""
        found = []
        last = None
        if self.deployed.start:
            self.members = MemberSteps(self.setup, self.deployed)
        for seconds, weights, step in self.looks:
            if last is None or step != last[0]:
                self.progress.best, self.progress.best_step = weights, step
                while self.deployed.start and self.members.num_steps < step:
                    self.members.step()
                last = step, self._finish().network
            found.append((seconds, last[1]))
        return found


def judge(task: Task, panel: Panel, linear: LinearModels, network: Any) -> float:
    """The error of a network on the validation windows."""
    windows = panel.windows
    index = windows.index("validation")
    origins = index.origins(np.arange(len(index)))
    series = number_series(windows.series_starts, origins)
    mean, deviation = (
        panel.scaler[name].to_numpy()[series][:, None] for name in ("mean", "deviation")
    )
    targets = windows.values[origins[:, None] + np.arange(windows.horizon), 0]
    forecasts = forecast_origins(network, linear, windows, origins)
    return task.measure(unscale(targets, mean, deviation), unscale(forecasts, mean, deviation))


def main() -> None:
    """Trains once and gives the curve back."""
    task, path, seed = read_arguments()
    recipe = Recipe(
        source=SourceSpec(path=str(path), id="unique_id"),
        split=SplitSpec(validation=task.validation, test=task.test),
        window=WindowSpec(lookback=task.lookback, horizon=task.horizon),
    )
    panel = prepare_panel(read_source(recipe.source), recipe)
    past = replace(panel.windows, validation=panel.windows.validation[:0])
    linear = fit_linear_models(past)
    base_seconds = time.process_time()
    network = NetworkSpec(cell="gru")
    spec = ForecastTrainingSpec(seed=seed)
    # As `train_network` does, but watched.
    with use_one_thread():
        watched = WatchedTraining(FittingData(past, linear), network, spec, TrainingPlan())
        watched.run()
        whole_seconds = time.process_time()
        curve = [
            (seconds, judge(task, panel, linear, found)) for seconds, found in watched.replay()
        ]
    give_back(
        IMPORT_SECONDS,
        curve,
        base_seconds=base_seconds,
        whole_seconds=whole_seconds,
        num_windows=len(panel.windows.index("validation")),
        num_steps=watched.num_steps,
    )


if __name__ == "__main__":
    main()
