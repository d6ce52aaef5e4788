"""Totals of a divided panel: each partition writes the sums of its series, which are then added.

The sample paths of a series are the same in any panel, so that the totals are those of the undivided panel.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.newer_values import Ends
from rnn_pipelines.forecast.totals.adding import (
    NUM_PATHS,
    PartialTotals,
    Totals,
    TotalsTable,
    finish_totals,
    join_totals,
)
from rnn_pipelines.forecast.totals.next_totals import add_part, make_question
from rnn_pipelines.forecast.totals.specs import NO_TOTALS, TotalsSpec

SUMS = "sums.parquet"
OF_SERIES = "totals_of_series.parquet"


@dataclass(frozen=True)
class PanelTotals:
    """The totals of a divided panel that a user asks for, and the number of sample paths that they are sums of."""

    spec: TotalsSpec = NO_TOTALS
    num_paths: int = NUM_PATHS

    def write(
        self, ends: Ends, forecasts: pd.DataFrame, group_table: pd.DataFrame, folder: Path
    ) -> None:
        """Write the sums of a partition into a folder, if any are asked for; see `add_ends`."""
        if not self.spec.root:
            return
        question = make_question(ends.forecaster, self.spec)
        part = add_part(ends, forecasts, group_table, question, self.num_paths)
        part.sums.to_parquet(folder / SUMS, index=False)
        part.of_series.to_parquet(folder / OF_SERIES, index=False)

    def join(self, folders: Iterable[Path], forecaster: Forecaster) -> Totals:
        """Return the totals of all partitions; no rows if none are asked for."""
        if not self.spec.root:
            return TotalsTable.make_empty()
        parts = (
            PartialTotals(pd.read_parquet(folder / SUMS), pd.read_parquet(folder / OF_SERIES))
            for folder in folders
        )
        return finish_totals(join_totals(parts), make_question(forecaster, self.spec))


NO_PANEL_TOTALS = PanelTotals()
