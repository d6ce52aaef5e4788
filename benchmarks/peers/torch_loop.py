"""A plain PyTorch loop, as it is usually written: a GRU on standardised windows, Adam, a look after each epoch."""

import copy
import time

import numpy as np
import pandas as pd
import torch
from task import Task, give_back, read_arguments
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

IMPORT_SECONDS = time.process_time()
MAX_EPOCHS = 500
# Epochs without a better error after which it ends: many where they are short.
PATIENCE_OF_ONE, PATIENCE_OF_MANY = 50, 5
# Processor time after which it ends whatever happens.
MAX_SECONDS = 200.0


class Gru(nn.Module):
    """One layer, and a linear head on its last state.

    Args:
        units: of the layer.
        horizon: steps of each forecast.
    """

    def __init__(self, units: int, horizon: int) -> None:
        super().__init__()
        self.layer = nn.GRU(1, units, batch_first=True)
        self.head = nn.Linear(units, horizon)

    def forward(self, history: torch.Tensor) -> torch.Tensor:
        """float32[batch, horizon] from float32[batch, time]."""
        return self.head(self.layer(history[:, :, None])[0][:, -1])


def make_windows(
    values: list[np.ndarray], origins: list[np.ndarray], task: Task
) -> tuple[torch.Tensor, torch.Tensor]:
    """History and targets of all windows; what lies before a series' beginning is its first value."""
    history = []
    targets = []
    for y, of_series in zip(values, origins, strict=True):
        padded = np.concatenate([np.full(task.lookback, y[0]), y]).astype(np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(padded, task.lookback + task.horizon)[
            of_series
        ]
        history.append(windows[:, : task.lookback])
        targets.append(windows[:, task.lookback :])
    return torch.tensor(np.concatenate(history)), torch.tensor(np.concatenate(targets))


def main() -> None:
    """Trains once and gives the curve back."""
    task, path, seed = read_arguments()
    torch.manual_seed(seed)
    values, judged = task.cut(pd.read_csv(path))
    is_single = len(values) == 1
    stops = [len(y) - task.validation for y in values]
    means = [y[:stop].mean() for y, stop in zip(values, stops, strict=True)]
    deviations = [y[:stop].std() for y, stop in zip(values, stops, strict=True)]
    scaled = [
        (y - mean) / deviation for y, mean, deviation in zip(values, means, deviations, strict=True)
    ]
    # A panel's shortest series would have no window without padding.
    begin = task.lookback if is_single else task.horizon
    train = [np.arange(begin, stop - task.horizon + 1) for stop in stops]
    batch_size, units, patience = (
        (64, 16, PATIENCE_OF_ONE) if is_single else (256, 64, PATIENCE_OF_MANY)
    )
    batches = DataLoader(
        TensorDataset(*make_windows(scaled, train, task)), batch_size, shuffle=True
    )
    history, targets = make_windows(scaled, judged, task)
    unit, level = (np.repeat(of, [len(o) for o in judged])[:, None] for of in (deviations, means))
    actual = targets.numpy() * unit + level
    model = Gru(units, task.horizon)
    optimizer = torch.optim.Adam(model.parameters())
    measure = nn.L1Loss() if task.is_absolute else nn.MSELoss()
    curve = []
    best = np.inf
    best_epoch = 0
    kept = None
    for epoch in range(MAX_EPOCHS):
        model.train()
        for some_history, some_targets in batches:
            optimizer.zero_grad()
            measure(model(some_history), some_targets).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            error = task.measure(actual, model(history).numpy() * unit + level)
        if error < best:
            best = error
            best_epoch = epoch
            kept = copy.deepcopy(model.state_dict())
        curve.append((time.process_time(), best))
        if epoch - best_epoch >= patience or time.process_time() > MAX_SECONDS:
            break
    assert kept is not None
    give_back(
        IMPORT_SECONDS,
        curve,
        whole_seconds=time.process_time(),
        num_windows=len(actual),
        num_steps=len(curve) * len(batches),
    )


if __name__ == "__main__":
    main()
