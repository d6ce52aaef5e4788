"""Generated series beside real ones: quartiles of trend, season, autocorrelation and zeros, by season.

    RNN_DATA=<folder of the real data> .venv/bin/python benchmarks/generator.py

The real series are those of `pretrained.py`, whose docstring has the source of M1 and M3; no test part is read. The
generated series of each set have its season and median length. Prints a Markdown row for each set, with the quartiles
25/50/75 of:

    excursion        |slope| (n − 1) / deviation of the residuals of a fitted line
    season           share of the residuals' variance that the seasonal means explain, adjusted for their number
    autocorrelation  of the residuals at one season, or at one step without a season
    zeros            share of the values that are 0
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from competitions import SERIES
from pretrained import Sample, list_samples, roll

from rnn_pipelines.lab.pretraining.generator import generate

NUM_GENERATED = 1000
QUARTILES = (25, 50, 75)
MEASURES = ("excursion", "season", "autocorrelation", "zeros")
# Shorter cuts of the same series.
LEFT_OUT = tuple(f"Tourism, newest {newest}" for newest in (60, 36, 12, 6))


def list_sets() -> Iterator[Sample]:
    """Yield the sets by season."""
    jena = pd.read_csv(SERIES / "jena_climate_2009_2016_hourly.csv")["T (degC)"].to_numpy(float)
    days = jena[: len(jena) // 24 * 24].reshape(-1, 24).mean(axis=1)
    samples = [*list_samples(), roll("Jena, day means", 7, 14, days)]
    yield from sorted(
        (one for one in samples if one.name not in LEFT_OUT), key=lambda one: one.season_length
    )


def describe(values: np.ndarray, season: int) -> list[float]:
    """Return the measures of one series, float64[time]; NaN for those that it is too short for."""
    steps = np.arange(len(values))
    slope, zero = np.polyfit(steps, values, 1)
    residuals = values - zero - slope * steps
    variance = residuals.var() + 1e-12 * np.abs(values).max() ** 2 + 1e-300
    excursion = abs(slope) * (len(values) - 1) / np.sqrt(variance)
    strength = autocorrelation = np.nan
    if len(values) > 2 * season:
        autocorrelation = (residuals[season:] * residuals[:-season]).mean() / variance
        if season > 1:
            phases = steps % season
            means = np.bincount(phases, residuals) / np.bincount(phases)
            unexplained = (residuals - means[phases]).var() / variance
            strength = 1 - unexplained * (len(values) - 1) / (len(values) - season)
    return [excursion, strength, autocorrelation, float((values == 0).mean())]


def format_quartiles(series: list[np.ndarray], season: int) -> list[str]:
    """Return a cell for each measure."""
    cells = []
    for column in np.array([describe(values, season) for values in series]).T:
        known = column[~np.isnan(column)]
        quartiles = np.percentile(known, QUARTILES) if len(known) else []
        cells.append("/".join(f"{value + 0.0:.2f}" for value in quartiles) or "–")
    return cells


def join_values(sample: Sample) -> list[np.ndarray]:
    """Return the past values of each series with those that followed."""
    return [
        np.append(past[~np.isnan(past)], actual)
        for past, actual in zip(sample.past, sample.actual, strict=True)
    ]


def main() -> None:
    """Print the table."""
    columns = [f"{measure}, {kind}" for measure in MEASURES for kind in ("real", "generated")]
    print(
        f"| season | series | values | {' | '.join(columns)} |\n|---:|---|---:|{'---|' * len(columns)}"
    )
    for sample in list_sets():
        season = sample.season_length
        real = join_values(sample)
        length = int(np.median([len(values) for values in real]))
        generated = list(generate(np.random.default_rng(0), NUM_GENERATED, season, length))
        pairs = zip(
            format_quartiles(real, season), format_quartiles(generated, season), strict=True
        )
        cells = [str(season), sample.name, str(length), *(cell for pair in pairs for cell in pair)]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
