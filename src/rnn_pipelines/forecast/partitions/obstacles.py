"""A champion that meets a table which it cannot forecast, although a retraining could read it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rnn_pipelines.champion.artefacts import name_promotion
from rnn_pipelines.errors import ChampionError, MissingColumnsError, SeriesError
from rnn_pipelines.forecast.model.settings import ForecasterSettings
from rnn_pipelines.forecast.preparation.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.series.tables import Profile, Source
from rnn_pipelines.forecast.source.specs import SourceSpec


@contextmanager
def explain_reading(version: str, label: str, read: Callable[[], object]) -> Iterator[None]:
    """Raise a ChampionError instead of a SeriesError if the table can be read by today's parameters.

    Args:
        version: of the champion.
        label: of the table.
        read: reads the table as a retraining would. Its SeriesError takes precedence: the table itself is at fault.
    """
    try:
        yield
    except SeriesError as error:
        read()
        fact = str(error)
        if isinstance(error, MissingColumnsError):
            fact = f"it reads the covariates {error.missing}, which the table lacks"
        raise make_error(version, label, fact) from error


@contextmanager
def explain_spacing(
    version: str, settings: ForecasterSettings, table: Source, source: SourceSpec, gaps: GapPolicy
) -> Iterator[None]:
    """Raise a ChampionError instead of a SeriesError if the table has the spacing or the gaps of other parameters."""
    try:
        yield
    except SeriesError as error:
        _, profile = repair_series(table, source, gaps)
        fact = _find_difference(settings, profile, gaps)
        if fact is None:
            raise
        raise make_error(version, source.label, fact) from error


def _find_difference(settings: ForecasterSettings, profile: Profile, gaps: GapPolicy) -> str | None:
    if settings.freq != profile["freq"]:
        return f"it was trained on steps of {settings.freq}, and the table has steps of {profile['freq']}"
    if settings.gaps != gaps:
        return f"it was trained with forecast.gaps={settings.gaps.root}, which forbids the gaps of the table"
    return None


def make_error(version: str, label: str, fact: str) -> ChampionError:
    """Return the error of a champion that cannot forecast a table, with the command that replaces the champion."""
    remedy = "Give the table that it was trained on, with newer rows. If this table takes its place, run "
    name = f"the champion {version} cannot forecast {label}"
    return ChampionError(f"{name}: {fact.removesuffix('.')}. {remedy}{name_promotion('forecast')}.")
