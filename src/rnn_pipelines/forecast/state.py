"""The state of a `Forecaster`: its fit, its methods in use, and the choices from them that its methods share."""

from dataclasses import replace
from typing import Any

import pandas as pd

from rnn_pipelines.errors import ParameterError, show
from rnn_pipelines.forecast.fitting import Evaluated, Fitted, evaluate, make_champion
from rnn_pipelines.forecast.intervals.levels import LevelSpec, QuantileSpec
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.model.artefact import Forecaster as Artefact
from rnn_pipelines.forecast.model.nights import Night
from rnn_pipelines.forecast.model.recursion import check_recursive, check_steps, lay_out_recursive
from rnn_pipelines.forecast.newer_values import (
    Ends,
    add_future,
    holds_future_alone,
    read_newer,
    repair_newer,
)
from rnn_pipelines.forecast.parameters import ForecastSpec, Levels, Quantiles
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.forecast.source.frames import convert_frame, find_id_type, restore_ids
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.parameter_models import list_values, read_parameter_model
from rnn_pipelines.reading.zones import show_table


class ForecasterState:
    """The parameters, the fit and the methods in use of a `Forecaster`; the levels of its intervals are in percent."""

    def __init__(self, spec: ForecastSpec) -> None:
        self.spec = spec
        self.levels = spec.level.root
        self._artefacts: dict[str, Artefact] = {}
        # The name of the method in use; `best` is known after the fit.
        self._used = ENSEMBLE
        self._fitted: Fitted | None = None
        # The errors of `_fitted`, once they were asked for.
        self._evaluated: Evaluated | None = None
        # The names of the networks of `replace_network`.
        self._replaced: frozenset[str] = frozenset()
        self._covariates: pd.DataFrame | None = None
        # The dtype of the ids of `fit`, if they are integers.
        self._id_type: Any = None

    def __repr__(self) -> str:
        """Return the parameters, the series and the verdict."""
        from rnn_pipelines.forecast.description import describe_verdict

        verdict = [] if self._fitted is None else [describe_verdict(self._evaluate().metrics)]
        return "\n".join([*self._describe(), *verdict])

    def _repr_html_(self) -> str:
        """Return the same with the leaderboard, for notebooks."""
        from rnn_pipelines.forecast.description import render_html

        return render_html(
            self._describe(), None if self._fitted is None else self._evaluate().metrics
        )

    def _describe(self) -> list[str]:
        from rnn_pipelines.forecast.description import describe_state

        return describe_state(
            self.spec, self._artefacts.get(self._used), self._fitted, sorted(self._replaced)
        )

    def _make_artefact(self) -> Artefact:
        """Return the forecaster in use: as loaded, or as a retraining makes it."""
        return self._require_fit() if self._fitted is None else make_champion(self._fitted)

    def _require_fit(self) -> Artefact:
        if not self._artefacts:
            raise ParameterError("this forecaster is not fitted. Call fit, or Forecaster.load.")
        return self._artefacts[self._used]

    @property
    def _names(self) -> list[str]:
        """The names of the series of the training."""
        return self._require_fit().scaler["unique_id"].tolist()

    def _require_training(self) -> Fitted:
        self._require_fit()
        if self._fitted is None:
            raise ParameterError(
                "a loaded forecaster holds no training data. Call fit, or cross_validation."
            )
        return self._fitted

    def _evaluate(self) -> Evaluated:
        fitted = self._require_training()
        if self._evaluated is None:
            self._evaluated = evaluate(fitted)
        return self._evaluated

    def _choose_levels(self, level: Levels) -> list[int]:
        artefact = self._require_fit()
        levels = [] if artefact.intervals is None else artefact.intervals.levels.tolist()
        asked = list(
            self.levels if level is None else read_parameter_model("level", LevelSpec, level).root
        )
        missing = sorted(set(asked) - set(levels))
        if missing:
            raise ParameterError(
                f"level: expected some of {levels}, received {missing}. Fit with them."
            )
        return asked

    def _choose_quantiles(self, quantiles: Quantiles) -> dict[float, int]:
        """Return the level of the interval that each quantile bounds, 0 for the median."""
        intervals = self._require_fit().intervals
        levels = read_parameter_model("quantiles", QuantileSpec, quantiles).list_levels()
        largest = max(levels.values())
        known = 0 if intervals is None else int(intervals.levels.max(initial=0))
        if largest > known:
            needed = f"quantiles: they need an interval of level {largest}, and the largest of the fit is {known}"
            raise ParameterError(f"{needed}. Fit with level={largest}.")
        return levels

    def _choose_methods(self, methods: Any) -> list[str]:
        self._require_fit()
        if methods is None:
            return [self._used]
        known = list(self._artefacts)
        wanted = known if isinstance(methods, str) and methods == "all" else methods
        names = list_values(wanted)
        unknown = [name for name in names if not isinstance(name, str) or name not in known]
        if unknown or not names:
            wrong = show(unknown[0]) if unknown else "none"
            raise ParameterError(
                f"methods: expected 'all' or names of {sorted(known)}, received {wrong}."
            )
        return list(dict.fromkeys(names))

    def _find_ends(self, frame: pd.DataFrame | None, h: int | None) -> Ends:
        """Return the ends of the series, from which all methods forecast."""
        best = self._require_fit()
        horizon = best.settings.horizon
        num_steps = horizon if h is None else check_steps(h, horizon)
        best, series, covariates = self._find_series(frame, num_steps)
        check_recursive(best, series, num_steps, covariates)
        return Ends(series, num_steps, *lay_out_recursive(best, series, num_steps, covariates))

    def _find_series(
        self, frame: pd.DataFrame | None, num_steps: int
    ) -> tuple[Artefact, Series, pd.DataFrame | None]:
        """Return the forecaster in use, series that are repaired as in the training, and covariates.

        Warn of unread rows.
        """
        recipe = self.spec.recipe
        best = self._artefacts[self._used]
        if frame is None or (self._fitted is not None and holds_future_alone(frame, recipe, best)):
            if self._fitted is None:
                raise ParameterError(
                    "a loaded forecaster holds no series. Call predict with a frame."
                )
            series = self._fitted.panel.series
            covariates = self._covariates
            if frame is not None and covariates is not None:
                covariates = add_future(frame, recipe, best, series, covariates, num_steps)
            return best, series, covariates
        return repair_newer(read_newer(frame, recipe, best), recipe, best, num_steps)

    def _make_night(self, frame: Any, version: str) -> tuple[Night, Any]:
        """Return a night with this forecaster and the values of a frame of `predict`, and the dtype of its ids."""
        artefact = self._require_fit()
        taken, id_type = self._read_frame(frame)
        artefact, series, covariates = self._find_series(taken, artefact.settings.horizon)
        check_recursive(artefact, series, artefact.settings.horizon, covariates)
        return Night(artefact, series, covariates, version), id_type

    def _find_zone(self) -> str | None:
        """Return the zone in which times are shown: that of `source`, or else that of the training; None for none."""
        trained = self._require_fit().settings.tz
        return trained and (self.spec.recipe.source.tz or trained)

    def _read_frame(self, frame: Any) -> tuple[pd.DataFrame | None, Any]:
        """Return a frame of `predict` as a DataFrame, and the dtype of its ids or else of those of `fit`."""
        if frame is None:
            return None, self._id_type
        taken = convert_frame(frame, self.spec.recipe.source)
        id_type = find_id_type(taken, self.spec.recipe.source)
        return taken, self._id_type if id_type is None else id_type

    def _compare_scenarios(
        self, futures: Any, frame: Any, h: int | None, level: Levels
    ) -> pd.DataFrame:
        from rnn_pipelines.forecast.scenarios import Situation, check_scenarios, compare_scenarios

        futures = check_scenarios(futures)
        levels = self._choose_levels(level)
        artefact = self._require_fit()
        frame, id_type = self._read_frame(frame)
        num_steps = (
            artefact.settings.horizon if h is None else check_steps(h, artefact.settings.horizon)
        )
        artefact, series, covariates = self._find_series(frame, num_steps)
        evaluated = self._make_artefact().as_evaluated().copy_scales(artefact)
        situation = Situation(artefact, evaluated, series, covariates, num_steps)
        table = compare_scenarios(situation, self.spec.recipe, futures, levels)
        if num_steps <= artefact.settings.horizon:
            table = table.drop(columns="is_recursive")
        return restore_ids(show_table(table, self._find_zone()), id_type)

    def _with(self, source: SourceSpec) -> ForecastSpec:
        """Return the parameters with the columns of a frame."""
        return replace(self.spec, recipe=self.spec.recipe.model_copy(update={"source": source}))
