"""Parameters of runs."""

from typing import Annotated

from pydantic import Field

from rnn_pipelines.parameter_models import ParameterModel


class RunsSpec(ParameterModel, frozen=True):
    """How runs are kept.

    Attributes:
        keep: so many of the newest runs of each pipeline stay; two at least, because another pipeline may still read
            the one before.
    """

    keep: Annotated[int, Field(ge=2)] = 10
