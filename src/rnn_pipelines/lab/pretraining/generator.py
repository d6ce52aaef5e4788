"""Generated series of many kinds, on which the pretrained networks learn. No real series is among them.

    y = f(level + season + cycle + noise),   f the identity or an exponential function,

then outliers, counts, zeros and constant stretches. Each part is drawn for some of the series, in a size of its own:

    level   lₜ = (1 − ρ) lₜ₋₁ + bₜ + α uₜ,   bₜ = d + φ (bₜ₋₁ − d) + β vₜ,   with breaks of the trend and shifts
    season  profile × amplitude, of harmonics, spikes, bumps or without form, which changes and grows; and a longer one
    cycle   cₜ = 2 ρ cos(2π / p) cₜ₋₁ − ρ² cₜ₋₂ + eₜ,   p from 3 to 150 steps
    noise   autocorrelated, with Student's t distribution and a changing variance

Others are seasonal ARIMA processes, and mixtures of two series. `DYNAMICS` has the sizes and shares that depend on the
season: years and quarters have strong trends, and those of days and hours do not grow with the number of steps.
Source: Hyndman et al. (2008), Forecasting with Exponential Smoothing, chapter 2; Harvey (1989), Forecasting,
    Structural Time Series Models and the Kalman Filter, sections 2.3 and 2.4; Box & Jenkins (1970), Time Series
    Analysis, chapter 9.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from rnn_pipelines.forecast.pretrained.kinds import KINDS, OTHER_SEASONS, PARTS
from rnn_pipelines.forecast.times.frequency import LONG_SEASONS

LARGEST = 1e6


class SeriesKind(NamedTuple):
    """Season and lengths of the series of one group."""

    season_length: int  # steps; 1 for no season
    num_known: int  # steps before the origin
    horizon: int  # steps after it


class Dynamics(NamedTuple):
    """Trends of the series of one season, and shares of series with other dynamics."""

    drift: float = 1.0  # factor of the slope
    has_drift: float = 0.65  # share of series
    bend: float = 1.0  # factor of the random changes of the slope
    # In longer series, the total excursion of the slope is that of so many steps.
    drift_steps: float = np.inf
    # Factor of the share of series with breaks of the trend, and of those with shifts.
    breaks: float = 1.0
    # Shares of series: with little noise, of ARIMA processes, with mean reversion, with a cycle.
    quiet: float = 0.3
    arima: float = 0.13
    reversion: float = 0.15
    cycle: float = 0.15


_LONG = Dynamics(drift_steps=60)
# Season length: its dynamics, if they are not the defaults.
DYNAMICS = {
    1: Dynamics(drift=6, has_drift=0.95, bend=6, quiet=0.5, arima=0.05, reversion=0.05, cycle=0.05),
    4: Dynamics(
        drift=3, has_drift=0.95, bend=4, breaks=2, quiet=0.6, arima=0.08, reversion=0.08, cycle=0.08
    ),
    7: _LONG,
    24: _LONG,
    48: _LONG,
}


def draw_kind(rng: np.random.Generator) -> SeriesKind:
    """Draw season, number of known values and horizon of a group of series."""
    season = int(rng.choice(list(KINDS), p=[kind[0] for kind in KINDS.values()]))
    _, least, most, horizon = KINDS[season]
    num_known = int(np.exp(rng.uniform(np.log(least), np.log(most + 1))))
    return SeriesKind(season or int(rng.choice(OTHER_SEASONS)), num_known, horizon)


def generate(
    rng: np.random.Generator,
    num_series: int,
    season_length: int,
    num_steps: int,
    parts: tuple[str, ...] = PARTS,
) -> np.ndarray:
    """Generate series of so many steps: float64[series, time], finite."""
    draw = _Draw(rng, num_series, num_steps, season_length, frozenset(parts))
    values = draw.level() + draw.season() + draw.cycle() + draw.noise()
    is_arima = draw.choose("arima", draw.dynamics.arima)[:, 0]
    if is_arima.any():
        values[is_arima] = _Draw(
            rng, int(is_arima.sum()), num_steps, season_length, draw.parts
        ).arima()
    values = draw.mix(values)
    values = draw.shock(draw.scale(values))
    return np.nan_to_num(np.clip(draw.stretch(draw.empty(values)), -LARGEST, LARGEST))


class _Draw:
    """The draws for one group of series. Sizes and switches are float64[series, 1] and bool[series, 1]."""

    def __init__(
        self,
        rng: np.random.Generator,
        num_series: int,
        num_steps: int,
        season: int,
        parts: frozenset[str],
    ) -> None:
        self.rng = rng
        self.shape = (num_series, num_steps)
        self.season_length = season
        self.parts = parts
        self.dynamics = DYNAMICS.get(season, Dynamics())
        self.phases = np.arange(num_steps) + int(rng.integers(season))

    def size(self, low: float, high: float) -> np.ndarray:
        """Draw sizes, uniform in their logarithm."""
        return np.exp(self.rng.uniform(np.log(low), np.log(high), (self.shape[0], 1)))

    def uniform(self, low: float, high: float) -> np.ndarray:
        return self.rng.uniform(low, high, (self.shape[0], 1))

    def choose(self, part: str, probability: float) -> np.ndarray:
        """Draw whether a part occurs; never if it is left out."""
        chosen: np.ndarray = self.rng.random((self.shape[0], 1)) < (
            probability if part in self.parts else 0
        )
        return chosen

    def normal(self, *shape: int) -> np.ndarray:
        return self.rng.normal(size=shape or self.shape)

    def level(self) -> np.ndarray:
        """A local level with a damped, broken or constant trend, mean reversion and shifts."""
        num_series, num_steps = self.shape
        choose = partial(self.choose, "trend")
        dynamics = self.dynamics
        part = min(1, dynamics.drift_steps / num_steps)
        size = choose(0.75) * np.where(choose(0.5), self.uniform(0, 1.2), self.size(0.01, 3))
        slope_size = choose(0.4) * np.where(
            choose(0.7), self.size(0.002, 0.1), self.size(0.05, 0.6)
        )
        slope_size *= dynamics.bend * part
        damping = np.where(choose(0.5), self.uniform(0.8, 0.99), np.where(choose(0.5), 1, 0.95))
        drift = self.normal(num_series, 1) * np.where(
            choose(0.5), self.size(0.01, 0.3), self.size(0.1, 2)
        )
        drift *= choose(dynamics.has_drift) * dynamics.drift * part
        is_kept = choose(0.6)
        reversion = choose(dynamics.reversion) * self.uniform(0.02, 0.5)
        is_break = (
            self.rng.random(self.shape)
            < choose(0.3 * dynamics.breaks) * self.uniform(0.5, 3) / num_steps
        )
        after_break = self.normal() * (np.abs(drift) + 0.1)
        errors = self.normal()
        slope_errors = self.normal()
        slope = drift.copy()
        level = np.zeros((num_series, 1))
        levels = np.empty(self.shape)
        for step in range(num_steps):
            levels[:, step] = level[:, 0]
            changed = np.where(is_kept, drift + damping * (slope - drift), damping * slope)
            changed += slope_size * slope_errors[:, step : step + 1]
            broken = is_break[:, step : step + 1]
            new = after_break[:, step : step + 1]
            slope = np.where(broken, new, changed)
            drift = np.where(broken, new, drift)
            level = (1 - reversion) * level + slope + size * errors[:, step : step + 1]
        is_shift = (
            self.rng.random(self.shape)
            < self.choose("shocks", 0.15 * dynamics.breaks) * 1.5 / num_steps
        )
        return levels + np.cumsum(is_shift * self.normal() * 6, axis=1)

    def profile(self, length: int) -> np.ndarray:
        """Return profiles with mean 0 and deviation 1: harmonics, no form, spikes or bumps: float64[series, season]."""
        num_series = self.shape[0]
        steps = np.arange(length)
        kind = self.rng.integers(0, 4, (num_series, 1))
        smooth = np.zeros((num_series, length))
        decay = self.uniform(0, 2.5)
        for number in range(1, max(2, min(length // 2, 6)) + 1):
            sizes = self.normal(num_series, 2) * number**-decay
            angle = 2 * np.pi * number * steps / length
            smooth += sizes[:, :1] * np.cos(angle) + sizes[:, 1:] * np.sin(angle)
        rough = self.normal(num_series, length)
        is_spike = self.rng.random((num_series, length)) < 1.5 / length
        spikes = is_spike * self.normal(num_series, length) * 4 + 0.2 * rough
        width = max(1, length // 4)
        place = (steps - self.rng.integers(0, length, (num_series, 1))) % length
        bump = (place < self.rng.integers(1, 2 * width + 1, (num_series, 1))) * 2.0 + 0.15 * rough
        if length > 12:
            rough = _smooth(rough)
        chosen = np.select([kind == 0, kind == 1, kind == 2], [smooth, rough, spikes], bump)
        chosen = np.where(self.choose("season", 0.3), chosen + 0.5 * rough, chosen)
        chosen -= chosen.mean(axis=1, keepdims=True)
        return chosen / (chosen.std(axis=1, keepdims=True) + 1e-6)

    def season(self) -> np.ndarray:
        """A season that may change and grow, and a longer one, such as the week of hours."""
        length = self.season_length
        num_series, num_steps = self.shape
        if length == 1:
            return np.zeros(self.shape)
        profile = self.profile(length)
        amplitude = self.choose("season", 0.85) * self.size(0.3, 15)
        num_seasons = num_steps // length + 2
        change = self.normal(num_series, num_seasons, length)
        change *= (self.choose("season", 0.55) * self.size(0.01, 0.5))[:, :, None]
        changes = np.cumsum(change, axis=1)
        changes -= changes.mean(axis=2, keepdims=True)
        if length > 12:
            changes = _smooth(changes)
        growth = 1 + self.choose("season", 0.3) * np.cumsum(
            0.1 * self.normal(num_series, num_seasons), axis=1
        )
        shapes = (
            profile[:, None] * growth[:, :, None]
            + np.minimum(1, 1 / (amplitude + 0.1))[:, :, None] * changes * 2
        )
        season = amplitude * shapes.reshape(num_series, -1)[:, self.phases]
        return season + self._add_long_season(profile, amplitude)

    def _add_long_season(self, profile: np.ndarray, amplitude: np.ndarray) -> np.ndarray:
        length = self.season_length
        num_series = self.shape[0]
        long = LONG_SEASONS.get(length, 0)
        if long == 0:
            return np.zeros(self.shape)
        if long % length:
            angles = (
                2 * np.pi * (np.arange(self.shape[1]) / long + self.rng.random((num_series, 1)))
            )
            return self.choose("long_season", 0.5) * self.size(0.5, 8) * np.sin(angles)
        days = np.where(self.choose("long_season", 0.6), np.where(np.arange(7) < 5, 0.4, -1.0), 1.0)
        days = days + 0.3 * self.normal(num_series, 7)
        factor = days[:, self.phases // length % 7] * (1 + profile[:, self.phases % length])
        return self.choose("long_season", 0.6) * self.size(0.1, 1) * amplitude * factor

    def cycle(self) -> np.ndarray:
        """A stochastic cycle of 3 to 150 steps."""
        period = self.size(3, 150)
        radius = 1 - self.size(0.001, 0.1)
        first = 2 * radius * np.cos(2 * np.pi / period)
        second = -(radius**2)
        cycles = self.normal()
        cycles[:, :2] *= 4
        for step in range(2, self.shape[1]):
            cycles[:, step] += (
                first[:, 0] * cycles[:, step - 1] + second[:, 0] * cycles[:, step - 2]
            )
        scaled = cycles / (cycles.std(axis=1, keepdims=True) + 1e-6)
        size = self.choose("cycle", self.dynamics.cycle) * self.size(0.5, 10)
        return size * scaled

    def noise(self) -> np.ndarray:
        """Autocorrelated noise of deviation 1, with heavy tails and a changing variance."""
        num_series, num_steps = self.shape
        freedom = self.rng.choice([3.0, 5.0, 10.0, 1e3], (num_series, 1), p=[0.1, 0.15, 0.15, 0.6])
        chi = self.rng.chisquare(np.broadcast_to(freedom, self.shape))
        noise = self.normal() * np.sqrt((freedom - 2) / chi)
        correlation = self.choose("noise", 0.4) * self.uniform(-0.5, 0.95)
        innovation = np.sqrt(1 - correlation[:, 0] ** 2)
        for step in range(1, num_steps):
            noise[:, step] = correlation[:, 0] * noise[:, step - 1] + innovation * noise[:, step]
        spread = np.exp(self.choose("noise", 0.15) * np.cumsum(0.08 * self.normal(), axis=1))
        quiet = np.where(self.choose("noise", self.dynamics.quiet), self.size(0.03, 0.7), 1.0)
        return noise * spread * quiet

    def arima(self) -> np.ndarray:
        """A seasonal ARIMA process, which may be integrated once, and once over a season."""
        num_series, num_steps = self.shape
        season = self.season_length
        has_season = season > 1
        errors = self.normal(num_series, num_steps + 2 * season + 30)
        first = self.uniform(-0.6, 0.95)[:, 0]
        second = (self.choose("arima", 0.5) * self.uniform(-0.4, 0.4))[:, 0]
        second = np.clip(second, -0.9, 0.97 - np.abs(first))
        average = (self.choose("arima", 0.6) * self.uniform(-0.9, 0.6))[:, 0]
        seasonal = (self.choose("arima", 0.7) * self.uniform(0, 0.95))[:, 0] * has_season
        seasonal_average = (self.choose("arima", 0.6) * self.uniform(-0.9, 0))[:, 0] * has_season
        values = errors.copy()
        for step in range(season + 2, errors.shape[1]):
            before = values[:, step - 1]
            year = values[:, step - season]
            values[:, step] += (
                first * before + second * values[:, step - 2] + average * errors[:, step - 1]
            )
            older = (
                year - first * values[:, step - season - 1] - second * values[:, step - season - 2]
            )
            values[:, step] += seasonal * older
            values[:, step] += seasonal_average * (
                errors[:, step - season] + average * errors[:, step - season - 1]
            )
        drift = self.choose("arima", 0.5) * 0.2 * self.normal(num_series, 1)
        values = np.where(self.choose("arima", 0.55), np.cumsum(values + drift, axis=1), values)
        if has_season:
            summed = values.copy()
            for step in range(season, summed.shape[1]):
                summed[:, step] += summed[:, step - season]
            values = np.where(self.choose("arima", 0.4), summed, values)
        newest: np.ndarray = values[:, -num_steps:]
        return newest

    def mix(self, values: np.ndarray) -> np.ndarray:
        """Some series become the weighted sum of two."""
        share = self.rng.random((self.shape[0], 1))
        scaled = values / (values.std(axis=1, keepdims=True) + 1e-9)
        return np.where(
            self.choose("mixture", 0.12),
            share * scaled + (1 - share) * np.roll(scaled, 1, axis=0),
            values,
        )

    def scale(self, values: np.ndarray) -> np.ndarray:
        """Half of the series are exponentials, most others positive, and some negative or around 0."""
        deviation = values.std(axis=1, keepdims=True) + 1e-9
        raised = np.exp(np.clip(values / deviation * self.size(0.03, 1.2), -8, 8)) * 100
        least = np.abs(values.min(axis=1, keepdims=True)) * self.uniform(
            1, 4
        ) + deviation * self.uniform(0.2, 4)
        added = (
            values
            + self.rng.choice([1.0, 0.0, -2.0], (self.shape[0], 1), p=[0.7, 0.25, 0.05]) * least
        )
        return np.where(self.choose("exponential", 0.5), raised, added)

    def shock(self, values: np.ndarray) -> np.ndarray:
        """Outliers, and whole numbers such as counts."""
        change = np.ones((len(values), 1))
        if self.shape[1] > 1:
            change = np.abs(np.diff(values, axis=1)).mean(axis=1, keepdims=True)
        is_outlier = (
            self.rng.random(self.shape)
            < self.choose("shocks", 0.12) * self.uniform(1, 4) / self.shape[1]
        )
        values = values + is_outlier * self.rng.standard_t(3, self.shape) * change * 4
        unit = change * self.size(0.2, 3) + 1e-9
        return np.where(self.choose("shocks", 0.12), np.round(values / unit), values)

    def empty(self, values: np.ndarray) -> np.ndarray:
        """Zeros: negative values cut, random ones as in intermittent demand, and phases without values as nights."""
        season = self.season_length
        values = np.where(self.choose("zeros", 0.08), np.maximum(values, 0), values)
        is_zero = self.choose("zeros", 0.05) & (
            self.rng.random(self.shape) < self.uniform(0.1, 0.95)
        )
        if season > 2:
            first = self.rng.integers(0, season, (len(values), 1))
            share = self.uniform(0.1, 0.5)
            is_closed = (self.phases - first) % season < np.maximum(1, share * season)
            is_zero |= self.choose("zeros", 0.05) & is_closed
        return np.where(is_zero, 0.0, values)

    def stretch(self, values: np.ndarray) -> np.ndarray:
        """Stretches in which a value is repeated."""
        length = self.uniform(0.05, 0.4) * self.shape[1]
        begin = self.uniform(0, 1) * self.shape[1]
        steps = np.arange(self.shape[1])
        is_stuck = self.choose("stretches", 0.03) & (steps >= begin) & (steps < begin + length)
        held = np.take_along_axis(values, np.minimum(begin.astype(int), self.shape[1] - 1), axis=1)
        return np.where(is_stuck, held, values)


def _smooth(values: np.ndarray) -> np.ndarray:
    """Sum each value and its two predecessors on the circle of the last axis, with the deviation kept."""
    summed: np.ndarray = (values + np.roll(values, 1, -1) + np.roll(values, 2, -1)) / np.sqrt(3)
    return summed
