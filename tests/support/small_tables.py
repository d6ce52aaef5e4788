"""Small tables of all kinds, and the commands of a night on them, without Kedro: quick enough for each pair of them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.champion.verdict import KnownChampion
from rnn_pipelines.datasets import ChampionDataset
from rnn_pipelines.forecast.evaluation.coverage import check_coverage
from rnn_pipelines.forecast.evaluation.drift import DriftSpec
from rnn_pipelines.forecast.evaluation.realised import join_actuals
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods.predictions import ForecastLog
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.training.specs import (
    BudgetSpec,
    ForecastTrainingSpec,
    NetworkSpec,
    TrainingPlan,
)
from rnn_pipelines.forecast.model.paths import PathsSpec
from rnn_pipelines.forecast.operations import monitoring
from rnn_pipelines.forecast.operations.audit import prove_forecasts
from rnn_pipelines.forecast.operations.decision import describe_run
from rnn_pipelines.forecast.operations.retraining import (
    TrainedChallenger,
    decide_on,
    fit_challenger,
)
from rnn_pipelines.forecast.operations.specs import ForecastPolicySpec, RetrainForecastSpec
from rnn_pipelines.forecast.operations.verdict import ErrorSpec, MonitorForecastSpec
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.partitions.champion import (
    PredictSpec,
    draw_sample_as_trained,
    forecast_newest,
    read_as_trained,
)
from rnn_pipelines.forecast.partitions.dividing import (
    PartitionSpec,
    Sample,
    draw_sample,
)
from rnn_pipelines.forecast.preparation.schema import repair_series
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.series.tables import Profile, Series
from rnn_pipelines.forecast.windows.coding import Coding

ALL = PredictSpec()
MONITORING = MonitorForecastSpec(error=ErrorSpec(), drift=DriftSpec())
RETRAINING = RetrainForecastSpec(
    policy=ForecastPolicySpec(must_beat=()), budget=BudgetSpec(max_steps=1)
)


@dataclass(frozen=True)
class SmallTable:
    """A table, and the parameters of `forecast` for it beyond those of its path."""

    frame: pd.DataFrame
    parameters: Mapping[str, Any]


def draw(size: int, seed: int = 0, level: float = 50.0) -> np.ndarray:
    """Return values with a season of seven steps and noise."""
    steps = np.arange(size)
    noise = np.random.default_rng(seed).normal(size=size)
    values: np.ndarray = level + level / 5 * np.sin(2 * np.pi * steps / 7) + level / 20 * noise
    return values.round(3)


def make_single(size: int = 90, freq: str = "D", seed: int = 0, **columns: Any) -> pd.DataFrame:
    """Return one series with columns beside its values."""
    days = pd.date_range("2023-01-01", periods=size, freq=freq)
    return pd.DataFrame({"ds": days, "y": draw(size, seed), **columns})


def make_panel(
    *names: str, size: int = 90, freq: str = "D", is_static: bool = False
) -> pd.DataFrame:
    """Return a series for each name."""
    tables = []
    for number, name in enumerate(names):
        columns = {"kind": "AB"[number % 2]} if is_static else {}
        tables.append(make_single(size, freq, number, **columns).assign(shop=name))
    return pd.concat(tables, ignore_index=True)


def add_price(frame: pd.DataFrame, num_ahead: int = 14) -> pd.DataFrame:
    """Return a daily series with a price that is known ahead."""
    ahead = pd.DataFrame(
        {"ds": pd.date_range(frame["ds"].max(), periods=num_ahead + 1)[1:], "y": np.nan}
    )
    longer = pd.concat([frame, ahead], ignore_index=True)
    return longer.assign(price=np.where(np.arange(len(longer)) % 5 == 0, 1.0, 2.0))


def make_tables() -> dict[str, SmallTable]:
    """Return 25 tables: of other names, spacings, zones, covariates, windows, lengths and values."""
    shop = {"source": {"id": "shop"}}
    utc = make_single(150, "h")
    steps = make_panel("a", "b").assign(ds=np.tile(np.arange(90), 2))
    noted = make_single().assign(weather=np.arange(90) % 4)
    holed = make_single().drop(index=[20, 21, 40])
    constant = make_single().assign(y=7.0)
    sparse = make_panel("a", "b")
    sparse["y"] = sparse["y"].where(np.arange(len(sparse)) % 9 == 0, 0.0)
    zoned = make_single(150, "h")
    zoned["ds"] = zoned["ds"].dt.tz_localize("Europe/Berlin").astype(str)
    utc["ds"] = utc["ds"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "single": SmallTable(make_single(), {}),
        "renamed": SmallTable(
            make_single().rename(columns={"y": "sales"}), {"source": {"target": "sales"}}
        ),
        "panel": SmallTable(make_panel("a", "b"), shop),
        "upper": SmallTable(make_panel("A", "B"), shop),
        "numbers": SmallTable(make_panel("1", "2"), shop),
        "padded": SmallTable(make_panel("01", "02"), shop),
        "others": SmallTable(make_panel("x", "y", "z"), shop),
        "more": SmallTable(make_panel("a", "b", "c"), shop),
        "one of a panel": SmallTable(make_panel("a"), shop),
        "hourly": SmallTable(make_single(150, "h"), {}),
        "hourly panel": SmallTable(make_panel("a", "b", size=150, freq="h"), shop),
        "monthly": SmallTable(make_single(60, "MS"), {}),
        "weekly": SmallTable(make_single(80, "W"), {}),
        "steps": SmallTable(make_single().assign(ds=np.arange(90)), {}),
        "panel of steps": SmallTable(steps, shop),
        "zone": SmallTable(zoned, {"source": {"tz": "Europe/Berlin"}}),
        "UTC": SmallTable(utc, {}),
        "price": SmallTable(add_price(make_single()), {"covariates": {"future": ["price"]}}),
        "weather": SmallTable(noted, {"covariates": {"past": ["weather"]}}),
        "kind": SmallTable(
            make_panel("a", "b", is_static=True),
            {"covariates": {"static": ["kind"]}, "source": {"id": "shop"}},
        ),
        "holidays": SmallTable(make_single(), {"covariates": {"holidays": "DE"}}),
        "longer horizon": SmallTable(make_single(), {"window": {"lookback": 14, "horizon": 5}}),
        "sparse": SmallTable(sparse, shop),
        "short": SmallTable(make_single(20), {}),
        "constant": SmallTable(constant, {}),
        "holed": SmallTable(holed, {}),
        "thousandfold": SmallTable(make_single().assign(y=1_000 * draw(90)), {}),
    }


class Night:
    """The commands of a night on one table, with a folder of champion and forecasts."""

    def __init__(self, table: SmallTable, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        path = folder / "table.csv"
        table.frame.to_csv(path, index=False)
        given = dict(table.parameters)
        given["source"] = {"path": str(path), **given.get("source", {})}
        given.setdefault("window", {"lookback": 14, "horizon": 3})
        self.parameters = given
        self.recipe = Recipe.model_validate(given)
        self._challenger: TrainedChallenger | None = None

    @property
    def dataset(self) -> ChampionDataset:
        """The champion of the folder."""
        return ChampionDataset(path=str(self.store), task="forecast")

    @property
    def store(self) -> Path:
        """The folder of the champion."""
        return self.folder / "champion/forecast"

    def train(self) -> TrainedChallenger:
        """Return the challenger of this table, which does not depend on the champion."""
        if self._challenger is None:
            spec = ForecastSpec(
                **dict(self.recipe),
                networks={cell: NetworkSpec(cell=cell, units=2, members=1) for cell in NETWORKS},
                training=ForecastTrainingSpec(max_steps=1),
                level=LevelSpec((80,)),
                pretrained=PretrainedSpec(is_alone=True),
            )
            table, covariate_table = self._draw().read(ALL)
            plan = TrainingPlan(BudgetSpec(max_steps=1))
            self._challenger = fit_challenger(table, covariate_table, spec, RETRAINING, plan)
            self._tables = table, covariate_table
        return self._challenger

    def retrain(self, champion: LoadedChampion | None) -> Candidate:
        """Decide on the challenger of this table, with a champion of any table; return the candidate."""
        challenger = self.train()
        profile = challenger.panel.profile
        run = describe_run(*self._tables, profile, self.parameters, RETRAINING, time.time())
        return decide_on(challenger, champion, run, RETRAINING)

    def predict(self, champion: LoadedChampion | None) -> ForecastLog:
        """Forecast this table with a champion of any table."""
        parts = PartitionSpec(), self.folder
        sample = draw_sample_as_trained(
            champion, self.recipe.source, self.recipe.covariates, *parts
        )
        table, covariate_table = read_as_trained(champion, sample, ALL, self.recipe.covariates)
        asked = self.recipe.source, PathsSpec(0), covariate_table
        return forecast_newest(champion, table, *asked, gaps=self.recipe.gaps)[0]

    def monitor(self, folder: Path, log: ForecastLog | None) -> monitoring.ForecastVerdict:
        """Return the verdict on this table, with the champion of any folder and its forecasts."""
        champion, coding, reference = monitoring.read_champion(folder, self.parameters)
        series, profile, covariate_table, sample = self._read(champion, coding)
        evaluated = join_actuals(log, series, champion)
        coverage = check_coverage(log, series, profile, champion)
        drift = monitoring.measure_drift(series, profile, champion, reference, sample, MONITORING)
        covariates = monitoring.measure_covariate_drift(
            series, profile, champion, coding, covariate_table, MONITORING
        )
        return monitoring.monitor_forecasts(
            evaluated, coverage, champion, drift, covariates, MONITORING
        )

    def audit(self, folder: Path, log: ForecastLog) -> dict[str, Any]:
        """Return the errors of proven forecasts by this table."""
        champion, coding, _ = monitoring.read_champion(folder, self.parameters)
        return prove_forecasts(log, [], self._read(champion, coding)[0], champion)

    def _read(
        self, champion: KnownChampion, coding: Coding
    ) -> tuple[Series, Profile, pd.DataFrame, Sample]:
        sample = self._draw(coding)
        table, covariate_table = monitoring.read_newest(
            sample, champion, self.recipe.covariates, MONITORING
        )
        series, profile = repair_series(table, self.recipe.source, self.recipe.gaps)
        return series, profile, covariate_table, sample

    def _draw(self, coding: Coding | None = None) -> Sample:
        parts = PartitionSpec(), self.folder
        return draw_sample(self.recipe.source, self.recipe.covariates, *parts, coding=coding)
