"""The totals that a user asks for."""

import re
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, RootModel

from rnn_pipelines.errors import show
from rnn_pipelines.forecast.source.frames import ID

# Of all series together, and of each series by itself.
ALL, SERIES = "all", "series"
# The whole horizon of a forecast.
HORIZON = "horizon"
# Calendar periods, with pandas' names of them; a week begins on Monday.
PERIODS = {"day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y", HORIZON: ""}
CROSS = " × "


class Total(NamedTuple):
    """One kind of total.

    Attributes:
        name: as in the results: `region × month`.
        columns: whose values name the groups; none for all series together, `unique_id` for each series.
        period: a key of `PERIODS`; None for each step.
    """

    name: str
    columns: tuple[str, ...]
    period: str | None


def _list_names(value: Any) -> Any:
    """Return names as a list, also of a text such as all+region, because a command line does not accept lists."""
    names = value.split("+") if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"expected names such as all, region or week, received {show(value)}")
    return tuple(names)


def _check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    written = tuple(CROSS.join(_split(name)) for name in names)
    for name in written:
        parts = name.split(CROSS)
        periods = [part for part in parts if part in PERIODS]
        if not all(parts) or len(set(parts)) < len(parts) or len(periods) > 1:
            raise ValueError(
                f"expected columns, all, series or one of {', '.join(PERIODS)}, or a product such as region{CROSS}"
                f"month with one period, received {show(name)}"
            )
    return tuple(dict.fromkeys(written))


def _split(name: str) -> list[str]:
    return [part.strip() for part in re.split(r"\s+x\s+|[×*]", name)]


Names = Annotated[tuple[str, ...], AfterValidator(_check_names), BeforeValidator(_list_names)]


class TotalsSpec(RootModel[Names], frozen=True):
    """The totals of the next values: `all`, `series`, columns of the table, periods, or their products.

    Such a product is `region × week`. A period alone is of all series together. A list, or a text such as
    `all+region+week`.
    """

    @property
    def totals(self) -> list[Total]:
        """The totals in their order."""
        return [_parse(name) for name in self.root]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table whose values name groups."""
        listed = [column for total in self.totals for column in total.columns]
        return tuple(dict.fromkeys(column for column in listed if column != ID))


NO_TOTALS = TotalsSpec(())


def _parse(name: str) -> Total:
    parts = name.split(CROSS)
    period = next((part for part in parts if part in PERIODS), None)
    columns = [part for part in parts if part not in (ALL, *PERIODS)]
    return Total(name, tuple(ID if part == SERIES else part for part in columns), period)
