"""Sample paths: forecasts plus whole vectors of past errors, for sums and extremes over steps."""

import numpy as np

from rnn_pipelines.forecast.intervals.fitting import Intervals, Windows
from rnn_pipelines.forecast.intervals.quantiles import link_steps
from rnn_pipelines.forecast.intervals.sparse_bounds import draw_sparse, round_randomly


def draw_paths(
    intervals: Intervals, name: str, windows: Windows, forecasts: np.ndarray, num_paths: int, seed: int = 0
) -> np.ndarray:
    """Return paths that keep the dependence between steps: float64[window, path, step], in the unit of the series.

    Beyond the horizon, errors grow as the bounds do. Paths of sparse series agree with `bound_sparse`. The paths of
    different windows are independent.

    Args:
        intervals: include the forecaster `name`.
        forecasts: float[window, step], scaled.
        seed: of the choice among past errors.
    """
    random, place = np.random.default_rng(seed), intervals.find(name)
    num_windows, num_steps = forecasts.shape
    size = intervals.get_sizes(name).expect(windows.facts, forecasts)
    samples, growth = intervals.samples[place], float(intervals.growth[place])
    errors = _draw_errors(samples, growth, (num_windows, num_paths, num_steps), random)
    reach = windows.reach[:, :, None]
    scaled = forecasts[:, None] + np.clip(size[:, None] * errors, -reach, reach)
    paths: np.ndarray = scaled * windows.deviation[:, :, None] + windows.mean[:, :, None]
    drawn_size = (num_paths, num_steps)
    own, drawn = draw_sparse(intervals.shape, windows.panel, windows.origins, drawn_size, random, intervals.min_share)
    own, drawn = own[windows.is_cut[own]], drawn[windows.is_cut[own]]
    paths[own] = drawn * windows.deviation[own, :, None]
    is_whole = own[windows.is_whole[own]]
    paths[is_whole] = round_randomly(paths[is_whole], random)
    return np.where(windows.is_cut[:, None, None], np.maximum(paths, 0.0), paths)


def _draw_errors(
    samples: np.ndarray, growth: float, shape: tuple[int, int, int], random: np.random.Generator
) -> np.ndarray:
    """Return errors over their expected size: float64[window, path, step].

    Beyond the horizon, another vector of errors follows, which is linked with the last error of the one before.

    Args:
        samples: float32[sample, horizon].
    Source: vectors of past errors are drawn whole, as in the bootstrap of Efron (1979), doi:10.1214/aos/1176344552. The
        link of one vector with the next is ours.
    """
    horizon = samples.shape[1]
    deviation = np.sqrt((samples.astype(np.float64) ** 2).mean(axis=0)) + np.finfo(np.float64).tiny
    unit = samples / deviation
    # The correlation with the last step at lags of 1 to the horizon, which the samples have up to the one before.
    found_links = np.append((unit * unit[:, -1:]).mean(axis=0)[-2::-1], 0.0)
    found = [unit[random.integers(0, len(samples), shape[:2])]]
    for done in range(horizon, shape[2], horizon):
        linked = np.maximum(found_links, link_steps(done, done + np.arange(1, horizon + 1), growth)).clip(0, 1)
        fresh = unit[random.integers(0, len(samples), shape[:2])]
        found.append(linked * found[-1][:, :, -1:] + np.sqrt(1 - linked**2) * fresh)
    steps = np.arange(1, len(found) * horizon + 1)
    sizes = deviation[np.minimum(steps, horizon) - 1] * np.maximum(steps / horizon, 1.0) ** growth
    errors: np.ndarray = (np.concatenate(found, axis=2) * sizes)[:, :, : shape[2]]
    return errors
