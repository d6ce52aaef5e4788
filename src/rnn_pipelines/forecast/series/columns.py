"""The roles of columns: the covariates that there are, their places, and the steps at which each is known."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

Role = Literal["static", "future", "past"]


class RoleFacts(NamedTuple):
    """Whether covariates vary within a series, and the number of steps at which those are known after the origin."""

    is_varying: bool
    steps_ahead: float


# In the order of the columns: first those that do not vary, then those that are known over the whole horizon.
ROLES: dict[Role, RoleFacts] = {
    "static": RoleFacts(is_varying=False, steps_ahead=0),
    "future": RoleFacts(is_varying=True, steps_ahead=math.inf),
    "past": RoleFacts(is_varying=True, steps_ahead=0),
}
# The roles of covariates that are the same at all steps; known at a step ahead or more; observed like the series.
CONSTANT = [role for role, facts in ROLES.items() if not facts.is_varying]
AHEAD = [role for role, facts in ROLES.items() if facts.steps_ahead]
OBSERVED = [role for role in ROLES if role not in (*CONSTANT, *AHEAD)]


def count_steps_ahead(role: Role, horizon: int) -> int:
    """Return the number of steps of the horizon at which covariates of this role are known."""
    return int(min(horizon, ROLES[role].steps_ahead))


class CovariateInputs(NamedTuple):
    """The values of covariates that a model reads of a window.

    Attributes:
        columns: int64[input], see `WindowedPanel.values`.
        steps: int64[input], from the origin: 0 and more over the horizon, below 0 in the window.
    """

    columns: np.ndarray
    steps: np.ndarray

    @property
    def are_ahead(self) -> np.ndarray:
        """Whether each value is one over the horizon, bool[input]."""
        return self.steps >= 0


@dataclass(frozen=True)
class Columns:
    """The columns of `WindowedPanel.values`: the target, the calendar features, and the covariates by role.

    Attributes:
        num_calendar: number of calendar features.
        roles: of each covariate, in the order of `ROLES`.
    """

    num_calendar: int = 0
    roles: tuple[Role, ...] = ()

    @property
    def calendar(self) -> slice:
        """The calendar features."""
        return slice(1, 1 + self.num_calendar)

    @property
    def covariates(self) -> slice:
        """All covariates."""
        return slice(self.calendar.stop, self.calendar.stop + len(self.roles))

    @property
    def static(self) -> slice:
        """The covariates that are the same at all steps of a series."""
        return slice(
            self.calendar.stop, self.calendar.stop + sum(role in CONSTANT for role in self.roles)
        )

    @property
    def varying(self) -> slice:
        """The time-varying covariates."""
        return slice(self.static.stop, self.covariates.stop)

    @property
    def future(self) -> slice:
        """The covariates that are known over the whole horizon."""
        num_future = sum(ROLES[role].steps_ahead == math.inf for role in self.roles)
        return slice(self.static.stop, self.static.stop + num_future)

    def list_ahead(self, horizon: int) -> CovariateInputs:
        """Return the values over the horizon that are known at the origin, one covariate after another."""
        steps = [np.arange(count_steps_ahead(role, horizon)) for role in self.roles]
        numbers = np.arange(self.covariates.start, self.covariates.stop)
        return CovariateInputs(
            np.repeat(numbers, [len(part) for part in steps]),
            np.concatenate([[], *steps]).astype(int),
        )

    def list_inputs(self, horizon: int, num_lags: int) -> CovariateInputs:
        """Return the values ahead, the newest ones of each time-varying covariate, and each static covariate once."""
        ahead = self.list_ahead(horizon)
        static = np.arange(self.static.start, self.static.stop)
        varying = np.arange(self.varying.start, self.varying.stop)
        return CovariateInputs(
            np.concatenate([ahead.columns, np.repeat(varying, num_lags), static]),
            np.concatenate(
                [
                    ahead.steps,
                    np.tile(np.arange(-num_lags, 0), len(varying)),
                    np.full(len(static), -1),
                ]
            ),
        )

    def sum_by_column(
        self, columns: np.ndarray, parts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Sum the contributions of inputs, float[input, horizon], by the column of each, int64[input].

        Returns:
            float64[horizon] of the calendar, and float64[covariate, horizon].
        """
        sums = np.zeros((self.covariates.stop, parts.shape[1]))
        np.add.at(sums, columns, parts)
        return sums[self.calendar].sum(axis=0), sums[self.covariates]
