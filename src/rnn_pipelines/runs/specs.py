"""Parameters of runs."""

from typing import Annotated

from pydantic import Field

from rnn_pipelines.parameter_models import ParameterModel


class RunsSpec(ParameterModel, frozen=True):
    """How runs are kept.

    Attributes:
        keep: the number of newest runs to keep of each pipeline; at least two, because another pipeline may still read
            the previous one.
    """

    keep: Annotated[int, Field(ge=2)] = 10
