"""neuralforecast's GRU or LSTM with its defaults, judged every 25 of its steps on the same windows as all others.

It ends after 10 looks without a better loss of its own, which is not its default: 1,000 steps whatever happens.
"""

import copy
import logging
import sys
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
from neuralforecast import NeuralForecast
from neuralforecast.models import GRU, LSTM
from pytorch_lightning import Callback, LightningModule, Trainer
from task import Task, give_back, read_arguments

IMPORT_SECONDS = time.process_time()
CHECK_STEPS = 25
PATIENCE = 10


class Watch(Callback):
    """Keeps the weights at each of the library's own validations; the time that this takes is not counted."""

    def __init__(self) -> None:
        self.looks: list[tuple[float, dict[str, Any]]] = []
        self.own_seconds = 0.0

    def __deepcopy__(self, memo: dict[int, Any]) -> "Watch":
        """The same, because the library trains a copy of the model that it is given."""
        return self

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Called by Lightning after each validation; the check of its sanity at the start is none."""
        now = time.process_time()
        if not trainer.sanity_checking:
            self.looks.append((now - self.own_seconds, copy.deepcopy(pl_module.state_dict())))
        self.own_seconds += time.process_time() - now


def list_origins(task: Task, table: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Each validation window as a series of its own that ends at its origin, and all targets."""
    values, origins = task.cut(table)
    pieces: list[pd.DataFrame] = []
    targets: list[np.ndarray] = []
    for y, of_series in zip(values, origins, strict=True):
        for origin in of_series:
            history = y[max(0, origin - task.lookback) : origin]
            days = pd.date_range("2000-01-01", periods=len(history), freq=task.freq)
            pieces.append(
                pd.DataFrame({"unique_id": f"{len(pieces):05d}", "ds": days, "y": history})
            )
            targets.append(y[origin : origin + task.horizon])
    return pd.concat(pieces, ignore_index=True), np.stack(targets)


def main() -> None:
    """Trains once and gives the curve back."""
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    task, path, seed = read_arguments()
    table = pd.read_csv(path, parse_dates=["ds"])
    past = table[table.groupby("unique_id").cumcount(ascending=False) >= task.test]
    watch = Watch()
    model = {"gru": GRU, "lstm": LSTM}[sys.argv[3]](
        h=task.horizon,
        input_size=task.lookback,
        val_check_steps=CHECK_STEPS,
        early_stop_patience_steps=PATIENCE,
        random_seed=seed + 1,
        # Without it series that are shorter than a window are refused.
        start_padding_enabled=True,
        callbacks=[watch],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        logger=False,
        accelerator="cpu",
    )
    forecaster = NeuralForecast(models=[model], freq=task.freq)
    forecaster.fit(past, val_size=task.validation)
    whole_seconds = time.process_time() - watch.own_seconds
    windows, targets = list_origins(task, table)
    curve = []
    best = np.inf
    for seconds, weights in watch.looks:
        forecaster.models[0].load_state_dict(weights)
        forecasts = (
            forecaster.predict(df=windows)
            .sort_values(["unique_id", "ds"])[type(model).__name__]
            .to_numpy()
        )
        best = min(best, task.measure(targets, forecasts.reshape(targets.shape)))
        curve.append((seconds, best))
    give_back(
        IMPORT_SECONDS,
        curve,
        whole_seconds=whole_seconds,
        num_windows=len(targets),
        num_steps=CHECK_STEPS * len(curve),
    )


if __name__ == "__main__":
    main()
