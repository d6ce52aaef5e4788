"""Forecasts of a series, one step ahead of a window, without calendar features."""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from rnn_pipelines.errors import TaskError
from rnn_pipelines.forecast.methods.forecasts import forecast_simple_methods
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.synthetic import GENERATORS
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import OpenWindowSpec, gather_windows
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.lab.compare.tasks.data import PARTS, Contest, Sequences, TaskData, measure_mse
from rnn_pipelines.report.styles import Style

# The loss of the signal without noise.
FLOOR = "noise floor"


class SeriesData(TaskData, frozen=True):
    """Forecasts of a series, one step ahead. The metric is the MSE in the squared unit of the series.

    Attributes:
        source: the series; the seed of a run is added to its own, so that each seed is another draw of the noise.
        lookback: the number of steps of the window.
        split: the training, validation and test parts.
    """

    metric: ClassVar = "MSE, squared unit of the series"
    styles: ClassVar = {
        "last value": METHODS["last_value"].style,
        "ridge": METHODS["ridge"].style,
        FLOOR: Style(FLOOR, "#999999", "longdash"),
    }
    kind: Literal["series"]
    source: SourceSpec
    lookback: int = Field(30, ge=1, le=10**6)
    split: SplitSpec = SplitSpec(validation=0.1, test=0.2)

    @model_validator(mode="after")
    def _validate_source(self) -> "SeriesData":
        if self.source.name == "catalog" and self.source.path is None:
            expected = (
                "expected a name or a path, received the catalog, which a comparison does not read"
            )
            raise ValueError(f"source: {expected}")
        return self

    def prepare(self, seed: int, music: str | None) -> Contest:
        source = self.source.model_copy(update={"seed": self.source.seed + seed})
        calendar = CalendarSpec(yearly=0, weekly=0, daily=0)
        window = OpenWindowSpec(lookback=self.lookback, horizon=1)
        recipe = Recipe(
            source=source,
            gaps=GapPolicy("split"),
            split=self.split,
            window=window,
            calendar=calendar,
        )
        prepared = prepare_panel(read_source(source), recipe)
        series = prepared.series
        cutoffs = prepared.cutoffs
        panel = prepared.windows
        if len(cutoffs) > 1:
            expected = f"expected one series, received {len(cutoffs)}. Remove the id, or choose one"
            raise TaskError(f"{source.label}: {expected}.")
        parts: dict[str, Sequences] = {}
        for part in PARTS:
            history, targets = gather_windows(panel, panel.list_origins(part))
            parts[part] = Sequences(history, targets, np.ones(len(targets), np.float32))
        variance = float(prepared.scaler["deviation"].iloc[0]) ** 2

        def measure(outputs: np.ndarray, sequences: Sequences) -> float:
            return variance * measure_mse(outputs, sequences)

        test = parts["test"]
        simple = forecast_simple_methods(prepare_fitting(panel))
        references = {
            METHODS[name].style.name: measure(simple[name].test, test)
            for name in ("last_value", "ridge")
        }
        if "signal" in series:
            stop = int(cutoffs["validation_stop"].iloc[0])
            noise = (series["y"] - series["signal"]).iloc[stop:]
            references[FLOOR] = float((noise**2).mean())
        return Contest(parts, 1, "squared", measure, references, variance)

    def describe(self) -> str:
        drawn = self.source.path is None and self.source.name in GENERATORS
        source = "Each seed draws other noise" if drawn else "It is the same for all seeds"
        return (
            f"One step ahead of {self.source.label}, from the last {self.lookback} steps. {source}. The metric is "
            "the MSE, in the squared unit of the series."
        )

    def find_file(self, music: str | None) -> Path | None:
        return Path(self.source.path) if self.source.path else None
