"""Parameters of runs."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class RunsSpec(BaseModel):
    """How runs are kept.

    Attributes:
        keep: so many of the newest runs of each pipeline stay; two at least, because another pipeline may still read
            the one before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep: Annotated[int, Field(ge=2)] = 10
