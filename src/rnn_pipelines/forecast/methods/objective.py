"""The objective of the fits: the loss of models, and the point of the distribution that the ensemble forecasts."""

from typing import Literal

from rnn_pipelines.parameter_models import ParameterModel

Target = Literal["mean", "median", "both"]
NonNegative = Literal["auto", True, False]
# With a larger share of zeros, the median is 0 or nearly so, and a fit of absolute errors forecasts nothing.
MAX_ZERO_SHARE = 0.3


class ObjectiveSpec(ParameterModel, frozen=True):
    """The loss of the fits, the target of the ensemble, and the smallest forecast.

    Attributes:
        loss: `squared` or `absolute` errors of linear models and networks; `auto` takes squared errors for a single
            series, and for panels in which more than 30 % of the values are 0, else absolute ones.
        target: `mean`, whose sum over series and steps is the expected sum, or `median`, which has the smallest
            absolute error: the ensemble's weights minimise squared or absolute errors. `both` adds the median as
            `ensemble_median` to the mean.
        non_negative: whether forecasts and bounds are cut at 0; `auto` cuts those of a series without a value below 0
            before the forecast.
    """

    loss: Literal["auto", "squared", "absolute"] = "auto"
    target: Target = "mean"
    non_negative: NonNegative = "auto"

    def choose_absolute(self, is_single: bool, zero_share: float) -> bool:
        """Return whether models are fitted on absolute errors, given the share of zeros among all values."""
        if self.loss == "auto":
            return not is_single and zero_share <= MAX_ZERO_SHARE
        return self.loss == "absolute"
