"""Gradients of a pretrained network's forecast with respect to the values that it reads.

A forecast is f = unit · m + zero. The median m, in units, is computed from the scaled values s = (y − zero) / unit, the
changes c and the seasonal changes d. Unit and zero are means of values. With G the gradients of m:

    df/dy = G_s + Δᵀ G_c + Δₛᵀ G_d + (1 − Σ G_s) dzero/dy + (m − Σ G_s s − Σ G_c c − Σ G_d d) dunit/dy

The forecast of a·y + b is a·f + b. So the gradients, times the distances of the values from any level, sum to the
distance of the forecast from this level.
"""

from typing import Any

import numpy as np

from rnn_pipelines.cells.gradients import backpropagate
from rnn_pipelines.cells.unroll import Trace, unroll
from rnn_pipelines.forecast.pretrained.network import (
    MIDDLE,
    PretrainedNetwork,
    compute_quantiles,
    find_spread,
)
from rnn_pipelines.forecast.pretrained.reading import (
    LARGEST,
    LEAST_PART,
    MAX_SEASONS,
    NUM_NEWEST,
    find_lag_places,
    read_past,
    subtract_lag,
)
from rnn_pipelines.forecast.times.frequency import LONG_SEASONS

# As in the inputs: added to sizes before their logarithm.
OFFSET, TINY = 1e-3, 1e-300


def differentiate_forecast(
    network: PretrainedNetwork,
    past: np.ndarray,
    season_length: int,
    horizon: int,
    is_log: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the medians of windows without NaN, their gradients, and the zeros of the windows.

    They are float64[window, horizon], float64[window, time, horizon], and float64[window].
    """
    read = read_past(past, season_length, horizon, is_log)
    # In float64, because gradients that vanish over many steps become denormal numbers, which are slow.
    cell = type(network.cell)(*(array.astype(np.float64) for array in network.cell.to_list()))
    trace: Trace[Any, Any] = unroll(cell, read.sequence)
    outputs, *of_layers = network.compute_head(read, trace.states.hidden[:, -1])
    spread = find_spread(horizon, season_length)
    median = compute_quantiles(outputs, read.base, spread)[:, :, MIDDLE].astype(np.float64)
    of_sums = spread[:, None] * differentiate_head(network, *of_layers)
    of_states = np.zeros((len(past) * horizon, *trace.states.hidden.shape[1:]))
    of_states[:, -1] = (of_sums @ network.head["state_kernel"].T).reshape(len(of_states), -1)
    parts = (trace.states, trace.gates)
    repeated = Trace(*(type(part)(*(np.repeat(one, horizon, 0) for one in part)) for part in parts))
    of_sequence = backpropagate(
        cell, np.repeat(read.sequence, horizon, 0), repeated, of_states
    ).inputs
    of_inputs = (
        of_sequence.reshape(*median.shape, *of_sequence.shape[1:]).transpose(0, 2, 3, 1),
        *(
            (of_sums @ network.head[name].T).transpose(0, 2, 1)
            for name in ("static_kernel", "ahead_kernel")
        ),
    )
    slopes = [
        _differentiate_reading(values, season_length, (unit, zero), of_median, *own)
        for values, unit, zero, of_median, *own in zip(
            past, read.unit, read.zero, median, *of_inputs, strict=True
        )
    ]
    return median * read.unit[:, None] + read.zero[:, None], np.stack(slopes), read.zero


def differentiate_head(
    network: PretrainedNetwork, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Return the gradients of o₀ with respect to the sums in a: float[window, horizon, unit]; see `compute_head`."""
    of_second = network.head["output_kernel"][:, 0]
    gradients: np.ndarray = (
        ((second > 0) * of_second) @ network.head["second_kernel"].T + of_second
    ) * (first > 0)
    return gradients


def _differentiate_reading(
    past: np.ndarray,
    season: int,
    unit_and_zero: tuple[float, float],
    median: np.ndarray,
    *of_inputs: np.ndarray,
) -> np.ndarray:
    """Return the gradients of the forecast of one window, float64[time, horizon], with its season's length.

    The gradients of the correction are float64[step, input, horizon], and float64[input, horizon] twice.
    """
    (unit, zero), (of_sequence, of_static, of_ahead) = unit_and_zero, of_inputs
    changes = [np.nan_to_num(subtract_lag(past[None], lag)[0]) for lag in (1, season)]
    scaled = [(part / unit).clip(-LARGEST, LARGEST) for part in (past - zero, *changes)]
    slopes = [np.zeros((len(past), len(median))) for _ in scaled]
    for number, (part, slope) in enumerate(zip(scaled, slopes, strict=True)):
        slope[-len(of_sequence) :] += (
            of_sequence[:, number] * _slope(part[-len(of_sequence) :])[:, None]
        )
    _add_static(scaled, slopes, season, of_static)
    _add_ahead(scaled[0], slopes[0], season, of_ahead)
    for part, slope, lag in zip(scaled, slopes, (0, 1, season), strict=True):
        slope[np.abs(part) >= LARGEST] = slope[:lag] = 0
    of_zero = 1 - slopes[0].sum(axis=0)
    of_unit = median - sum(part @ slope for part, slope in zip(scaled, slopes, strict=True))
    # The change from step to step, or the seasonal one; see `reading`.
    sizes = [
        np.abs(change).sum() / max(len(past) - lag, 1)
        for change, lag in zip(changes, (1, season), strict=True)
    ]
    kind, lag = (1, season) if sizes[1] > LEAST_PART * sizes[0] else (0, 1)
    slopes[1 + kind] += np.sign(changes[kind])[:, None] / max(len(past) - lag, 1) * of_unit
    newest = past[-(season if season > 1 else NUM_NEWEST) :]
    slopes[0][-len(newest) :] += of_zero / len(newest)
    for slope, lag in zip(slopes[1:], (1, season), strict=True):
        slopes[0] += slope
        slopes[0][:-lag] -= slope[lag:]
    return slopes[0]


def _slope(values: np.ndarray) -> np.ndarray:
    """Return the derivative of arcsinh."""
    return 1 / np.sqrt(1 + values**2)


def _add_static(
    scaled: list[np.ndarray], slopes: list[np.ndarray], season: int, of_static: np.ndarray
) -> None:
    """Add the gradients through the static inputs, in the order of `read_past`: spread, largest, changes."""
    values, changes, seasonal = scaled
    spread = values.std()
    place = np.abs(values).argmax()
    size = len(values)
    slopes[0] += np.outer(
        (values - values.mean()) / (size * max(spread, TINY) * (spread + OFFSET)), of_static[6]
    )
    slopes[0][place] += np.sign(values[place]) / (np.abs(values[place]) + OFFSET) * of_static[7]
    if size > 1:
        mean_size = np.abs(changes[1:]).mean()
        mean = changes[1:].mean()
        slopes[1] += np.outer(np.sign(changes) / (size - 1) / (mean_size + OFFSET), of_static[8])
        slopes[1][1:] += _slope(mean) / (size - 1) * of_static[9]
    newest = slice(max(season, size - season), None)
    if size > season:
        slopes[2][newest] += _slope(seasonal[newest].mean()) / len(seasonal[newest]) * of_static[10]


def _add_ahead(values: np.ndarray, slopes: np.ndarray, season: int, of_ahead: np.ndarray) -> None:
    """Add the gradients through the base, and through the inputs of each step ahead, in the order of `read_past`."""
    size = len(values)
    horizon = of_ahead.shape[1]
    steps = np.arange(horizon)
    last = np.full(horizon, size - 1)
    long = LONG_SEASONS.get(season, 0)
    none = np.full(horizon, -1)
    lags = [
        find_lag_places(size, season, back, horizon) if season > 1 else none
        for back in range(1, MAX_SEASONS + 1)
    ]
    around = [
        find_lag_places(size, season, 1, horizon, shift) if season > 1 else none
        for shift in (-1, 1)
    ]
    base = np.where(lags[0] < 0, last, lags[0])
    # The input's number and the places whose mean it is; the mean of all lags is that of those that exist.
    of_long = find_lag_places(size, long, 1, horizon) if long else none
    terms = [(1, [last]), (2, lags[1:2]), (4, lags[2:3]), (6, [of_long]), (8, lags), (9, around)]
    np.add.at(slopes, (base, steps), 1 + of_ahead[0] * _slope(values[base]))
    for number, own in terms:
        is_there = np.stack(own) >= 0
        places = np.maximum(own, 0)
        is_known = is_there.any(axis=0) if number == 8 else is_there.all(axis=0)
        weights = is_there * is_known / np.maximum(is_there.sum(axis=0), 1)
        difference = (weights * values[places]).sum(axis=0) - values[base]
        of_difference = of_ahead[number] * _slope(difference) * is_known
        np.add.at(slopes, (places, steps), weights * of_difference)
        np.add.at(slopes, (base, steps), -of_difference)
