"""Comparison of a table that is read divided with the same table that is read whole."""

from pathlib import Path
from typing import Any

import pandas as pd

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec, draw_sample
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.specs import SourceSpec


def read(source: SourceSpec, covariates: CovariateSpec) -> Any:
    try:
        return read_series(source, covariates)
    except SeriesError as error:
        return error


def read_divided(
    source: SourceSpec, covariates: CovariateSpec, spec: PartitionSpec, folder: Path
) -> Any:
    """The rows of all partitions, or the errors of some; None for a table that is not divided."""
    try:
        sample = draw_sample(source, covariates, spec, folder)
    except SeriesError as error:
        return None if "sample for a fit has no series" in str(error) else [error]
    if sample.partitions.folder is None:
        return None
    chosen = map(sample.select, sample.partitions.list_numbers())
    parts = [read(part.source, part.covariates) for part in chosen]
    errors = [part for part in parts if isinstance(part, Exception)]
    tables = zip(*parts, strict=True) if not errors else ()
    return errors or tuple(
        pd.concat([part for part in some if len(part)] or [some[0]]) for some in tables
    )


def explain_difference(whole: Any, divided: Any) -> str | None:
    """What differs; None if nothing does."""
    if isinstance(whole, Exception) or isinstance(divided, list):
        # Series of several partitions can have the same fault.
        same = isinstance(divided, list) and (type(whole), str(whole)) in [
            (type(one), str(one)) for one in divided
        ]
        found = "\n".join(map(show, divided)) if isinstance(divided, list) else show(divided)
        return None if same else f"whole: {show(whole)}\ndivided: {found}"
    try:
        pd.testing.assert_frame_equal(divided[0].sort_index(), whole[0], check_dtype=False)
        one, other = (
            found.sort_values(["unique_id", "ds"], ignore_index=True)
            for found in (divided[1], whole[1])
        )
        pd.testing.assert_frame_equal(one, other, check_dtype=False)
    except AssertionError as error:
        return str(error)
    return None


def show(found: Any) -> str:
    return (
        f"{type(found).__name__}: {found}"
        if isinstance(found, Exception)
        else f"{len(found[0])} rows"
    )
